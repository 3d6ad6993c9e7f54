// What can be stepped through, and what can be done to it, as data. Declares; must not know whether a
// simulation, a kernel or a stack in another process stands behind it.

import type { Direction, End, SegmentFields, TcbSnapshot, TraceEvent } from '../trace/event.js';

/** Why something happens: a sentence or two, and where the rule stands. */
export interface Reason {
  /** Whose it is; null where it is the network's, or everybody's. */
  end: End | null;
  /** `ESTABLISHED → FIN-WAIT-1, CLOSE`. */
  what: string;
  why: string;
  section: string;
}

/** One end of the connection, as far as it can be seen. */
export interface EndLook {
  /** `10.9.0.2:80`; null while there is no connection. */
  endpoint: string | null;
  /** The name of RFC 9293; `not seen` where it cannot be known. */
  state: string;
  tcb: TcbSnapshot | null;
  /** The timer that is due first, where it can be known. */
  timer: { name: string; ms: number } | null;
  /** Bytes that its kernel or stack holds, and what it has repeated; null where it is not known. */
  queues: { send: number; receive: number; retransmits: number } | null;
}

/** A packet that waits at the gate. */
export interface HeldLook {
  /** Counts from 1, in the order of arrival at the gate. */
  id: number;
  direction: Direction;
  /** Our end first; null for what is not TCP. */
  connection: string | null;
  /** `FIN,ACK seq 1001 ack 1 len 0`. */
  text: string;
  /** Who made it: one of the two ends, or somebody at the gate. */
  origin: 'sent' | 'copied' | 'injected';
  /** What takes the same sequence numbers has come to the gate before. */
  again: boolean;
  /** Null for what is not TCP. */
  segment: SegmentFields | null;
}

/** All that can be seen of a debuggee at one time. */
export interface Look {
  timeUs: number;
  /** Everything that has happened, oldest first; the list may have forgotten its beginning. */
  events: readonly TraceEvent[];
  /** Ends of the connection that is shown, `local remote`; null while there is none. */
  connection: string | null;
  ours: EndLook;
  theirs: EndLook;
  held: readonly HeldLook[];
  /** What `step` would do, in words, and why where a scenario says so. */
  next: {
    text: string;
    note: string | null;
    /** Number of the packet that it is about; null where it is about none. */
    packet: number | null;
  };
  /** What a scenario is about; null where there is none. */
  about: Reason | null;
  /** Nothing is left to be stepped through. */
  done: boolean;
  /** How a scenario ended; null before its end, and where there is none. */
  verdict: { passed: boolean; failures: readonly string[] } | null;
}

/** What a person may do to a packet that waits. */
export type Deed = 'pass' | 'drop' | 'delay' | 'duplicate' | 'swap' | 'corrupt';

/** A segment that nobody has sent. */
export type Forgery = 'rst' | 'fin' | 'old';

/** What is done to a debuggee; plain data, so that it can be repeated and sent elsewhere. */
export type Action =
  | { do: 'step' }
  /** `packet`: the number of a packet that waits. */
  | { do: Deed; packet: number }
  /** Towards `end`, as if the other one had sent it. */
  | { do: 'inject'; what: Forgery; towards: End }
  /** Lets time pass until the next timer runs out. */
  | { do: 'skip' };

/** An action that cannot be carried out now; the message says why, for people. */
export class Refusal extends Error {
  override name = 'Refusal';
}

export interface Debuggee {
  readonly kind: 'simulation' | 'kernel' | 'live';
  /** `active-close`, or the name of an interface. */
  readonly title: string;
  look(): Look;
  /** @throws Refusal when it makes no sense now; then nothing has changed */
  act(action: Action): Promise<void>;
  /** Ends an action that only waits; null where actions do not wait. */
  readonly wake: (() => void) | null;
  /**
   * Shows another connection from now on, the next one each time; null where there is only one.
   * Resolves with what is shown, in words. @throws Refusal where there is none
   */
  readonly follow: (() => Promise<string>) | null;
  /** Called when something has changed that no action of ours has caused. */
  onChange: (() => void) | null;
  /** Rejects when it cannot go on: its process has ended. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}
