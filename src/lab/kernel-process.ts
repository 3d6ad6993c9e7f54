// Starts the process on the kernel's side in a network namespace of its own, and talks with it. Knows
// its lines; must not know what it is asked for.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Line, Order, Sight } from './kernel-lines.js';

const PROGRAM = fileURLToPath(new URL('./kernel-side.js', import.meta.url));

/**
 * Starts its arguments in a network namespace that has a small table of connections of its own: the
 * kernel walks through all of the machine's, 11 ms for a quarter of a million places, each time that
 * somebody reads /proc/net/tcp. Its size is said by the namespace that a new one comes from; before
 * Linux 6.2 it cannot be said.
 */
const IN_NAMESPACE =
  '{ echo 256 > /proc/sys/net/ipv4/tcp_child_ehash_entries; } 2> /dev/null; ' +
  'exec unshare --net setpriv --pdeathsig KILL "$@"';

/** The process on the kernel's side did not start, ended, or could not do what it was asked. */
export class KernelProcessError extends Error {
  override readonly name = 'KernelProcessError';
}

interface Waiting {
  resolve(result: string | null): void;
  reject(error: Error): void;
}

/**
 * A network namespace, and a process with ordinary sockets in it. Both end with this process, however
 * it ends: the other one is killed then, and should that fail it reads the end of its input.
 */
export class KernelProcess {
  /** Told what the program there sees. */
  onSight: ((sight: Sight) => void) | null = null;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #complaint = '';
  /** Set when it has ended. */
  #failure: KernelProcessError | null = null;
  /** Whoever waits for it to start. */
  #ready: Waiting | null = null;
  #table: number | null = null;
  #buffer = Buffer.alloc(16_384);
  readonly #gone: Promise<void>;

  /** Needs CAP_SYS_ADMIN, if only in a user namespace. @throws KernelProcessError with what the system said */
  static async start(): Promise<KernelProcess> {
    // A debugger that stops this process is not to stop the other one.
    const { NODE_OPTIONS, VSCODE_INSPECTOR_OPTIONS, ...env } = process.env;
    const args = ['--net', 'sh', '-c', IN_NAMESPACE, 'sh', process.execPath, PROGRAM];
    const started = new KernelProcess(spawn('unshare', args, { stdio: 'pipe', env }));
    await started.#isReady();
    return started;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => this.#heard(JSON.parse(line)));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint += text;
    });
    child.stdin!.on('error', () => {});
    this.#gone = new Promise((resolve) => {
      const end = (how: string) => {
        this.#ended(how);
        resolve();
      };
      child.once('error', (error: NodeJS.ErrnoException) =>
        end(
          error.code === 'ENOENT' ? 'unshare(1) is missing, a part of util-linux' : error.message,
        ),
      );
      child.once('close', (code, signal) => end(`it has ended (${signal ?? `exit code ${code}`})`));
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Path of its network namespace. */
  get netns(): string {
    return `/proc/${this.pid}/ns/net`;
  }

  /** The kernel's table of TCP connections over IPv4 in that namespace: /proc/net/tcp, as proc(5) has it. */
  readTable(): string {
    // Read from the beginning, an open file gives what is so now; opening it takes longer than reading.
    this.#table ??= openSync(`/proc/${this.pid}/net/tcp`, 'r');
    for (let length = 0; ; ) {
      const count = readSync(
        this.#table,
        this.#buffer,
        length,
        this.#buffer.length - length,
        length,
      );
      length += count;
      if (count === 0) return this.#buffer.toString('latin1', 0, length);
      if (length === this.#buffer.length) this.#buffer = Buffer.concat([this.#buffer], 2 * length);
    }
  }

  /** Has it do something. @throws KernelProcessError when it cannot, or has ended */
  ask(order: Order): Promise<string | null> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin!.write(`${JSON.stringify({ id, ...order })}\n`);
    });
  }

  /** Ends it; resolves when it is gone. */
  close(): Promise<void> {
    if (this.#table !== null) closeSync(this.#table);
    this.#table = null;
    this.#child.stdin!.end();
    return this.#gone;
  }

  #isReady(): Promise<string | null> {
    return new Promise((resolve, reject) => {
      this.#ready = { resolve, reject };
    });
  }

  #heard(line: Line): void {
    if ('ready' in line) this.#ready?.resolve(null);
    else if ('sees' in line) this.onSight?.(line);
    else {
      const waiting = this.#waiting.get(line.id)!;
      this.#waiting.delete(line.id);
      if ('failed' in line) waiting.reject(new KernelProcessError(line.failed));
      else waiting.resolve(line.result);
    }
  }

  #ended(how: string): void {
    const complaint = this.#complaint.trim();
    const error = new KernelProcessError(complaint === '' ? how : `${how}: ${complaint}`);
    this.#failure = error;
    this.#ready?.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
