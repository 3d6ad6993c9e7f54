// Connections of an iperf3 test that are in other threads: orders to them, and what they answer. Knows
// messages; what the other side does with them stands in iperf3-branch.ts.

import type { MessagePort } from 'node:worker_threads';
import type { Line } from './iperf3-line.js';
import type { Pace, StreamCount, TestStream } from './iperf3-stream.js';

type Order =
  | { kind: 'write'; bytes: Uint8Array }
  | { kind: 'close'; lingerMs: number }
  | { kind: 'abort' | 'begin' | 'omit' | 'progress' | 'end' }
  | { kind: 'stream'; noDelay: boolean }
  | { kind: 'send'; pace: Pace };

/** To the thread that has connection `id`. */
export type LineOrder = { readonly id: number } & Order;

/** From the thread that has it: the first two and the last unasked. */
export type LineNews = { readonly id: number } & (
  | { kind: 'opened'; peer: string; congestion: string }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'progress'; moved: number }
  | { kind: 'count'; count: StreamCount }
  | { kind: 'ended' }
);

/** Follows the connections of another thread; `onLine` gets each one that is accepted there. */
export function followBranch(port: MessagePort, onLine: (line: Line) => void): void {
  const lines = new Map<number, RemoteLine>();
  port.on('message', (news: LineNews) => {
    if (news.kind !== 'opened') {
      lines.get(news.id)?.heard(news);
      return;
    }
    const { id, peer, congestion } = news;
    const line = new RemoteLine(port, id, peer, congestion, () => lines.delete(id));
    lines.set(id, line);
    onLine(line);
  });
  port.unref();
}

/** One connection of another thread, as a line and as a stream. */
class RemoteLine implements Line, TestStream {
  onNews: (() => void) | null = null;
  ended = false;
  sends = false;
  private unread = Buffer.alloc(0);
  private readonly progressAsked: ((moved: number) => void)[] = [];
  private endAsked: ((count: StreamCount) => void) | null = null;

  constructor(
    private readonly port: MessagePort,
    private readonly id: number,
    readonly peer: string,
    readonly congestion: string,
    private readonly forget: () => void,
  ) {}

  heard(news: LineNews): void {
    if (news.kind === 'bytes') this.unread = Buffer.concat([this.unread, news.bytes]);
    else if (news.kind === 'progress') this.progressAsked.shift()?.(news.moved);
    else if (news.kind === 'count') this.endAsked?.(news.count);
    else this.ended = true;
    this.onNews?.();
  }

  read(target: Uint8Array, at: number): number {
    const length = this.unread.copy(target, at);
    this.unread = this.unread.subarray(length);
    return length;
  }

  write(bytes: Uint8Array): boolean {
    this.order({ kind: 'write', bytes });
    return true;
  }

  close(lingerMs: number): void {
    this.order({ kind: 'close', lingerMs });
    this.forget();
  }

  abort(): void {
    this.order({ kind: 'abort' });
    this.forget();
  }

  toStream(noDelay: boolean): TestStream {
    this.order({ kind: 'stream', noDelay });
    this.onNews = null;
    return this;
  }

  begin(): void {
    this.order({ kind: 'begin' });
  }

  send(pace: Pace): void {
    this.sends = true;
    this.order({ kind: 'send', pace });
  }

  omit(): void {
    this.order({ kind: 'omit' });
  }

  progress(): Promise<number> {
    this.order({ kind: 'progress' });
    return new Promise((resolve) => this.progressAsked.push(resolve));
  }

  end(): Promise<StreamCount> {
    this.order({ kind: 'end' });
    return new Promise((resolve) => {
      this.endAsked = resolve;
    });
  }

  private order(order: Order): void {
    this.port.postMessage({ id: this.id, ...order });
  }
}
