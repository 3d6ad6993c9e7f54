// What goes out again: RFC 6298 §5.4, RFC 6582, RFC 6675 §5, RFC 8985 §7.3. Knows which bytes, and how
// much at once; must not know why they count as lost. Called by output.ts only.

import { seqGt } from '../wire/sequence.js';
import { ACK, FIN, PSH } from '../wire/tcp.js';
import { endOfData } from './close.js';
import { type Flight, FRTO_NEW_DATA, RESENT } from './flight.js';
import { armRetransmit, rearmRetransmit } from './retransmit.js';
import { voidTiming } from './rtt.js';
import { logSent, pipe } from './scoreboard.js';
import { largestPayload, payloadMss, sendSegment } from './segment-out.js';
import { lossCounters, segmentsOf, type Tcb } from './tcb.js';
import { noteResent } from './undo.js';

/** The segment at SND.UNA again, whatever the windows: RFC 5681 §3.2, RFC 6582, RFC 6298 §5.4. */
export function sendFirstAgain(tcb: Tcb): void {
  const { una, max, flight } = tcb.snd;
  if (una === max) return;
  const mss = payloadMss(tcb);
  if (flight !== null && flight.count > 0) {
    if (flight.nextLost(0) !== 0) return;
    const fin = lastAndFin(tcb, una, mss);
    resend(tcb, flight, 0, Math.min(flight.length(0), mss + fin));
    return;
  }
  const length = Math.min((endOfData(tcb) - una) | 0, (max - una) | 0, mss);
  sendHeadAgain(tcb, Math.max(length, 0));
  armRetransmit(tcb);
}

/** One, when the FIN follows `length` bytes at `seq` and was sent before. */
function lastAndFin(tcb: Tcb, seq: number, length: number): number {
  const end = (seq + length) | 0;
  return tcb.snd.finQueued && end === endOfData(tcb) && seqGt(tcb.snd.max, end) ? 1 : 0;
}

/** Sends `length` bytes at SND.UNA again, with the FIN when it is next and was sent before. */
export function sendHeadAgain(tcb: Tcb, length: number): void {
  const { snd } = tcb;
  const all = length + lastAndFin(tcb, snd.una, length);
  sendAgain(tcb, snd.una, all);
  const sentTo = (snd.una + all) | 0;
  if (!seqGt(sentTo, snd.nxt)) return;
  if (tcb.sack) logSent(tcb, snd.nxt, sentTo, RESENT);
  snd.nxt = sentTo;
}

/** RFC 6675 §5, NextSeg (1): what is lost, from the left, as long as cwnd has room for it. */
export function sendLostRanges(tcb: Tcb, flight: Flight): void {
  // RFC 5682 §3.1 step 2b: first it must show whether it is lost at all.
  if (flight.frto === FRTO_NEW_DATA) return;
  for (let i = flight.nextLost(0); i >= 0; i = flight.nextLost(i)) {
    const length = lengthAllowed(tcb, flight, i);
    if (length <= 0) return;
    resend(tcb, flight, i, length);
  }
}

/** How much of record `i` may go now: full segments, or the whole. */
function lengthAllowed(tcb: Tcb, flight: Flight, i: number): number {
  const { snd } = tcb;
  const mss = payloadMss(tcb);
  const whole = flight.length(i);
  const window = (snd.una + snd.wnd - flight.start(i)) | 0;
  const inFlight = pipe(tcb);
  // With nothing in flight no ACK will come: one segment may go in any case.
  const room = inFlight === 0 ? Math.max(snd.cwnd, mss) : (snd.cwnd - inFlight) | 0;
  const length = Math.min(whole, window, room, largestPayload(tcb, mss));
  // RFC 9293 SHLD-16: what the peer's window still covers is sent, also when it has shrunk.
  return length === whole || length === window ? length : length - (length % mss);
}

/** RFC 8985 §7.3: the last segment in flight again. */
export function sendLastAgain(tcb: Tcb, flight: Flight): void {
  let i = flight.count - 1;
  const length = flight.length(i);
  const fin = seqGt(flight.end(i), endOfData(tcb)) ? 1 : 0;
  const last = Math.min(length, payloadMss(tcb) + fin);
  if (last < length && flight.split(i, (flight.end(i) - last) | 0)) i += 1;
  resend(tcb, flight, i, flight.length(i));
}

/** Sends the first `length` numbers of record `i` again. */
function resend(tcb: Tcb, flight: Flight, i: number, length: number): void {
  const start = flight.start(i);
  // Where there is no room for another record the rest will turn out to be lost again.
  if (length < flight.length(i)) flight.split(i, (start + length) | 0);
  flight.resend(i, tcb.host.clock.us);
  flight.prrOut = (flight.prrOut + length) | 0;
  sendAgain(tcb, start, length);
  noteResent(tcb, flight, length, i === 0);
  if (i === 0) rearmRetransmit(tcb);
}

/** Sends `length` numbers at `seq` again: data, and behind them perhaps the FIN. */
function sendAgain(tcb: Tcb, seq: number, length: number): void {
  const end = endOfData(tcb);
  const data = Math.min(length, (end - seq) | 0);
  let flags = ACK;
  if (data < length) flags |= FIN;
  if (data > 0 && ((seq + data) | 0) === end) flags |= PSH;
  lossCounters(tcb).retransmits += Math.max(segmentsOf(tcb, data), 1);
  voidTiming(tcb);
  sendSegment(tcb, seq, flags, data);
}
