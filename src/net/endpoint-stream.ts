// What a socket says about its connection: both ends, and TCP's own numbers. Knows addresses and
// TcpInfo; must not know how bytes flow or connections come about.

import { Duplex } from 'node:stream';
import type { CloseReason, Connection } from '../tcp/connection.js';
import type { TcpInfo } from '../tcp/info.js';
import type { Emit, Listen, SocketEvents } from './events.js';
import { type SocketAddress, socketAddress } from './socket-options.js';

/** What the class below has of Duplex, or makes of a table, with the types of this kind of stream. */
export interface EndpointStream {
  /** Tells `listener` each time; known events have arguments with types. */
  on: Listen<SocketEvents, this>;
  /** Tells `listener` the next time only. */
  once: Listen<SocketEvents, this>;
  /** The same as `on`. */
  addListener: Listen<SocketEvents, this>;
  /** As `on`, before the listeners that there are. */
  prependListener: Listen<SocketEvents, this>;
  /** As `once`, before the listeners that there are. */
  prependOnceListener: Listen<SocketEvents, this>;
  /** Tells all listeners; answers whether there are any. */
  emit: Emit<SocketEvents>;
  /** Our address; undefined before and after the connection. */
  readonly localAddress?: string;
  /** Our port. */
  readonly localPort?: number;
  /** `IPv4` or `IPv6`. */
  readonly localFamily?: string;
}

/** A stream that knows the ends of its connection. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: all that the interface says is there
export abstract class EndpointStream extends Duplex {
  #peer: SocketAddress | null = null;

  /** Not (yet, or any more) connected. */
  abstract get pending(): boolean;
  /** Between `connect()` and 'connect', or the end. */
  abstract connecting: boolean;
  /** The latest connection, also after it was closed; null before there was one. */
  protected abstract _latest(): Connection | null;
  /** Why it is over; null until the stack has said so. */
  protected abstract _reason(): CloseReason | null;
  /** Whether `node:net` would have a handle: from `connect()` or acceptance until destroyed. */
  protected abstract _isAttached(): boolean;

  /** A new connection begins. */
  protected _forgetPeer(): void {
    this.#peer = null;
  }

  /** Which directions are open: `readOnly` after `end()`, `writeOnly` after the peer's FIN. */
  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** The own address; empty before and after the connection. */
  address(): SocketAddress {
    const connection = this._isAttached() ? this._latest() : null;
    return connection ? socketAddress(connection.localAddress, connection.localPort) : {};
  }

  // As in Node they may be left out where an object of this shape is asked for, which no getter may.
  static {
    for (const [name, part] of [
      ['localAddress', 'address'],
      ['localPort', 'port'],
      ['localFamily', 'family'],
    ] as const) {
      Object.defineProperty(EndpointStream.prototype, name, {
        configurable: true,
        enumerable: true,
        get(this: EndpointStream) {
          return this.address()[part];
        },
      });
    }
  }

  /** The peer's address; undefined before the connection, and afterwards unless it was asked for. */
  get remoteAddress(): string | undefined {
    return this.#peerAddress().address;
  }

  /** The peer's port. */
  get remotePort(): number | undefined {
    return this.#peerAddress().port;
  }

  /** `IPv4` or `IPv6`. */
  get remoteFamily(): string | undefined {
    return this.#peerAddress().family;
  }

  /** As in Node: once it was asked for, it stays known after the end. */
  #peerAddress(): SocketAddress {
    const connection = this.pending ? null : this._latest();
    if (connection === null) return this.#peer ?? {};
    this.#peer ??= socketAddress(connection.remoteAddress, connection.remotePort);
    return this.#peer;
  }

  /** State of the connection, as in RFC 9293: `ESTABLISHED`, and `FIN-WAIT-2` after 'close', too. */
  get tcpState(): string {
    return this._latest()?.stateName ?? 'CLOSED';
  }

  /** What the connection measures and holds; null when there never was one. */
  tcpInfo(): TcpInfo | null {
    return this._latest()?.info() ?? null;
  }

  /**
   * How the connection ended; null until that is known, which after `destroy()` may be later than
   * 'close'. `fin`: both sides closed in order. `rst`: the peer reset or refused it. `timeout`: the peer
   * was silent for too long. `icmp`: the network refused it while it was opening. `abort`: this side gave it
   * up, by `resetAndDestroy()`, by `destroy()` with data unread, or while it was connecting.
   */
  get closeReason(): CloseReason | null {
    return closeReasonOf(this, this._reason());
  }
}

/** What a stream says of how its connection ended, of which the stack may not have said anything yet. */
export function closeReasonOf(
  { readableEnded, writableFinished }: Duplex,
  reason: CloseReason | null,
): CloseReason | null {
  // Both have sent a FIN: nothing is left to wait for but the last ACK.
  return reason === null && readableEnded && writableFinished ? 'fin' : reason;
}
