// What a socket says about its connection: both ends, and TCP's own numbers. Knows addresses and
// TcpInfo; must not know how bytes flow or connections come about.

import { Duplex } from 'node:stream';
import type { Connection } from '../tcp/connection.js';
import type { TcpInfo } from '../tcp/info.js';
import type { Emit, Listen, SocketEvents } from './events.js';
import { type SocketAddress, socketAddress } from './socket-options.js';

/** What the class below has of Duplex, or makes of a table, with the types of this kind of stream. */
export interface EndpointStream {
  on: Listen<SocketEvents, this>;
  once: Listen<SocketEvents, this>;
  addListener: Listen<SocketEvents, this>;
  prependListener: Listen<SocketEvents, this>;
  prependOnceListener: Listen<SocketEvents, this>;
  emit: Emit<SocketEvents>;
  /** Our address and port; undefined before and after the connection. */
  readonly localAddress?: string;
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
  /** The latest connection, also after it was closed; null before there was one. */
  protected abstract _latest(): Connection | null;
  /** Whether `node:net` would have a handle: from `connect()` or acceptance until destroyed. */
  protected abstract _isAttached(): boolean;

  /** A new connection begins. */
  protected _forgetPeer(): void {
    this.#peer = null;
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

  get remoteAddress(): string | undefined {
    return this.#peerAddress().address;
  }

  get remotePort(): number | undefined {
    return this.#peerAddress().port;
  }

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
}
