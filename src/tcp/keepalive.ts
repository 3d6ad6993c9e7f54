// Keep-alive: RFC 9293 §3.8.4. Off unless the user asks for it.

import { timedOut } from './set-state.js';
import { ESTABLISHED, TIME_WAIT } from './state.js';
import { SEND_KEEPALIVE, type Tcb } from './tcb.js';
import { armTimer, cancelTimer, KEEPALIVE_TIMER } from './timers.js';

/** Starts or stops the timer after a setting or the state changed. */
export function renewKeepAlive(tcb: Tcb): void {
  if (tcb.keepAlive?.on && tcb.state >= ESTABLISHED && tcb.state !== TIME_WAIT) {
    armTimer(tcb, KEEPALIVE_TIMER, tcb.keepAlive.idleMs);
  } else {
    cancelTimer(tcb, KEEPALIVE_TIMER);
  }
}

/**
 * MUST-26: a probe only when nothing was heard for the idle time. MUST-29: one lost probe says
 * nothing; the connection is given up after `probes` of them without any answer.
 */
export function keepAliveDue(tcb: Tcb): void {
  const keepAlive = tcb.keepAlive;
  if (!keepAlive?.on) return;
  const now = tcb.host.clock.ms;
  const silent = (now - tcb.rcv.heardMs) | 0;
  const answered = ((tcb.rcv.heardMs - keepAlive.sentMs) | 0) >= 0;
  if (answered) keepAlive.sent = 0;
  const outstanding = tcb.snd.una !== tcb.snd.max;
  if (outstanding || silent < keepAlive.idleMs) {
    // What is outstanding has the retransmission timer to find out whether the peer lives.
    keepAlive.sent = 0;
    armTimer(tcb, KEEPALIVE_TIMER, keepAlive.idleMs - (outstanding ? 0 : silent));
    return;
  }
  if (keepAlive.sent >= keepAlive.probes) {
    timedOut(tcb);
    return;
  }
  keepAlive.sent += 1;
  keepAlive.sentMs = now;
  tcb.pending |= SEND_KEEPALIVE;
  armTimer(tcb, KEEPALIVE_TIMER, keepAlive.intervalMs);
}
