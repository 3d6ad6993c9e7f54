// Timestamps on arriving segments: PAWS and TS.Recent, RFC 7323 §4 and §5.

import { seqGeq, seqLeq } from '../wire/sequence.js';
import { RST, type TcpSegment } from '../wire/tcp.js';
import type { Tcb } from './tcb.js';

/** §5.5: a TS.Recent older than this says nothing; the clock may have wrapped. */
const TS_RECENT_LIFETIME_MS = 24 * 24 * 3600 * 1000;

/**
 * §5.3 R1: the segment is older than what was seen. A RST is let through.
 *
 * Deviation: §3.2 has segments without the option dropped once it was negotiated. Linux takes them,
 * and so do we, since a middlebox that strips options would stall the connection.
 */
export function timestampIsOld(tcb: Tcb, segment: TcpSegment): boolean {
  if (!tcb.timestamps || !segment.hasTimestamps || (segment.flags & RST) !== 0) return false;
  if (seqGeq(segment.tsVal, tcb.rcv.tsRecent)) return false;
  return ((tcb.host.clock.ms - tcb.rcv.tsRecentMs) | 0) < TS_RECENT_LIFETIME_MS;
}

/** §4.3 (2): TS.Recent comes from the segment that covers what was acknowledged last. */
export function noteTimestamp(tcb: Tcb, segment: TcpSegment): void {
  if (!tcb.timestamps || !segment.hasTimestamps) return;
  if (!seqLeq(segment.seq, tcb.rcv.lastAckSent)) return;
  rememberTimestamp(tcb, segment.tsVal);
}

export function rememberTimestamp(tcb: Tcb, tsVal: number): void {
  tcb.rcv.tsRecent = tsVal;
  tcb.rcv.tsRecentMs = tcb.host.clock.ms;
}
