// What a ladder is: the segments between two ends as rungs, with states, calls and faults. Knows shapes;
// must not know how it is made (ladder-builder.ts) or drawn (ladder-text.ts and others).

import type { Direction, End, Origin, SegmentFields } from './event.js';

/** A segment on its way. */
export interface SegmentRung {
  /** Says which rung it is. */
  kind: 'segment';
  /** Seen from our end. */
  direction: Direction;
  /** What was in it. */
  segment: SegmentFields;
  /** `FIN,ACK seq 1 ack 1`: numbers count from the SYN of each side. */
  label: string;
  /** What became of it between the ends. */
  fate: 'arrives' | 'lost' | 'corrupted' | 'waits';
  /** Who sent it: the end of its direction, or somebody at the gate between them. */
  from: 'end' | 'gate';
  /** What else is to be said: `again`, `delayed`, `duplicated`, `a copy`, `overtaken`. */
  remarks: readonly string[];
  /** Bytes that its sender has room for, where that is worth saying: none, or some again; else null. */
  window: number | null;
}

/** Many segments of data, or bare ACKs, in one direction. */
export interface RunRung {
  /** Says which rung it is. */
  kind: 'run';
  /** Seen from our end. */
  direction: Direction;
  /** How many. */
  segments: number;
  /** Data in them. */
  bytes: number;
  /** Bare ACKs; among data, those of either direction. */
  acks: number;
}

/** The states of both ends; null where one is not known, or not to be told. */
export interface BothStates {
  /** Of our end. */
  ours: string | null;
  /** Of the other end. */
  theirs: string | null;
}

/** What the ends are called. */
export interface EndNames {
  /** Our end. */
  readonly ours: string;
  /** The other end. */
  readonly theirs: string;
}

/** Two segments that were sent before the other one arrived. */
export interface CrossingRung {
  /** Says which rung it is. */
  kind: 'crossing';
  /** Ours. */
  out: SegmentRung;
  /** That of the other end. */
  in: SegmentRung;
  /** States in which they were sent, where they were entered just before; else null. */
  sentIn: BothStates;
}

/** What a program asked for, or what was noticed, at one end. */
export interface TextRung {
  /** Says which rung it is. */
  kind: 'call' | 'note';
  /** Where. */
  end: End;
  /** `close()` */
  text: string;
}

/** Nothing but a state. */
export interface StateRung {
  /** Says which rung it is. */
  kind: 'state';
}

/** What a program asked for, `close()`; what was noticed at one end; or nothing but a state. */
export type SideRung = TextRung | StateRung;

/** One line of a ladder. */
export type Rung = {
  /** Microseconds from the first event on. */
  timeUs: number;
  /** The state that our end entered with it: just before it sent, just after it received. */
  ours: string | null;
  /** The same of the other end. */
  theirs: string | null;
} & (SegmentRung | RunRung | CrossingRung | SideRung);

/** One connection; a later one between the same ends goes on in the same ladder. */
export interface Ladder {
  /** `10.9.0.2:80` */
  ours: string;
  /** `10.9.0.1:40000` */
  theirs: string;
  /** The states before anything happened; null where they are not known. */
  before: BothStates;
  /** What happened, in order. */
  rungs: readonly Rung[];
}

/** A segment that is still at the gate. */
export interface WaitingSegment {
  /** Seen from our end. */
  direction: Direction;
  /** What is in it. */
  segment: SegmentFields;
  /** Who made it. */
  origin: Origin;
}

/** What a drawing shows, and how it calls it. */
export interface LadderOptions {
  /** Only this connection (`TraceEvent.connection`); default: each, one ladder after the other. */
  connection?: string;
  /** What waits at the gate, in the order in which it would go; default: what is known to have come. */
  waiting?: readonly WaitingSegment[];
  /** What the ends are called; default `finwait` and `peer`. */
  names?: EndNames;
}

export const DEFAULT_NAMES = { ours: 'finwait', theirs: 'peer' } as const;
