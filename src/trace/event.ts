// What can be said about a run of TCP, as plain data. Knows shapes, and names that
// all share; must not know who records or draws.

/** Whose side of the connection: this stack, or whoever it speaks with (the kernel, or another stack). */
export type End = 'ours' | 'theirs';
/** Seen from our stack. */
export type Direction = 'in' | 'out';
/** Who made what is at a gate: the end of its direction, or somebody at the gate. */
export type Origin = 'sent' | 'copied' | 'injected';

/** What a state is called that passed between two looks from outside. */
export const NOT_SEEN = 'not seen';
/** The name of the timer that ends TIME-WAIT: it belongs to a record, not to a connection. */
export const TWO_MSL = '2MSL';

/** A segment, decoded. Sequence numbers are those of the wire, 0 … 2^32-1. */
export interface SegmentFields {
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  /** In the order of the diagram: `SYN`, `SYN,ACK`, `FIN,ACK`, `PSH,ACK`, `RST`, `ACK`. */
  flags: string;
  seq: number;
  ack: number;
  /** The 16 bits of the header, not scaled. */
  window: number;
  /** Bytes of data. */
  length: number;
  /** Data bytes of each segment that a super-segment stands for; 0 for an ordinary one. */
  gsoSize: number;
  options: {
    mss?: number;
    windowScale?: number;
    sackPermitted?: true;
    timestamps?: readonly [value: number, echo: number];
    sack?: readonly (readonly [left: number, right: number])[];
  };
}

/** The control block in short: RFC 9293 §3.3.1, relative to nothing; sequence numbers 0 … 2^32-1. */
export interface TcbSnapshot {
  state: string;
  iss: number;
  irs: number;
  sndUna: number;
  sndNxt: number;
  sndWnd: number;
  cwnd: number;
  ssthresh: number;
  rcvNxt: number;
  rcvWnd: number;
  /** Bytes: written and not acknowledged, received and not read. */
  sendQueue: number;
  receiveQueue: number;
  /** The three facts about our FIN. */
  fin: 'none' | 'queued' | 'sent' | 'acknowledged';
  rtoMs: number;
  /** Names of armed timers, with milliseconds until they are due. */
  timers: readonly { name: string; ms: number }[];
}

/** What can be seen of a kernel's connection from outside: `KernelSocket`, without its ends. */
export interface KernelView {
  /** As RFC 9293 has it. */
  state: string;
  /**
   * What runs, and the milliseconds until it is due; null when nothing does. `keepalive` also ends
   * FIN-WAIT-2, `time-wait` also FIN-WAIT-2 without a socket.
   */
  timer: { name: string; ms: number } | null;
  /** Sequence numbers that are not acknowledged, or not sent: a FIN counts as one. */
  sendQueue: number;
  /** Sequence numbers that are not read, with the FIN; of a listener: connections that wait. */
  receiveQueue: number;
  /** Of the segment that waits for its ACK. */
  retransmits: number;
}

interface Common {
  /** Counts from 0 in a timeline, without gaps; what a bounded one has forgotten leaves no gap behind. */
  index: number;
  /** Microseconds, by the clock of our stack. */
  timeUs: number;
  end: End;
  /**
   * `10.9.0.2:80 10.9.0.1:40000` or `[fd09::2]:80 [fd09::1]:40000`, our end first, whosever event it is;
   * null when it is about no pair of ends. Also of segments for a listener, a record in TIME-WAIT or nobody.
   */
  connection: string | null;
  /**
   * The control block when the event was told: of a segment that arrives, before it was looked at; of one
   * that is sent, with it in SND.NXT. Null where there is none, or where it is not ours to see.
   */
  tcb: TcbSnapshot | null;
}

export type TraceEvent = Common &
  (
    | { kind: 'segment'; direction: Direction; segment: SegmentFields }
    | {
        kind: 'state';
        from: string;
        to: string;
        /** `CLOSE`, `rcv FIN` …: `TransitionEvent`; empty where it was only seen from outside. */
        event: string;
        section: string;
        why: string;
      }
    | {
        kind: 'timer';
        action: 'armed' | 'fired' | 'cancelled';
        timer: string;
        delayMs: number | null;
      }
    | { kind: 'call'; call: string; bytes: number }
    | { kind: 'drop'; reason: string }
    | { kind: 'congestion'; event: string }
    /** Somebody at the gate did something to a segment that waited, or put one in. */
    | {
        kind: 'fault';
        action: 'drop' | 'delay' | 'duplicate' | 'swap' | 'corrupt' | 'inject';
        direction: Direction;
        segment: SegmentFields | null;
        /** Default `sent`, of an injection `injected`. */
        origin?: Origin;
      }
    /** What waited at the gate goes on its way, as it is. Without a gate there are none. */
    | { kind: 'release'; direction: Direction; segment: SegmentFields; origin: Origin }
    /** A program got an error, or the end of the stream. */
    | { kind: 'news'; news: string }
    /** What a kernel shows of its end, when something but time has changed in it (kernel-end.ts). */
    | ({ kind: 'sample' } & KernelView)
  );

/** What an event is before it has a place in a timeline. */
export type NewEvent = TraceEvent extends infer E
  ? E extends unknown
    ? Omit<E, 'index'>
    : never
  : never;
