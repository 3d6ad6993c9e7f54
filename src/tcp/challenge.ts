// Challenge ACKs: RFC 5961. Knows how often one connection may send them.

import { SEND_ACK, type Tcb } from './tcb.js';

/** Shortest time between two of them, ms (Linux tcp_invalid_ratelimit). */
const INTERVAL_MS = 500;

/**
 * Answers a suspicious segment with an ACK of where we are, so that a genuine peer can come back
 * with an exact one. Limited for each connection (§7, §10), so that it tells an attacker nothing and
 * two confused ends do not answer each other for ever.
 */
export function challenge(tcb: Tcb): void {
  const now = tcb.host.clock.ms;
  if (tcb.challenged && ((now - tcb.challengeMs) | 0) < INTERVAL_MS) return;
  tcb.challenged = true;
  tcb.challengeMs = now;
  tcb.pending |= SEND_ACK;
}
