// What a kernel's table of sockets shows of its ends of our connections, as events. Knows how to tell a
// change from a look to the next; must not know when it is looked.

import { STATE_NAMES } from '../tcp/state.js';
import { TRANSITIONS } from '../tcp/transitions.js';
import { type KernelView, NOT_SEEN } from './event.js';
import { connectionOf, type KernelSocket } from './kernel-sockets.js';
import type { Timeline } from './timeline.js';

/** Where nothing is known of a connection. */
const NOTHING: KernelView = {
  state: 'CLOSED',
  timer: null,
  sendQueue: 0,
  receiveQueue: 0,
  retransmits: 0,
};

const LISTEN = 'LISTEN';
/** A listener makes connections: what they were before, RFC 9293 §3.10.7.2. */
const CALLED: KernelView = { ...NOTHING, state: LISTEN };

/**
 * Adds events of the end `theirs` to a timeline: `state` when a look shows another one, and `sample` when
 * a timer was set or stopped, or a queue has another length. Where one look after the other shows two
 * states that cannot follow each other, `not seen` stands between them: nothing is guessed. A listener that
 * appears is a `state` event of no connection, and those that are made of it begin in LISTEN.
 */
export class KernelEnd {
  readonly #timeline: Timeline;
  readonly #now: () => number;
  /** By connection, in the order in which they were seen first. */
  readonly #views = new Map<string, KernelView>();
  /** Ports on which somebody listened when it was looked last. */
  #listening: ReadonlySet<number> = new Set();

  /** @param now microseconds, by the clock of our stack */
  constructor(timeline: Timeline, now: () => number) {
    this.#timeline = timeline;
    this.#now = now;
  }

  /** What the last look has shown, by connection (our end first); CLOSED is what has vanished. */
  get views(): ReadonlyMap<string, KernelView> {
    return this.#views;
  }

  /** Whether somebody listened when it was looked last. */
  get listens(): boolean {
    return this.#listening.size > 0;
  }

  /** What is there already when somebody begins to look: nobody knows since when, so nothing is told. */
  begin(sockets: readonly KernelSocket[]): void {
    this.#listening = listeningPorts(sockets);
    for (const socket of sockets) {
      if (socket.state !== LISTEN) this.#views.set(connectionOf(socket), viewOf(socket));
    }
  }

  /** A look: all sockets there that may be of interest. */
  sample(sockets: readonly KernelSocket[]): void {
    const listened = this.#listening;
    this.#noteListeners(sockets);
    const seen = new Map<string, KernelView>();
    for (const socket of sockets) {
      if (socket.state === LISTEN) continue;
      const connection = connectionOf(socket);
      seen.set(connection, viewOf(socket));
      if (this.#views.has(connection)) continue;
      const port = socket.localPort;
      const wasCalled = socket.state !== 'SYN-SENT';
      const hadListener = listened.has(port) || this.#listening.has(port);
      this.#views.set(connection, wasCalled && hadListener ? CALLED : NOTHING);
    }
    for (const [name, last] of this.#views) this.#compare(name, last, seen.get(name) ?? NOTHING);
  }

  /** That a listener is given up its program's call says; its connections stay. */
  #noteListeners(sockets: readonly KernelSocket[]): void {
    const ports = listeningPorts(sockets);
    for (const port of ports) {
      if (!this.#listening.has(port)) this.#addState(null, 'CLOSED', LISTEN);
    }
    this.#listening = ports;
  }

  #compare(connection: string, last: KernelView, now: KernelView): void {
    if (now.state !== last.state) {
      const direct = mayFollow(last.state, now.state);
      if (!direct) this.#addState(connection, last.state, NOT_SEEN);
      this.#addState(connection, direct ? last.state : NOT_SEEN, now.state);
    }
    if (!isAlike(last, now)) {
      const common = { timeUs: this.#now(), end: 'theirs', connection, tcb: null } as const;
      this.#timeline.add({ ...common, kind: 'sample', ...now });
    }
    this.#views.set(connection, now);
  }

  #addState(connection: string | null, from: string, to: string): void {
    const common = { timeUs: this.#now(), end: 'theirs', connection, tcb: null } as const;
    const unseen = { kind: 'state', event: '', section: '', why: '' } as const;
    this.#timeline.add({ ...common, ...unseen, from, to });
  }
}

function listeningPorts(sockets: readonly KernelSocket[]): ReadonlySet<number> {
  return new Set(sockets.filter(({ state }) => state === LISTEN).map(({ localPort }) => localPort));
}

/** Whether one segment, call or timeout leads from a state to the other. */
function mayFollow(from: string, to: string): boolean {
  return TRANSITIONS.some((row) => STATE_NAMES[row.from] === from && STATE_NAMES[row.to] === to);
}

function viewOf({ state, timer, sendQueue, receiveQueue, retransmits }: KernelSocket): KernelView {
  return { state, timer, sendQueue, receiveQueue, retransmits };
}

/** Except for time that has passed. */
function isAlike(a: KernelView, b: KernelView): boolean {
  return (
    a.timer?.name === b.timer?.name &&
    a.sendQueue === b.sendQueue &&
    a.receiveQueue === b.receiveQueue &&
    a.retransmits === b.retransmits
  );
}
