// The one place where the state of a connection changes. Knows the table of transitions and what
// ends with a connection; must not know why a change was asked for.

import type { TcpSegment } from '../wire/tcp.js';
import { blameArrival, blameUnanswered } from './ending.js';
import { giveFlight } from './flight.js';
import { CLOSED, type State, TIME_WAIT } from './state.js';
import { type CloseReason, NEWS_CLOSED, NEWS_STATE, type Tcb } from './tcb.js';
import { cancelAllTimers } from './timers.js';
import { type TransitionEvent, transitionFor } from './transitions.js';

/**
 * Changes the state, RFC 9293 Figure 5.
 * @throws Error when the table has no such transition: a defect of ours.
 */
export function setState(tcb: Tcb, to: State, event: TransitionEvent): void {
  const from = tcb.state;
  const rule = transitionFor(from, event, to);
  tcb.state = to;
  tcb.stateNews = [...tcb.stateNews, from, to];
  tcb.news |= NEWS_STATE;
  if (tcb.host.probe !== null) tcb.host.probe.stateChanged(tcb, from, to, rule);
  if (to === TIME_WAIT || to === CLOSED) leave(tcb);
  tcb.host.entered(tcb, event);
  tcb.host.schedule(tcb);
}

/** For its user the connection is over on entry to TIME-WAIT; nothing of ours is sent any more. */
function leave(tcb: Tcb): void {
  cancelAllTimers(tcb);
  tcb.snd.ring.release();
  if (tcb.snd.flight !== null) giveFlight(tcb.snd.flight);
  tcb.snd.flight = null;
  if (tcb.rcv.ring.length === 0 || tcb.orphaned) tcb.rcv.ring.release();
  tcb.rcv.outOfOrder = null;
  tcb.news |= NEWS_CLOSED;
}

/** R2 has passed, or nobody answered: what was heard of the path says more than "timed out". */
export function timedOut(tcb: Tcb): void {
  fail(tcb, 'timeout user', 'timeout', tcb.softError ?? 'ETIMEDOUT');
}

/**
 * Ends a connection that did not close in order, and says why.
 * @param segment the one that did it, where one did
 */
export function fail(
  tcb: Tcb,
  event: TransitionEvent,
  reason: CloseReason,
  errorCode: string,
  segment: TcpSegment | null = null,
): void {
  if (reason !== 'abort') {
    const blamed = segment === null ? blameUnanswered(tcb) : blameArrival(segment);
    tcb.ending = { state: tcb.state, segment: blamed };
  }
  tcb.closeReason = reason;
  tcb.errorCode = errorCode;
  setState(tcb, CLOSED, event);
}
