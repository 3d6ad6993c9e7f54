// The program at one end that uses a stack of ours: it does what it is told, reads what comes, and
// notes its news. Knows connections and listeners; must not know scenarios.

import type { StackCore } from '../stack/core.js';
import type { Listener } from '../stack/listener.js';
import { type CloseReason, type Connection, IdleHandler } from '../tcp/connection.js';
import { TcpError } from '../tcp/errors.js';
import { connectionName, mirrored } from '../trace/connection-name.js';
import type { End } from '../trace/event.js';
import type { Timeline } from '../trace/timeline.js';
import type { IpAddress } from '../wire/address.js';
import type { Call } from './scenario.js';
import { StatePath } from './state-path.js';
import { callInTrace, failureInTrace } from './words.js';
import type { Party } from './world.js';

/** Where a program is reached: it listens on the port, and calls from it. */
export interface Place {
  readonly address: IpAddress;
  readonly port: number;
}

export interface StackPartyOptions {
  core: StackCore;
  end: End;
  /** Gets the news; has the states, which the stack's probe puts there. */
  timeline: Timeline;
  own: Place;
  peer: Place;
  /** Microseconds. */
  now: () => number;
}

export class StackParty implements Party {
  received = 0;
  readonly #options: StackPartyOptions;
  readonly #states: StatePath;
  #listener: Listener | null = null;
  #talk: Talk | null = null;
  #reads = true;
  #lingerMs: number | undefined;
  #nextPort: number;

  constructor(options: StackPartyOptions) {
    this.#options = options;
    this.#states = new StatePath(options.timeline, options.end);
    this.#nextPort = options.own.port;
  }

  get seesEnd(): boolean {
    return this.#talk?.seesEnd ?? false;
  }

  get seesClose(): boolean {
    return this.#talk?.seesClose ?? false;
  }

  get error(): string | null {
    return this.#talk?.error ?? null;
  }

  get path(): readonly string[] {
    return this.#states.states;
  }

  get state(): string {
    return this.path.at(-1) ?? (this.#listener === null ? 'CLOSED' : 'LISTEN');
  }

  countIn(state: string): number {
    return this.#states.countIn(state);
  }

  async call(call: Call): Promise<string | null> {
    try {
      return this.#carryOut(call);
    } catch (error) {
      if (!(error instanceof TcpError)) throw error;
      // Of those that open something the stack tells itself.
      if (call.call === 'write')
        this.#tell({ kind: 'news', news: failureInTrace(call, error.code) });
      return error.code;
    }
  }

  #carryOut(call: Call): string | null {
    switch (call.call) {
      case 'listen':
        this.#listen(call.reuseAddress ?? false);
        return null;
      case 'unlisten':
        this.#listener?.close();
        this.#listener = null;
        return null;
      case 'connect':
        this.#connect(call.samePort ?? false);
        return null;
      case 'linger':
        this.#tell({ kind: 'call', call: callInTrace(call), bytes: 0 });
        this.#lingerMs = call.ms;
        return null;
      case 'read':
      case 'pause':
        this.#tell({ kind: 'call', call: callInTrace(call), bytes: 0 });
        this.#reads = call.call === 'read';
        this.#talk?.readable();
        return null;
      default:
        if (this.#talk === null) return 'ENOTCONN';
        this.#talk.carryOut(call, this.#lingerMs);
        return null;
    }
  }

  #listen(reuseAddress: boolean): void {
    const { core, own } = this.#options;
    this.#listener = core.listen({
      port: own.port,
      reuseAddress,
      handler: {
        onConnection: (listener) => {
          for (let next = listener.accept(); next !== null; next = listener.accept()) {
            this.#begin(next);
          }
        },
      },
    });
  }

  #connect(samePort: boolean): void {
    const { core, own, peer } = this.#options;
    if (samePort) this.#nextPort -= 1;
    const talk = new Talk(this.#ears);
    const connection = core.connect({
      ...{ remote: peer.address, remotePort: peer.port },
      ...{ local: own.address, localPort: this.#nextPort, handler: talk },
    });
    this.#nextPort += 1;
    talk.connection = connection;
    this.#talk = talk;
  }

  #begin(connection: Connection): void {
    const talk = new Talk(this.#ears);
    talk.connection = connection;
    connection.handler = talk;
    this.#talk = talk;
  }

  readonly #ears: Ears = {
    reads: () => this.#reads,
    received: (bytes) => {
      this.received += bytes;
    },
    news: (connection, news) => this.#tell({ kind: 'news', news }, connection),
  };

  /** Of the newest connection, where it is not another's. */
  #tell(what: What, about = this.#talk?.connection ?? null): void {
    const { timeline, end, now } = this.#options;
    const connection = about === null ? null : nameFrom(end, about);
    timeline.add({ timeUs: now(), end, connection, tcb: null, ...what });
  }
}

/** Our end of the world first, whoever tells it. */
function nameFrom(end: End, about: Connection): string {
  const own = connectionName(about);
  return end === 'ours' ? own : mirrored(own);
}

type What = { kind: 'call'; call: string; bytes: number } | { kind: 'news'; news: string };

/** What a connection asks of its program, and tells it. */
interface Ears {
  reads(): boolean;
  received(bytes: number): void;
  news(connection: Connection, news: string): void;
}

const CHUNK = new Uint8Array(65_536);

/** One connection of the program. */
class Talk extends IdleHandler {
  seesEnd = false;
  seesClose = false;
  error: string | null = null;
  connection!: Connection;
  readonly #ears: Ears;
  /** Bytes that the send buffer did not take, and what is to be done behind them. */
  #unwritten = 0;
  #afterwards: (() => void) | null = null;
  #closesAtEnd = false;
  /** It has called close or abort. */
  #hasLeft = false;

  constructor(ears: Ears) {
    super();
    this.#ears = ears;
  }

  carryOut(call: Call, lingerMs: number | undefined): void {
    const { connection } = this;
    this.#hasLeft ||= call.call === 'close' || call.call === 'abort';
    if (call.call === 'write') {
      this.#unwritten += call.bytes;
      this.#pour();
    } else if (call.call === 'abort') connection.abort();
    else if (call.call === 'shutdown' && call.atEnd && !this.seesEnd) this.#closesAtEnd = true;
    else if (call.call === 'shutdown') this.#behindData(() => connection.shutdown());
    else if (call.call === 'close') this.#behindData(() => connection.close(lingerMs));
  }

  /** Reads all there is, if the program reads. */
  readable(): void {
    if (!this.#ears.reads()) return;
    const bytes = this.connection.skip(this.connection.readable);
    if (bytes > 0) this.#ears.received(bytes);
    if (this.connection.ended && !this.seesEnd) {
      this.seesEnd = true;
      this.#ears.news(this.connection, 'end');
      if (this.#closesAtEnd) this.#behindData(() => this.connection.shutdown());
    }
  }

  override onReadable(): void {
    this.readable();
  }

  override onEnd(): void {
    this.readable();
  }

  override onWritable(): void {
    this.#pour();
  }

  override onClosed(_: Connection, _reason: CloseReason, errorCode: string | null): void {
    this.readable();
    this.seesClose = true;
    // A program that has let go learns nothing any more.
    if (this.#hasLeft) return;
    this.error = errorCode;
    this.#ears.news(this.connection, errorCode ?? 'close');
  }

  #pour(): void {
    while (this.#unwritten > 0) {
      const wanted = Math.min(this.#unwritten, CHUNK.length);
      const taken = this.connection.write(CHUNK, 0, wanted);
      this.#unwritten -= taken;
      if (taken < wanted) return;
    }
    this.#afterwards?.();
    this.#afterwards = null;
  }

  #behindData(run: () => void): void {
    if (this.#unwritten === 0) run();
    else this.#afterwards = run;
  }
}
