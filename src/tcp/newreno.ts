// Congestion control of RFC 5681: slow start, congestion avoidance, and what a loss costs. Knows
// cwnd and ssthresh; must not know which segments are lost.

import { type CongestionControl, initialWindow } from './congestion.js';
import type { Tcb } from './tcb.js';

/** Keeps cwnd an int32 however long the connection lives: no window can be larger than this. */
const LARGEST_CWND = 1 << 30;

export const newReno: CongestionControl = {
  name: 'newreno',

  start(tcb: Tcb, synLost: boolean): void {
    // RFC 5681 §3.1: a SYN that had to be sent again means a window of one segment.
    tcb.snd.cwnd = synLost ? tcb.snd.mss : initialWindow(tcb);
  },

  acknowledged(tcb: Tcb, acked: number): void {
    const snd = tcb.snd;
    if (snd.cwnd < snd.ssthresh) {
      // §3.1 with byte counting, RFC 3465: what was acknowledged is what cwnd grows by.
      snd.cwnd = Math.min(snd.cwnd + acked, LARGEST_CWND);
      return;
    }
    // §3.1 congestion avoidance: one segment for each window that was acknowledged.
    snd.creditedBytes += acked;
    if (snd.creditedBytes >= snd.cwnd) {
      snd.creditedBytes -= snd.cwnd;
      snd.cwnd = Math.min(snd.cwnd + snd.mss, LARGEST_CWND);
    }
  },

  lost(tcb: Tcb): void {
    // §3.2 step 2, equation (4)
    halve(tcb);
    tcb.snd.cwnd = tcb.snd.ssthresh;
  },

  timedOut(tcb: Tcb, first: boolean): void {
    // §3.1: ssthresh is set once however often the same segment is lost; the loss window is 1.
    if (first) halve(tcb);
    tcb.snd.cwnd = tcb.snd.mss;
  },

  restarted(tcb: Tcb): void {
    // §4.1: the restart window is the smaller of the initial window and cwnd.
    tcb.snd.cwnd = Math.min(tcb.snd.cwnd, initialWindow(tcb));
  },
};

function halve(tcb: Tcb): void {
  const snd = tcb.snd;
  const flight = (snd.max - snd.una) | 0;
  snd.ssthresh = Math.max(flight >> 1, 2 * snd.mss);
  snd.creditedBytes = 0;
}
