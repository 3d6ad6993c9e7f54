// Scenarios in which one end waits for a program that does not act, as data. Must not know how they are
// carried out.

import type { Scenario } from '../scenario.js';
import { NO_RESET, OUR_FIN, OUR_RST, THEIR_FIN, WE_CALL } from './beginnings.js';

export const WAITING: readonly Scenario[] = [
  {
    name: 'close-wait-leak',
    title: 'Our program forgets to close',
    section: 'RFC 9293 §3.6',
    why:
      'The peer has closed each of these connections, and nothing but our own program can end CLOSE-WAIT: no timer of TCP does, since the program might still have something to say. ' +
      'Connections that pile up in CLOSE-WAIT are a defect of the program on this side, never of the network or the peer.',
    steps: [
      { end: 'ours', call: 'listen' },
      ...[1, 2, 3].flatMap(
        (connections) =>
          [
            { end: 'theirs', call: 'connect' },
            { until: { end: 'ours', state: 'ESTABLISHED' } },
            { end: 'theirs', call: 'shutdown' },
            { until: { end: 'theirs', state: 'FIN-WAIT-2' } },
            {
              holds: { end: 'ours', state: 'CLOSE-WAIT', connections },
              note: 'none of them is ever closed',
            },
          ] as const,
      ),
    ],
    ours: [1, 2, 3].flatMap(() => ['SYN-RECEIVED', 'ESTABLISHED', 'CLOSE-WAIT']),
    theirs: [1, 2, 3].flatMap(() => ['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2']),
    segments: [{ match: OUR_FIN, times: 0 }, { match: THEIR_FIN, times: 3 }, ...NO_RESET],
  },
  {
    name: 'fin-wait-2-timeout',
    title: 'The peer never closes, and nobody here waits for it',
    section: 'RFC 9293 §3.6; Linux tcp(7), tcp_fin_timeout',
    why:
      'Our program has closed both directions and is gone, so this FIN-WAIT-2 has no owner: the RFC would let it wait for ever, and peers that forget to close would eat up our memory. ' +
      'So the orphan goes after a timeout, and if the peer says something after all it learns by a RST that nobody is there.',
    tcp: { finWait2Timeout: 1000 },
    steps: [
      ...WE_CALL,
      { end: 'ours', call: 'close' },
      { until: { end: 'ours', state: 'FIN-WAIT-2' } },
      { until: { end: 'ours', state: 'CLOSED' }, note: 'the timeout passes' },
      { holds: { end: 'theirs', state: 'CLOSE-WAIT' }, note: 'the peer has not been told' },
      { end: 'theirs', call: 'write', bytes: 100 },
      { until: { end: 'theirs', state: 'CLOSED' } },
    ],
    ours: ['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSED'],
    theirs: ['SYN-RECEIVED', 'ESTABLISHED', 'CLOSE-WAIT', 'CLOSED'],
    segments: [
      { match: THEIR_FIN, times: 0 },
      { match: OUR_RST, times: 1 },
    ],
    spans: [
      {
        from: { direction: 'in', acknowledges: 'FIN', data: false },
        to: { end: 'ours', state: 'CLOSED' },
        atLeast: 1000,
      },
    ],
  },
];
