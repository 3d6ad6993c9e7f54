// How most scenarios begin and end. Data only.

import type { Match, Span, Step } from '../scenario.js';

const BOTH_ESTABLISHED: readonly Step[] = [
  { until: { end: 'ours', state: 'ESTABLISHED' } },
  { until: { end: 'theirs', state: 'ESTABLISHED' } },
];

/** The peer listens, we call; both are ESTABLISHED, and nothing is under way. */
export const WE_CALL: readonly Step[] = [
  { end: 'theirs', call: 'listen' },
  { end: 'ours', call: 'connect' },
  ...BOTH_ESTABLISHED,
];

export const THEY_CALL: readonly Step[] = [
  { end: 'ours', call: 'listen' },
  { end: 'theirs', call: 'connect' },
  ...BOTH_ESTABLISHED,
];

/** We close first, as in Figure 12, until we are in TIME-WAIT and the peer has forgotten all. */
export const WE_CLOSE_FIRST: readonly Step[] = [
  { end: 'ours', call: 'shutdown' },
  { until: { end: 'ours', state: 'FIN-WAIT-2' } },
  { end: 'theirs', call: 'shutdown' },
  { until: { end: 'theirs', state: 'CLOSED' } },
];

/** The peer closes first; it stays in TIME-WAIT. */
export const THEY_CLOSE_FIRST: readonly Step[] = [
  { end: 'theirs', call: 'shutdown' },
  { until: { end: 'theirs', state: 'FIN-WAIT-2' } },
  { end: 'ours', call: 'shutdown' },
  { until: { end: 'ours', state: 'CLOSED' } },
];

export const TIME_WAIT_ENDS: Step = {
  until: { end: 'ours', state: 'CLOSED' },
  note: '2MSL pass',
};

export const OUR_FIN: Match = { direction: 'out', has: ['FIN'] };
export const THEIR_FIN: Match = { direction: 'in', has: ['FIN'] };
export const OUR_ACK_OF_FIN: Match = {
  direction: 'out',
  lacks: ['FIN', 'RST'],
  acknowledges: 'FIN',
};
export const THEIR_ACK_OF_FIN: Match = {
  direction: 'in',
  lacks: ['FIN', 'RST'],
  acknowledges: 'FIN',
};
export const OUR_RST: Match = { direction: 'out', has: ['RST'] };
export const THEIR_RST: Match = { direction: 'in', has: ['RST'] };
export const THEIR_SYN: Match = { direction: 'in', has: ['SYN'], lacks: ['ACK'] };

/** An orderly close knows no RST. */
export const NO_RESET = [
  { match: OUR_RST, times: 0 },
  { match: THEIR_RST, times: 0 },
] as const;

/** RFC 9293 §3.10.7.4: TIME-WAIT lasts 2MSL, counted from the last FIN. */
export const TIME_WAIT_IN_FULL: readonly Span[] = [
  { from: THEIR_FIN, to: { end: 'ours', state: 'CLOSED' }, atLeast: '2MSL' },
];

/** Whole paths that several scenarios share. */
export const PATHS = {
  /** Of whoever calls, and closes first. */
  callerClosesFirst: ['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'],
  /** Of whoever is called, and closes second. */
  calledClosesSecond: ['SYN-RECEIVED', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'],
  callerClosesSecond: ['SYN-SENT', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'],
  calledClosesFirst: ['SYN-RECEIVED', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'],
} as const;
