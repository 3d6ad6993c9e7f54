// Urgent data: RFC 9293 §3.8.5 and RFC 6093. They stay in line; only where they end is special.

import { seqGt, seqLeq } from '../wire/sequence.js';
import { type TcpSegment, URG } from '../wire/tcp.js';
import { mayReceiveData } from './state.js';
import { NEWS_URGENT, type Tcb } from './tcb.js';

/** Sixth check of §3.10.7.4: RCV.UP moves on, and the user is told (MUST-32). */
export function urgentArrival(tcb: Tcb, segment: TcpSegment): void {
  if ((segment.flags & URG) === 0 || !mayReceiveData(tcb.state)) return;
  const rcv = tcb.rcv;
  const up = (segment.seq + segment.urgentPointer) | 0;
  // A pointer at or behind what the user has read announces nothing.
  if (seqLeq(up, (rcv.nxt - rcv.ring.length) | 0) || (rcv.urgent && !seqGt(up, rcv.up))) return;
  rcv.up = up;
  rcv.urgent = true;
  tcb.news |= NEWS_URGENT;
}

/** Bytes that the user has to read until the end of urgent data (MUST-33); 0 when there are none. */
export function urgentRemaining(tcb: Tcb): number {
  const rcv = tcb.rcv;
  if (!rcv.urgent) return 0;
  const read = (rcv.nxt - rcv.ring.length - (rcv.ended ? 1 : 0)) | 0;
  return Math.max((rcv.up - read) | 0, 0);
}
