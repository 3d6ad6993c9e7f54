// The retransmission timer: RFC 6298 §5, and the limits R1 and R2 of RFC 9293 §3.8.3. Knows when to
// give up and when to go back to SND.UNA; output.ts sends.

import { leaveRecovery } from './duplicate-acks.js';
import { noteReduction } from './ecn.js';
import { probeNow } from './persist.js';
import { enterTimeout } from './recovery.js';
import { currentRto } from './rtt.js';
import { timedOut } from './set-state.js';
import { lossCounters, NEWS_ADVICE, SEND_LOST, SEND_SYN, type Tcb } from './tcb.js';
import { armTimer, cancelTimer, isArmed, LOSS_PROBE_TIMER, RETRANSMIT_TIMER } from './timers.js';
import { probeDue, scheduleProbe } from './tlp.js';

/** §5.1: something that takes sequence space was sent. The timer runs from the first of it. */
export function armRetransmit(tcb: Tcb): void {
  if (!isArmed(tcb, RETRANSMIT_TIMER)) {
    if (tcb.rtt.retries === 0) tcb.rtt.stalledMs = tcb.host.clock.ms;
    armTimer(tcb, RETRANSMIT_TIMER, currentRto(tcb));
  }
  scheduleProbe(tcb);
}

/** The timer runs anew: the first segment was sent again, or a probe. */
export function rearmRetransmit(tcb: Tcb): void {
  armTimer(tcb, RETRANSMIT_TIMER, currentRto(tcb));
}

/** §5.2 and §5.3: SND.UNA moved. */
export function restartRetransmit(tcb: Tcb): void {
  const snd = tcb.snd;
  tcb.rtt.retries = 0;
  tcb.rtt.stalledMs = tcb.host.clock.ms;
  if (snd.una === snd.max) cancelTimer(tcb, RETRANSMIT_TIMER);
  else armTimer(tcb, RETRANSMIT_TIMER, currentRto(tcb));
  scheduleProbe(tcb);
}

/** All that is outstanding is sent anew, from SND.UNA on. */
export function goBack(tcb: Tcb): void {
  const { snd } = tcb;
  snd.nxt = snd.una;
  if (snd.flight !== null) snd.flight.clear();
}

/** §5.4 to §5.7: nothing was acknowledged in time. */
export function retransmitDue(tcb: Tcb): void {
  if (!tcb.snd.synAcknowledged ? synTimedOut(tcb) : stalledTooLong(tcb)) return;
  const { rtt, snd } = tcb;
  if (isArmed(tcb, LOSS_PROBE_TIMER)) {
    // Both are due now: RFC 8985 §7.2 has the probe go first.
    cancelTimer(tcb, LOSS_PROBE_TIMER);
    rearmRetransmit(tcb);
    probeDue(tcb);
    return;
  }
  // RFC 6675 §5.1: a timeout in the middle of fast recovery belongs to it, and has cost already.
  const first = rtt.retries === 0 && !(snd.flight !== null && snd.recovering);
  rtt.retries += 1;
  rtt.backoff += 1;
  lossCounters(tcb).timeouts += 1;
  adviseAfterR1(tcb);
  if (!tcb.snd.synAcknowledged) {
    tcb.pending |= SEND_SYN;
    return;
  }
  tcb.congestionControl.timedOut(tcb, first);
  noteReduction(tcb);
  if (snd.flight !== null && snd.wnd > 0) {
    enterTimeout(tcb, snd.flight, first);
    tcb.pending |= SEND_LOST;
  } else {
    if (snd.recovering) leaveRecovery(tcb);
    // RFC 6582 §4: what was sent so far shall not start another fast retransmit.
    snd.recover = snd.max;
    snd.dupAcks = 0;
    // All beyond SND.UNA counts as lost; what did arrive is skipped by the next ACK.
    goBack(tcb);
    if (snd.wnd === 0) probeNow(tcb);
  }
  if (tcb.host.probe !== null) tcb.host.probe.congestion(tcb, 'timeout');
}

/** MUST-22, MUST-23: a SYN has its own R2, of at least three minutes. */
function synTimedOut(tcb: Tcb): boolean {
  if (((tcb.host.clock.ms - tcb.createdMs) | 0) < tcb.config.synTimeout) return false;
  timedOut(tcb);
  return true;
}

/** MUST-20: past R2 the connection is closed. */
export function stalledTooLong(tcb: Tcb): boolean {
  if (((tcb.host.clock.ms - tcb.rtt.stalledMs) | 0) < tcb.userTimeoutMs) return false;
  timedOut(tcb);
  return true;
}

/** SHOULD-9: past R1 the user is told, between R1 and R2. */
function adviseAfterR1(tcb: Tcb): void {
  if (tcb.rtt.retries !== tcb.config.r1) return;
  tcb.advice = 'ETIMEDOUT';
  tcb.news |= NEWS_ADVICE;
}
