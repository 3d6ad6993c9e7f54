// What a handle has to send: one write after the other, and then a FIN. Knows channels; must not know requests
// of Node's.

import type { Channel } from '../net/channel.js';
import { errnoOf } from './internals.js';

const BROKEN_PIPE = errnoOf('EPIPE');
const CANCELED = errnoOf('ECANCELED');
const CLOSED = errnoOf('EBADF');
const NOT_CONNECTED = errnoOf('ENOTCONN');

/** Told 0 or a negative errno. */
type Done = (status: number) => void;

interface Write {
  chunks: readonly Uint8Array[];
  done: Done;
}

type Output = Pick<Channel, 'write' | 'shutdown'>;

export class Outgoing {
  #channel: Output | null = null;
  readonly #writes: Write[] = [];
  #writing = false;
  /** From `shutdown` until that is done. */
  #shutdown: Done | null = null;
  #ended = false;
  #closed = false;

  /** There is a connection now. */
  open(channel: Output): void {
    this.#channel = channel;
  }

  /** `done` is called when all was taken, which may be before this returns. */
  write(chunks: readonly Uint8Array[], done: Done): void {
    const obstacle = this.#obstacle();
    if (obstacle !== 0) {
      done(obstacle);
      return;
    }
    this.#writes.push({ chunks, done });
    this.#goOn();
  }

  #obstacle(): number {
    if (this.#closed) return CLOSED;
    if (this.#channel === null) return NOT_CONNECTED;
    return this.#ended ? BROKEN_PIPE : 0;
  }

  /** A FIN behind what waits to be written; TLS asks for both in one breath. `done` is called later. */
  shutdown(done: Done): void {
    this.#ended = true;
    this.#shutdown = done;
    this.#goOn();
  }

  #goOn(): void {
    const channel = this.#channel!;
    while (!this.#writing && !this.#closed && this.#writes.length > 0) {
      const { chunks, done } = this.#writes.shift()!;
      this.#writing = true;
      channel.write(chunks, (code) => {
        this.#writing = false;
        if (code !== null) done(errnoOf(code));
        else done(this.#closed ? CANCELED : 0);
        this.#goOn();
      });
    }
    const idle = !this.#writing && !this.#closed;
    if (idle && this.#shutdown !== null) channel.shutdown(() => this.#endShutdown(0));
  }

  #endShutdown(status: number): void {
    const done = this.#shutdown;
    this.#shutdown = null;
    done?.(status);
  }

  /** Nothing goes to the channel any more. */
  close(): void {
    this.#closed = true;
  }

  /** Tells those who still wait. */
  cancel(): void {
    for (const { done } of this.#writes.splice(0)) done(CANCELED);
    this.#endShutdown(CANCELED);
  }
}

/** @param items what to write, each followed by its encoding */
export function encoded(items: readonly unknown[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < items.length; i += 2) {
    const data = items[i] as Uint8Array | string;
    const encoding = items[i + 1] as BufferEncoding;
    chunks.push(typeof data === 'string' ? Buffer.from(data, encoding) : data);
  }
  return chunks;
}
