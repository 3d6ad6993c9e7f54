// What goes out next: RFC 9293 §3.8 and §3.10.2. The only place that decides to send; knows windows,
// silly-window avoidance and Nagle. Must not know how headers are laid out (segment-out.ts).

import { seqGt, seqLeq } from '../wire/sequence.js';
import { ACK, FIN, PSH, RST, SYN } from '../wire/tcp.js';
import { acceptableSeq, endOfData } from './close.js';
import { ecnSynFlags } from './ecn.js';
import { RESENT } from './flight.js';
import { paced } from './pacing.js';
import { armPersist } from './persist.js';
import { sendFirstAgain, sendHeadAgain, sendLastAgain, sendLostRanges } from './resend.js';
import { armRetransmit, rearmRetransmit } from './retransmit.js';
import { currentRto, startTiming, voidTiming } from './rtt.js';
import { logSent, pipe } from './scoreboard.js';
import { largestPayload, payloadMss, sendSegment, sendSynSegment } from './segment-out.js';
import { LISTEN, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.js';
import {
  lossCounters,
  SEND_ACK,
  SEND_KEEPALIVE,
  SEND_LOSS_PROBE,
  SEND_LOST,
  SEND_PROBE,
  SEND_RST,
  SEND_SYN,
  type Tcb,
} from './tcb.js';
import { cancelTimer, isArmed, PERSIST_TIMER, RETRANSMIT_TIMER } from './timers.js';
import { probeSent } from './tlp.js';
import { windowUpdateDue } from './window.js';
import { noteWindowUse } from './window-use.js';

const NOTHING = -1;
/** So many of the largest segments fit the windows before a smaller one waits for company. */
const SEVERAL = 4;

/** Sends all that is due: at the end of a turn, when input, timers and the user have had their say. */
export function transmit(tcb: Tcb): void {
  const state = tcb.state;
  if ((tcb.pending & SEND_RST) !== 0) sendSegment(tcb, tcb.resetSeq, RST, 0);
  else if (state === SYN_SENT || state === SYN_RECEIVED) transmitOpening(tcb);
  else if (state === TIME_WAIT) transmitLastAck(tcb);
  else if (state > LISTEN) transmitSynchronized(tcb);
  tcb.pending = 0;
}

/** The ACK of the FIN that led to TIME-WAIT; later ones are the record's (timewait.ts). */
function transmitLastAck(tcb: Tcb): void {
  if ((tcb.pending & SEND_ACK) !== 0) sendSegment(tcb, tcb.snd.max, ACK, 0);
}

function transmitOpening(tcb: Tcb): void {
  if ((tcb.pending & SEND_SYN) !== 0) {
    const snd = tcb.snd;
    if (tcb.rtt.retries === 0) startTiming(tcb, (snd.iss + 1) | 0);
    else noteRetransmission(tcb);
    sendSynSegment(tcb, ecnSynFlags(tcb, tcb.state === SYN_SENT ? SYN : SYN | ACK));
    snd.nxt = (snd.iss + 1) | 0;
    snd.max = snd.nxt;
    armRetransmit(tcb);
  } else if ((tcb.pending & SEND_ACK) !== 0 && tcb.state === SYN_RECEIVED) {
    sendSegment(tcb, tcb.snd.nxt, ACK, 0);
  }
}

function transmitSynchronized(tcb: Tcb): void {
  const pending = tcb.pending;
  // CLOSE in SYN-RECEIVED leads to FIN-WAIT-1 while our SYN may still be lost.
  if ((pending & SEND_SYN) !== 0) transmitOpening(tcb);
  if ((pending & SEND_LOST) !== 0) sendFirstAgain(tcb);
  if ((pending & SEND_LOSS_PROBE) !== 0) sendLossProbe(tcb);
  const { flight } = tcb.snd;
  if (flight !== null && flight.lostBytes > 0) sendLostRanges(tcb, flight);
  if ((pending & SEND_PROBE) !== 0) sendProbe(tcb);
  sendNew(tcb);
  if ((pending & SEND_KEEPALIVE) !== 0) {
    // MUST-26, SHOULD-12: an old sequence number and no data; the peer must answer it.
    sendSegment(tcb, (tcb.snd.una - 1) | 0, ACK, 0);
  } else if ((tcb.pending & SEND_ACK) !== 0 || windowUpdateDue(tcb)) {
    sendSegment(tcb, acceptableSeq(tcb), ACK, 0);
  }
}

/** As much as windows and Nagle let through, in segments as large as the path takes (SHOULD-28). */
function sendNew(tcb: Tcb): void {
  const snd = tcb.snd;
  if (snd.una === snd.max) restartIfIdle(tcb);
  for (;;) {
    const length = paced(tcb, nextLength(tcb));
    if (length < 0) break;
    const unsent = (endOfData(tcb) - snd.nxt) | 0;
    const fin = snd.finQueued && length === unsent && windowLeft(tcb) > length;
    sendData(tcb, length, fin);
    noteWindowUse(tcb);
    armRetransmit(tcb);
    cancelTimer(tcb, PERSIST_TIMER);
  }
  // Nothing outstanding will bring an ACK by itself: ask for one, or override Nagle in the end.
  if (!isArmed(tcb, RETRANSMIT_TIMER) && hasUnsent(tcb)) armPersist(tcb);
}

/** Data, or the FIN, that waits behind a window. */
function hasUnsent(tcb: Tcb): boolean {
  const end = endOfData(tcb);
  return seqGt((end + (tcb.snd.finQueued ? 1 : 0)) | 0, tcb.snd.una);
}

/** What the peer's window leaves (cwnd is another matter). */
function windowLeft(tcb: Tcb): number {
  return (tcb.snd.una + tcb.snd.wnd - tcb.snd.nxt) | 0;
}

/** Bytes of data for the next segment; 0 for a FIN alone, NOTHING when it is not time. */
function nextLength(tcb: Tcb): number {
  const snd = tcb.snd;
  const unsent = (endOfData(tcb) - snd.nxt) | 0;
  if (unsent < 0) return NOTHING;
  if (unsent === 0) return snd.finQueued && windowLeft(tcb) > 0 ? 0 : NOTHING;
  const usable = Math.min(windowLeft(tcb), congestionRoom(tcb));
  if (usable <= 0) return NOTHING;
  const mss = payloadMss(tcb);
  const largest = largestPayload(tcb, mss);
  const length = Math.min(unsent, usable, largest);
  const all = length === unsent;
  if (length < largest && largest > mss && largerIsNear(tcb, all, largest)) return NOTHING;
  if (length >= mss) {
    const tail = length % mss;
    return tail !== 0 && !(all && smallMayGo(tcb)) ? length - tail : length;
  }
  // MUST-38, RFC 9293 §3.8.6.2.1: no small segment unless it is the last of the data, or worth half
  // of the largest window that the peer ever had.
  if (all) return smallMayGo(tcb) ? length : NOTHING;
  const windowLimited = snd.wnd <= snd.cwnd;
  return windowLimited && length >= snd.maxWnd >> 1 && length > 0 ? length : NOTHING;
}

/**
 * Whether a larger super-segment can be sent soon: the windows hold several of the largest, one at
 * least is in flight, so that its ACK comes, and there is more to send. As Linux tcp_tso_should_defer.
 */
function largerIsNear(tcb: Tcb, all: boolean, largest: number): boolean {
  const snd = tcb.snd;
  if (all && (!snd.starved || snd.finQueued)) return false;
  const window = Math.min(snd.wnd, snd.cwnd);
  return window >= SEVERAL * largest && ((snd.nxt - snd.una) | 0) >= largest;
}

/** What cwnd leaves. With SACK it counts what is in the network (RFC 6675), else all since SND.UNA. */
function congestionRoom(tcb: Tcb): number {
  const { snd } = tcb;
  if (tcb.sack) return (snd.cwnd - pipe(tcb)) | 0;
  return (snd.una + snd.cwnd + limitedTransmit(tcb) - snd.nxt) | 0;
}

/**
 * RFC 3042: each of the first two duplicate ACKs lets one new segment go, so that a third can come
 * where little is in flight. cwnd itself stays.
 */
function limitedTransmit(tcb: Tcb): number {
  const snd = tcb.snd;
  const newData = snd.nxt === snd.max && seqGt(snd.una, snd.recover);
  return newData && !snd.recovering && snd.dupAcks <= 2 ? snd.dupAcks * snd.mss : 0;
}

/**
 * Nagle's algorithm in Minshall's form (§3.7.4): a small segment waits only while another small one
 * is unacknowledged. What was sent before, or ends the stream, need not wait.
 */
function smallMayGo(tcb: Tcb): boolean {
  const snd = tcb.snd;
  return !tcb.nagle || snd.finQueued || snd.nxt !== snd.max || seqLeq(snd.small, snd.una);
}

/** One segment or super-segment of data at SND.NXT. */
function sendData(tcb: Tcb, length: number, fin: boolean): void {
  const snd = tcb.snd;
  const end = (snd.nxt + length) | 0;
  let flags = ACK;
  if (fin) flags |= FIN;
  // MUST-61: PSH on what empties the queue.
  if (length > 0 && end === endOfData(tcb)) flags |= PSH;
  const next = (end + (fin ? 1 : 0)) | 0;
  const first = snd.nxt === snd.max;
  if (!first) noteRetransmission(tcb);
  else if (!tcb.sack) startTiming(tcb, next);
  if (tcb.sack) logSent(tcb, snd.nxt, next, first ? 0 : RESENT);
  if (length % payloadMss(tcb) !== 0) snd.small = end;
  sendSegment(tcb, snd.nxt, flags, length);
  snd.nxt = next;
  if (seqGt(snd.nxt, snd.max)) snd.max = snd.nxt;
}

function noteRetransmission(tcb: Tcb): void {
  lossCounters(tcb).retransmits += 1;
  voidTiming(tcb);
}

/**
 * RFC 8985 §7.3: the probe is something new, although cwnd may have no room for it, or else the end of
 * what is in flight.
 */
function sendLossProbe(tcb: Tcb): void {
  const { flight } = tcb.snd;
  if (flight === null || flight.count === 0 || flight.probing || !flight.isPlain) return;
  const unsent = (endOfData(tcb) - tcb.snd.nxt) | 0;
  const room = windowLeft(tcb);
  const isNew = unsent > 0 && room > 0;
  if (isNew) {
    const length = Math.min(unsent, room, payloadMss(tcb));
    sendData(tcb, length, tcb.snd.finQueued && length === unsent && room > length);
  } else {
    sendLastAgain(tcb, flight);
  }
  probeSent(tcb, flight, !isNew);
  lossCounters(tcb).tlpProbes += 1;
  rearmRetransmit(tcb);
  if (tcb.host.probe !== null) tcb.host.probe.congestion(tcb, 'tlp');
}

/**
 * MUST-36: one octet into a closed window (or the FIN, when no data is left); into one that is only
 * small, all that fits: §3.8.6.2.1, the override timeout.
 */
function sendProbe(tcb: Tcb): void {
  const snd = tcb.snd;
  const unsent = (endOfData(tcb) - snd.nxt) | 0;
  const room = windowLeft(tcb);
  if (room > 0 && unsent > 0) {
    const length = Math.min(unsent, room, payloadMss(tcb));
    sendData(tcb, length, snd.finQueued && length === unsent && room > length);
    cancelTimer(tcb, PERSIST_TIMER);
    armRetransmit(tcb);
  } else if (snd.una !== snd.max) {
    sendHeadAgain(tcb, Math.min(1, (endOfData(tcb) - snd.una) | 0));
  } else if (unsent >= 0 && hasUnsent(tcb)) {
    sendData(tcb, Math.min(1, unsent), unsent === 0);
    voidTiming(tcb);
  }
}

/** RFC 5681 §4.1: after a pause longer than the timeout the old window says nothing. */
function restartIfIdle(tcb: Tcb): void {
  const idle = (tcb.host.clock.ms - tcb.snd.sentMs) | 0;
  if (idle > currentRto(tcb) && hasUnsent(tcb)) tcb.congestionControl.restarted(tcb);
}
