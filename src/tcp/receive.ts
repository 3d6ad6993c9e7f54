// Data that arrive: RFC 9293 §3.10.7.4, seventh check. Knows the receive ring and the gaps in it, and
// when an ACK is due; must not know headers.

import { seqGeq, seqLt, seqMax } from '../wire/sequence.js';
import { FIN, type TcpSegment } from '../wire/tcp.js';
import { abort, finReached } from './close.js';
import { tellDropped } from './probe.js';
import { noteDuplicate, noteRecent } from './sack.js';
import { mayReceiveData } from './state.js';
import { hasGaps, NEWS_READABLE, outOfOrderRanges, SEND_ACK, type Tcb } from './tcb.js';
import { armTimer, DELAYED_ACK_TIMER, isArmed } from './timers.js';

/** RFC 9293 SHOULD-19: an ACK for at least every second full-sized segment. */
const SEGMENTS_PER_ACK = 2;

/** The text of a segment that was trimmed to the window. */
export function receiveText(tcb: Tcb, segment: TcpSegment): void {
  const length = segment.dataLength;
  if (length === 0) return;
  if (!mayReceiveData(tcb.state)) {
    tellDropped(tcb, 'text behind the FIN');
    return;
  }
  if (tcb.orphaned) {
    // §3.6.1: nobody will read it, and the peer shall not think otherwise.
    tellDropped(tcb, 'nobody reads');
    abort(tcb);
    return;
  }
  noteSegmentSize(tcb, segment);
  if (segment.seq === tcb.rcv.nxt && !hasGaps(tcb)) {
    if (receiveInOrder(tcb, segment.dataOffset, length)) acknowledgeSoon(tcb, length);
  } else {
    receiveAcrossGap(tcb, segment, length);
  }
}

/** The next bytes of the stream. False when the arena has no room: then they were not received. */
export function receiveInOrder(tcb: Tcb, offset: number, length: number): boolean {
  const { rcv } = tcb;
  const ring = rcv.ring;
  if (!ring.ensure(ring.length + length)) {
    tellDropped(tcb, 'arena full');
    return false;
  }
  ring.placeFromArena(ring.length, offset, length);
  advance(tcb, length);
  return true;
}

/** RCV.NXT moves over `length` bytes that stand in the ring. */
function advance(tcb: Tcb, length: number): void {
  tcb.rcv.ring.extend(length);
  tcb.rcv.nxt = (tcb.rcv.nxt + length) | 0;
  tcb.counters.addReceived(length);
  tcb.news |= NEWS_READABLE;
}

/**
 * Data beyond a gap are kept at their place (SHOULD-31) and acknowledged at once, so that the peer
 * learns of the gap (RFC 5681 §4.2); so are data that fill one.
 */
function receiveAcrossGap(tcb: Tcb, segment: TcpSegment, length: number): void {
  const { rcv } = tcb;
  const ring = rcv.ring;
  const ranges = outOfOrderRanges(tcb);
  const start = segment.seq;
  const end = (start + length) | 0;
  tcb.pending |= SEND_ACK;
  if (ranges.contains(start, end)) {
    noteDuplicate(tcb, start, end);
    tellDropped(tcb, 'received before');
    return;
  }
  const distance = (ring.length + ((start - rcv.nxt) | 0)) | 0;
  if (!ring.ensure(distance + length)) {
    tellDropped(tcb, 'arena full');
    return;
  }
  if (ranges.add(start, end) < 0) {
    tellDropped(tcb, 'too many gaps');
    return;
  }
  noteRecent(tcb, start);
  ring.placeFromArena(distance, segment.dataOffset, length);
  if (start === rcv.nxt) closeGap(tcb);
}

/** The first range now begins at RCV.NXT: all of it is in order. */
function closeGap(tcb: Tcb): void {
  const { rcv } = tcb;
  const ranges = outOfOrderRanges(tcb);
  const end = seqMax(rcv.nxt, ranges.end(0));
  advance(tcb, (end - rcv.nxt) | 0);
  ranges.removeBelow(end);
}

/**
 * The FIN bit: eighth check. It counts when the stream has reached it; until then its place is
 * remembered, as it may have overtaken its data.
 */
export function receiveFin(tcb: Tcb, segment: TcpSegment, hasFin: boolean): void {
  const rcv = tcb.rcv;
  if (!mayReceiveData(tcb.state)) return;
  if (hasFin) {
    rcv.fin = (segment.seq + segment.dataLength) | 0;
    rcv.finWaiting = true;
    // Acknowledged at once whether it is reached or not.
    tcb.pending |= SEND_ACK;
  }
  if (rcv.finWaiting && rcv.nxt === rcv.fin) finReached(tcb);
}

/** RFC 9293 §3.8.6.3: one ACK for two full segments, or after the delay; at first for each. */
export function acknowledgeSoon(tcb: Tcb, length: number): void {
  const rcv = tcb.rcv;
  rcv.unackedBytes = (rcv.unackedBytes + length) | 0;
  if (rcv.quickAcks > 0 || rcv.unackedBytes >= SEGMENTS_PER_ACK * rcv.mss) {
    tcb.pending |= SEND_ACK;
  } else if (!isArmed(tcb, DELAYED_ACK_TIMER)) {
    armTimer(tcb, DELAYED_ACK_TIMER, tcb.config.delayedAck);
  }
}

/** The largest segment seen is taken for the peer's full size. */
export function noteSegmentSize(tcb: Tcb, segment: TcpSegment): void {
  const size = segment.gsoSize > 0 ? segment.gsoSize : segment.dataLength;
  if (size > tcb.rcv.mss) tcb.rcv.mss = Math.min(size, tcb.path.mtu);
}

/**
 * Cuts off what was received before and what lies beyond the window; §3.10.7.4, first check. True
 * when the segment's FIN is still there: it takes a sequence number, and so a place in the window.
 */
export function trimToWindow(tcb: Tcb, segment: TcpSegment): boolean {
  const fin = (segment.seq + segment.dataLength) | 0;
  const before = (tcb.rcv.nxt - segment.seq) | 0;
  if (before > 0) {
    const old = Math.min(before, segment.dataLength);
    noteDuplicate(tcb, segment.seq, (segment.seq + old) | 0);
    if (old > 0) {
      tcb.pending |= SEND_ACK;
      tellDropped(tcb, 'received before');
    }
    segment.seq = (segment.seq + before) | 0;
    segment.dataOffset += old;
    segment.dataLength -= old;
  }
  const beyond = (segment.seq + segment.dataLength - tcb.rcv.edge) | 0;
  if (beyond > 0) {
    segment.dataLength = Math.max(segment.dataLength - beyond, 0);
    tellDropped(tcb, 'beyond the window');
  }
  const hasFin = (segment.flags & FIN) !== 0;
  const finInWindow = seqLt(fin, tcb.rcv.edge) && seqGeq(fin, tcb.rcv.nxt);
  // The peer sent into a window that is not there, perhaps as a probe: say where it ends.
  if (beyond > 0 || (hasFin && !finInWindow)) tcb.pending |= SEND_ACK;
  return hasFin && finInWindow;
}
