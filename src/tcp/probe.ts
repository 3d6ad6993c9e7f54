// The one place from which everything that TCP does can be watched. Knows what is worth seeing;
// must not know who looks.

import type { IpAddress } from '../wire/address.js';
import type { IpHeader } from '../wire/ip.js';
import type { TcpSegment } from '../wire/tcp.js';
import type { Host } from './host.js';
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
  /** A segment arrived for a connection, which has not looked at it yet. */
  segmentIn(tcb: Tcb, segment: TcpSegment): void;
  /**
   * A segment goes out: IP and TCP header in the arena, length of the payload, segment size or 0. The
   * connection counts it as sent afterwards.
   */
  segmentOut(
    tcb: Tcb,
    headerOffset: number,
    headerLength: number,
    payloadLength: number,
    gsoSize: number,
  ): void;
  /** A segment arrived that no connection takes: for a listener, a record in TIME-WAIT, or nobody. */
  strangerIn(host: Host, ip: IpHeader, segment: TcpSegment): void;
  /** A segment without data goes out that no connection sends: a RST, or an ACK of TIME-WAIT. */
  strangerOut(host: Host, headerOffset: number, headerLength: number): void;
  /** A connection is in another state; `rule` is the row of the diagram that allows it. */
  stateChanged(tcb: Tcb, from: State, to: State, rule: Transition): void;
  /** 2MSL begin for a record in TIME-WAIT, or begin again; its ends as text. */
  timeWaitArmed(host: Host, local: string, remote: string, delayMs: number): void;
  /** A record in TIME-WAIT ended, by time or by a new SYN. */
  timeWaitEnded(host: Host, local: string, remote: string, rule: Transition): void;
  /** A timer was set, or moved, to run out in `delayMs`. */
  timerArmed(tcb: Tcb, timer: TimerId, delayMs: number): void;
  /** A timer has run out. */
  timerFired(tcb: Tcb, timer: TimerId): void;
  /** A timer was stopped. */
  timerCancelled(tcb: Tcb, timer: TimerId): void;
  /**
   * The user called: `connect`, `accept`, `write`, `read`, `shutdown`, `close`, `abort`; with bytes where
   * that has a sense.
   */
  userCall(tcb: Tcb, call: string, bytes: number): void;
  /** A call failed at once, and has made nothing: `listen *:80`, `connect 10.9.0.1:80`. */
  callFailed(host: Host, call: string, errorCode: string): void;
  /** `listen`, or `close` of a listener; `address` is null where it listens on all. */
  listenerCall(host: Host, address: IpAddress | null, port: number, call: string): void;
  /**
   * `fast-retransmit`, `timeout`, `recovered`, `tlp` (a tail loss probe went out), `undo` (there was no
   * loss), `reordering` (seen for the first time), `ecn-echo`; cwnd and ssthresh are in the tcb.
   */
  congestion(tcb: Tcb, event: string): void;
  /** A segment of a connection, or a part of it, was thrown away. */
  dropped(tcb: Tcb, reason: string): void;
  /** A packet reached no connection, and was thrown away; `ip` is null where it cannot be read. */
  packetDropped(host: Host, ip: IpHeader | null, reason: string): void;
}

/** Tells whoever looks that a segment, or a part of it, was thrown away. */
export function tellDropped(tcb: Tcb, reason: string): void {
  if (tcb.host.probe !== null) tcb.host.probe.dropped(tcb, reason);
}
