// What a scenario is: calls, faults, and what must be seen, as data. Must not know how it is carried out.

import type { Direction, End } from '../trace/event.js';

/** Which segments are meant; all that is given must hold. */
export interface Match {
  direction: Direction;
  /** Flags that must be set: `FIN`, `SYN`, `RST`, `ACK` … */
  has?: readonly string[];
  /** Flags that must not be set. */
  lacks?: readonly string[];
  /** Whether it carries data. */
  data?: boolean;
  /** The n-th such segment, from 1; default: each. */
  nth?: number;
}

/** What happens to a segment at the gate. */
export interface Fault {
  on: Match;
  do: 'drop' | 'duplicate' | 'swap' | 'corrupt' | { holdUntil: Match };
  /** Why, in a few words, for those who watch. */
  note: string;
}

/** What the program at one end does. */
export type Call =
  | { end: End; call: 'listen'; reuseAddress?: boolean }
  /** To the other end's listener; `samePort`: from the port of the connection before. */
  | { end: End; call: 'connect'; samePort?: boolean }
  | { end: End; call: 'write'; bytes: number }
  /** Reads what comes from now on, or does not. */
  | { end: End; call: 'read' | 'pause' }
  /** Half-close; both halves; RST. */
  | { end: End; call: 'shutdown' | 'close' | 'abort' }
  | { end: End; call: 'linger'; ms: number };

/** A segment that nobody of the two has sent, put in at the gate. Numbers are relative to the connection. */
export interface Injection {
  direction: Direction;
  flags: readonly string[];
  /** Relative to SND.NXT of the end that it pretends to come from. */
  seqOffset?: number;
  /** Relative to RCV.NXT of that end. */
  ackOffset?: number;
  data?: number;
  /** Relative to the newest timestamp of that end, ms. */
  timestampOffset?: number;
}

/** What is waited for; segments pass the gate one by one until it holds. */
export type Condition =
  | { end: End; state: string }
  | { end: End; received: number }
  | { end: End; sees: 'end' | 'close' | 'ECONNRESET' | 'ECONNREFUSED' | 'ETIMEDOUT' }
  /** So many segments of this kind were seen at the gate. */
  | { seen: Match; times: number }
  /** Nothing waits at the gate. */
  | { quiet: true };

export type Step =
  | (Call & { fails?: string; note?: string })
  | { inject: Injection; note: string }
  | { until: Condition; note?: string }
  /** Time passes; of the lifetime of segments, or milliseconds. */
  | { pass: '2MSL' | number; note: string };

export interface Scenario {
  /** Lower case with hyphens. */
  name: string;
  title: string;
  /** `RFC 9293 §3.6, Figure 12`. */
  section: string;
  /** Two sentences: what happens, and why it must. */
  why: string;
  /** Settings of our stack that differ from the defaults of the lab. */
  tcp?: Readonly<Record<string, number | boolean | string>>;
  faults?: readonly Fault[];
  /** In order; calls come before whatever waits at the gate, `until` lets it pass. */
  steps: readonly Step[];
  /** The whole path of each end, in order, after the first listener's. */
  ours: readonly string[];
  theirs: readonly string[];
  /** Segments that must be seen, or (times: 0) must not. */
  segments?: readonly { match: Match; times: number; atLeast?: true }[];
}
