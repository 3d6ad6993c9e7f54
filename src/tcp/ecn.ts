// Explicit congestion notification, RFC 3168: what SYNs agree on, marks that are echoed, and echoes that
// cost as much as a loss. Knows the ECN bits of TCP and IP; must not know how the window grows.

import { CE, ECT_0 } from '../wire/ip.js';
import { seqLeq, seqLt } from '../wire/sequence.js';
import { ACK, CWR, ECE, SYN, type TcpSegment } from '../wire/tcp.js';
import { SYN_SENT } from './state.js';
import { congestionMemory, SEND_ACK, type Tcb } from './tcb.js';

const BOTH = ECE | CWR;

/** §6.1.1: ECE and CWR on a SYN ask for ECN, ECE alone on the SYN,ACK agrees. */
export function agreeOnEcn(tcb: Tcb, segment: TcpSegment): void {
  const bits = segment.flags & BOTH;
  if ((segment.flags & ACK) !== 0) tcb.ecn = tcb.ecn && bits === ECE;
  else if (tcb.state === SYN_SENT) tcb.ecn = tcb.ecn && bits === BOTH;
  else tcb.ecn = tcb.config.ecn !== 'off' && bits === BOTH;
  // From now on the two bits are ours.
  if (tcb.ecn) clearEcnField(tcb);
}

/**
 * The SYN of the peer again. One without the bits means that it no longer asks, since a SYN with them
 * may have been thrown away on its way: §6.1.1.1.
 */
export function renegotiateEcn(tcb: Tcb, flags: number): void {
  if ((flags & BOTH) !== BOTH) tcb.ecn = false;
}

/** The bits of our SYN or SYN,ACK. §6.1.1.1: a SYN that goes out again does not ask any more. */
export function ecnSynFlags(tcb: Tcb, flags: number): number {
  if ((flags & ACK) === 0 && tcb.rtt.retries > 0) tcb.ecn = false;
  if (!tcb.ecn) return flags;
  return (flags & ACK) === 0 ? flags | BOTH : flags | ECE;
}

/** Takes the ECN field away from what the user set. */
export function clearEcnField(tcb: Tcb): void {
  if ((tcb.trafficClass & CE) === 0) return;
  tcb.trafficClass &= ~CE;
  tcb.renewHeaderSums();
}

/**
 * The ECN field of a segment. §6.1.4 to §6.1.6: ECT(0) on new data only; not on what was sent before
 * (an attacker could have it marked), on ACKs without data, or on window probes.
 */
export function ecnField(tcb: Tcb, seq: number, length: number): number {
  const { snd } = tcb;
  if (length === 0 || seq !== snd.max) return 0;
  const end = (seq + length) | 0;
  return seqLeq(end, (snd.una + snd.wnd) | 0) ? ECT_0 : 0;
}

/** The bits of a segment: the echo on all, CWR on the first new data after a reduction. */
export function ecnFlags(tcb: Tcb, flags: number, field: number): number {
  const { congestion } = tcb.snd;
  let all = tcb.rcv.echo && (flags & ACK) !== 0 ? flags | ECE : flags;
  if (congestion?.cwrDue && field === ECT_0) {
    all |= CWR;
    congestion.cwrDue = false;
  }
  return all;
}

/**
 * What an acceptable segment says of the way here. §6.1.3: a mark is echoed until CWR comes; a segment
 * with both begins anew. §6.1.5: nothing is said about a segment outside of the window.
 */
export function noteMark(tcb: Tcb, segment: TcpSegment): void {
  const { rcv } = tcb;
  if ((segment.flags & CWR) !== 0) rcv.echo = false;
  if (!segment.marked || segment.dataLength === 0) return;
  // The sooner the peer knows the better.
  if (!rcv.echo) tcb.pending |= SEND_ACK;
  rcv.echo = true;
}

/**
 * §6.1.2: an echo on an acceptable ACK is taken as a loss, though nothing is sent again: once in a
 * window of data, and not when a loss in that window has cost already. To be called before the ACK counts.
 */
export function noteEcho(tcb: Tcb, segment: TcpSegment): void {
  const { snd } = tcb;
  if ((segment.flags & (ECE | SYN)) !== ECE || seqLt(segment.ack, snd.una)) return;
  if (snd.recovering || snd.una === snd.max || isReduced(tcb, segment.ack)) return;
  tcb.congestionControl.lost(tcb);
  noteReduction(tcb);
  if (tcb.host.probe !== null) tcb.host.probe.congestion(tcb, 'ecn-echo');
}

/** §6.1.2: what comes with an echo does not open cwnd. */
export function isEcho(tcb: Tcb, segment: TcpSegment): boolean {
  return tcb.ecn && (segment.flags & ECE) !== 0;
}

/** §6.1.2: cwnd was reduced, for whatever reason; the peer is told with the next new data. */
export function noteReduction(tcb: Tcb): void {
  if (!tcb.ecn) return;
  const memory = congestionMemory(tcb);
  memory.cwrDue = true;
  memory.cwrEnd = tcb.snd.max;
}

/**
 * Whether cwnd was reduced in the window of data that `ack` stands in. The peer can have heard of it only
 * when something beyond that window is acknowledged: that carried the CWR.
 */
export function isReduced(tcb: Tcb, ack: number): boolean {
  const { congestion, max } = tcb.snd;
  if (!tcb.ecn || congestion === null) return false;
  // It may be so old that it has wrapped: then it does not lie within what was sent.
  return seqLeq(ack, congestion.cwrEnd) && seqLeq(congestion.cwrEnd, max);
}
