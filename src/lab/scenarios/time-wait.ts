// Scenarios of what meets the end of a connection late: TIME-WAIT and LAST-ACK, as data. Must not know
// how they are carried out.

import type { Scenario } from '../scenario.js';
import {
  NO_RESET,
  OUR_ACK_OF_FIN,
  OUR_FIN,
  OUR_RST,
  PATHS,
  THEIR_FIN,
  THEIR_RST,
  THEIR_SYN,
  THEY_CALL,
  TIME_WAIT_ENDS,
  TIME_WAIT_IN_FULL,
  WE_CALL,
  WE_CLOSE_FIRST,
} from './beginnings.js';

export const TIME_WAIT: readonly Scenario[] = [
  {
    name: 'time-wait-port-busy',
    title: 'A server that is started again finds its port busy',
    section: 'RFC 9293 §3.6.1; socket(7), SO_REUSEADDR',
    why:
      'The server closed first, so its end of the connection is in TIME-WAIT, and for 2MSL the port is not free: listening on it fails with EADDRINUSE. ' +
      'With address reuse it succeeds at once, which is safe, since TCP tells new connections from the old one by their other end; so every server should ask for it.',
    tcp: { msl: 1000 },
    steps: [
      ...THEY_CALL,
      ...WE_CLOSE_FIRST,
      { end: 'ours', call: 'unlisten', note: 'the server ends' },
      { end: 'ours', call: 'listen', fails: 'EADDRINUSE', note: 'and is started again' },
      { end: 'ours', call: 'listen', reuseAddress: true },
      { end: 'ours', call: 'unlisten' },
      TIME_WAIT_ENDS,
      { end: 'ours', call: 'listen', note: 'after 2MSL it needs no permission' },
    ],
    ours: [...PATHS.calledClosesFirst, 'CLOSED'],
    theirs: PATHS.callerClosesSecond,
    segments: NO_RESET,
    spans: TIME_WAIT_IN_FULL,
  },
  {
    name: 'time-wait-reuse',
    title: 'The same client calls again while we are in TIME-WAIT',
    section: 'RFC 6191 §2; RFC 9293 §3.10.7.4',
    why:
      'A SYN whose timestamp is newer than all that the old connection has sent cannot be an old segment: it may take the place of the record, and the client need not wait. ' +
      'One with an older timestamp is a ghost of that connection, and gets only an ACK that says where we stand.',
    tcp: { msl: 15_000 },
    steps: [
      ...THEY_CALL,
      ...WE_CLOSE_FIRST,
      {
        inject: {
          ...{ direction: 'in', flags: ['SYN'] },
          ...{ seqOffset: 1_000_000, timestampOffset: -60_000 },
        },
        note: 'first a SYN with an older timestamp',
      },
      { until: { quiet: true } },
      { holds: { end: 'ours', state: 'TIME-WAIT' }, note: 'it changes nothing' },
      { end: 'theirs', call: 'connect', samePort: true },
      { until: { end: 'theirs', state: 'ESTABLISHED' } },
      { until: { end: 'ours', state: 'ESTABLISHED' } },
    ],
    ours: [...PATHS.calledClosesFirst, 'CLOSED', 'SYN-RECEIVED', 'ESTABLISHED'],
    theirs: [...PATHS.callerClosesSecond, 'SYN-SENT', 'ESTABLISHED'],
    segments: [
      { match: THEIR_SYN, times: 2 },
      // Of the FIN, and for the SYN with the older timestamp.
      { match: OUR_ACK_OF_FIN, times: 2 },
      { match: { direction: 'out', has: ['SYN', 'ACK'] }, times: 2 },
      { match: OUR_RST, times: 0 },
    ],
  },
  {
    name: 'time-wait-old-segment',
    title: 'Data of the closed connection arrive late',
    section: 'RFC 9293 §3.10.7.4, first check',
    why:
      'A copy of a segment that took a longer way arrives when all is over; TIME-WAIT recognizes it as one of the past, drops it, and says once more where we stand. ' +
      'Without TIME-WAIT a new connection between the same ports could take such bytes for its own.',
    tcp: { msl: 1000 },
    steps: [
      ...WE_CALL,
      { end: 'theirs', call: 'write', bytes: 100 },
      { until: { end: 'ours', received: 100 } },
      ...WE_CLOSE_FIRST,
      {
        inject: { direction: 'in', flags: ['PSH', 'ACK'], seqOffset: -101, data: 100 },
        note: 'a copy of the data, late',
      },
      { until: { quiet: true }, note: 'it is acknowledged, which the peer does not understand' },
      { holds: { end: 'ours', state: 'TIME-WAIT' }, note: 'nothing has changed' },
      { holds: { end: 'ours', received: 100 }, note: 'no program has got them twice' },
      TIME_WAIT_ENDS,
    ],
    ours: [...PATHS.callerClosesFirst, 'CLOSED'],
    theirs: PATHS.calledClosesSecond,
    segments: [
      { match: OUR_ACK_OF_FIN, times: 2 },
      { match: OUR_RST, times: 0 },
      // What is acknowledged there belongs to no connection any more.
      { match: THEIR_RST, times: 1 },
    ],
    spans: TIME_WAIT_IN_FULL,
  },
  {
    name: 'time-wait-rst',
    title: 'A RST tries to end TIME-WAIT',
    section: 'RFC 1337 §3 (F1), against RFC 9293 §3.10.7.4, second check',
    why:
      'A late segment draws an ACK from us, and that ACK draws a RST from a peer that has forgotten the connection: obeying it would end TIME-WAIT by the very accident that it guards against. ' +
      'So we ignore it, although it has exactly the number that ends any other state; the RFC would obey it, and so does Linux unless tcp_rfc1337 is set.',
    tcp: { msl: 1000 },
    steps: [
      ...WE_CALL,
      ...WE_CLOSE_FIRST,
      { inject: { direction: 'in', flags: ['RST'] }, note: 'a RST with the right number' },
      { until: { quiet: true } },
      { holds: { end: 'ours', state: 'TIME-WAIT' }, note: 'it was ignored' },
      TIME_WAIT_ENDS,
    ],
    ours: [...PATHS.callerClosesFirst, 'CLOSED'],
    theirs: PATHS.calledClosesSecond,
    segments: [{ match: OUR_ACK_OF_FIN, times: 1 }, ...NO_RESET],
    spans: TIME_WAIT_IN_FULL,
  },
  {
    name: 'syn-in-last-ack',
    title: 'A new call from the same port, while we wait for the last ACK',
    section: 'RFC 9293 §3.5.1, Figure 9; RFC 5961 §4.2',
    why:
      'The peer has forgotten the old connection and calls again from the same port; for us its SYN falls into a connection that still exists, so we answer with the ACK of the old one. ' +
      'That ACK means nothing to the new connection, which resets the old one and calls again: the two are never mixed up.',
    faults: [
      { on: { ...OUR_FIN, nth: 1 }, do: 'drop', note: 'our FIN is lost' },
      {
        on: { ...THEIR_RST, nth: 1 },
        do: 'drop',
        note: 'so is the RST with which the peer gives up: we do not learn of it',
      },
    ],
    steps: [
      ...THEY_CALL,
      { end: 'theirs', call: 'shutdown' },
      { until: { end: 'theirs', state: 'FIN-WAIT-2' } },
      { end: 'ours', call: 'shutdown' },
      { end: 'theirs', call: 'abort', note: 'the peer forgets the connection' },
      { end: 'theirs', call: 'connect', samePort: true },
      { until: { seen: THEIR_SYN, times: 2 } },
      { holds: { end: 'ours', state: 'LAST-ACK' }, note: 'the SYN is not taken for a new call' },
      { until: { seen: THEIR_RST, times: 2 }, note: 'the peer does not know what we acknowledge' },
      { until: { end: 'theirs', state: 'ESTABLISHED' }, note: 'the peer repeats its SYN' },
      { until: { end: 'ours', state: 'ESTABLISHED' } },
    ],
    ours: [...PATHS.calledClosesSecond, 'SYN-RECEIVED', 'ESTABLISHED'],
    theirs: [
      ...['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSED'],
      ...['SYN-SENT', 'ESTABLISHED'],
    ],
    segments: [
      { match: THEIR_FIN, times: 1 },
      // It is the answer to the SYN that brings the RST, not a repetition of our FIN.
      { match: OUR_FIN, times: 1 },
      { match: THEIR_RST, times: 2 },
      { match: { direction: 'out', has: ['SYN', 'ACK'] }, times: 2 },
    ],
  },
];
