// Header prediction after Van Jacobson: the two segments that bulk transfer consists of take a short
// path. Knows what makes a segment ordinary; its effects are those of the full path (arrival.ts).

import { seqGeq, seqGt, seqLeq, seqLt } from '../wire/sequence.js';
import { ACK, PSH, type TcpSegment } from '../wire/tcp.js';
import { acknowledge } from './ack.js';
import { acknowledgeSoon, noteSegmentSize, receiveInOrder } from './receive.js';
import { ESTABLISHED } from './state.js';
import { hasGaps, type Tcb } from './tcb.js';
import { rememberTimestamp } from './timestamps.js';

/**
 * True when the segment was the predicted one and has been dealt with: next in order, no flags but
 * ACK and PSH, no option but a timestamp that is not old, no mark, no gap anywhere, and either data that fit
 * the window or an ACK of something new.
 */
export function isPredicted(tcb: Tcb, segment: TcpSegment): boolean {
  const { rcv, snd } = tcb;
  const length = segment.dataLength;
  if (
    tcb.state !== ESTABLISHED ||
    (segment.flags & ~PSH) !== ACK ||
    segment.seq !== rcv.nxt ||
    segment.sackCount !== 0 ||
    segment.marked ||
    rcv.finWaiting ||
    tcb.orphaned ||
    hasGaps(tcb)
  ) {
    return false;
  }
  if (seqLt(segment.ack, snd.una) || seqGt(segment.ack, snd.max)) return false;
  if (length === 0 ? segment.ack === snd.una : seqGt((segment.seq + length) | 0, rcv.edge)) {
    return false;
  }
  if (!takeTimestamp(tcb, segment)) return false;
  rcv.heardMs = tcb.host.clock.ms;
  acknowledge(tcb, segment);
  if (length > 0) {
    noteSegmentSize(tcb, segment);
    if (receiveInOrder(tcb, segment.dataOffset, length)) acknowledgeSoon(tcb, length);
  }
  return true;
}

/** RFC 7323 §4.3 and §5.3 for a segment that is next in order; false for one that PAWS must judge. */
function takeTimestamp(tcb: Tcb, segment: TcpSegment): boolean {
  if (!tcb.timestamps) return true;
  const rcv = tcb.rcv;
  if (!segment.hasTimestamps || !seqGeq(segment.tsVal, rcv.tsRecent)) return false;
  if (seqLeq(segment.seq, rcv.lastAckSent)) rememberTimestamp(tcb, segment.tsVal);
  return true;
}
