// The states of a connection, RFC 9293 §3.3.2, as small ints. Knows names and order; must not know rules.

/** A state as a small int: the index into `STATE_NAMES`. */
export type State = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

// The order has a meaning, as in BSD: one comparison asks "is it synchronized?" (from SYN_RECEIVED
// on), "may we still send?" (up to CLOSE_WAIT) or "has the user closed?" (from FIN_WAIT_1 on).
export const CLOSED = 0;
export const LISTEN = 1;
export const SYN_SENT = 2;
export const SYN_RECEIVED = 3;
export const ESTABLISHED = 4;
export const CLOSE_WAIT = 5;
export const FIN_WAIT_1 = 6;
export const CLOSING = 7;
export const LAST_ACK = 8;
export const FIN_WAIT_2 = 9;
export const TIME_WAIT = 10;

/** Printed names, as the RFC writes them; the index is the state. */
export const STATE_NAMES: readonly string[] = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'CLOSE-WAIT',
  'FIN-WAIT-1',
  'CLOSING',
  'LAST-ACK',
  'FIN-WAIT-2',
  'TIME-WAIT',
];

/** States in which the user may still hand us data to send. */
export function mayQueueData(state: State): boolean {
  return state >= SYN_SENT && state <= CLOSE_WAIT;
}

/** States in which the peer may still send us data: its FIN has not been reached. */
export function mayReceiveData(state: State): boolean {
  return state === ESTABLISHED || state === FIN_WAIT_1 || state === FIN_WAIT_2;
}
