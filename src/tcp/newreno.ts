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
    // §3.1 slow start with byte counting, RFC 3465: cwnd grows by what was acknowledged.
    const room = Math.min(snd.ssthresh, LARGEST_CWND) - snd.cwnd;
    const grown = Math.max(Math.min(acked, room), 0);
    snd.cwnd += grown;
    if (grown === acked) return;
    // Congestion avoidance with the rest: one segment for each window that was acknowledged.
    snd.creditedBytes += acked - grown;
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
  // What limited transmit let go beyond cwnd does not count (§3.2 step 2).
  const flight = Math.min((snd.max - snd.una) | 0, snd.cwnd);
  snd.ssthresh = Math.max(flight >> 1, 2 * snd.mss);
  snd.creditedBytes = 0;
}
