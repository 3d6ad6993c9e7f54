// Fast retransmit and fast recovery: RFC 5681 §3.2 and NewReno, RFC 6582. Knows duplicate ACKs; must
// not know how cwnd grows outside of recovery.

import { seqGeq, seqGt } from '../wire/sequence.js';
import { isReduced, noteReduction } from './ecn.js';
import { lossCounters, SEND_LOST, type Tcb } from './tcb.js';

/** RFC 5681 §3.2: so many duplicates mean a loss, fewer may be reordering. */
const DUPLICATE_THRESHOLD = 3;

/** A duplicate ACK: a segment has left the network, but not the one that is missing. */
export function duplicateAck(tcb: Tcb): void {
  const snd = tcb.snd;
  lossCounters(tcb).duplicateAcks += 1;
  if (snd.recovering) {
    // §3.2 step 4: what has arrived makes room for as much.
    snd.cwnd = (snd.cwnd + snd.mss) | 0;
    return;
  }
  snd.dupAcks += 1;
  // RFC 6582 §3.2 step 2: duplicates of what was sent before the last loss tell of that loss.
  if (snd.dupAcks === DUPLICATE_THRESHOLD && seqGt(snd.una, snd.recover)) enterRecovery(tcb);
}

function enterRecovery(tcb: Tcb): void {
  const snd = tcb.snd;
  if (!isReduced(tcb, snd.una)) tcb.congestionControl.lost(tcb);
  noteReduction(tcb);
  snd.recover = snd.max;
  snd.recovering = true;
  snd.cwnd = (snd.ssthresh + DUPLICATE_THRESHOLD * snd.mss) | 0;
  tcb.pending |= SEND_LOST;
  lossCounters(tcb).fastRetransmits += 1;
  if (tcb.host.probe !== null) tcb.host.probe.congestion(tcb, 'fast-retransmit');
}

/** SND.UNA moved by `acked` bytes during recovery: RFC 6582 §3.2 step 3. */
export function newAckInRecovery(tcb: Tcb, acked: number): void {
  const snd = tcb.snd;
  if (seqGeq(snd.una, snd.recover)) {
    // A full acknowledgment; not more than one segment of burst (RFC 6582 §3.2 step 3, option 1).
    const flight = (snd.max - snd.una) | 0;
    snd.cwnd = Math.min(snd.ssthresh, Math.max(flight, snd.mss) + snd.mss);
    leaveRecovery(tcb);
    return;
  }
  // A partial one: the next hole begins at SND.UNA. Deflate by what left the network.
  snd.cwnd = Math.max(snd.cwnd - acked, 0) + (acked >= snd.mss ? snd.mss : 0);
  tcb.pending |= SEND_LOST;
}

/** Recovery is over, by a full acknowledgment or because the timer fired. */
export function leaveRecovery(tcb: Tcb): void {
  tcb.snd.recovering = false;
  tcb.snd.dupAcks = 0;
  if (tcb.host.probe !== null) tcb.host.probe.congestion(tcb, 'recovered');
}
