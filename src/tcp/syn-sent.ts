// SEGMENT ARRIVES in SYN-SENT: RFC 9293 §3.10.7.3, check by check. Never transmits.

import { seqGt, seqLeq } from '../wire/sequence.js';
import { ACK, RST, SYN, type TcpSegment } from '../wire/tcp.js';
import { establish, takeSyn } from './open.js';
import { tellDropped } from './probe.js';
import { fail, setState } from './set-state.js';
import { SYN_RECEIVED } from './state.js';
import { SEND_ACK, SEND_RST, SEND_SYN, type Tcb } from './tcb.js';

export function synSentArrival(tcb: Tcb, segment: TcpSegment): void {
  const { snd } = tcb;
  const hasAck = (segment.flags & ACK) !== 0;
  // First: an ACK of something that we never sent belongs to another time.
  const acceptable = hasAck && seqGt(segment.ack, snd.iss) && seqLeq(segment.ack, snd.max);
  if (hasAck && !acceptable) {
    tellDropped(tcb, 'ACK of what was never sent');
    if ((segment.flags & RST) !== 0) return;
    tcb.resetSeq = segment.ack;
    tcb.pending |= SEND_RST;
    return;
  }
  // Second: a RST without an acceptable ACK proves nothing (RFC 5961 §3.2).
  if ((segment.flags & RST) !== 0) {
    if (acceptable) fail(tcb, 'rcv RST', 'rst', 'ECONNREFUSED', segment);
    else tellDropped(tcb, 'RST without an ACK of our SYN');
    return;
  }
  // Third, security: Not implemented. Fourth: the peer's SYN, with an ACK of ours or without.
  if ((segment.flags & SYN) === 0) {
    tellDropped(tcb, 'no SYN');
    return;
  }
  takeSyn(tcb, segment);
  if (acceptable) {
    establish(tcb, segment, 'rcv SYN,ACK');
    tcb.pending |= SEND_ACK;
  } else {
    // Both opened at once; our SYN goes out again with an ACK of the peer's.
    setState(tcb, SYN_RECEIVED, 'rcv SYN');
    tcb.pending |= SEND_SYN;
  }
}
