// A server for iperf3's clients: its listener, and whose connection is whose. Knows the first bytes of a
// connection; what a test does stands in iperf3-test.ts.

import type { MessagePort } from 'node:worker_threads';
import type { Listener, StackCore } from '../stack/core.js';
import { Control } from './iperf3-control.js';
import { type Line, LocalLine } from './iperf3-line.js';
import { ACCESS_DENIED, COOKIE_BYTES, IPERF3_PORT, stateByte } from './iperf3-protocol.js';
import { followBranch } from './iperf3-remote.js';
import { formatSummary, type TestSummary } from './iperf3-results.js';
import { Iperf3Test, type Patience } from './iperf3-test.js';

/** Connections that have not said yet what they are; whoever opens more is reset. */
const MAX_STRANGERS = 256;
const LINGER_MS = 2000;
const PATIENCE: Patience = { stepMs: 10_000, idleMs: 60_000 };

export interface Iperf3Options {
  /** Default 5201. */
  port?: number | undefined;
  patience?: Patience | undefined;
  /** To threads that have connections of the same tests: each has an `Iperf3Branch`. */
  branches?: readonly MessagePort[] | undefined;
  /** A test has ended; the line says how. */
  onTest?: ((line: string, summary: TestSummary) => void) | undefined;
}

/**
 * Serves one test at a time, over TCP, as `iperf3 --server` does: clients of iperf 3 need no options.
 * Works on the connections of the stack itself, which are faster than sockets.
 */
export class Iperf3Server {
  readonly port: number;
  private readonly listener: Listener;
  private readonly patience: Patience;
  private readonly strangers = new Set<Control>();
  private readonly onTest: NonNullable<Iperf3Options['onTest']>;
  private test: { readonly cookie: Buffer; readonly run: Iperf3Test } | null = null;
  private ended: Promise<void> = Promise.resolve();

  /** @throws TcpError EADDRINUSE when the port is taken. */
  constructor(core: StackCore, options: Iperf3Options = {}) {
    const { port = IPERF3_PORT, patience, branches = [], onTest } = options;
    this.port = port;
    this.patience = patience ?? PATIENCE;
    this.onTest = onTest ?? (() => {});
    const handler = { onConnection: () => this.acceptAll() };
    this.listener = core.listen({ port, reuseAddress: true, handler });
    for (const branch of branches) followBranch(branch, (line) => this.admitStranger(line));
  }

  /** Connections that are open now: those of the test are counted as one. */
  get connections(): number {
    return this.strangers.size + (this.test === null ? 0 : 1);
  }

  /** Accepts no more, and ends a test that runs; resolves when it has. */
  async close(): Promise<void> {
    this.listener.close();
    for (const { line } of this.strangers) line.abort();
    this.test?.run.abort('the server is closing');
    await this.ended;
  }

  private acceptAll(): void {
    for (;;) {
      const connection = this.listener.accept();
      if (connection === null) return;
      this.admitStranger(new LocalLine(connection));
    }
  }

  private admitStranger(line: Line): void {
    if (this.strangers.size < MAX_STRANGERS) void this.greet(new Control(line));
    else line.abort();
  }

  /** The cookie says which test a connection belongs to; the first one of a test makes it. */
  private async greet(control: Control): Promise<void> {
    this.strangers.add(control);
    try {
      const cookie = await control.take(COOKIE_BYTES, this.patience.stepMs);
      this.admit(control, cookie);
    } catch {
      control.close(LINGER_MS);
    } finally {
      this.strangers.delete(control);
    }
  }

  private admit(control: Control, cookie: Buffer): void {
    const { test } = this;
    if (test === null) {
      this.ended = this.begin(control, cookie);
    } else if (!cookie.equals(test.cookie) || !test.run.offer(control.line)) {
      control.say(stateByte(ACCESS_DENIED));
      control.close(LINGER_MS);
    }
  }

  private async begin(control: Control, cookie: Buffer): Promise<void> {
    const run = new Iperf3Test(control, this.patience);
    this.test = { cookie, run };
    const summary = await run.run();
    this.test = null;
    this.onTest(formatSummary(summary), summary);
  }
}
