// The program on the kernel's side, and what its kernel says of its connection. Knows both from outside;
// must not know our stack.

import { KernelEnd } from '../trace/kernel-end.js';
import { type KernelSocket, parseSockets } from '../trace/kernel-sockets.js';
import type { Timeline } from '../trace/timeline.js';
import { formatEnd } from '../wire/address.js';
import type { Ends, Sight } from './kernel-lines.js';
import type { KernelProcess } from './kernel-process.js';
import type { Call } from './scenario.js';
import { StatePath } from './state-path.js';
import { callInTrace, failureInTrace } from './words.js';
import type { Party } from './world.js';

/** Ports from the first one on that the connections of one run may have. */
export const PORTS = 16;

/** Sockets there, seen as a party of a scenario. What its kernel does is known by looking at its tables. */
export class KernelParty implements Party {
  received = 0;
  seesEnd = false;
  seesClose = false;
  error: string | null = null;
  /** What happened to its connections, as far as it was told: grows with each news. */
  sights = 0;
  readonly #process: KernelProcess;
  readonly #ends: Ends;
  readonly #timeline: Timeline;
  readonly #now: () => number;
  readonly #end: KernelEnd;
  readonly #path: StatePath;
  #sockets: readonly KernelSocket[] = [];
  #newest: string | null = null;
  /** How many ports it has called from: each new one is one more than the one before. */
  #connects = 0;

  constructor(process: KernelProcess, ends: Ends, timeline: Timeline, now: () => number) {
    this.#process = process;
    this.#ends = ends;
    this.#timeline = timeline;
    this.#now = now;
    this.#end = new KernelEnd(timeline, now);
    this.#path = new StatePath(timeline, 'theirs');
    process.onSight = (sight) => this.#saw(sight);
  }

  get state(): string {
    if (this.#newest === null) return this.#end.listens ? 'LISTEN' : 'CLOSED';
    return this.#end.views.get(this.#newest)!.state;
  }

  get path(): readonly string[] {
    return this.#path.states;
  }

  countIn(state: string): number {
    return this.#path.countIn(state);
  }

  async call(call: Call): Promise<string | null> {
    if (call.call === 'connect') this.#newConnection();
    if (call.call === 'connect' && !call.samePort) this.#connects += 1;
    const connection = call.call === 'connect' ? this.#dialled : this.#newest;
    const bytes = call.call === 'write' ? call.bytes : 0;
    this.#add(connection, { kind: 'call', call: callInTrace(call), bytes });
    const error = await this.#process.ask({ command: 'call', call });
    if (error !== null) this.#add(connection, { kind: 'news', news: failureInTrace(call, error) });
    return error;
  }

  /** All connections of this run that the kernel knew of when it was looked last. */
  get sockets(): readonly KernelSocket[] {
    return this.#sockets;
  }

  /** The kernel's timer that is due first, as it was when it was looked last. */
  nextTimer(): KernelSocket['timer'] {
    const timers = this.#sockets.flatMap(({ timer }) => timer ?? []);
    return timers.sort((a, b) => a.ms - b.ms)[0] ?? null;
  }

  /** Looks at the kernel's table: states that came and went since the last time are not seen. */
  sample(): void {
    const all = this.#look();
    this.#end.sample(all);
    this.#sockets = all.filter(({ state }) => state !== 'LISTEN');
    this.#newest = [...this.#end.views.keys()].at(-1) ?? null;
  }

  #look(): KernelSocket[] {
    const { port, peerPort } = this.#ends;
    const near = (first: number, one: number) => one >= first && one < first + PORTS;
    return parseSockets(this.#process.readTable()).filter(
      ({ state, localPort, remotePort }) =>
        near(port, localPort) && (state === 'LISTEN' || near(peerPort, remotePort)),
    );
  }

  /** The connection that the last `connect` asks for. */
  get #dialled(): string {
    const { address, port, peerAddress, peerPort } = this.#ends;
    const own = formatEnd(address, port + this.#connects - 1);
    return `${formatEnd(peerAddress, peerPort)} ${own}`;
  }

  #newConnection(): void {
    this.seesEnd = false;
    this.seesClose = false;
    this.error = null;
  }

  #saw(sight: Sight): void {
    this.sights++;
    switch (sight.sees) {
      case 'connection':
        this.#newConnection();
        return;
      case 'data':
        this.received += sight.bytes;
        return;
      case 'end':
        this.seesEnd = true;
        break;
      case 'close':
        this.seesClose = true;
        break;
      case 'error':
        this.error = sight.code;
    }
    this.#add(this.#newest, {
      kind: 'news',
      news: sight.sees === 'error' ? sight.code : sight.sees,
    });
  }

  #add(connection: string | null, what: What): void {
    this.#timeline.add({ timeUs: this.#now(), end: 'theirs', connection, tcb: null, ...what });
  }
}

type What = { kind: 'call'; call: string; bytes: number } | { kind: 'news'; news: string };
