// Scenarios of an orderly close, as data. Must not know how they are carried out.

import type { Scenario } from '../scenario.js';
import {
  NO_RESET,
  OUR_ACK_OF_FIN,
  OUR_FIN,
  PATHS,
  THEIR_ACK_OF_FIN,
  THEIR_FIN,
  THEY_CALL,
  THEY_CLOSE_FIRST,
  TIME_WAIT_ENDS,
  TIME_WAIT_IN_FULL,
  WE_CALL,
  WE_CLOSE_FIRST,
} from './beginnings.js';

/** What is written behind a FIN of the other direction. */
const MEGABYTES = 2_000_000;

export const CLOSING: readonly Scenario[] = [
  {
    name: 'active-close',
    title: 'We close first',
    section: 'RFC 9293 §3.6, Figure 12',
    why:
      'Each direction is closed by a FIN of its own, which takes one sequence number so that it can be acknowledged as a byte is. ' +
      'Whoever closes first sends the last ACK, and stays in TIME-WAIT because nothing tells it whether that ACK has arrived.',
    steps: [...WE_CALL, ...WE_CLOSE_FIRST, TIME_WAIT_ENDS],
    ours: [...PATHS.callerClosesFirst, 'CLOSED'],
    theirs: PATHS.calledClosesSecond,
    segments: [
      { match: OUR_FIN, times: 1 },
      { match: THEIR_ACK_OF_FIN, times: 1 },
      { match: THEIR_FIN, times: 1 },
      { match: OUR_ACK_OF_FIN, times: 1 },
      ...NO_RESET,
    ],
    spans: TIME_WAIT_IN_FULL,
  },
  {
    name: 'passive-close',
    title: 'The peer closes first',
    section: 'RFC 9293 §3.6, Figure 12',
    why:
      "The peer's FIN only says that nothing more will come from there; we are in CLOSE-WAIT for as long as our own program likes, and may go on sending. " +
      'Our FIN comes second, so its ACK is the last thing that we wait for: afterwards nobody can want anything of us again, and we need no TIME-WAIT.',
    steps: [...THEY_CALL, ...THEY_CLOSE_FIRST],
    ours: PATHS.calledClosesSecond,
    theirs: PATHS.callerClosesFirst,
    segments: [
      { match: THEIR_FIN, times: 1 },
      { match: OUR_ACK_OF_FIN, times: 1 },
      { match: OUR_FIN, times: 1 },
      { match: THEIR_ACK_OF_FIN, times: 1 },
      ...NO_RESET,
    ],
  },
  {
    name: 'half-close',
    title: 'We have said all, the peer has not',
    section: 'RFC 9293 §3.6.1, §3.10.4',
    why:
      'A FIN closes one direction only: in FIN-WAIT-2 we still read, acknowledge and open our window for as long as the peer sends. ' +
      'A client may so say "that was my question" by closing, and get megabytes of answer over the other half.',
    kernel: { mtu: 9000 },
    steps: [
      ...WE_CALL,
      { end: 'ours', call: 'shutdown' },
      { until: { end: 'ours', state: 'FIN-WAIT-2' } },
      { end: 'theirs', call: 'write', bytes: MEGABYTES },
      { until: { end: 'ours', received: MEGABYTES } },
      { until: { quiet: true }, note: 'the last bytes are acknowledged' },
      { holds: { end: 'ours', state: 'FIN-WAIT-2' }, note: 'only the peer can end it' },
      { end: 'theirs', call: 'shutdown' },
      { until: { end: 'theirs', state: 'CLOSED' } },
      TIME_WAIT_ENDS,
    ],
    ours: [...PATHS.callerClosesFirst, 'CLOSED'],
    theirs: PATHS.calledClosesSecond,
    segments: [{ match: OUR_FIN, times: 1 }, { match: THEIR_FIN, times: 1 }, ...NO_RESET],
    spans: TIME_WAIT_IN_FULL,
  },
  {
    name: 'half-close-theirs',
    title: 'The peer has said all, we have not',
    section: 'RFC 9293 §3.6.1, §3.10.4',
    why:
      'In CLOSE-WAIT our half of the connection works as before: what we write is sent, acknowledged, and sent again where it was lost. ' +
      'A server that takes the end of the question for the end of the connection cuts off its own answer; it has to close when it has finished, not when the peer has.',
    kernel: { mtu: 9000 },
    steps: [
      ...THEY_CALL,
      { end: 'theirs', call: 'shutdown' },
      { until: { end: 'theirs', state: 'FIN-WAIT-2' } },
      { end: 'ours', call: 'write', bytes: MEGABYTES },
      { until: { end: 'theirs', received: MEGABYTES } },
      { until: { quiet: true }, note: 'the last bytes are acknowledged' },
      { holds: { end: 'ours', state: 'CLOSE-WAIT' }, note: 'only our own program can end it' },
      { end: 'ours', call: 'shutdown' },
      { until: { end: 'ours', state: 'CLOSED' } },
    ],
    ours: PATHS.calledClosesSecond,
    theirs: PATHS.callerClosesFirst,
    segments: [{ match: OUR_FIN, times: 1 }, { match: THEIR_FIN, times: 1 }, ...NO_RESET],
  },
  {
    name: 'three-segment-close',
    title: 'The peer closes at once: FIN and ACK in one segment',
    section: 'RFC 9293 §3.10.7.4, eighth check',
    why:
      'A program that closes as soon as it sees the end of the stream may let its kernel put the ACK of our FIN and its own FIN into one segment. ' +
      'That segment leads from FIN-WAIT-1 straight to TIME-WAIT, and four segments become three, as in the handshake.',
    faults: [
      {
        on: THEIR_ACK_OF_FIN,
        do: 'drop',
        note: 'a lone ACK of our FIN, which Linux often sends before the program has closed, is dropped, so that the FIN has to bring it',
      },
    ],
    steps: [
      ...WE_CALL,
      { end: 'theirs', call: 'shutdown', atEnd: true },
      { end: 'ours', call: 'shutdown' },
      { until: { end: 'ours', state: 'TIME-WAIT' } },
      { until: { end: 'theirs', state: 'CLOSED' } },
      TIME_WAIT_ENDS,
    ],
    ours: ['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'TIME-WAIT', 'CLOSED'],
    theirs: PATHS.calledClosesSecond,
    segments: [
      { match: OUR_FIN, times: 1 },
      { match: { ...THEIR_FIN, acknowledges: 'FIN' }, times: 1 },
      { match: OUR_ACK_OF_FIN, times: 1 },
      ...NO_RESET,
    ],
    spans: TIME_WAIT_IN_FULL,
  },
  {
    name: 'simultaneous-close',
    title: 'Both close at once, and the FINs cross',
    section: 'RFC 9293 §3.6, Figure 13',
    why:
      "Each end gets a FIN where it expects the ACK of its own: it acknowledges the other's, and waits in CLOSING for the ACK that is still due. " +
      'Both have closed first, so both stay in TIME-WAIT, each in case its ACK was lost.',
    steps: [
      ...WE_CALL,
      { end: 'ours', call: 'shutdown' },
      { end: 'theirs', call: 'shutdown', note: 'before our FIN has arrived' },
      { until: { end: 'ours', state: 'CLOSING' } },
      { until: { end: 'theirs', state: 'TIME-WAIT' } },
      { until: { end: 'ours', state: 'TIME-WAIT' } },
      TIME_WAIT_ENDS,
    ],
    ours: ['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'CLOSING', 'TIME-WAIT', 'CLOSED'],
    theirs: ['SYN-RECEIVED', 'ESTABLISHED', 'FIN-WAIT-1', 'CLOSING', 'TIME-WAIT'],
    segments: [
      { match: OUR_FIN, times: 1 },
      { match: { ...OUR_FIN, acknowledges: 'FIN' }, times: 0 },
      { match: THEIR_FIN, times: 1 },
      { match: { ...THEIR_FIN, acknowledges: 'FIN' }, times: 0 },
      ...NO_RESET,
    ],
    spans: TIME_WAIT_IN_FULL,
  },
];
