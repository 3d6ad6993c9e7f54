// Runs an exchange over any module of the shape of node:net and writes down what each side saw; must
// not know whose module it is.

import type { EventEmitter } from 'node:events';
import { once } from 'node:events';
import type net from 'node:net';
import { setImmediate as immediate, setTimeout as timeout } from 'node:timers/promises';

/** Where an exchange takes place. */
export interface Place {
  readonly name: string;
  readonly net: typeof net;
  /** The module of the clients, where they stand elsewhere. */
  readonly clientNet: typeof net;
  /** Address of the servers. */
  readonly host: string;
  /** An address of the clients. */
  readonly clientHost: string;
  /** An address where nobody listens, of the same family. */
  readonly otherHost: string;
  close(): Promise<void>;
}

export interface Pair {
  client: net.Socket;
  served: net.Socket;
  server: net.Server;
}

const SOCKET_EVENTS = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connect',
  'ready',
  'data',
  'end',
  'finish',
  'timeout',
  'drain',
  'error',
  'close',
  'pause',
];

const SERVER_EVENTS = ['listening', 'connection', 'close', 'error', 'drop'];

const QUIET_MS = 20;
const QUIET_TIMES = 3;

/** At least `ms` milliseconds, and at least one look for what has arrived. */
export async function sleep(ms: number): Promise<void> {
  await timeout(ms);
  await immediate();
  await immediate();
}

/** One run of one exchange. */
export class Trial {
  /** What happened, by who saw it: the order between two sockets is no promise of anybody. */
  readonly seen: Record<string, string[]> = {};
  readonly net: typeof net;
  readonly clientNet: typeof net;
  readonly host: string;
  readonly clientHost: string;
  readonly otherHost: string;
  readonly #place: Place;
  readonly #cleanUp: (() => void)[] = [];
  #changes = 0;

  constructor(place: Place) {
    this.#place = place;
    this.net = place.net;
    this.clientNet = place.clientNet;
    this.host = place.host;
    this.clientHost = place.clientHost;
    this.otherHost = place.otherHost;
  }

  note(who: string, what: unknown): void {
    this.#changes += 1;
    this.seen[who] ??= [];
    const lines = this.seen[who];
    const text = this.#neutral(typeof what === 'string' ? what : JSON.stringify(what));
    const bytes = /^data (\d+)$/.exec(text);
    const before = /^data (\d+)$/.exec(lines.at(-1) ?? '');
    // How many pieces data come in depends on time.
    if (bytes && before) lines[lines.length - 1] = `data ${Number(before[1]) + Number(bytes[1])}`;
    else lines.push(text);
  }

  /** Writes down all events of a socket; takes its data too, unless told not to. */
  watch<S extends net.Socket>(who: string, socket: S, skip: string[] = []): S {
    this.#cleanUp.push(() => socket.destroy());
    return this.#watch(who, socket, SOCKET_EVENTS, skip);
  }

  watchServer<S extends net.Server>(who: string, server: S): S {
    this.#cleanUp.push(() => server.close());
    return this.#watch(who, server, SERVER_EVENTS, []);
  }

  #watch<E extends EventEmitter>(who: string, emitter: E, events: string[], skip: string[]): E {
    for (const event of events) {
      if (skip.includes(event)) continue;
      emitter.on(event, (...args: unknown[]) => this.note(who, describe(event, args)));
    }
    return emitter;
  }

  /** Addresses and ports differ between places. */
  #neutral(text: string): string {
    return text
      .replaceAll(this.otherHost, 'OTHER')
      .replaceAll(this.clientHost, 'HOST')
      .replaceAll(this.host, 'HOST')
      .replaceAll(/(?<=:|ort":|HOST"[ ,]|OTHER"[ ,])[1-9]\d+/g, 'PORT');
  }

  async listen(options: net.ServerOpts = {}): Promise<net.Server> {
    const server = this.net.createServer(options);
    this.#cleanUp.push(() => server.close());
    server.listen({ port: 0, host: this.host });
    await once(server, 'listening');
    return server;
  }

  /** A connection; `client` and `served` are watched as `c` and `s`. */
  async pair(
    serverOptions: net.ServerOpts = {},
    clientOptions: Partial<net.NetConnectOpts> = {},
    skip: string[] = [],
  ): Promise<Pair> {
    const server = await this.listen(serverOptions);
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const client = this.clientNet.connect({ ...clientOptions, ...this.to(server) });
    this.watch('c', client, skip);
    const [[served]] = await Promise.all([accepted, once(client, 'connect')]);
    this.watch('s', served, skip);
    return { client, served, server };
  }

  /** A port to connect from, which nothing else in the kernel's ephemeral range takes. */
  freePort(): number {
    return 20_000 + Math.floor(Math.random() * 10_000);
  }

  to(server: net.Server): { host: string; port: number } {
    return { host: this.host, port: (server.address() as net.AddressInfo).port };
  }

  /** Waits until nothing was written down for a while. */
  async quiet(): Promise<void> {
    for (let times = 0; times < QUIET_TIMES; times++) {
      const before = this.#changes;
      await sleep(QUIET_MS);
      if (before !== this.#changes) times = 0;
    }
  }

  async run(exchange: (trial: Trial) => Promise<void>): Promise<Record<string, string[]>> {
    try {
      await exchange(this);
      await this.quiet();
      return structuredClone(this.seen);
    } finally {
      for (const clean of this.#cleanUp) clean();
    }
  }

  get place(): string {
    return this.#place.name;
  }
}

/** An event with what matters of its arguments. */
function describe(event: string, args: unknown[]): string {
  if (event === 'data') return `data ${(args[0] as Buffer).length}`;
  if (event === 'connection') return event;
  return [event, ...args.map(describeValue)].join(' ');
}

/** An error with all its own fields but `tcp`, which Node does not have. */
export function describeValue(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value) ?? 'undefined';
  const entries = Object.entries(value).filter(([name]) => name !== 'tcp');
  const fields = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${value.name}: ${value.message} ${JSON.stringify(fields)}`;
}
