// Reads and writes a line step by step, as a conversation needs it. Knows lines and time; must not know what
// is said.

import type { Line } from './iperf3-line.js';

/** The peer has closed, reset, or not answered in time: the conversation is over. */
export class HungUp extends Error {}

const CLOSED = 'it has closed the control connection';

interface Wish {
  readonly bytes: Buffer;
  got: number;
  readonly timer: NodeJS.Timeout;
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
}

/** One side of a conversation. */
export class Control {
  readonly line: Line;
  /** Told when the peer ends it while nobody waits for its words. */
  onOver: ((error: Error) => void) | null = null;
  private wish: Wish | null = null;
  private over: Error | null = null;

  constructor(line: Line) {
    this.line = line;
    line.onNews = () => this.news();
  }

  /** The next `length` bytes. One call at a time. @throws HungUp */
  take(length: number, withinMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(new HungUp('it has stalled')), withinMs);
      this.wish = { bytes: Buffer.alloc(length), got: 0, timer, resolve, reject };
      this.news();
    });
  }

  /** Bytes for the peer, far fewer than any send ring has room for. @throws HungUp */
  say(bytes: Uint8Array): void {
    if (this.over !== null) throw this.over;
    if (!this.line.write(bytes)) throw new HungUp('it does not read');
  }

  /** Our FIN, then whatever the peer likes to do, for so long. */
  close(lingerMs: number): void {
    this.fail(new HungUp('we have closed'));
    this.line.close(lingerMs);
  }

  /** Ends it: whatever waits, or is called later, throws `error`. */
  fail(error: Error): void {
    this.over ??= error;
    const wish = this.wish;
    if (wish === null) {
      this.onOver?.(this.over);
      return;
    }
    this.wish = null;
    clearTimeout(wish.timer);
    wish.reject(this.over);
  }

  private news(): void {
    const { wish, line } = this;
    if (wish !== null && this.over === null) wish.got += line.read(wish.bytes, wish.got);
    if (wish !== null && wish.got === wish.bytes.length) {
      this.wish = null;
      clearTimeout(wish.timer);
      wish.resolve(wish.bytes);
    } else if (this.over !== null || line.ended) {
      this.fail(new HungUp(CLOSED));
    }
  }
}
