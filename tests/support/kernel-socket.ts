// The kernel's end of connections, as a test drives it. Knows the lines of kernel-peer.mjs; must not
// know the stack.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './kernel.js';
import type { Namespace } from './namespace.js';

const SCRIPT = fileURLToPath(new URL('kernel-peer.mjs', import.meta.url));

interface Line {
  ready?: boolean;
  id?: number;
  result?: unknown;
  error?: string;
  name?: string;
  event?: string;
  child?: string;
  port?: number;
}

/** What a socket has read so far. */
export interface Status {
  bytes: number;
  sha256: string;
  /** The first bytes, as Latin-1. */
  head: string;
  destroyed: boolean;
}

type Waiting = { resolve(result: unknown): void; reject(error: Error): void };

/** A process in the namespace that holds the kernel's sockets. */
export class KernelPeer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #events = new Map<string, string[]>();
  readonly #accepted = new Map<string, KernelSocket[]>();
  #ready = false;
  #lastId = 0;

  static async start(namespace: Namespace): Promise<KernelPeer> {
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    const child = namespace.spawn(process.execPath, [SCRIPT], { stdio: [...stdio] });
    const peer = new KernelPeer(child);
    await until('the kernel peer starts', () => peer.#ready);
    return peer;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => this.#heard(JSON.parse(line)));
    child.once('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the kernel peer ended'));
    });
  }

  #heard({ ready, id, result, error, name, event, child, port }: Line): void {
    if (ready) this.#ready = true;
    else if (child !== undefined) {
      this.#accepted.get(name!)!.push(new KernelSocket(this, child, this.events(child), port!));
    } else if (event !== undefined) this.events(name!).push(event);
    else {
      const waiting = this.#waiting.get(id!)!;
      this.#waiting.delete(id!);
      if (error === undefined) waiting.resolve(result);
      else waiting.reject(Object.assign(new Error(error), { code: error }));
    }
  }

  /** Rejects with the `code` of the error where the kernel refuses. */
  call<T = void>(command: string, options: object = {}): Promise<T> {
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#child.stdin!.write(`${JSON.stringify({ id, command, ...options })}\n`);
    });
  }

  events(name: string): string[] {
    const events = this.#events.get(name) ?? [];
    this.#events.set(name, events);
    return events;
  }

  /** Listens at an address of the kernel; accepted sockets can be half open, and start `paused`. */
  async listen(options: ListenOptions): Promise<KernelListener> {
    const name = `listener-${++this.#lastId}`;
    const accepted: KernelSocket[] = [];
    this.#accepted.set(name, accepted);
    const port = await this.call<number>('listen', { name, ...options });
    return new KernelListener(this, name, port, accepted);
  }

  /** Resolves when connected; with `wait: false` at once. */
  async connect(options: ConnectOptions): Promise<KernelSocket> {
    const name = `socket-${++this.#lastId}`;
    const events = this.events(name);
    const port = await this.call<number>('connect', { name, ...options });
    return new KernelSocket(this, name, events, options.port, port);
  }

  stop(): void {
    this.#child.stdin!.end();
  }
}

export interface ListenOptions {
  host: string;
  port?: number;
  backlog?: number;
  paused?: boolean;
}

export interface ConnectOptions {
  host: string;
  port: number;
  localAddress?: string;
  localPort?: number;
  /** Reads nothing until `resume`. */
  paused?: boolean;
  wait?: boolean;
}

export class KernelListener {
  readonly port: number;
  readonly #peer: KernelPeer;
  readonly #name: string;
  readonly #accepted: KernelSocket[];

  constructor(peer: KernelPeer, name: string, port: number, accepted: KernelSocket[]) {
    this.#peer = peer;
    this.#name = name;
    this.port = port;
    this.#accepted = accepted;
  }

  /** The next one. */
  async accept(): Promise<KernelSocket> {
    await until(`${this.#name} accepts`, () => this.#accepted.length > 0);
    return this.#accepted.shift()!;
  }

  close(): Promise<void> {
    return this.#peer.call('close', { name: this.#name });
  }
}

/** One of the kernel's sockets. It stays half open until told otherwise. */
export class KernelSocket {
  /** `connect`, `end`, `error CODE` and `close`, in order. */
  readonly events: readonly string[];
  readonly remotePort: number;
  /** Known where this side connected. */
  readonly localPort: number | undefined;
  readonly #peer: KernelPeer;
  readonly #name: string;

  constructor(
    peer: KernelPeer,
    name: string,
    events: readonly string[],
    remotePort: number,
    localPort?: number,
  ) {
    this.#peer = peer;
    this.#name = name;
    this.events = events;
    this.remotePort = remotePort;
    this.localPort = localPort;
  }

  #call<T = void>(command: string, options: object = {}): Promise<T> {
    return this.#peer.call<T>(command, { name: this.#name, ...options });
  }

  /** Sends `count` bytes of a stream; resolves, with how many, when the kernel has taken them. */
  send(seed: number, count: number): Promise<number> {
    return this.#call('write', { seed, count });
  }

  write(text: string): Promise<number> {
    return this.#call('write', { text });
  }

  /** Half-closes: FIN. */
  end(): Promise<void> {
    return this.#call('end');
  }

  /** close(2). */
  destroy(): Promise<void> {
    return this.#call('destroy');
  }

  /** close(2) with SO_LINGER 0: RST. */
  reset(): Promise<void> {
    return this.#call('reset');
  }

  pause(): Promise<void> {
    return this.#call('pause');
  }

  resume(): Promise<void> {
    return this.#call('resume');
  }

  status(): Promise<Status> {
    return this.#call('status');
  }

  /** Waits for an event. */
  async sees(event: string): Promise<void> {
    await until(
      `${this.#name} sees '${event}'`,
      () => this.events.includes(event),
      () => this.events,
    );
  }

  /**
   * After a RST: what the kernel says to the next write. (Where data or a FIN came before the RST,
   * `node:net` does not say until then.)
   */
  async learns(code: string): Promise<void> {
    await this.write('?');
    await this.sees(`error ${code}`);
    await this.sees('close');
  }

  /** Waits until it has read so many bytes. */
  async received(count: number): Promise<Status> {
    let status = await this.status();
    const enough = async () => {
      status = await this.status();
      return status.bytes >= count;
    };
    await until(`${this.#name} reads ${count} bytes`, enough, () => status);
    return status;
  }
}
