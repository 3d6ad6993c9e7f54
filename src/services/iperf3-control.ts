// Reads and writes a connection step by step, as a conversation needs it. Knows connections and time; must
// not know what is said.

import { type Connection, IdleHandler } from '../tcp/connection.js';
import { mayQueueData } from '../tcp/state.js';

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

/** One side of a conversation. What nobody asked for stays in the connection, whose window shrinks. */
export class Control extends IdleHandler {
  readonly connection: Connection;
  /** Told when the peer ends it while nobody waits for its words. */
  onOver: ((error: Error) => void) | null = null;
  private wish: Wish | null = null;
  private over: Error | null = null;

  constructor(connection: Connection) {
    super();
    this.connection = connection;
    connection.noDelay = true;
    connection.handler = this;
  }

  /** The next `length` bytes. One call at a time. @throws HungUp */
  take(length: number, withinMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(new HungUp('it has stalled')), withinMs);
      this.wish = { bytes: Buffer.alloc(length), got: 0, timer, resolve, reject };
      this.fill();
    });
  }

  /** Bytes for the peer; more than its window takes wait in the send ring. @throws HungUp */
  say(bytes: Uint8Array): void {
    if (this.over !== null) throw this.over;
    const { connection } = this;
    if (!mayQueueData(connection.state)) throw new HungUp(CLOSED);
    // A conversation is far smaller than a send ring: a peer that does not read it is none.
    if (connection.write(bytes) < bytes.length) throw new HungUp('it does not read');
  }

  /** Our FIN, then whatever the peer likes to do, for so long. */
  close(lingerMs: number): void {
    this.fail(new HungUp('we have closed'));
    this.connection.skip(this.connection.readable);
    this.connection.close(lingerMs);
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

  override onReadable(): void {
    this.fill();
  }

  override onEnd(): void {
    if (this.wish !== null) this.fill();
    else this.onOver?.(new HungUp(CLOSED));
  }

  override onClosed(): void {
    this.fail(new HungUp(CLOSED));
  }

  private fill(): void {
    const { wish, connection } = this;
    if (wish === null) return;
    wish.got += connection.read(wish.bytes, wish.got);
    if (wish.got === wish.bytes.length) {
      this.wish = null;
      clearTimeout(wish.timer);
      wish.resolve(wish.bytes);
    } else if (this.over !== null || connection.ended) {
      this.fail(new HungUp(CLOSED));
    }
  }
}
