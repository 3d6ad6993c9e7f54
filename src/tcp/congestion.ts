// What a congestion controller is (RFC 5681 and its followers). Knows the interface; each algorithm
// has its own file.

import type { Tcb } from './tcb.js';

/**
 * A congestion controller: without state of its own, it works on `snd.cwnd`, `snd.ssthresh` and
 * `snd.creditedBytes` (bytes). Recovery (which segment is sent again) is not its concern.
 */
export interface CongestionControl {
  readonly name: string;
  /** The handshake is complete and `snd.mss` known; `synLost` when a SYN had to be sent again. */
  start(tcb: Tcb, synLost: boolean): void;
  /** `acked` bytes were newly acknowledged, outside of recovery. */
  acknowledged(tcb: Tcb, acked: number): void;
  /** A loss was seen by duplicate ACKs: sets ssthresh, and cwnd to it. */
  lost(tcb: Tcb): void;
  /** The retransmission timer fired; `first` for the first time in a row. */
  timedOut(tcb: Tcb, first: boolean): void;
  /** Nothing was sent for longer than the timeout, and now there is something. */
  restarted(tcb: Tcb): void;
}

/** Initial window, RFC 6928 §2: `segments` of at most 1460 bytes, at least two of any size. */
export function initialWindow(tcb: Tcb): number {
  const mss = tcb.snd.mss;
  const segments = tcb.config.initialWindow;
  return Math.min(segments * mss, Math.max(2 * mss, segments * 1460));
}
