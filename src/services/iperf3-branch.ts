// A thread's part in iperf3 tests that another one runs: accepts connections and does what it is told with
// them. Knows orders; must not know tests.

import type { MessagePort } from 'node:worker_threads';
import type { Listener, StackCore } from '../stack/core.js';
import { type Line, LocalLine } from './iperf3-line.js';
import { MAX_JSON } from './iperf3-protocol.js';
import type { LineNews, LineOrder } from './iperf3-remote.js';
import type { TestStream } from './iperf3-stream.js';

/** More than a whole conversation: who says more is reset. */
const MOST_WORDS = 3 * MAX_JSON;
const CLOSE_MS = 500;
const LOOK_MS = 5;

interface Entry {
  readonly line: Line;
  /** Once it is one. */
  stream: TestStream | null;
  /** Bytes that were passed on. */
  said: number;
}

export class Iperf3Branch {
  private readonly listener: Listener;
  private readonly port: MessagePort;
  private readonly entries = new Map<number, Entry>();
  private readonly buffer = new Uint8Array(64 * 1024);
  private lastId = 0;

  /** @throws TcpError EADDRINUSE when the port is taken. */
  constructor(core: StackCore, port: number, desk: MessagePort) {
    this.port = desk;
    const handler = { onConnection: () => this.acceptAll() };
    this.listener = core.listen({ port, reuseAddress: true, handler });
    desk.on('message', (order: LineOrder) => {
      const entry = this.entries.get(order.id);
      if (entry !== undefined) this.obey(entry, order);
    });
    desk.unref();
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.entries.size;
  }

  /** Accepts no more. Whoever runs the tests ends what there is; what it has not soon, is reset. */
  async close(): Promise<void> {
    this.listener.close();
    const end = performance.now() + CLOSE_MS;
    while (this.entries.size > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    for (const { line } of this.entries.values()) line.abort();
  }

  private acceptAll(): void {
    for (;;) {
      const connection = this.listener.accept();
      if (connection === null) return;
      this.open(new LocalLine(connection));
    }
  }

  private open(line: LocalLine): void {
    this.lastId += 1;
    const id = this.lastId;
    const entry: Entry = { line, stream: null, said: 0 };
    this.entries.set(id, entry);
    line.onNews = () => this.passOn(id, entry);
    this.tell({ id, kind: 'opened', peer: line.peer, congestion: line.congestion });
    this.passOn(id, entry);
  }

  private passOn(id: number, entry: Entry): void {
    const { line } = entry;
    for (;;) {
      const length = line.read(this.buffer, 0);
      if (length === 0) break;
      entry.said += length;
      this.tell({ id, kind: 'bytes', bytes: this.buffer.slice(0, length) });
    }
    if (line.ended) this.tell({ id, kind: 'ended' });
    else if (entry.said > MOST_WORDS) line.abort();
  }

  private obey(entry: Entry, order: LineOrder): void {
    const { line, stream } = entry;
    if (order.kind === 'write') line.write(order.bytes);
    else if (order.kind === 'stream') entry.stream = line.toStream(order.noDelay);
    else if (order.kind === 'close' || order.kind === 'abort') this.let(entry, order);
    else if (stream === null) return;
    else if (order.kind === 'send') stream.send(order.pace);
    else if (order.kind === 'begin') stream.begin();
    else if (order.kind === 'omit') stream.omit();
    else void this.answer(stream, order.id, order.kind);
  }

  private let({ line, stream }: Entry, order: LineOrder): void {
    this.entries.delete(order.id);
    if (order.kind === 'close') (stream ?? line).close(order.lingerMs);
    else line.abort();
  }

  private async answer(stream: TestStream, id: number, kind: 'progress' | 'end'): Promise<void> {
    if (kind === 'end') this.tell({ id, kind: 'count', count: await stream.end() });
    else this.tell({ id, kind, moved: await stream.progress() });
  }

  private tell(news: LineNews): void {
    this.port.postMessage(news);
  }
}
