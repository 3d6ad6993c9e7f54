// The connections of a run and the states of both their ends, as a timeline tells them. Must not know how
// the ends are looked at.

import type { End, TraceEvent } from '../trace/event.js';

/** One end of a connection. */
export interface ConnectionEnd {
  /** As in RFC 9293: `CLOSE-WAIT`; CLOSED where there is nothing. */
  readonly state: string;
  /**
   * All states so far, the present one last. `not seen` stands for what a kernel has gone through between
   * two looks.
   */
  readonly path: readonly string[];
}

/** A connection, open or over. */
export interface PeerConnection {
  /** `127.100.0.2:8080 127.100.0.1:40000`: the peer's end first. */
  readonly name: string;
  /** The end under test. */
  readonly client: ConnectionEnd;
  /** The end that finwait plays. */
  readonly peer: ConnectionEnd;
  /** Whether both ends are closed; an end in TIME-WAIT is. */
  readonly closed: boolean;
  /** Who has to act before it can end: `the program of the client, which has to close`; null where it is over. */
  readonly waitsFor: string | null;
}

type Who = 'client' | 'peer';

const OTHER: Readonly<Record<Who, Who>> = { client: 'peer', peer: 'client' };
const WHO: Readonly<Record<End, Who>> = { ours: 'peer', theirs: 'client' };

const toAcknowledge = (what: string) => (who: Who) =>
  `the ${OTHER[who]}, to acknowledge the ${what} of the ${who}`;

/** Who has to act, for an end in this state; where both are in one of them, the first one counts. */
const WAITS_FOR: readonly [state: string, words: (who: Who) => string][] = [
  ['CLOSE-WAIT', (who) => `the program of the ${who}, which has to close`],
  ['LAST-ACK', toAcknowledge('FIN')],
  ['CLOSING', toAcknowledge('FIN')],
  ['FIN-WAIT-1', toAcknowledge('FIN')],
  ['SYN-SENT', (who) => `the ${OTHER[who]}, to answer the SYN of the ${who}`],
  ['SYN-RECEIVED', toAcknowledge('SYN')],
  ['FIN-WAIT-2', (who) => `the program of the ${OTHER[who]}, which has to close`],
  ['ESTABLISHED', () => 'one of the programs to close'],
];

class Path implements ConnectionEnd {
  readonly path: string[] = [];

  get state(): string {
    return this.path.at(-1) ?? 'CLOSED';
  }

  get hasBegun(): boolean {
    return this.path.length > 0;
  }

  get isOver(): boolean {
    return this.hasBegun && this.state === 'CLOSED';
  }

  get isClosed(): boolean {
    return this.state === 'CLOSED' || this.state === 'TIME-WAIT';
  }
}

class Watched implements PeerConnection {
  readonly name: string;
  readonly client = new Path();
  readonly peer = new Path();

  constructor(name: string) {
    this.name = name;
  }

  get closed(): boolean {
    return this.client.isClosed && this.peer.isClosed;
  }

  get waitsFor(): string | null {
    if (this.closed) return null;
    for (const [state, words] of WAITS_FOR) {
      if (this.client.state === state) return words('client');
      if (this.peer.state === state) return words('peer');
    }
    return null;
  }
}

/** All ends of one side. */
class Ends {
  readonly #all: readonly Watched[];
  readonly #who: Who;

  constructor(all: readonly Watched[], who: Who) {
    this.#all = all;
    this.#who = who;
  }

  /** Of the newest connection. */
  get state(): string {
    return this.#all.at(-1)?.[this.#who].state ?? 'CLOSED';
  }

  countIn(state: string): number {
    return this.#all.filter((connection) => connection[this.#who].state === state).length;
  }
}

export class Connections {
  readonly #all: Watched[] = [];
  readonly client = new Ends(this.#all, 'client');
  readonly peer = new Ends(this.#all, 'peer');
  /** By name, the latest last: ports are used again. */
  readonly #named = new Map<string, Watched[]>();

  get all(): readonly PeerConnection[] {
    return this.#all;
  }

  note(event: TraceEvent): void {
    // A listener is no connection.
    if (event.kind !== 'state' || event.connection === null || event.to === 'LISTEN') return;
    this.#of(event.connection, event.end, event.to)[WHO[event.end]].path.push(event.to);
  }

  #of(name: string, end: End, to: string): Watched {
    const named = this.#named.get(name) ?? [];
    // The end of an old connection in TIME-WAIT may come when the other end has begun a new one.
    const old = named.find((each) => !isNew(each, end));
    if (to === 'CLOSED' && old !== undefined) return old;
    const latest = named.at(-1);
    if (latest !== undefined && !latest[WHO[end]].isOver) return latest;
    const connection = new Watched(name);
    this.#all.push(connection);
    this.#named.set(name, [...named, connection]);
    return connection;
  }
}

/** Whether this end has nothing left to close. */
function isNew(connection: Watched, end: End): boolean {
  const path = connection[WHO[end]];
  return !path.hasBegun || path.isOver;
}
