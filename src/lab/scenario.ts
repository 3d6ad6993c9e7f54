// What a scenario is: calls, faults, and what must be seen, as data. Must not know how it is carried out.

import type { Direction, End } from '../trace/event.js';
import type { StateName } from './states.js';

/** What a segment must be like; all that is given must hold. */
export interface Likeness {
  /** Flags that must be set: `FIN`, `SYN`, `RST`, `ACK` … */
  has?: readonly string[];
  /** Flags that must not be set. */
  lacks?: readonly string[];
  /** Whether it carries data, or exactly so many bytes. */
  data?: boolean | number;
  /** It acknowledges the other end's SYN or FIN, and nothing behind it. */
  acknowledges?: 'SYN' | 'FIN';
  /** It offers no window at all. */
  zeroWindow?: true;
  /** The n-th such segment, from 1; default: each. Of faults only. */
  nth?: number;
}

/** Which segments are meant. */
export interface Match extends Likeness {
  /** Default: either. */
  direction?: Direction;
}

/** What happens to a segment at the gate, when its turn has come. */
export interface Fault<M = Match> {
  /** Which segments it strikes. */
  on: M;
  /** `swap`: the next one of its direction overtakes it; `holdUntil`: such a one does. */
  do:
    | 'drop'
    | 'duplicate'
    | 'swap'
    | 'corrupt'
    | {
        /** Any one that passes after it has come. */
        holdUntil: M;
      };
  /** Why, in a few words, for those who watch. */
  note: string;
}

/** What the program at one end does. */
export type Call = { end: End } & (
  | { call: 'listen'; reuseAddress?: boolean }
  /** To the other end's port, from this end's own; `samePort`: from the port of the connection before. */
  | { call: 'connect'; samePort?: boolean }
  /** How long the next `close` waits for its FIN to be acknowledged; 0 is an abort (SO_LINGER). */
  | { call: 'linger'; ms: number }
  | PlainCall
);

/** What any program may do with a connection, whoever has opened it. */
export type PlainCall =
  | {
      /** No further connections; those that exist stay. */
      call: 'unlisten';
    }
  | {
      /** Sends data. */
      call: 'write';
      /** How many bytes, from 1. */
      bytes: number;
    }
  | {
      /** Reads what comes from now on, or does not; also before there is a connection. */
      call: 'read' | 'pause';
    }
  | {
      /** Half-close. */
      call: 'shutdown';
      /** As soon as the program sees the end of what it reads; default: at once. */
      atEnd?: true;
    }
  | {
      /** Both halves; RST. */
      call: 'close' | 'abort';
    };

/** A segment that somebody makes up. Numbers are relative to the connection. */
export interface Forged {
  /** Those that are set: `RST`, `ACK` … */
  flags: readonly string[];
  /** Relative to SND.NXT of the end that it pretends to come from. */
  seqOffset?: number;
  /** Relative to RCV.NXT of that end. */
  ackOffset?: number;
  /** Bytes of data. */
  data?: number;
  /** Relative to the newest timestamp of that end, ms. */
  timestampOffset?: number;
}

/** One that nobody of the two has sent, put in at the gate. */
export interface Injection extends Forged {
  direction: Direction;
}

/** What is waited for; segments pass the gate one by one until it holds. */
export type Condition = ({ end: End } & (StateCondition | ProgramCondition)) | GateCondition<Match>;

/** In which state an end is. */
export interface StateCondition {
  /** Of the newest connection, as in RFC 9293. */
  state: StateName;
  /** That so many connections of that end are in this state; default: the newest one is. */
  connections?: number;
}

/** What the program at an end has seen. */
export type ProgramCondition =
  | {
      /** Bytes that it has read, of all its connections: not one less, not one more. */
      received: number;
    }
  | {
      /** The other end's FIN, the end of the connection, or an error; of the newest connection. */
      sees: 'end' | 'close' | 'ECONNRESET' | 'ECONNREFUSED' | 'ETIMEDOUT';
    };

/** What has passed the gate, or waits there. */
export type GateCondition<M> =
  | {
      /** Segments that have had their turn at the gate, whatever became of them. */
      seen: M;
      /** So many, or more. */
      times: number;
    }
  | {
      /** Such a one has not had its turn. */
      unseen: M;
    }
  | {
      /** Nothing waits at the gate. */
      quiet: true;
    };

export type Step =
  | (Call & { fails?: string; note?: string })
  | { inject: Injection; note: string }
  | { until: Condition; note?: string }
  /** Must be so now, without anything passing. */
  | { holds: Condition; note: string };

/** Between the last entry into a state and the last such segment before it must lie so much time; both must be. */
export interface Span {
  from: Match;
  to: { end: End; state: string };
  atLeast: '2MSL' | number;
}

export interface KernelSettings {
  /** It repeats nothing before so many milliseconds; default 3000. Linux by itself waits 200, or a probe's time. */
  patienceMs?: number;
  /** Largest packet on the link, bytes; default 1500. */
  mtu?: number;
  /** Parameters below /proc/sys/net, such as `ipv4/tcp_rmem`. */
  sysctl?: Readonly<Record<string, string | number>>;
}

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
  /** What differs at the kernel's end, where there is one. */
  kernel?: KernelSettings;
  faults?: readonly Fault[];
  /** In order; calls come before whatever waits at the gate, `until` lets it pass. */
  steps: readonly Step[];
  /**
   * The whole path of each end, in order, after the first listener's. Theirs is followed as far as
   * TIME-WAIT: the kernel's lasts a minute, whatever we do.
   */
  ours: readonly string[];
  theirs: readonly string[];
  /**
   * Segments that must be seen so many times; 0: must not. `backOff`: sent again after our shortest RTO at
   * the earliest, and after twice as long each time.
   */
  segments?: readonly { match: Match; times: number; atLeast?: true; backOff?: true }[];
  spans?: readonly Span[];
}
