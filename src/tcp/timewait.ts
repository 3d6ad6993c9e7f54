// TIME-WAIT: RFC 9293 §3.10.7.4 for that state, RFC 1337 and RFC 6191. Knows what a late segment
// means; must not know where the records are kept.

import { seqGt } from '../wire/sequence.js';
import { ACK, FIN, RST, SYN, type TcpSegment } from '../wire/tcp.js';

/** What outlives a connection in TIME-WAIT. */
export interface TimeWaitRecord {
  /** Our sequence number behind our FIN, and the one that we expect behind the peer's. */
  sndNxt: number;
  rcvNxt: number;
  rcvWnd: number;
  timestamps: boolean;
  tsRecent: number;
}

/** Verdicts. */
export const TIME_WAIT_DROP = 0;
/** Acknowledge where we stand. */
export const TIME_WAIT_ACK = 1;
/** The peer repeats its FIN: acknowledge it again, and 2MSL begins anew. */
export const TIME_WAIT_RESTART = 2;
/** The peer begins a new connection: the record goes, and the SYN is treated as in LISTEN. */
export const TIME_WAIT_REOPEN = 3;

export type TimeWaitVerdict = 0 | 1 | 2 | 3;

/** Judges a segment that meets the record. */
export function timeWaitArrival(record: TimeWaitRecord, segment: TcpSegment): TimeWaitVerdict {
  const flags = segment.flags;
  // Deviation: §3.10.7.4, second check, has a RST end TIME-WAIT. RFC 1337 §3 (F1) advises against it; so
  // does Linux, where tcp_rfc1337 is set.
  if ((flags & RST) !== 0) return TIME_WAIT_DROP;
  if ((flags & SYN) !== 0)
    return isNewConnection(record, segment) ? TIME_WAIT_REOPEN : TIME_WAIT_ACK;
  const repeatedFin = (flags & FIN) !== 0 && ((segment.seq + segment.length) | 0) === record.rcvNxt;
  if (repeatedFin) return TIME_WAIT_RESTART;
  // A bare ACK that is where it should be needs no answer: answering could go on for ever.
  const bareAck = segment.length === 0 && (flags & ACK) !== 0;
  if (bareAck && segment.seq === record.rcvNxt) return TIME_WAIT_DROP;
  return TIME_WAIT_ACK;
}

/**
 * RFC 6191 §2 (MAY-2, SHOULD-4): a SYN may reopen the connection when its timestamp is newer than
 * the last one seen, or its sequence number beyond the last one. RFC 1122 §4.2.2.13 has the second.
 */
function isNewConnection(record: TimeWaitRecord, segment: TcpSegment): boolean {
  if ((segment.flags & ACK) !== 0) return false;
  if (record.timestamps && segment.hasTimestamps) {
    if (segment.tsVal !== record.tsRecent) return seqGt(segment.tsVal, record.tsRecent);
  }
  return seqGt(segment.seq, record.rcvNxt);
}
