// One listener as a server uses it: connections come one by one, each in a turn of its own. Knows a
// listener; must not know sockets or events.

import { AsyncResource } from 'node:async_hooks';
import type { Listener, ListenerHandler } from '../stack/listener.js';
import type { TcpConfig } from '../tcp/config.js';
import type { Connection } from '../tcp/connection.js';
import type { IpAddress } from '../wire/address.js';
import type { Host, Member } from './host.js';
import type { Source } from './turns.js';

export interface ListeningOptions {
  /** Null: all addresses. */
  address: IpAddress | null;
  /** 0: any free port. */
  port: number;
  backlog: number;
  /** Whether `::` leaves IPv4 to others. */
  ipv6Only?: boolean;
  /** Settings of the connections that differ from those of the stack. */
  tcp?: Partial<TcpConfig>;
  onConnection(connection: Connection): void;
  /** The stack is going down. */
  closeInOrder(): void;
}

export class Listening extends AsyncResource implements ListenerHandler, Member, Source {
  /** As where a kernel has both ends: a connection is accepted before its client is told of it. */
  readonly urgent = true;
  queued = false;
  following: Source | null = null;

  readonly address: { address: string; family: 'IPv4' | 'IPv6'; port: number };
  readonly #host: Host;
  readonly #options: ListeningOptions;
  readonly #listener: Listener;
  #counted = false;
  #open = true;

  /**
   * @param shown the address in words
   * @throws TcpError when it cannot listen there
   */
  constructor(host: Host, shown: string, options: ListeningOptions) {
    super('TCPLISTENER');
    this.#host = host;
    this.#options = options;
    // As Node does on Unix: connections in TIME-WAIT do not keep a port from being listened on.
    const reuseAddress = true;
    const { address, port, backlog, ipv6Only = false, tcp = {} } = options;
    const settings = { address, port, backlog, ipv6Only, tcp, reuseAddress };
    this.#listener = host.core.listen({ ...settings, handler: this });
    const family = shown.includes(':') ? 'IPv6' : 'IPv4';
    this.address = { address: shown, family, port: this.#listener.port };
    host.join(this);
  }

  /** Whether it keeps the process alive. */
  keepAlive(keep: boolean): void {
    const count = keep && this.#open;
    if (count !== this.#counted) this.#host.liveness.addOpen(count ? 1 : -1);
    this.#counted = count;
  }

  /** Connections that were not yet accepted are reset. */
  close(): void {
    this.#open = false;
    this.keepAlive(false);
    this.#listener.close();
    this.#host.leave(this);
  }

  closeInOrder(): void {
    this.#options.closeInOrder();
  }

  abort(): void {
    this.close();
  }

  onConnection(): void {
    this.#host.turns.add(this);
  }

  deliver(): boolean {
    if (!this.#open) return false;
    const connection = this.#listener.accept();
    if (connection === null) return false;
    this.runInAsyncScope(this.#options.onConnection, this.#options, connection);
    return this.#open;
  }
}
