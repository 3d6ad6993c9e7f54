// Scenarios in which a segment of the close is lost, late, or may not be sent yet, as data. Must not
// know how they are carried out.

import type { Scenario } from '../scenario.js';
import {
  NO_RESET,
  OUR_ACK_OF_FIN,
  OUR_FIN,
  PATHS,
  THEIR_FIN,
  THEY_CALL,
  TIME_WAIT_ENDS,
  TIME_WAIT_IN_FULL,
  WE_CALL,
} from './beginnings.js';

/** More than any peer takes that does not read, and less than our send buffer. */
const TOO_MUCH = 400_000;

export const LOSSES: readonly Scenario[] = [
  {
    name: 'lost-final-ack',
    title: 'The last ACK is lost',
    section: 'RFC 9293 §3.6, §3.10.7.4',
    why:
      'The peer cannot know whether its FIN or our ACK was lost, so it sends the FIN again, and somebody must still be there to acknowledge it. ' +
      'That is what TIME-WAIT is for, and why its two lifetimes of a segment begin anew with each FIN that arrives.',
    tcp: { msl: 1000 },
    kernel: { patienceMs: 700 },
    faults: [
      { on: { ...OUR_ACK_OF_FIN, nth: 1 }, do: 'drop', note: 'the last ACK does not arrive' },
    ],
    steps: [
      ...WE_CALL,
      { end: 'ours', call: 'shutdown' },
      { until: { end: 'ours', state: 'FIN-WAIT-2' } },
      { end: 'theirs', call: 'shutdown' },
      { until: { seen: OUR_ACK_OF_FIN, times: 1 }, note: 'the last ACK is lost' },
      {
        holds: { end: 'theirs', state: 'LAST-ACK' },
        note: 'the peer does not know that we have its FIN',
      },
      { until: { end: 'theirs', state: 'CLOSED' }, note: 'the peer repeats its FIN' },
      { until: { end: 'ours', state: 'CLOSED' }, note: '2MSL pass, counted from the last FIN' },
    ],
    ours: [...PATHS.callerClosesFirst, 'CLOSED'],
    theirs: PATHS.calledClosesSecond,
    segments: [
      { match: OUR_FIN, times: 1 },
      { match: THEIR_FIN, times: 2, atLeast: true },
      { match: OUR_ACK_OF_FIN, times: 2, atLeast: true },
      ...NO_RESET,
    ],
    spans: TIME_WAIT_IN_FULL,
  },
  {
    name: 'lost-fin',
    title: 'Our FIN is lost, and lost again',
    section: 'RFC 9293 §3.8.1; RFC 6298 §5',
    why:
      'A FIN has a sequence number, so it is sent again until it is acknowledged, as data would be. ' +
      'Each time we wait twice as long as before: if the network loses segments because it is full, impatience would keep it full.',
    tcp: { minRto: 200, tailLossProbe: false },
    faults: [1, 2, 3].map((nth) => ({
      on: { ...OUR_FIN, nth },
      do: 'drop',
      note: 'our FIN does not arrive',
    })),
    steps: [
      ...WE_CALL,
      { end: 'ours', call: 'shutdown' },
      { until: { seen: OUR_FIN, times: 3 } },
      { holds: { end: 'ours', state: 'FIN-WAIT-1' }, note: 'nothing was acknowledged' },
      { holds: { end: 'theirs', state: 'ESTABLISHED' }, note: 'the peer knows nothing' },
      { until: { end: 'ours', state: 'FIN-WAIT-2' } },
      { end: 'theirs', call: 'shutdown' },
      { until: { end: 'theirs', state: 'CLOSED' } },
      TIME_WAIT_ENDS,
    ],
    ours: [...PATHS.callerClosesFirst, 'CLOSED'],
    theirs: PATHS.calledClosesSecond,
    segments: [{ match: OUR_FIN, times: 4, backOff: true }, ...NO_RESET],
    spans: TIME_WAIT_IN_FULL,
  },
  {
    name: 'fin-overtakes-data',
    title: 'The FIN arrives before the data that it ends',
    section: 'RFC 9293 §3.10.7.4, first and eighth check',
    why:
      'A FIN counts at its place in the stream, not at the time of its arrival: we keep it in mind, and stay ESTABLISHED until all before it is there. ' +
      'A stack that closed at once would tell its program that the stream has ended, and lose bytes without anybody noticing.',
    faults: [
      {
        on: { direction: 'in', data: true },
        do: { holdUntil: THEIR_FIN },
        note: 'the data take a longer way',
      },
    ],
    steps: [
      ...THEY_CALL,
      { end: 'theirs', call: 'write', bytes: 5000 },
      { end: 'theirs', call: 'shutdown' },
      { until: { seen: THEIR_FIN, times: 1 } },
      { holds: { end: 'ours', state: 'ESTABLISHED' }, note: 'the stream has not reached the FIN' },
      { until: { end: 'ours', state: 'CLOSE-WAIT' } },
      { holds: { end: 'ours', received: 5000 }, note: 'not one byte is missing' },
      { until: { end: 'theirs', state: 'FIN-WAIT-2' } },
      { end: 'ours', call: 'shutdown' },
      { until: { end: 'ours', state: 'CLOSED' } },
    ],
    ours: PATHS.calledClosesSecond,
    theirs: PATHS.callerClosesFirst,
    segments: [
      // The peer may take what is late for lost, and send it again.
      { match: THEIR_FIN, times: 1, atLeast: true },
      { match: { direction: 'in', data: true }, times: 4, atLeast: true },
      ...NO_RESET,
    ],
  },
  {
    name: 'fin-behind-zero-window',
    title: 'The peer does not read, and our FIN has to wait',
    section: 'RFC 9293 §3.8.6.1, §3.10.4',
    why:
      'With the CLOSE call we are in FIN-WAIT-1, but the FIN stands behind data for which the peer has no room, so it is queued and not sent. ' +
      'From time to time we probe the closed window, since the segment that opens it could be lost; once the peer reads, everything flows, the FIN last.',
    tcp: { minRto: 200, sendBuffer: 524_288 },
    steps: [
      { end: 'theirs', call: 'pause' },
      ...WE_CALL,
      { end: 'ours', call: 'write', bytes: TOO_MUCH },
      { until: { seen: { direction: 'in', zeroWindow: true }, times: 1 } },
      { end: 'ours', call: 'shutdown' },
      { until: { seen: { direction: 'out', data: 1 }, times: 2 }, note: 'we probe the window' },
      { holds: { end: 'ours', state: 'FIN-WAIT-1' }, note: 'our FIN is queued' },
      { holds: { unseen: OUR_FIN }, note: 'it is not sent' },
      { end: 'theirs', call: 'read' },
      { until: { end: 'theirs', received: TOO_MUCH } },
      { until: { end: 'ours', state: 'FIN-WAIT-2' } },
      { end: 'theirs', call: 'shutdown' },
      { until: { end: 'theirs', state: 'CLOSED' } },
      TIME_WAIT_ENDS,
    ],
    ours: [...PATHS.callerClosesFirst, 'CLOSED'],
    theirs: PATHS.calledClosesSecond,
    segments: [{ match: OUR_FIN, times: 1, atLeast: true }, ...NO_RESET],
    spans: TIME_WAIT_IN_FULL,
  },
];
