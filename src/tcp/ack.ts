// What an acknowledgment does: RFC 9293 §3.10.7.4, fifth check. Knows the send space; must not know
// what the segment carries besides.

import { seqGt, seqLeq, seqLt } from '../wire/sequence.js';
import { FIN, SYN, type TcpSegment } from '../wire/tcp.js';
import { challenge } from './challenge.js';
import { endOfData } from './close.js';
import { duplicateAck, newAckInRecovery } from './duplicate-acks.js';
import { isEcho } from './ecn.js';
import type { Flight } from './flight.js';
import { tellDropped } from './probe.js';
import { flightIsOver, learnFromAck } from './recovery.js';
import { goBack, restartRetransmit } from './retransmit.js';
import { sampleFlight, sampleRtt } from './rtt.js';
import { beginNews, takeCumulativeAck, takeSackBlocks } from './scoreboard.js';
import { lossCounters, NEWS_WRITABLE, type Tcb } from './tcb.js';
import { cancelTimer, isArmed, PERSIST_TIMER } from './timers.js';

/**
 * RFC 5961 §5.2: an ACK is acceptable when it is at most MAX.SND.WND behind SND.UNA and not beyond
 * what was sent. Others are challenged, and the segment dropped.
 */
export function isAckAcceptable(tcb: Tcb, segment: TcpSegment): boolean {
  const snd = tcb.snd;
  const ack = segment.ack;
  if (seqGt(ack, snd.max) || seqLt(ack, (snd.una - snd.maxWnd) | 0)) {
    tellDropped(tcb, 'ACK outside what was sent');
    challenge(tcb);
    return false;
  }
  return true;
}

/** Takes the acknowledgment and the window of an acceptable segment. */
export function acknowledge(tcb: Tcb, segment: TcpSegment): void {
  const snd = tcb.snd;
  const advances = seqGt(segment.ack, snd.una);
  // §3.10.7.4: the window is taken from the newest segment only (SND.WL1, SND.WL2).
  const oldWindow = snd.wnd;
  if (seqLeq(snd.una, segment.ack)) updateSendWindow(tcb, segment);
  if (snd.flight !== null) acknowledgeFlight(tcb, snd.flight, segment, oldWindow);
  else if (advances) newlyAcknowledged(tcb, segment);
  else if (isDuplicate(tcb, segment, oldWindow)) duplicateAck(tcb);
}

/** The same with a log of what is in flight, and SACK. */
function acknowledgeFlight(tcb: Tcb, flight: Flight, segment: TcpSegment, oldWindow: number): void {
  const { snd } = tcb;
  const advances = seqGt(segment.ack, snd.una);
  const duplicate = !advances && isDuplicate(tcb, segment, oldWindow);
  if (!advances && !duplicate && segment.sackCount === 0) return;
  if (duplicate) lossCounters(tcb).duplicateAcks += 1;
  beginNews(flight);
  if (advances) {
    takeCumulativeAck(tcb, flight, segment);
    advance(tcb, segment.ack);
  }
  if (segment.sackCount > 0) takeSackBlocks(tcb, flight, segment);
  sampleFlight(tcb, flight, segment);
  learnFromAck(tcb, flight, segment, advances, duplicate);
  if (!advances) return;
  progressed(tcb);
  if (snd.una === snd.nxt) flightIsOver(tcb, flight);
}

/**
 * RFC 5681 §2: a duplicate ACK acknowledges nothing new while something is outstanding, carries no
 * data, SYN or FIN, and leaves the window as it was.
 */
function isDuplicate(tcb: Tcb, segment: TcpSegment, oldWindow: number): boolean {
  const snd = tcb.snd;
  return (
    segment.ack === snd.una &&
    snd.una !== snd.max &&
    segment.dataLength === 0 &&
    (segment.flags & (SYN | FIN)) === 0 &&
    snd.wnd === oldWindow &&
    // At a closed window these are answers to our probes.
    snd.wnd !== 0
  );
}

/** SND.WND from the segment, if it is newer than the one that set it last (MUST-1, REC-1). */
function updateSendWindow(tcb: Tcb, segment: TcpSegment): void {
  const snd = tcb.snd;
  const newer =
    seqLt(snd.wl1, segment.seq) || (snd.wl1 === segment.seq && seqLeq(snd.wl2, segment.ack));
  if (!newer) return;
  const before = snd.wnd;
  // RFC 7323 §2.2: the window of a SYN is never scaled.
  snd.wnd = (segment.flags & SYN) !== 0 ? segment.window : segment.window << snd.shift;
  snd.wl1 = segment.seq;
  snd.wl2 = segment.ack;
  if (snd.wnd > snd.maxWnd) snd.maxWnd = snd.wnd;
  if (before === 0 && snd.wnd > 0) windowOpened(tcb);
}

/** The peer can take data again: probing ends, and what only probed is sent as data. */
function windowOpened(tcb: Tcb): void {
  if (!isArmed(tcb, PERSIST_TIMER)) return;
  cancelTimer(tcb, PERSIST_TIMER);
  tcb.rtt.backoff = 0;
  goBack(tcb);
}

/** Something new was acknowledged: timers and controllers are told. */
function newlyAcknowledged(tcb: Tcb, segment: TcpSegment): void {
  const snd = tcb.snd;
  sampleRtt(tcb, segment.ack, segment.hasTimestamps, segment.tsEcr);
  const acked = advance(tcb, segment.ack);
  if (snd.recovering) newAckInRecovery(tcb, acked);
  else {
    snd.dupAcks = 0;
    if (acked > 0 && !isEcho(tcb, segment)) tcb.congestionControl.acknowledged(tcb, acked);
  }
  progressed(tcb);
}

/** The connection lives, and has room to write. */
function progressed(tcb: Tcb): void {
  restartRetransmit(tcb);
  tcb.softError = null;
  if (tcb.snd.starved) tcb.news |= NEWS_WRITABLE;
}

/** SND.UNA moves: acknowledged bytes leave the ring; answers how many. */
function advance(tcb: Tcb, ack: number): number {
  const snd = tcb.snd;
  const acked = releaseAcknowledged(tcb, ack);
  snd.una = ack;
  if (seqLt(snd.nxt, snd.una)) snd.nxt = snd.una;
  if (snd.urgent && seqLeq(snd.up, snd.una)) snd.urgent = false;
  // What was long ago must not seem to lie ahead.
  if (((snd.una - snd.recover) | 0) > LONG_AGO) snd.recover = (snd.una - 1) | 0;
  return acked;
}

/** No ACK covers more than a window, which is less than this. */
const LONG_AGO = 1 << 30;

/**
 * Data up to `ack` are safe with the peer; answers how many bytes. The FIN and the SYN take no room
 * in the ring, and open no window.
 */
function releaseAcknowledged(tcb: Tcb, ack: number): number {
  const snd = tcb.snd;
  const end = endOfData(tcb);
  const upTo = seqGt(ack, end) ? end : ack;
  const bytes = (upTo - snd.ringSeq) | 0;
  if (bytes <= 0) return 0;
  snd.ring.consume(bytes);
  snd.ringSeq = upTo;
  tcb.counters.addAcked(bytes);
  return bytes;
}
