// Where a scenario can be carried out: two ends, a gate between them, and a time. Declares; no behaviour.

import type { Gate } from '../device/gate.js';
import type { StackCore } from '../stack/core.js';
import type { Device } from '../stack/device.js';
import type { Probe } from '../tcp/probe.js';
import type { KernelSocket } from '../trace/kernel-sockets.js';
import type { Timeline } from '../trace/timeline.js';
import type { Call } from './scenario.js';

/** The program at one end. Calls go to its newest connection; older ones stay as they are. */
export interface Party {
  /** Carries out a call. @returns null, or the code of the error that it failed with at once. */
  call(call: Call): Promise<string | null>;
  /** Bytes read so far, of all connections. */
  readonly received: number;
  /** What the newest connection has seen. */
  readonly seesEnd: boolean;
  readonly seesClose: boolean;
  /** Code of the error that the connection ended with; null while there is none. */
  readonly error: string | null;
  /** RFC 9293's name, CLOSED where there is nothing; `not seen` where it cannot be known. */
  readonly state: string;
  /** States so far, in order; of connections, not of their listener. */
  readonly path: readonly string[];
  /** How many connections are in this state. */
  countIn(state: string): number;
}

/**
 * Looks at what goes by between our stack and the gate, and at the stack.
 * @param now microseconds since 1970; in a simulation since some moment then
 */
export type Tap = (device: Device, now: () => number) => { device: Device; probe: Probe };

export interface World {
  readonly kind: 'kernel' | 'simulation';
  /** In front of our stack, shut from the beginning: every segment in both directions waits there. */
  readonly gate: Gate;
  /** Everything that has happened, at both ends. */
  readonly timeline: Timeline;
  readonly core: StackCore;
  /** The other end, where it is a stack of ours, too: for those who watch. */
  readonly theirCore?: StackCore;
  /** The sockets of this run in the tables of the kernel at the other end, as they are now. */
  theirSockets?(): readonly KernelSocket[];
  readonly ours: Party;
  readonly theirs: Party;
  /** Microseconds. */
  now(): number;
  /** Our stack's time stands, or goes on, while somebody thinks; where it would not stand anyway. */
  halt?(): void;
  resume?(): void;
  /** Until both ends have done all that they do without a segment or time passing; states are sampled. */
  settle(): Promise<void>;
  /**
   * Lets time pass until something happens (a timer runs out, a segment comes to the gate, a program has
   * news), at most `ms`. @returns false when nothing will ever happen (simulation: no timer is armed).
   */
  pass(ms: number): Promise<boolean>;
  /** When the next timer of either end is due, and whose: for those who watch; null when none is known. */
  nextTimer(): { end: 'ours' | 'theirs'; name: string; ms: number } | null;
  /** Ends all, and leaves nothing behind. */
  close(): Promise<void>;
}
