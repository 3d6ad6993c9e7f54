// Keep-alive: RFC 9293 §3.8.4. Off unless the user asks for it.

import { timedOut } from './set-state.js';
import { ESTABLISHED, TIME_WAIT } from './state.js';
import { SEND_KEEPALIVE, type Tcb } from './tcb.js';
import { armTimer, cancelTimer, KEEPALIVE_TIMER } from './timers.js';

/** Starts or stops the timer after a setting or the state changed. */
export function renewKeepAlive(tcb: Tcb): void {
  if (tcb.keepAlive && tcb.state >= ESTABLISHED && tcb.state !== TIME_WAIT) {
    armTimer(tcb, KEEPALIVE_TIMER, tcb.keepAliveIdleMs);
  } else {
    cancelTimer(tcb, KEEPALIVE_TIMER);
  }
}

/**
 * MUST-26: a probe only when nothing was heard for the idle time. MUST-29: one lost probe says
 * nothing; the connection is given up after `keepAliveProbes` of them without any answer.
 */
export function keepAliveDue(tcb: Tcb): void {
  if (!tcb.keepAlive) return;
  const now = tcb.host.clock.ms;
  const silent = (now - tcb.rcv.heardMs) | 0;
  const answered = ((tcb.rcv.heardMs - tcb.keepAliveSentMs) | 0) >= 0;
  if (answered) tcb.keepAliveProbesSent = 0;
  const outstanding = tcb.snd.una !== tcb.snd.max;
  if (outstanding || silent < tcb.keepAliveIdleMs) {
    // What is outstanding has the retransmission timer to find out whether the peer lives.
    tcb.keepAliveProbesSent = 0;
    armTimer(tcb, KEEPALIVE_TIMER, tcb.keepAliveIdleMs - (outstanding ? 0 : silent));
    return;
  }
  if (tcb.keepAliveProbesSent >= tcb.keepAliveProbes) {
    timedOut(tcb);
    return;
  }
  tcb.keepAliveProbesSent += 1;
  tcb.keepAliveSentMs = now;
  tcb.pending |= SEND_KEEPALIVE;
  armTimer(tcb, KEEPALIVE_TIMER, tcb.keepAliveIntervalMs);
}
