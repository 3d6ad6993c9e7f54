// What a congestion controller is (RFC 5681 and its followers), and what all of them do alike. Knows
// cwnd and ssthresh; each algorithm has its own file, and recovery is none of them.

import { congestionMemory, type Tcb } from './tcb.js';

/**
 * A congestion controller: without state of its own, it works on `snd.cwnd` and `snd.ssthresh`
 * (bytes). What else it must remember of a connection stands in `controller` of
 * `snd.congestion`, which it makes when it is needed first. Recovery (which segment is sent again) is not its concern.
 */
export interface CongestionControl {
  /** As in `TcpConfig.congestion`. */
  readonly name: string;
  /** The handshake is complete and `snd.mss` known; `synLost` when a SYN had to be sent again. */
  start(tcb: Tcb, synLost: boolean): void;
  /** A round-trip time was measured, µs; before `acknowledged` of the same ACK. */
  sampled(tcb: Tcb, rttUs: number): void;
  /** `acked` bytes were newly acknowledged, outside of recovery; SND.UNA has moved. */
  acknowledged(tcb: Tcb, acked: number): void;
  /** Congestion: a loss was seen, or the peer echoes a mark. Sets ssthresh, and cwnd to it. */
  lost(tcb: Tcb): void;
  /** The retransmission timer fired; `first` for the first time in a row. */
  timedOut(tcb: Tcb, first: boolean): void;
  /** Nothing was sent for longer than the timeout, and now there is something. */
  restarted(tcb: Tcb): void;
  /** The last `lost` or `timedOut` was a mistake: all is again as it was before. */
  undo(tcb: Tcb): void;
}

/** ssthresh before the first loss: RFC 5681 §3.1, arbitrarily high. */
export const NO_SSTHRESH = 0x7fffffff;

/** Keeps cwnd an int32 however long the connection lives: no window can be larger than this. */
export const LARGEST_CWND = 1 << 30;

/** Initial window, RFC 6928 §2: `segments` of at most 1460 bytes, at least two of any size. */
export function initialWindow(tcb: Tcb): number {
  const mss = tcb.snd.mss;
  const segments = tcb.config.initialWindow;
  return Math.min(segments * mss, Math.max(2 * mss, segments * 1460));
}

/** RFC 5681 §3.1: a SYN that had to be sent again means a window of one segment. */
export function startWindow(tcb: Tcb, synLost: boolean): void {
  tcb.snd.cwnd = synLost ? tcb.snd.mss : initialWindow(tcb);
}

/**
 * RFC 5681 §3.1, slow start with byte counting (RFC 3465): cwnd grows by what was acknowledged, up to
 * ssthresh. Answers how many bytes are left for congestion avoidance.
 */
export function slowStart(tcb: Tcb, acked: number): number {
  const snd = tcb.snd;
  const room = (Math.min(snd.ssthresh, LARGEST_CWND) - snd.cwnd) | 0;
  const grown = Math.max(Math.min(acked, room), 0);
  snd.cwnd = (snd.cwnd + grown) | 0;
  return (acked - grown) | 0;
}

/**
 * What was in use when congestion was seen, bytes: FlightSize of RFC 5681 §3.2, but of the fullest moment
 * of this round trip (RFC 9438 §4.6), as the ACK that tells of a loss may have emptied half of a small
 * window. What limited transmit let go beyond cwnd does not count.
 */
export function usedWindow(tcb: Tcb): number {
  const snd = tcb.snd;
  const { windowFull, mostUsed } = congestionMemory(tcb);
  if (windowFull) return snd.cwnd;
  return Math.min(Math.max((snd.max - snd.una) | 0, mostUsed), snd.cwnd);
}

/** RFC 5681 equation (4): never less than two segments. */
export function setThreshold(tcb: Tcb, bytes: number): void {
  tcb.snd.ssthresh = Math.max(bytes | 0, 2 * tcb.snd.mss);
}

/** To be called before a reduction: what `restoreWindow` brings back. */
export function saveWindow(tcb: Tcb): void {
  const memory = congestionMemory(tcb);
  memory.priorCwnd = tcb.snd.cwnd;
  memory.priorSsthresh = tcb.snd.ssthresh;
}

/** The reduction was a mistake (RFC 4015 §3.2): never to less than what is allowed by now. */
export function restoreWindow(tcb: Tcb): void {
  const snd = tcb.snd;
  const { priorCwnd, priorSsthresh } = congestionMemory(tcb);
  snd.cwnd = Math.max(snd.cwnd, priorCwnd);
  snd.ssthresh = Math.max(snd.ssthresh, priorSsthresh);
}

/**
 * RFC 5681 §4.1: after a pause the restart window is the smaller of the initial window and cwnd.
 * RFC 7661 §4.4.1: ssthresh remembers three quarters of what there was.
 */
export function restartWindow(tcb: Tcb): void {
  const snd = tcb.snd;
  snd.ssthresh = Math.max(snd.ssthresh, (snd.cwnd - (snd.cwnd >> 2)) | 0);
  snd.cwnd = Math.min(snd.cwnd, initialWindow(tcb));
}
