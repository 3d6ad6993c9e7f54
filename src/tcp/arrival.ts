// SEGMENT ARRIVES for all states from SYN-RECEIVED on: RFC 9293 §3.10.7.4, check by check in the
// RFC's order. Knows the order; each rule's effect stands with its subject. Never transmits.

import { seqGeq, seqGt, seqLeq, seqLt } from '../wire/sequence.js';
import { ACK, RST, SYN, type TcpSegment } from '../wire/tcp.js';
import { acknowledge, isAckAcceptable } from './ack.js';
import { challenge } from './challenge.js';
import { finAcknowledged, finIsAcknowledged } from './close.js';
import { noteEcho, noteMark, renegotiateEcn } from './ecn.js';
import { isPredicted } from './fastpath.js';
import { establish } from './open.js';
import { tellDropped } from './probe.js';
import { receiveFin, receiveText, trimToWindow } from './receive.js';
import { noteDuplicate } from './sack.js';
import { fail } from './set-state.js';
import { CLOSED, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.js';
import { synSentArrival } from './syn-sent.js';
import { SEND_ACK, SEND_RST, SEND_SYN, type Tcb } from './tcb.js';
import { noteTimestamp, timestampIsOld } from './timestamps.js';
import { urgentArrival } from './urgent.js';
import { promisedWindow } from './window.js';

/** Verdicts of the checks. */
const GO_ON = 0;
const DONE = 1;

/** Takes a segment of this connection; its checksum was verified. The segment is used up. */
export function segmentArrives(tcb: Tcb, segment: TcpSegment): void {
  const { counters, host } = tcb;
  counters.segmentsIn +=
    segment.gsoSize === 0 ? 1 : Math.ceil(segment.dataLength / segment.gsoSize);
  if (host.probe !== null) host.probe.segmentIn(tcb, segment);
  host.schedule(tcb);
  if (tcb.state === SYN_SENT) {
    synSentArrival(tcb, segment);
    return;
  }
  if (tcb.config.headerPrediction && isPredicted(tcb, segment)) return;
  checkAll(tcb, segment);
}

function checkAll(tcb: Tcb, segment: TcpSegment): void {
  if (checkSequence(tcb, segment) === DONE) return;
  if (checkReset(tcb, segment) === DONE) return;
  const hasFin = trimToWindow(tcb, segment);
  // Third check, security: Not implemented: no system uses the option (§3.10.7.4 allows it).
  if (checkSyn(tcb, segment) === DONE) return;
  if (checkAck(tcb, segment, hasFin) === DONE) return;
  urgentArrival(tcb, segment);
  receiveText(tcb, segment);
  receiveFin(tcb, segment, hasFin);
}

/**
 * First check: the sequence number, and before it the timestamp (RFC 7323 §5.3). What is not
 * acceptable gets an ACK that says where we are, unless it is a RST.
 */
function checkSequence(tcb: Tcb, segment: TcpSegment): number {
  if (timestampIsOld(tcb, segment)) {
    refuse(tcb, segment, 'old timestamp');
    return DONE;
  }
  if (tcb.state === SYN_RECEIVED) passSynAck(tcb, segment);
  if (!isAcceptable(tcb, segment)) {
    // RFC 2883 §4: a segment that was received before is reported as a duplicate.
    if (seqLt(segment.seq, tcb.rcv.nxt) && segment.dataLength > 0) {
      noteDuplicate(tcb, segment.seq, (segment.seq + segment.dataLength) | 0);
    }
    refuse(tcb, segment, 'outside window');
    return DONE;
  }
  noteTimestamp(tcb, segment);
  tcb.rcv.heardMs = tcb.host.clock.ms;
  return GO_ON;
}

/**
 * The four cases of Table 6 in §3.10.7.4. With a closed window (MUST-66) the ACK, RST and URG of a
 * segment that is next in order still count, though its text does not: trimming takes it away.
 */
function isAcceptable(tcb: Tcb, segment: TcpSegment): boolean {
  const { rcv } = tcb;
  const window = promisedWindow(tcb);
  const seq = segment.seq;
  if (window === 0 || segment.length === 0) {
    if (seq === rcv.nxt) return true;
    if (segment.length > 0) return false;
    return window > 0 && seqGeq(seq, rcv.nxt) && seqLt(seq, rcv.edge);
  }
  const last = (seq + segment.length - 1) | 0;
  const startsInside = seqLeq(rcv.nxt, seq) && seqLt(seq, rcv.edge);
  const endsInside = seqLeq(rcv.nxt, last) && seqLt(last, rcv.edge);
  // A segment larger than the window covers both edges and is cut on both sides.
  return startsInside || endsInside || (seqLt(seq, rcv.nxt) && seqGeq(last, rcv.edge));
}

/**
 * Simultaneous open, §3.5 Figure 7: the peer's SYN came before; now it comes again with the ACK of
 * ours. Its SYN is done with, the rest counts.
 */
function passSynAck(tcb: Tcb, segment: TcpSegment): void {
  const isSynAck = (segment.flags & (SYN | ACK | RST)) === (SYN | ACK);
  if (!isSynAck || segment.seq !== tcb.rcv.irs || !acknowledgesSyn(tcb, segment)) return;
  segment.flags &= ~SYN;
  segment.seq = (segment.seq + 1) | 0;
  segment.length -= 1;
}

function acknowledgesSyn(tcb: Tcb, segment: TcpSegment): boolean {
  return seqGt(segment.ack, tcb.snd.una) && seqLeq(segment.ack, tcb.snd.max);
}

function refuse(tcb: Tcb, segment: TcpSegment, reason: string): void {
  tellDropped(tcb, reason);
  if ((segment.flags & RST) !== 0) return;
  const onlySyn = (segment.flags & (SYN | ACK)) === SYN;
  if (tcb.state === SYN_RECEIVED && onlySyn && seqLt(segment.seq, tcb.rcv.nxt)) {
    // The peer did not get our SYN,ACK. Deviation: §3.10.7.4 has an ACK here, which a peer in
    // SYN-SENT drops; Linux sends the SYN,ACK again, and so do we.
    renegotiateEcn(tcb, segment.flags);
    tcb.pending |= SEND_SYN;
  } else if (segment.length > 0 && (segment.flags & SYN) === 0) {
    tcb.pending |= SEND_ACK;
  } else {
    // A bare ACK outside the window could be the answer to ours: no more than now and then.
    challenge(tcb);
  }
}

/**
 * Second check: RST. RFC 5961 §3.2: only the exact sequence number resets; others in the window are
 * challenged, and one from before it is dropped though its text may reach into it.
 */
function checkReset(tcb: Tcb, segment: TcpSegment): number {
  if ((segment.flags & RST) === 0) return GO_ON;
  if (segment.seq !== tcb.rcv.nxt) {
    tellDropped(tcb, 'RST not at RCV.NXT');
    if (seqGt(segment.seq, tcb.rcv.nxt)) challenge(tcb);
    return DONE;
  }
  // A peer that resets what we opened actively refuses us (simultaneous open); §3.10.7.4.
  const refused = tcb.state === SYN_RECEIVED && !tcb.passive;
  fail(tcb, 'rcv RST', 'rst', refused ? 'ECONNREFUSED' : 'ECONNRESET', segment);
  return DONE;
}

/** Fourth check: SYN. RFC 5961 §4.2: challenged, whatever its sequence number. */
function checkSyn(tcb: Tcb, segment: TcpSegment): number {
  if ((segment.flags & SYN) === 0) return GO_ON;
  if (tcb.state === SYN_RECEIVED && tcb.passive) {
    fail(tcb, 'rcv SYN', 'rst', 'ECONNABORTED', segment);
  } else {
    tellDropped(tcb, 'SYN in the window');
    challenge(tcb);
  }
  return DONE;
}

/** Fifth check: the ACK field. Without the bit the segment says nothing. */
function checkAck(tcb: Tcb, segment: TcpSegment, hasFin: boolean): number {
  if ((segment.flags & ACK) === 0) {
    tellDropped(tcb, 'no ACK');
    return DONE;
  }
  if (!tcb.snd.synAcknowledged) {
    if (checkAckOfSyn(tcb, segment) === DONE) return DONE;
  } else {
    if (!isAckAcceptable(tcb, segment)) return DONE;
    if (tcb.ecn) noteEcho(tcb, segment);
    acknowledge(tcb, segment);
  }
  if (tcb.ecn) noteMark(tcb, segment);
  if (finIsAcknowledged(tcb)) {
    finAcknowledged(tcb, hasFin && segment.seq === tcb.rcv.nxt);
    if (tcb.state === CLOSED || tcb.state === TIME_WAIT) return DONE;
  }
  return GO_ON;
}

/**
 * In SYN-RECEIVED (or FIN-WAIT-1, when the user closed there): an ACK of our SYN establishes the connection, any other one
 * gets a RST.
 */
function checkAckOfSyn(tcb: Tcb, segment: TcpSegment): number {
  if (acknowledgesSyn(tcb, segment)) {
    establish(tcb, segment, 'rcv ACK of SYN');
    return GO_ON;
  }
  tellDropped(tcb, 'ACK of what was never sent');
  tcb.resetSeq = segment.ack;
  tcb.pending |= SEND_RST;
  return DONE;
}
