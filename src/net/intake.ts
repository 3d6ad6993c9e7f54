// How bytes leave a connection: in chunks of their own, or into the caller's buffer. Must not know
// sockets or events.

import type { Connection } from '../tcp/connection.js';

/** Most bytes that are read at once. */
const MAX_CHUNK = 65_536;

/** Bytes into a buffer of the caller's instead of 'data', as in `net.connect`. */
export interface OnReadOptions {
  /** The buffer, or what gives the next one. */
  buffer: Uint8Array | (() => Uint8Array);
  /** Told how many bytes are in `buffer`; false stops the reading until `resume()`. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a callback may have no return value
  callback(bytes: number, buffer: Uint8Array): boolean | void;
}

export class Intake {
  bytesRead = 0;
  readonly #onread: OnReadOptions | null;
  #buffer: Uint8Array | null = null;

  /** @param onread as in Node, what is not complete is as good as nothing */
  constructor(onread: OnReadOptions | null | undefined) {
    const { buffer, callback } = onread ?? {};
    const usable = buffer instanceof Uint8Array || typeof buffer === 'function';
    this.#onread = usable && typeof callback === 'function' ? onread! : null;
  }

  /** Whether bytes go into the caller's buffer, past the stream. */
  get direct(): boolean {
    return this.#onread !== null;
  }

  /** Before the first bytes, and after each `take`. */
  prepare(): void {
    if (this.#onread === null) return;
    const { buffer } = this.#onread;
    const next = typeof buffer === 'function' ? buffer() : buffer;
    if (next instanceof Uint8Array) this.#buffer = next;
  }

  /** Takes some of what can be read; false when it was told to stop. */
  take(connection: Connection, push: (chunk: Buffer) => boolean): boolean {
    if (this.#onread !== null && this.#buffer !== null) {
      const bytes = connection.read(this.#buffer);
      this.bytesRead += bytes;
      const goOn = this.#onread.callback(bytes, this.#buffer) !== false;
      this.prepare();
      return goOn;
    }
    const chunk = Buffer.allocUnsafe(Math.min(connection.readable, MAX_CHUNK));
    this.bytesRead += connection.read(chunk);
    return push(chunk);
  }
}
