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

/**
 * Adds events of the end `theirs` to a timeline: `state` when a look shows another one, and `sample` when
 * a timer was set or stopped, or a queue has another length. Where one look after the other shows two
 * states that cannot follow each other, `not seen` stands between them: nothing is guessed.
 */
export class KernelEnd {
  readonly #timeline: Timeline;
  readonly #now: () => number;
  /** By connection, in the order in which they were seen first. */
  readonly #views = new Map<string, KernelView>();

  /** @param now microseconds, by the clock of our stack */
  constructor(timeline: Timeline, now: () => number) {
    this.#timeline = timeline;
    this.#now = now;
  }

  /** What the last look has shown, by connection (our end first); CLOSED is what has vanished. */
  get views(): ReadonlyMap<string, KernelView> {
    return this.#views;
  }

  /** A look: all sockets there that may be of interest; listeners are passed over. */
  sample(sockets: readonly KernelSocket[]): void {
    const seen = new Map<string, KernelView>();
    for (const socket of sockets) {
      if (socket.remotePort !== 0) seen.set(connectionOf(socket), viewOf(socket));
    }
    for (const name of seen.keys()) if (!this.#views.has(name)) this.#views.set(name, NOTHING);
    for (const [name, last] of this.#views) this.#compare(name, last, seen.get(name) ?? NOTHING);
  }

  #compare(connection: string, last: KernelView, now: KernelView): void {
    const common = { timeUs: this.#now(), end: 'theirs', connection, tcb: null } as const;
    if (now.state !== last.state) {
      const direct = mayFollow(last.state, now.state);
      const unseen = { kind: 'state', event: '', section: '', why: '' } as const;
      if (!direct) this.#timeline.add({ ...common, ...unseen, from: last.state, to: NOT_SEEN });
      const from = direct ? last.state : NOT_SEEN;
      this.#timeline.add({ ...common, ...unseen, from, to: now.state });
    }
    if (!isAlike(last, now)) this.#timeline.add({ ...common, kind: 'sample', ...now });
    this.#views.set(connection, now);
  }
}

/** Whether one segment, call or timeout leads from a state to the other. */
function mayFollow(from: string, to: string): boolean {
  // A listener makes the connection: what was CLOSED here was LISTEN there.
  if (from === 'CLOSED' && to === 'SYN-RECEIVED') return true;
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
