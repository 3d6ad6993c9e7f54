// Loss recovery where SACK was agreed on: what each acknowledgment means for the episode, from the
// first loss to its end, or to the discovery that there was none. Knows the order in which RACK-TLP
// (RFC 8985), F-RTO (RFC 5682), Eifel (RFC 3522) and PRR (RFC 9937) have their say.

import { seqGeq } from '../wire/sequence.js';
import type { TcpSegment } from '../wire/tcp.js';
import { isEcho, isReduced, noteReduction } from './ecn.js';
import { type Flight, FRTO_OFF, FRTO_TIMED_OUT, giveFlight, SACKED } from './flight.js';
import { wasSpuriousTimeout } from './frto.js';
import { beginReduction, reduce } from './prr.js';
import { detectLosses, forgetWindow, loseAfterTimeout, widenWindow } from './rack.js';
import { beginNews } from './scoreboard.js';
import { lossCounters, type Tcb } from './tcb.js';
import { cancelTimer, LOSS_PROBE_TIMER, REORDER_TIMER } from './timers.js';
import { probeRepaired } from './tlp.js';
import { beginUndo, noteDuplicate, wasMistake } from './undo.js';

/**
 * An acknowledgment was taken into the log. `advances`: SND.UNA moved; `duplicate`: as RFC 5681 §2
 * has it.
 */
export function learnFromAck(
  tcb: Tcb,
  flight: Flight,
  segment: TcpSegment,
  advances: boolean,
  duplicate: boolean,
): void {
  const { snd } = tcb;
  takeReports(tcb, flight, segment, duplicate);
  const ordinary = flight.isPlain && !snd.recovering;
  const moreLost = !ordinary && detectLosses(tcb, flight);
  if (flight.mayUndo && isMistake(tcb, flight, segment, advances)) undo(tcb, flight);
  if (seqGeq(snd.una, snd.recover)) endEpisode(tcb, flight);
  if (snd.recovering) reduce(tcb, flight, advances && !moreLost);
  else if (flight.lostBytes > 0 && !flight.afterTimeout) enterRecovery(tcb, flight);
  else if (flight.delivered > 0 && (advances || flight.reorderingSeen) && !isEcho(tcb, segment)) {
    // What comes behind a gap may be the first sign of a loss: it opens no window by itself, except
    // where gaps are known to close.
    tcb.congestionControl.acknowledged(tcb, flight.delivered);
  }
}

/** What the peer has received twice, and what a probe has repaired. */
function takeReports(tcb: Tcb, flight: Flight, segment: TcpSegment, duplicate: boolean): void {
  if (flight.dsackStart !== flight.dsackEnd) {
    noteDuplicate(tcb, flight);
    widenWindow(tcb, flight);
  }
  if (!probeRepaired(flight, segment, duplicate)) return;
  tcb.congestionControl.lost(tcb);
  noteReduction(tcb);
}

/** Whether this ACK shows that the episode was a mistake. */
function isMistake(tcb: Tcb, flight: Flight, segment: TcpSegment, advances: boolean): boolean {
  const spurious = flight.afterTimeout && wasSpuriousTimeout(tcb, flight, advances);
  return spurious || wasMistake(tcb, flight, segment, advances);
}

/** RFC 6675 §5 step 4: the first loss of an episode. */
function enterRecovery(tcb: Tcb, flight: Flight): void {
  const { snd } = tcb;
  beginReduction(tcb, flight);
  if (isReduced(tcb, snd.una)) {
    // A mark has cost already, and was no mistake.
    flight.mayUndo = false;
  } else {
    tcb.congestionControl.lost(tcb);
    beginUndo(tcb, flight);
  }
  noteReduction(tcb);
  snd.recover = snd.nxt;
  snd.recovering = true;
  cancelTimer(tcb, LOSS_PROBE_TIMER);
  flight.probing = false;
  reduce(tcb, flight, false);
  lossCounters(tcb).fastRetransmits += 1;
  if (tcb.host.probe !== null) tcb.host.probe.congestion(tcb, 'fast-retransmit');
}

/** All that was sent before the episode began is acknowledged. */
function endEpisode(tcb: Tcb, flight: Flight): void {
  const { snd } = tcb;
  if (!snd.recovering && !flight.afterTimeout) return;
  forgetWindow(flight);
  flight.afterTimeout = false;
  flight.frto = FRTO_OFF;
  if (!snd.recovering) return;
  // RFC 9937 §6.3. The ACK that ends it then opens cwnd as any other (as Linux).
  snd.cwnd = snd.ssthresh;
  snd.recovering = false;
  if (tcb.host.probe !== null) tcb.host.probe.congestion(tcb, 'recovered');
}

/** Nothing was lost: all is as it was before the episode (RFC 4015 §3.2). */
function undo(tcb: Tcb, flight: Flight): void {
  const { snd } = tcb;
  // What was taken for lost came late.
  if (snd.recovering) flight.reorderingSeen = true;
  flight.findAll();
  flight.mayUndo = false;
  flight.afterTimeout = false;
  flight.frto = FRTO_OFF;
  snd.recovering = false;
  tcb.rtt.backoff = 0;
  tcb.congestionControl.undo(tcb);
  lossCounters(tcb).undos += 1;
  if (tcb.host.probe !== null) tcb.host.probe.congestion(tcb, 'undo');
}

/** The retransmission timer fired; `first`: cwnd was reduced for it, and not for an episode before. */
export function enterTimeout(tcb: Tcb, flight: Flight, first: boolean): void {
  const { snd } = tcb;
  // RFC 2018 §8: a peer that held the next segment would have acknowledged it.
  if (flight.count > 0 && (flight.marks(0) & SACKED) !== 0) flight.renege();
  loseAfterTimeout(tcb, flight);
  cancelTimer(tcb, LOSS_PROBE_TIMER);
  cancelTimer(tcb, REORDER_TIMER);
  flight.probing = false;
  if (first) beginUndo(tcb, flight);
  snd.recovering = false;
  snd.recover = snd.nxt;
  // RFC 5682 §3.1 step 1: a segment that is lost again was lost.
  flight.frto = first && !flight.afterTimeout ? FRTO_TIMED_OUT : FRTO_OFF;
  flight.afterTimeout = true;
}

/** The time for what may only have been reordered is over: RFC 8985 §6.2 step 5. */
export function reorderDue(tcb: Tcb): void {
  const { snd } = tcb;
  const { flight } = snd;
  if (flight === null) return;
  beginNews(flight);
  const found = detectLosses(tcb, flight);
  if (!found || flight.afterTimeout) return;
  if (snd.recovering) reduce(tcb, flight, false);
  else enterRecovery(tcb, flight);
}

/** Nothing is outstanding. What remembers nothing of use for later goes back to the others. */
export function flightIsOver(tcb: Tcb, flight: Flight): void {
  cancelTimer(tcb, LOSS_PROBE_TIMER);
  cancelTimer(tcb, REORDER_TIMER);
  if (flight.reorderingSeen || flight.windowSteps > 1) return;
  // A D-SACK that takes an episode back comes after the ACK that ends it.
  const mayHearMore = (flight.mayUndo && flight.hasResent) || flight.probing;
  if (mayHearMore && !flight.lingers) {
    flight.lingers = true;
    return;
  }
  tcb.snd.flight = null;
  giveFlight(flight);
}
