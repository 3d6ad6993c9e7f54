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
  /** Address of its sender. */
  source: string;
  /** Port of its sender. */
  sourcePort: number;
  /** Address of its receiver. */
  destination: string;
  /** Port of its receiver. */
  destinationPort: number;
  /** In the order of the diagram: `SYN`, `SYN,ACK`, `FIN,ACK`, `PSH,ACK`, `RST`, `ACK`. */
  flags: string;
  /** Sequence number. */
  seq: number;
  /** Acknowledgment number; 0 without ACK. */
  ack: number;
  /** The 16 bits of the header, not scaled. */
  window: number;
  /** Bytes of data. */
  length: number;
  /** Data bytes of each segment that a super-segment stands for; 0 for an ordinary one. */
  gsoSize: number;
  /** Options that are there. */
  options: {
    /** Largest segment that the sender takes, bytes (RFC 9293 §3.2). */
    mss?: number;
    /** Shift of its windows (RFC 7323 §2). */
    windowScale?: number;
    /** Selective acknowledgments may be sent to it (RFC 2018 §2). */
    sackPermitted?: true;
    /** TSval and TSecr (RFC 7323 §3). */
    timestamps?: readonly [value: number, echo: number];
    /** Blocks that have arrived beyond a gap (RFC 2018 §3). */
    sack?: readonly (readonly [left: number, right: number])[];
  };
}

/** A timer that runs. */
export interface TimerState {
  /** Its name, as in `TcpInfo.timer`. */
  name: string;
  /** Until it runs out. */
  ms: number;
}

/** The control block in short: RFC 9293 §3.3.1, relative to nothing; sequence numbers 0 … 2^32-1. */
export interface TcbSnapshot {
  /** The state, as RFC 9293 writes it. */
  state: string;
  /** ISS. */
  iss: number;
  /** IRS. */
  irs: number;
  /** SND.UNA. */
  sndUna: number;
  /** SND.NXT. */
  sndNxt: number;
  /** SND.WND, bytes. */
  sndWnd: number;
  /** Congestion window, bytes. */
  cwnd: number;
  /** Slow start threshold, bytes. */
  ssthresh: number;
  /** RCV.NXT. */
  rcvNxt: number;
  /** RCV.WND, bytes. */
  rcvWnd: number;
  /** Written and not acknowledged, bytes. */
  sendQueue: number;
  /** Received and not read, bytes. */
  receiveQueue: number;
  /** The three facts about our FIN. */
  fin: 'none' | 'queued' | 'sent' | 'acknowledged';
  /** Retransmission timeout, ms. */
  rtoMs: number;
  /** Names of armed timers, with milliseconds until they are due. */
  timers: readonly TimerState[];
}

/** What can be seen of a kernel's connection from outside: `KernelSocket`, without its ends. */
export interface KernelView {
  /** As RFC 9293 has it. */
  state: string;
  /**
   * What runs, and the milliseconds until it is due; null when nothing does. `keepalive` also ends
   * FIN-WAIT-2, `time-wait` also FIN-WAIT-2 without a socket.
   */
  timer: TimerState | null;
  /** Sequence numbers that are not acknowledged, or not sent: a FIN counts as one. */
  sendQueue: number;
  /** Sequence numbers that are not read, with the FIN; of a listener: connections that wait. */
  receiveQueue: number;
  /** Of the segment that waits for its ACK. */
  retransmits: number;
}

/** What all events have. */
export interface EventPlace {
  /** Counts from 0 in a timeline, without gaps; what a bounded one has forgotten leaves no gap behind. */
  index: number;
  /** Microseconds, by the clock of our stack. */
  timeUs: number;
  /** Whose event it is. */
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

/** A segment arrived, or went out. */
export interface SegmentEvent {
  /** Says which event it is. */
  kind: 'segment';
  /** Seen from our stack. */
  direction: Direction;
  /** What was in it. */
  segment: SegmentFields;
}

/** A connection is in another state. */
export interface StateEvent {
  /** Says which event it is. */
  kind: 'state';
  /** The state before: a name, or `not seen`. */
  from: string;
  /** The state after. */
  to: string;
  /** `CLOSE`, `rcv FIN` …: `TransitionEvent`; empty where it was only seen from outside. */
  event: string;
  /** Where the rule stands: `RFC 9293 §3.10.4`. */
  section: string;
  /** The reason, in a sentence. */
  why: string;
}

/** A timer was set, has run out, or was stopped. */
export interface TimerEvent {
  /** Says which event it is. */
  kind: 'timer';
  /** What has become of it. */
  action: 'armed' | 'fired' | 'cancelled';
  /** Its name, as in `TcpInfo.timer`, or `2MSL`. */
  timer: string;
  /** For how long it was set, ms; else null. */
  delayMs: number | null;
}

/** The program called: `connect`, `accept`, `write`, `read`, `shutdown`, `close` … */
export interface CallEvent {
  /** Says which event it is. */
  kind: 'call';
  /** The call, with what it was about. */
  call: string;
  /** Bytes, where that has a sense; else 0. */
  bytes: number;
}

/** A packet, or a part of one, was thrown away. */
export interface DropEvent {
  /** Says which event it is. */
  kind: 'drop';
  /** Why, in a word or two. */
  reason: string;
}

/** Congestion control noticed something. */
export interface CongestionEvent {
  /** Says which event it is. */
  kind: 'congestion';
  /** See `Probe.congestion`. */
  event: string;
}

/** Somebody at the gate did something to a segment that waited, or put one in. */
export interface FaultEvent {
  /** Says which event it is. */
  kind: 'fault';
  /** What was done. */
  action: 'drop' | 'delay' | 'duplicate' | 'swap' | 'corrupt' | 'inject';
  /** Of the segment, seen from our stack. */
  direction: Direction;
  /** To what; null where it cannot be read. */
  segment: SegmentFields | null;
  /** Default `sent`, of an injection `injected`. */
  origin?: Origin;
}

/** What waited at the gate goes on its way, as it is. Without a gate there are none. */
export interface ReleaseEvent {
  /** Says which event it is. */
  kind: 'release';
  /** Seen from our stack. */
  direction: Direction;
  /** What was in it. */
  segment: SegmentFields;
  /** Who made it. */
  origin: Origin;
}

/** A program got an error, or the end of the stream. */
export interface NewsEvent {
  /** Says which event it is. */
  kind: 'news';
  /** What it was told. */
  news: string;
}

/** What a kernel shows of its end, when something but time has changed in it (kernel-end.ts). */
export interface SampleEvent extends KernelView {
  /** Says which event it is. */
  kind: 'sample';
}

/** One thing that has happened; `kind` says what. */
export type TraceEvent = EventPlace &
  (
    | SegmentEvent
    | StateEvent
    | TimerEvent
    | CallEvent
    | DropEvent
    | CongestionEvent
    | FaultEvent
    | ReleaseEvent
    | NewsEvent
    | SampleEvent
  );

/** What an event is before it has a place in a timeline. */
export type NewEvent = TraceEvent extends infer E
  ? E extends unknown
    ? Omit<E, 'index'>
    : never
  : never;
