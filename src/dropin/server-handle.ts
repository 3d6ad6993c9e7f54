// A listener of ours in the shape of the handle that sits inside each net.Server of Node's. Knows what
// lib/net.js wants of it; must not know which listeners are ours.

import { Listening } from '../net/listening.js';
import type { Stack } from '../net/stack.js';
import type { Connection } from '../tcp/connection.js';
import { TcpError } from '../tcp/errors.js';
import { IpAddress } from '../wire/address.js';
import type { End } from './ends.js';
import { StackHandle } from './handle.js';
import { errnoOf, TCP, type TcpHandle } from './internals.js';

/** Each method answers 0 or a negative errno. */
export class ServerHandle {
  /** The server; the accessor stands in `TCP.prototype`. */
  declare owner: unknown;
  onconnection: TcpHandle['onconnection'];

  readonly #stack: Stack;
  readonly #address: string;
  readonly #port: number;
  #listening: Listening | null = null;
  #referenced = true;

  /** @param address `::` and `0.0.0.0` mean all addresses of the stack */
  constructor(stack: Stack, address: string, port: number) {
    this.#stack = stack;
    this.#address = address;
    this.#port = port;
  }

  listen(backlog: number): number {
    // Another server took the handle over, as `listen({ _handle })` does.
    if (this.#listening !== null) return 0;
    try {
      this.#listening = new Listening(this.#stack, this.#address, {
        address: IpAddress.parse(this.#address),
        port: this.#port,
        backlog,
        onConnection: (connection) => this.#accepted(connection),
        closeInOrder: () => (this.owner as { close(): void }).close(),
      });
    } catch (error) {
      if (error instanceof TcpError) return errnoOf(error.code);
      throw error;
    }
    this.#listening.keepAlive(this.#referenced);
    return 0;
  }

  #accepted(connection: Connection): void {
    const mapped = this.#address.includes(':');
    this.onconnection?.(0, StackHandle.accept(this.#stack, connection, mapped));
  }

  close(closed?: () => void): void {
    this.#listening?.close();
    this.#listening = null;
    if (closed !== undefined) setImmediate(() => closed.call(this));
  }

  ref(): void {
    this.#referenced = true;
    this.#listening?.keepAlive(true);
  }

  unref(): void {
    this.#referenced = false;
    this.#listening?.keepAlive(false);
  }

  hasRef(): boolean {
    return this.#referenced && this.#listening !== null;
  }

  getsockname(out: End): number {
    if (this.#listening === null) return errnoOf('EBADF');
    Object.assign(out, this.#listening.address);
    return 0;
  }

  getAsyncId(): number {
    return this.#listening?.asyncId() ?? 0;
  }
}

Object.setPrototypeOf(ServerHandle.prototype, TCP.prototype);
