// What ended a connection that did not close in order: the state it was in and the segment to blame, for
// people who ask why. Knows which segment that is; must not know words.

import { ACK, FIN, SYN, type TcpSegment } from '../wire/tcp.js';
import { type State, SYN_RECEIVED, SYN_SENT } from './state.js';
import type { Tcb } from './tcb.js';

/** The few fields of a segment that say which one it was; sequence numbers as on the wire, int32. */
export interface SegmentToBlame {
  /** From the peer; else one of ours that had no answer. */
  readonly incoming: boolean;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  /** Bytes of data. */
  readonly length: number;
}

export interface Ending {
  /** The state that it ended. */
  readonly state: State;
  /** What came from the peer, or what the peer did not acknowledge; null where it is none of both. */
  readonly segment: SegmentToBlame | null;
}

/** The segment of the peer's that ends the connection. */
export function blameArrival({ flags, seq, ack, dataLength }: TcpSegment): SegmentToBlame {
  return { incoming: true, flags, seq, ack, length: dataLength };
}

/**
 * The oldest segment of ours that nobody has acknowledged: what a timeout waited for, and what an ICMP
 * error quotes. Where all is acknowledged it is the keep-alive probe, if one was sent, else null.
 */
export function blameUnanswered(tcb: Tcb): SegmentToBlame | null {
  const { snd, rcv, keepAlive } = tcb;
  const ours = { incoming: false, ack: rcv.nxt, length: 0 };
  if (tcb.state === SYN_SENT) return { ...ours, flags: SYN, seq: snd.iss, ack: 0 };
  if (tcb.state === SYN_RECEIVED) return { ...ours, flags: SYN | ACK, seq: snd.iss };
  if (snd.una === snd.max) {
    // RFC 9293 §3.8.4: a probe repeats the last sequence number, so that it has to be answered.
    const probed = keepAlive !== null && keepAlive.sent > 0;
    return probed ? { ...ours, flags: ACK, seq: (snd.una - 1) | 0 } : null;
  }
  const waiting = (snd.ringSeq + snd.ring.length - snd.una) | 0;
  if (waiting <= 0) return { ...ours, flags: FIN | ACK, seq: snd.una };
  const length = Math.min((snd.max - snd.una) | 0, waiting, snd.mss);
  return { ...ours, flags: ACK, seq: snd.una, length };
}
