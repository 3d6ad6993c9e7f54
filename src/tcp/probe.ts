// The one place from which everything that TCP does can be watched. Knows what is worth seeing;
// must not know who looks.

import type { TcpSegment } from '../wire/tcp.js';
import type { State } from './state.js';
import type { Tcb } from './tcb.js';
import type { TimerId } from './timers.js';
import type { Transition } from './transitions.js';

/**
 * An observer. All methods are called synchronously, in the order of events, and must not call back
 * into the connection. Segments are views of reused memory: copy what is to be kept. When nobody
 * looks (`probe === null`) each place costs one branch.
 */
export interface Probe {
  /** A segment arrived; `tcb` is null when it belongs to no connection. */
  segmentIn(tcb: Tcb | null, segment: TcpSegment): void;
  /** A segment goes out: IP and TCP header in the arena, length of the payload, segment size or 0. */
  segmentOut(
    tcb: Tcb | null,
    headerOffset: number,
    headerLength: number,
    payloadLength: number,
    gsoSize: number,
  ): void;
  stateChanged(tcb: Tcb, from: State, to: State, rule: Transition): void;
  /** A record in TIME-WAIT ended, by time or by a new SYN; its ends as text. */
  timeWaitEnded(local: string, remote: string, rule: Transition): void;
  timerArmed(tcb: Tcb, timer: TimerId, delayMs: number): void;
  timerFired(tcb: Tcb, timer: TimerId): void;
  timerCancelled(tcb: Tcb, timer: TimerId): void;
  /** The user called: `write`, `read`, `shutdown`, `close`, `abort`; with bytes where that has a sense. */
  userCall(tcb: Tcb, call: string, bytes: number): void;
  /**
   * `fast-retransmit`, `timeout`, `recovered`, `tlp` (a tail loss probe went out), `undo` (there was no
   * loss), `reordering` (seen for the first time), `ecn-echo`; cwnd and ssthresh are in the tcb.
   */
  congestion(tcb: Tcb, event: string): void;
  /** A segment or a packet was thrown away; `tcb` is null when it belongs to no connection. */
  dropped(tcb: Tcb | null, reason: string): void;
}
