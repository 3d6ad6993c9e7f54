// Recent acknowledgment: RFC 8985 §6. What was sent before something that has arrived, and longer ago
// than a round trip and some reordering take, is lost. Knows times; must not know cwnd.

import { seqGeq, seqGt, seqLeq, seqLt } from '../wire/sequence.js';
import type { TcpSegment } from '../wire/tcp.js';
import { type Flight, LOST, RESENT, SACKED } from './flight.js';
import { lossCounters, segmentsOf, type Tcb } from './tcb.js';
import { armTimer, cancelTimer, REORDER_TIMER } from './timers.js';

/** RFC 5681 §3.2: so much beyond a gap means a loss where no reordering was ever seen. */
const DUPLICATE_THRESHOLD = 3;
/** §6.2 step 4: recoveries without a D-SACK after which the reordering window is small again. */
const WINDOW_MEMORY = 16;

/** Steps 2 and 3: record `i` was delivered up to `end`. */
export function rackDelivered(
  tcb: Tcb,
  flight: Flight,
  segment: TcpSegment,
  i: number,
  end: number,
): void {
  const sentUs = flight.sentUs(i);
  const rtt = Math.max((tcb.host.clock.us - sentUs) | 0, 1);
  const resent = (flight.marks(i) & RESENT) !== 0;
  if (seqGt(end, flight.fack)) flight.fack = end;
  // Step 3. In which order things came that one ACK tells of nobody knows.
  if (!resent && seqLt(end, flight.priorFack)) sawReordering(tcb, flight);
  if (resent && isAmbiguous(tcb, segment, end, rtt)) return;
  flight.rackRttUs = rtt;
  if (sentAfter(sentUs, end, flight.rackUs, flight.rackEnd)) {
    flight.rackUs = sentUs;
    flight.rackEnd = end;
  }
}

/** Two transmissions in the same turn are ordered by their sequence numbers. */
function sentAfter(us: number, end: number, otherUs: number, otherEnd: number): boolean {
  const later = (us - otherUs) | 0;
  return later > 0 || (later === 0 && seqGt(end, otherEnd));
}

/**
 * Step 2: the ACK of something sent twice may be that of the first transmission. Only a cumulative ACK
 * echoes the timestamp of what it acknowledges.
 */
function isAmbiguous(tcb: Tcb, segment: TcpSegment, end: number, rttUs: number): boolean {
  if (tcb.timestamps && segment.hasTimestamps && seqLeq(end, segment.ack)) {
    const echoedMs = (tcb.host.clock.ms + tcb.timestampOffset - segment.tsEcr) | 0;
    // Timestamps count whole milliseconds.
    if (echoedMs > Math.ceil(rttUs / 1000)) return true;
  }
  return rttUs < tcb.rtt.min;
}

function sawReordering(tcb: Tcb, flight: Flight): void {
  lossCounters(tcb).reorderings += 1;
  if (flight.reorderingSeen) return;
  flight.reorderingSeen = true;
  if (tcb.host.probe !== null) tcb.host.probe.congestion(tcb, 'reordering');
}

/**
 * Step 5: marks what is lost, and sets the timer for what may be, soon. True when something was
 * marked.
 */
export function detectLosses(tcb: Tcb, flight: Flight): boolean {
  if (flight.rackRttUs === 0) return false;
  const reach = (flight.rackRttUs + reorderingWindow(tcb, flight)) | 0;
  const now = tcb.host.clock.us;
  const before = flight.lostBytes;
  let wait = 0;
  for (let i = 0; i < flight.count; i++) {
    const marks = flight.marks(i);
    if ((marks & (SACKED | LOST)) !== 0) continue;
    const sentUs = flight.sentUs(i);
    if (!sentAfter(flight.rackUs, flight.rackEnd, sentUs, flight.end(i))) {
      // What was sent once only is in the order of time: nothing older follows.
      if (seqGeq(flight.start(i), flight.resentTo)) break;
      continue;
    }
    const left = (reach - ((now - sentUs) | 0)) | 0;
    if (left <= 0) lose(tcb, flight, i);
    else wait = Math.max(wait, left);
  }
  if (wait > 0) armTimer(tcb, REORDER_TIMER, Math.ceil(wait / 1000));
  else cancelTimer(tcb, REORDER_TIMER);
  return flight.lostBytes !== before;
}

/**
 * §6.3: the retransmission timer fired. The first segment is lost; of the others those that had time
 * for a round trip.
 */
export function loseAfterTimeout(tcb: Tcb, flight: Flight): void {
  const reach = (flight.rackRttUs + reorderingWindow(tcb, flight)) | 0;
  const now = tcb.host.clock.us;
  for (let i = 0; i < flight.count; i++) {
    if ((flight.marks(i) & (SACKED | LOST)) !== 0) continue;
    if (i === 0 || ((now - flight.sentUs(i)) | 0) >= reach) lose(tcb, flight, i);
  }
}

function lose(tcb: Tcb, flight: Flight, i: number): void {
  lossCounters(tcb).lost += segmentsOf(tcb, flight.length(i));
  flight.lose(i);
}

/**
 * Step 4: how much later than what was sent after it a segment may arrive, µs. Where no reordering was
 * ever seen, enough duplicates count as in RFC 5681.
 */
function reorderingWindow(tcb: Tcb, flight: Flight): number {
  const { snd, rtt } = tcb;
  if (!flight.reorderingSeen) {
    if (snd.recovering || flight.afterTimeout) return 0;
    if (flight.sackedBytes >= DUPLICATE_THRESHOLD * snd.mss) return 0;
  }
  // Before the first sample there is no smallest round-trip time.
  if (rtt.smoothed === 0) return 0;
  return Math.min((rtt.min >> 2) * flight.windowSteps, rtt.smoothed) | 0;
}

/** Step 4, D-SACK: what was sent again had arrived; once a round trip the window becomes wider. */
export function widenWindow(tcb: Tcb, flight: Flight): void {
  if (flight.dsackRound && seqGeq(tcb.snd.una, flight.dsackRoundEnd)) flight.dsackRound = false;
  if (flight.dsackRound) return;
  flight.dsackRound = true;
  flight.dsackRoundEnd = tcb.snd.nxt;
  flight.windowSteps = Math.min(flight.windowSteps + 1, WIDEST);
  flight.windowPersists = WINDOW_MEMORY;
}

/** Wider than this than the smoothed round-trip time it never is, and the product stays small. */
const WIDEST = 256;

/** Step 4: a recovery has ended. */
export function forgetWindow(flight: Flight): void {
  if (flight.windowPersists === 0) return;
  flight.windowPersists -= 1;
  if (flight.windowPersists === 0) flight.windowSteps = 1;
}
