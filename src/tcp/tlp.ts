// Tail loss probe: RFC 8985 §7. When the end of a flight may be lost, one segment asks for the ACK
// that tells, before the retransmission timer has to. Knows the probe and its timer; output.ts sends.

import { seqGeq, seqGt } from '../wire/sequence.js';
import type { TcpSegment } from '../wire/tcp.js';
import type { Flight } from './flight.js';
import { pipe } from './scoreboard.js';
import { SEND_LOSS_PROBE, type Tcb } from './tcb.js';
import { armTimer, cancelTimer, isArmed, LOSS_PROBE_TIMER, RETRANSMIT_TIMER } from './timers.js';

/** §7.2: how long the peer may delay the ACK of a segment that is alone in flight. */
const MAX_ACK_DELAY_MS = 200;
/** Timers of a busy process are not more exact than this. */
const SHORTEST_MS = 10;
/** Before there is a sample. */
const INITIAL_MS = 1000;

/**
 * §7.2: something new was sent, or acknowledged: the probe waits two round trips from now on, and not
 * longer than the retransmission timeout.
 */
export function scheduleProbe(tcb: Tcb): void {
  const { snd, rtt } = tcb;
  const { flight } = snd;
  if (flight === null || !tcb.config.tailLossProbe || !isArmed(tcb, RETRANSMIT_TIMER)) return;
  const quiet = flight.isPlain && !snd.recovering && !flight.probing && rtt.backoff === 0;
  if (!quiet || snd.wnd === 0) {
    cancelTimer(tcb, LOSS_PROBE_TIMER);
    return;
  }
  let ms = rtt.smoothed === 0 ? INITIAL_MS : Math.ceil(rtt.smoothed / 500);
  if (ms < SHORTEST_MS) ms = SHORTEST_MS;
  if (pipe(tcb) <= snd.mss) ms += MAX_ACK_DELAY_MS;
  const untilTimeout = (tcb.deadlines[RETRANSMIT_TIMER] - tcb.host.clock.ms) | 0;
  armTimer(tcb, LOSS_PROBE_TIMER, Math.min(ms, untilTimeout) | 0);
}

/** §7.3: no ACK has come. */
export function probeDue(tcb: Tcb): void {
  const { flight, una, max } = tcb.snd;
  if (flight === null || una === max) return;
  tcb.pending |= SEND_LOSS_PROBE;
}

/** §7.4.2: the probe ends all that is in flight. */
export function probeSent(tcb: Tcb, flight: Flight, resent: boolean): void {
  flight.probing = true;
  flight.lingers = false;
  flight.probeResent = resent;
  flight.probeEnd = tcb.snd.nxt;
}

/**
 * §7.4.2: whether the probe repaired a loss which nobody would see otherwise: then it counts as one.
 * A D-SACK, or a duplicate ACK without SACK blocks, tells that the peer had it already.
 */
export function probeRepaired(flight: Flight, segment: TcpSegment, duplicate: boolean): boolean {
  if (!flight.probing || !seqGeq(segment.ack, flight.probeEnd)) return false;
  if (!flight.probeResent) flight.probing = false;
  else if (flight.dsackStart !== flight.dsackEnd && flight.dsackEnd === flight.probeEnd) {
    flight.probing = false;
  } else if (seqGt(segment.ack, flight.probeEnd)) {
    flight.probing = false;
    return true;
  } else if (duplicate && segment.sackCount === 0) flight.probing = false;
  return false;
}
