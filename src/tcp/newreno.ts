// Congestion control of RFC 5681: slow start, congestion avoidance, and what a loss costs. Knows
// cwnd and ssthresh; must not know which segments are lost.

import {
  type CongestionControl,
  LARGEST_CWND,
  restartWindow,
  restoreWindow,
  saveWindow,
  setThreshold,
  slowStart,
  startWindow,
  usedWindow,
} from './congestion.js';
import type { Tcb } from './tcb.js';
import { windowIsUsed } from './window-use.js';

/** NewReno (RFC 5681, 6582): the controller that `tcp: { congestion: 'newreno' }` chooses. */
export const newReno: CongestionControl = {
  name: 'newreno',
  start: startWindow,

  sampled(): void {},

  acknowledged(tcb: Tcb, acked: number): void {
    if (!windowIsUsed(tcb)) return;
    const rest = slowStart(tcb, acked);
    if (rest === 0) return;
    // Congestion avoidance: one segment for each window that was acknowledged, by parts with each ACK
    // (equation 3), so that a loss does not take what has not yet become a whole one.
    const snd = tcb.snd;
    const paid = snd.creditedBytes + rest * snd.mss;
    const grown = (paid / snd.cwnd) | 0;
    snd.creditedBytes = (paid - grown * snd.cwnd) | 0;
    snd.cwnd = Math.min(snd.cwnd + grown, LARGEST_CWND);
  },

  lost(tcb: Tcb): void {
    // §3.2 step 2, equation (4)
    saveWindow(tcb);
    halve(tcb);
    tcb.snd.cwnd = tcb.snd.ssthresh;
  },

  timedOut(tcb: Tcb, first: boolean): void {
    // §3.1: ssthresh is set once however often the same segment is lost; the loss window is 1.
    if (first) {
      saveWindow(tcb);
      halve(tcb);
    }
    tcb.snd.cwnd = tcb.snd.mss;
  },

  restarted: restartWindow,
  undo: restoreWindow,
};

function halve(tcb: Tcb): void {
  setThreshold(tcb, usedWindow(tcb) >> 1);
  tcb.snd.creditedBytes = 0;
}
