// What a connection asks of the stack around it. Knows an interface; no behaviour.

import type { Arena } from '../storage/arena.js';
import type { PacketBatch } from '../storage/packet-batch.js';
import type { TcpClock } from './clock.js';
import type { CongestionControl } from './congestion.js';
import type { Probe } from './probe.js';
import type { Tcb } from './tcb.js';
import type { TransitionEvent } from './transitions.js';

/** The way to the peer: a device, or the stack's own loopback. */
export interface Path {
  /** Segments are written here. */
  readonly batch: PacketBatch;
  /** Largest IP packet on the wire, bytes. */
  readonly mtu: number;
  /** Largest IP packet that may be pushed, bytes: more than the MTU where super-segments work. */
  readonly maxSegmentBytes: number;
}

/** The stack as a connection sees it. Whoever drives a connection by hand implements it. */
export interface Host {
  /** The memory of all buffers. */
  readonly arena: Arena;
  /** The time, as it was told last. */
  readonly clock: TcpClock;
  /** The time of the clock without its wraps, microseconds: for whoever watches. */
  readonly nowUs: number;
  /** The user calls something that sets a timer: the clock may stand at the last turn. */
  renewClock(): void;
  /** Sees all that happens; null: nobody looks. */
  probe: Probe | null;
  /** The controller of that name; throws RangeError for an unknown one. */
  congestionControl(name: string): CongestionControl;
  /** The next value for the identification field of IPv4. */
  identification(): number;
  /** A write found no memory: asks for NEWS_WRITABLE when some has come back. */
  memoryWanted(tcb: Tcb): void;
  /** Asks that `deliver` and `transmit` be called at the end of the turn. */
  schedule(tcb: Tcb): void;
  /** The connection entered a state in which the stack must do something about its place. */
  entered(tcb: Tcb, event: TransitionEvent): void;
}
