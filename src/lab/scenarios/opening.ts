// Scenarios of opening a connection, as data. Must not know how they are carried out.

import type { Scenario } from '../scenario.js';

export const OPENING: readonly Scenario[] = [
  {
    name: 'handshake',
    title: 'The three segments that open a connection',
    section: 'RFC 9293 §3.5, Figure 6',
    why:
      'Each end tells the other the number at which its bytes begin, and each must hear that the other has understood. ' +
      'Four messages would do; the second end puts its SYN and its ACK into one segment, so that three are enough.',
    steps: [
      { end: 'theirs', call: 'listen' },
      { end: 'ours', call: 'connect' },
      { until: { end: 'ours', state: 'ESTABLISHED' } },
      { until: { end: 'theirs', state: 'ESTABLISHED' } },
    ],
    ours: ['SYN-SENT', 'ESTABLISHED'],
    theirs: ['SYN-RECEIVED', 'ESTABLISHED'],
    segments: [
      { match: { direction: 'out', has: ['SYN'], lacks: ['ACK'] }, times: 1 },
      { match: { direction: 'in', has: ['SYN'], acknowledges: 'SYN' }, times: 1 },
      { match: { direction: 'out', lacks: ['SYN'], acknowledges: 'SYN' }, times: 1 },
    ],
  },
];
