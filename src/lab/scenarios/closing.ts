// Scenarios of an orderly close, as data. Must not know how they are carried out.

import type { Scenario } from '../scenario.js';
import { WE_CALL } from './beginnings.js';

export const CLOSING: readonly Scenario[] = [
  {
    name: 'active-close',
    title: 'We close first',
    section: 'RFC 9293 §3.6, Figure 12',
    why:
      'Each direction is closed by a FIN of its own, which takes one sequence number so that it can be acknowledged like a byte. ' +
      'Whoever closes first sends the last ACK, and stays in TIME-WAIT because nobody can tell it whether that ACK has arrived.',
    steps: [
      ...WE_CALL,
      { end: 'ours', call: 'shutdown' },
      { until: { end: 'ours', state: 'FIN-WAIT-2' } },
      { end: 'theirs', call: 'shutdown' },
      { until: { end: 'ours', state: 'TIME-WAIT' } },
      { until: { end: 'theirs', state: 'CLOSED' } },
      { until: { end: 'ours', state: 'CLOSED' }, note: '2MSL pass' },
    ],
    ours: ['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSED'],
    theirs: ['SYN-RECEIVED', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'],
    segments: [
      { match: { direction: 'out', has: ['FIN'] }, times: 1 },
      { match: { direction: 'in', lacks: ['FIN'], acknowledges: 'FIN' }, times: 1 },
      { match: { direction: 'in', has: ['FIN'] }, times: 1 },
      { match: { direction: 'out', lacks: ['FIN'], acknowledges: 'FIN' }, times: 1 },
      { match: { direction: 'out', has: ['RST'] }, times: 0 },
      { match: { direction: 'in', has: ['RST'] }, times: 0 },
    ],
    spans: [
      {
        from: { direction: 'in', has: ['FIN'] },
        to: { end: 'ours', state: 'CLOSED' },
        atLeast: '2MSL',
      },
    ],
  },
  {
    name: 'lost-final-ack',
    title: 'The last ACK is lost',
    section: 'RFC 9293 §3.6, §3.10.7.4 (TIME-WAIT)',
    why:
      'The peer repeats its FIN, since it cannot know whether the FIN or the ACK was lost; somebody must be there to acknowledge it again. ' +
      'That is what TIME-WAIT is for, and why its two lifetimes of a segment begin anew with each repeated FIN.',
    tcp: { msl: 1000 },
    faults: [
      {
        on: { direction: 'out', lacks: ['FIN'], acknowledges: 'FIN', nth: 1 },
        do: 'drop',
        note: 'the last ACK does not arrive',
      },
    ],
    steps: [
      ...WE_CALL,
      { end: 'ours', call: 'shutdown' },
      { until: { end: 'ours', state: 'FIN-WAIT-2' } },
      { end: 'theirs', call: 'shutdown' },
      { until: { end: 'ours', state: 'TIME-WAIT' } },
      { until: { quiet: true }, note: 'the last ACK is lost' },
      { until: { end: 'theirs', state: 'CLOSED' }, note: 'the peer repeats its FIN' },
      { until: { end: 'ours', state: 'CLOSED' }, note: '2MSL pass, counted from the last FIN' },
    ],
    ours: ['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSED'],
    theirs: ['SYN-RECEIVED', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'],
    segments: [
      { match: { direction: 'out', has: ['FIN'] }, times: 1 },
      { match: { direction: 'in', has: ['FIN'] }, times: 2 },
      { match: { direction: 'out', lacks: ['FIN'], acknowledges: 'FIN' }, times: 2 },
    ],
    spans: [
      {
        from: { direction: 'in', has: ['FIN'] },
        to: { end: 'ours', state: 'CLOSED' },
        atLeast: '2MSL',
      },
    ],
  },
];
