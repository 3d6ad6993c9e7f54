// What happens when a deadline has passed: RFC 9293 §3.10.8. Knows which algorithm owns which timer.

import { finWait2Due, lingerDue } from './close.js';
import { keepAliveDue } from './keepalive.js';
import { persistDue } from './persist.js';
import { reorderDue } from './recovery.js';
import { retransmitDue } from './retransmit.js';
import { SEND_ACK, type Tcb } from './tcb.js';
import {
  DELAYED_ACK_TIMER,
  FIN_WAIT_2_TIMER,
  KEEPALIVE_TIMER,
  LOSS_PROBE_TIMER,
  NEVER,
  nextTimer,
  PACING_TIMER,
  PERSIST_TIMER,
  REORDER_TIMER,
  RETRANSMIT_TIMER,
  type TimerId,
} from './timers.js';
import { probeDue } from './tlp.js';

/** Carries out all timers of a connection that are due at `clock.ms`. */
export function runTimers(tcb: Tcb): void {
  for (;;) {
    const timer = nextTimer(tcb);
    if (timer === NEVER || ((tcb.deadlines[timer] - tcb.host.clock.ms) | 0) > 0) return;
    tcb.armed &= ~(1 << timer);
    if (tcb.host.probe !== null) tcb.host.probe.timerFired(tcb, timer);
    timeout(tcb, timer);
    tcb.host.schedule(tcb);
  }
}

function timeout(tcb: Tcb, timer: TimerId): void {
  switch (timer) {
    case RETRANSMIT_TIMER:
      retransmitDue(tcb);
      return;
    case PERSIST_TIMER:
      persistDue(tcb);
      return;
    case DELAYED_ACK_TIMER:
      tcb.pending |= SEND_ACK;
      return;
    case KEEPALIVE_TIMER:
      keepAliveDue(tcb);
      return;
    case LOSS_PROBE_TIMER:
      probeDue(tcb);
      return;
    case REORDER_TIMER:
      reorderDue(tcb);
      return;
    case PACING_TIMER:
      // Being scheduled is all that it is for.
      return;
    case FIN_WAIT_2_TIMER:
      finWait2Due(tcb);
      return;
    default:
      lingerDue(tcb);
  }
}
