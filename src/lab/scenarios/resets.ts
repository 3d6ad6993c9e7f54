// Scenarios in which a RST ends a connection, as data. Must not know how they are carried out.

import type { Scenario } from '../scenario.js';
import { OUR_FIN, OUR_RST, THEIR_FIN, THEIR_RST, THEY_CALL, WE_CALL } from './beginnings.js';

export const RESETS: readonly Scenario[] = [
  {
    name: 'rst-after-fin',
    title: 'A server avoids TIME-WAIT: FIN, ACK, then RST',
    section: 'RFC 9293 §3.5.2, §3.10.5; RFC 1337',
    why:
      "Having seen its FIN acknowledged, our server knows that the client's TCP has all data, and resets the connection instead of waiting for the second half of the close: no TIME-WAIT, here or there. " +
      'The client reads the end of the stream as usual, but if it still has something to say it gets EPIPE, and nothing protects the ports against late segments; by the RFC, whoever resets a connection should enter TIME-WAIT all the same.',
    steps: [
      ...THEY_CALL,
      { end: 'ours', call: 'shutdown' },
      { until: { end: 'ours', state: 'FIN-WAIT-2' } },
      { until: { end: 'theirs', sees: 'end' } },
      { end: 'ours', call: 'abort' },
      { until: { end: 'theirs', state: 'CLOSED' } },
      { end: 'theirs', call: 'write', bytes: 100, fails: 'EPIPE' },
    ],
    ours: ['SYN-RECEIVED', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSED'],
    theirs: ['SYN-SENT', 'ESTABLISHED', 'CLOSE-WAIT', 'CLOSED'],
    segments: [
      { match: OUR_FIN, times: 1 },
      { match: OUR_RST, times: 1 },
      { match: THEIR_FIN, times: 0 },
    ],
  },
  {
    name: 'linger-zero',
    title: 'A close that does not linger at all',
    section: 'RFC 9293 §3.10.5; socket(7), SO_LINGER',
    why:
      'With a linger time of zero, close is ABORT: what was not yet sent is thrown away, and a RST takes the place of the FIN. ' +
      'The peer cannot take it for an end of the stream, it sees ECONNRESET; so this is for connections that have failed, not for those that are done.',
    steps: [
      ...WE_CALL,
      { end: 'ours', call: 'linger', ms: 0 },
      { end: 'ours', call: 'close' },
      { until: { end: 'theirs', sees: 'ECONNRESET' } },
    ],
    ours: ['SYN-SENT', 'ESTABLISHED', 'CLOSED'],
    theirs: ['SYN-RECEIVED', 'ESTABLISHED', 'CLOSED'],
    segments: [
      { match: OUR_FIN, times: 0 },
      { match: OUR_RST, times: 1 },
    ],
  },
  {
    name: 'close-with-unread-data',
    title: 'We close, and have not read all',
    section: 'RFC 9293 §3.6.1; RFC 2525 §2.17',
    why:
      'The peer was told by our ACK that the bytes have arrived, but our program closes without having read them: they are lost, and a FIN would hide it. ' +
      'So a RST goes out instead, and the peer learns by ECONNRESET that not all it has sent was heard.',
    steps: [
      { end: 'ours', call: 'pause' },
      ...WE_CALL,
      { end: 'theirs', call: 'write', bytes: 1000 },
      { until: { seen: { direction: 'in', data: true }, times: 1 } },
      { end: 'ours', call: 'close' },
      { until: { end: 'theirs', sees: 'ECONNRESET' } },
    ],
    ours: ['SYN-SENT', 'ESTABLISHED', 'CLOSED'],
    theirs: ['SYN-RECEIVED', 'ESTABLISHED', 'CLOSED'],
    segments: [
      { match: OUR_FIN, times: 0 },
      { match: OUR_RST, times: 1 },
    ],
  },
  {
    name: 'close-with-unread-data-theirs',
    title: 'The peer closes, and has not read all',
    section: 'RFC 9293 §3.6.1; RFC 2525 §2.17',
    why:
      'Our bytes are acknowledged, which says that the peer has them, not that anybody there has read them; its program closes, and they are lost. ' +
      'The RST that we get in place of a FIN is the only way to learn of it: an ECONNRESET behind data that were acknowledged means "not all was read".',
    steps: [
      { end: 'theirs', call: 'pause' },
      ...WE_CALL,
      { end: 'ours', call: 'write', bytes: 1000 },
      { until: { seen: { direction: 'out', data: true }, times: 1 } },
      { end: 'theirs', call: 'close' },
      { until: { end: 'ours', sees: 'ECONNRESET' } },
    ],
    ours: ['SYN-SENT', 'ESTABLISHED', 'CLOSED'],
    theirs: ['SYN-RECEIVED', 'ESTABLISHED', 'CLOSED'],
    segments: [
      { match: THEIR_FIN, times: 0 },
      { match: THEIR_RST, times: 1 },
    ],
  },
];
