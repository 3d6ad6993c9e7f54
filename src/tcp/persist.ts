// Probing a closed window: RFC 9293 §3.8.6.1. Knows the persist timer; must not know segments.

import { currentRto } from './rtt.js';
import { timedOut } from './set-state.js';
import { SEND_PROBE, type Tcb } from './tcb.js';
import { armTimer, isArmed, PERSIST_TIMER } from './timers.js';

/** Something waits, nothing is outstanding that an ACK could follow: probe after a timeout. */
export function armPersist(tcb: Tcb): void {
  if (isArmed(tcb, PERSIST_TIMER)) return;
  tcb.rtt.backoff = 0;
  tcb.rtt.stalledMs = tcb.host.clock.ms;
  armTimer(tcb, PERSIST_TIMER, currentRto(tcb));
}

/** The window closed over what was outstanding: instead of sending it again, probe from now on. */
export function probeNow(tcb: Tcb): void {
  tcb.rtt.stalledMs = tcb.host.clock.ms;
  tcb.pending |= SEND_PROBE;
  armTimer(tcb, PERSIST_TIMER, currentRto(tcb));
}

/**
 * Time for a probe (SHOULD-29, SHOULD-30: first after the timeout, then backed off). A peer that
 * answers may keep its window closed for ever (MUST-37); one that is silent is given up after R2,
 * counted from the first probe that was not answered.
 */
export function persistDue(tcb: Tcb): void {
  const { rtt, rcv } = tcb;
  const now = tcb.host.clock.ms;
  const answered = ((rcv.heardMs - rtt.stalledMs) | 0) >= 0;
  if (answered) rtt.stalledMs = now;
  else if (((now - rtt.stalledMs) | 0) >= tcb.userTimeoutMs) {
    timedOut(tcb);
    return;
  }
  rtt.backoff += 1;
  tcb.pending |= SEND_PROBE;
  armTimer(tcb, PERSIST_TIMER, currentRto(tcb));
}
