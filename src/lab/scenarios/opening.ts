// Scenarios of opening a connection, as data. Must not know how they are carried out.

import type { Scenario } from '../scenario.js';
import { OUR_RST, THEIR_RST, THEIR_SYN, THEY_CALL, WE_CALL } from './beginnings.js';

export const OPENING: readonly Scenario[] = [
  {
    name: 'handshake',
    title: 'Three segments open a connection',
    section: 'RFC 9293 §3.5, Figure 6',
    why:
      'Each end tells the other the number at which its bytes begin, and each must hear that the other has understood it. ' +
      'That would be four messages; whoever is called puts its own SYN and the ACK of the other into one segment, so three are enough.',
    steps: WE_CALL,
    ours: ['SYN-SENT', 'ESTABLISHED'],
    theirs: ['SYN-RECEIVED', 'ESTABLISHED'],
    segments: [
      { match: { direction: 'out', has: ['SYN'] }, times: 1 },
      { match: { direction: 'in', has: ['SYN'], acknowledges: 'SYN' }, times: 1 },
      { match: { direction: 'out', lacks: ['SYN'], acknowledges: 'SYN' }, times: 1 },
    ],
  },
  {
    name: 'handshake-theirs',
    title: 'Three segments open a connection that the peer asks for',
    section: 'RFC 9293 §3.5, Figure 6',
    why:
      'Whoever is called answers the SYN, but believes in the connection only when its own SYN has been acknowledged: until then anybody might have written that first segment. ' +
      'So one end is ESTABLISHED a moment before the other, and data may already be on their way by then.',
    steps: THEY_CALL,
    ours: ['SYN-RECEIVED', 'ESTABLISHED'],
    theirs: ['SYN-SENT', 'ESTABLISHED'],
    segments: [
      { match: { direction: 'in', has: ['SYN'] }, times: 1 },
      { match: { direction: 'out', has: ['SYN'], acknowledges: 'SYN' }, times: 1 },
      { match: { direction: 'in', lacks: ['SYN'], acknowledges: 'SYN' }, times: 1 },
    ],
  },
  {
    name: 'simultaneous-open',
    title: 'Both call at once, and the SYNs cross',
    section: 'RFC 9293 §3.5, Figure 7',
    why:
      'Two programs that call each other from the ports on which they are called get one connection, not two, and neither of them ever listens. ' +
      'Each answers the SYN that it did not expect by sending its own again with an ACK, which is all that the other still lacks.',
    steps: [
      { end: 'ours', call: 'connect' },
      { end: 'theirs', call: 'connect', note: 'before our SYN has arrived' },
      { until: { end: 'ours', state: 'ESTABLISHED' } },
      { until: { end: 'theirs', state: 'ESTABLISHED' } },
    ],
    ours: ['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED'],
    theirs: ['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED'],
    segments: [
      { match: { direction: 'out', has: ['SYN'], lacks: ['ACK'] }, times: 1 },
      { match: THEIR_SYN, times: 1 },
      { match: { direction: 'out', has: ['SYN'], acknowledges: 'SYN' }, times: 1, atLeast: true },
      { match: { direction: 'in', has: ['SYN'], acknowledges: 'SYN' }, times: 1, atLeast: true },
      { match: OUR_RST, times: 0 },
      { match: THEIR_RST, times: 0 },
    ],
  },
  {
    name: 'old-duplicate-syn',
    title: 'A SYN from long ago arrives before the real one',
    section: 'RFC 9293 §3.5, Figure 8',
    why:
      'We cannot tell an old SYN from a new one and answer it, but the peer sees that we acknowledge a number that it has not sent, and resets what was never a connection: in the figure we go back to LISTEN, which our listener has never left, and only the record that it had made ends in CLOSED. ' +
      'This is why there is a third segment: with two, the stale SYN would have opened a connection that nobody asked for.',
    faults: [
      {
        on: { ...THEIR_SYN, nth: 1 },
        do: { holdUntil: THEIR_RST },
        note: 'the real SYN is slow',
      },
      {
        on: { ...THEIR_SYN, nth: 2 },
        do: 'drop',
        note: 'on a busy machine it may be sent again after a second, to no purpose here',
      },
    ],
    steps: [
      { end: 'ours', call: 'listen' },
      { end: 'theirs', call: 'connect' },
      {
        inject: {
          ...{ direction: 'in', flags: ['SYN'] },
          ...{ seqOffset: -1_000_000, timestampOffset: -60_000 },
        },
        note: 'a SYN of an earlier attempt has been under way for a minute',
      },
      { until: { end: 'ours', state: 'SYN-RECEIVED' } },
      { until: { seen: THEIR_RST, times: 1 }, note: 'the peer does not know what we acknowledge' },
      {
        holds: { end: 'ours', state: 'CLOSED' },
        note: 'the record has gone, and no program has seen it; the listener waits as before',
      },
      { until: { end: 'theirs', state: 'ESTABLISHED' }, note: 'the real SYN arrives' },
      { until: { end: 'ours', state: 'ESTABLISHED' } },
    ],
    ours: ['SYN-RECEIVED', 'CLOSED', 'SYN-RECEIVED', 'ESTABLISHED'],
    theirs: ['SYN-SENT', 'ESTABLISHED'],
    segments: [{ match: THEIR_RST, times: 1 }],
  },
];
