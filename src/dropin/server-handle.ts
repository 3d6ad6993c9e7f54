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

interface Where {
  /** `::` and `0.0.0.0` mean all addresses of the stack. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** Whether `::` leaves those of IPv4 out. */
  readonly ipv6Only: boolean;
}

/** Each method answers 0 or a negative errno. */
export class ServerHandle {
  /** The server; the accessor stands in `TCP.prototype`. */
  declare owner: unknown;
  onconnection: TcpHandle['onconnection'];
  /** As with each handle that has none. */
  readonly fd = -1;

  readonly #stack: Stack;
  readonly #where: Where;
  #listening: Listening | null = null;
  #referenced = true;

  constructor(stack: Stack, where: Where) {
    this.#stack = stack;
    this.#where = where;
  }

  listen(backlog: number): number {
    // Another server took the handle over, as `listen({ _handle })` does.
    if (this.#listening !== null) return 0;
    const { address, port, ipv6Only } = this.#where;
    try {
      this.#listening = new Listening(this.#stack, address, {
        address: IpAddress.parse(address),
        port,
        ipv6Only,
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
    const mapped = this.#where.address.includes(':');
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

// Programs look at handles of servers, too. What natively belongs to a TCP handle may not be asked of ours.
const blanks: PropertyDescriptorMap = {};
let native: object = TCP.prototype;
for (; native !== Object.prototype; native = Object.getPrototypeOf(native)) {
  for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(native))) {
    if (get !== undefined && name !== 'owner') blanks[name] = { value: undefined };
  }
}
Object.setPrototypeOf(ServerHandle.prototype, Object.create(TCP.prototype, blanks));
