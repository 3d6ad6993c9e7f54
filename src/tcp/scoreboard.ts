// The log of what is in flight against what the peer says: cumulative ACKs, SACK blocks (RFC 2018,
// RFC 6675) and reports of duplicates (RFC 2883). Knows which blocks make sense; must not know what
// follows from what is missing.

import { seqGeq, seqGt, seqLeq, seqLt, seqMin } from '../wire/sequence.js';
import type { TcpSegment } from '../wire/tcp.js';
import { type Flight, RESENT, SACKED, takeFlight } from './flight.js';
import { rackDelivered } from './rack.js';
import type { Tcb } from './tcb.js';

/** Forgets what the segment before has told. */
export function beginNews(flight: Flight): void {
  flight.delivered = 0;
  flight.originalDelivered = false;
  flight.sampleUs = -1;
  flight.oldestSampleUs = -1;
  flight.dsackEnd = flight.dsackStart;
  flight.priorFack = flight.fack;
}

/** RFC 6675 §2: bytes that are in the network, as far as can be known. */
export function pipe(tcb: Tcb): number {
  const { snd } = tcb;
  const outstanding = (snd.nxt - snd.una) | 0;
  if (snd.flight === null) return outstanding;
  return (outstanding - snd.flight.sackedBytes - snd.flight.lostBytes) | 0;
}

/** [start, end) was sent at SND.NXT. */
export function logSent(tcb: Tcb, start: number, end: number, marks: number): void {
  const { snd } = tcb;
  snd.flight ??= takeFlight(start);
  snd.flight.append(start, end, tcb.host.clock.us, marks);
  snd.flight.prrOut = (snd.flight.prrOut + ((end - start) | 0)) | 0;
}

/** All before `segment.ack` leaves the log. */
export function takeCumulativeAck(tcb: Tcb, flight: Flight, segment: TcpSegment): void {
  const ack = segment.ack;
  while (flight.count > 0 && seqLt(flight.start(0), ack)) {
    const end = seqMin(flight.end(0), ack);
    if ((flight.marks(0) & SACKED) === 0) deliver(tcb, flight, segment, 0, end);
    flight.trim(end);
  }
  if (seqLt(flight.fack, ack)) flight.fack = ack;
  if (seqLt(flight.resentTo, ack)) flight.resentTo = ack;
}

/** Record `i` up to `end` is with the peer, and was not before. */
function deliver(tcb: Tcb, flight: Flight, segment: TcpSegment, i: number, end: number): void {
  flight.delivered = (flight.delivered + ((end - flight.start(i)) | 0)) | 0;
  if ((flight.marks(i) & RESENT) === 0) {
    const sample = Math.max((tcb.host.clock.us - flight.sentUs(i)) | 0, 1);
    flight.sampleUs = sample;
    if (flight.oldestSampleUs < 0 && seqGeq(flight.start(i), tcb.rtt.timedSeq)) {
      flight.oldestSampleUs = sample;
    }
    if (seqLeq(end, tcb.snd.recover)) flight.originalDelivered = true;
  }
  rackDelivered(tcb, flight, segment, i, end);
}

/** The SACK option of a segment whose cumulative ACK has been taken. */
export function takeSackBlocks(tcb: Tcb, flight: Flight, segment: TcpSegment): void {
  const edges = segment.sackEdges;
  const first = isDuplicateReport(segment) ? 1 : 0;
  if (first === 1 && isPlausible(tcb, edges[0]!, edges[1]!)) {
    flight.dsackStart = edges[0]!;
    flight.dsackEnd = edges[1]!;
  }
  for (let i = first; i < segment.sackCount; i++) {
    const start = edges[2 * i]!;
    const end = edges[2 * i + 1]!;
    if (isBlock(tcb, start, end)) sackRange(tcb, flight, segment, start, end);
  }
}

/** RFC 2883 §4: the first block lies below the cumulative ACK, or within the second block. */
function isDuplicateReport(segment: TcpSegment): boolean {
  const edges = segment.sackEdges;
  if (seqLeq(edges[1]!, segment.ack)) return true;
  const inside = seqGeq(edges[0]!, edges[2]!) && seqLeq(edges[1]!, edges[3]!);
  return segment.sackCount > 1 && inside;
}

/** A duplicate of something that was really sent, not long ago. */
function isPlausible(tcb: Tcb, start: number, end: number): boolean {
  const { una, max, maxWnd } = tcb.snd;
  return seqLt(start, end) && seqLeq(end, max) && seqGeq(start, (una - maxWnd) | 0);
}

/**
 * Whether a block can be true: it is not empty, was sent, and does not touch what the cumulative ACK
 * says is missing. Others are ignored, as is what was sent before SND.NXT went back.
 */
function isBlock(tcb: Tcb, start: number, end: number): boolean {
  const { una, nxt } = tcb.snd;
  return seqLt(start, end) && seqGt(start, una) && seqLeq(end, nxt);
}

/** RFC 6675 §3: what [start, end) covers has arrived; marks stay until the cumulative ACK passes. */
function sackRange(
  tcb: Tcb,
  flight: Flight,
  segment: TcpSegment,
  start: number,
  end: number,
): void {
  let i = flight.find(start);
  if (i === flight.count) return;
  if (seqLt(flight.start(i), start) && (flight.marks(i) & SACKED) === 0) {
    if (!flight.split(i, start)) return;
    i += 1;
  }
  for (; i < flight.count && seqLt(flight.start(i), end); i++) {
    if ((flight.marks(i) & SACKED) !== 0) continue;
    if (seqGt(flight.end(i), end) && !flight.split(i, end)) return;
    deliver(tcb, flight, segment, i, flight.end(i));
    i = flight.sack(i);
  }
}
