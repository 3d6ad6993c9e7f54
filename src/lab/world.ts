// Where a scenario can be carried out: two ends, a gate between them, and a time. Declares; no behaviour.

import type { Gate } from '../device/gate.js';
import type { StackCore } from '../stack/core.js';
import type { Timeline } from '../trace/timeline.js';
import type { Call } from './scenario.js';

/** The program at one end, with at most one connection at a time. */
export interface Party {
  /** Carries out a call. @returns null, or the code of the error that it failed with at once. */
  call(call: Call): Promise<string | null>;
  /** Bytes read so far, of all connections. */
  readonly received: number;
  readonly seesEnd: boolean;
  readonly seesClose: boolean;
  /** Code of the error that the connection ended with; null while there is none. */
  readonly error: string | null;
  /** RFC 9293's name, CLOSED where there is nothing; `not seen` where it cannot be known. */
  readonly state: string;
  /** States so far, in order; of the connection, not of its listener. */
  readonly path: readonly string[];
}

export interface World {
  readonly kind: 'kernel' | 'simulation';
  /** In front of our stack, shut from the beginning: every segment in both directions waits there. */
  readonly gate: Gate;
  /** Everything that has happened, at both ends. */
  readonly timeline: Timeline;
  readonly core: StackCore;
  readonly ours: Party;
  readonly theirs: Party;
  /** Microseconds. */
  now(): number;
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
