// A passive OPEN: who waits on a port, and the connections on their way to it. Knows its queues; must
// not know how segments find it.

import type { TcpConfig } from '../tcp/config.js';
import type { Connection } from '../tcp/connection.js';
import type { Host } from '../tcp/host.js';
import type { IpAddress } from '../wire/address.js';

/** Told at the end of a turn that at least one connection waits; call `accept` until it is null. */
export interface ListenerHandler {
  /** At least one connection has completed its handshake. */
  onConnection(listener: Listener): void;
}

/** What the listener needs of the stack. */
export interface ListenerHost extends Host {
  /** Forgets the listener and resets the connections that it still has. */
  closeListener(listener: Listener): void;
  /** A connection has an owner now: its news can be told. */
  accepted(connection: Connection): void;
}

/** A passive OPEN (RFC 9293 §3.10.1): made by `StackCore.listen`. */
export class Listener {
  /** For the owner; not used here. */
  data: unknown = null;
  /** Handshakes that are not complete: in SYN-RECEIVED. */
  readonly pending = new Set<Connection>();
  /** Complete, not accepted yet. */
  private readonly queue: Connection[] = [];
  /** Whether `close` was called. */
  closed = false;

  constructor(
    private readonly host: ListenerHost,
    /** null for any address of the stack, `0.0.0.0` for any of IPv4. */
    readonly address: IpAddress | null,
    /** The local port. */
    readonly port: number,
    /** Settings of the connections that it makes. */
    readonly config: TcpConfig,
    /** Most connections in each of both queues. */
    readonly backlog: number,
    /** Who is told of connections. */
    readonly handler: ListenerHandler,
  ) {}

  /** Handshakes that are not complete. */
  get halfOpen(): number {
    return this.pending.size;
  }

  /** Connections that wait to be accepted. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Whether a new SYN finds room; Linux asks both queues, too. */
  get hasRoom(): boolean {
    return this.queue.length < this.backlog && this.pending.size < this.backlog;
  }

  /** Whether no further connection can wait to be accepted. */
  get acceptQueueFull(): boolean {
    return this.queue.length >= this.backlog;
  }

  /** The connection that has waited longest, or null. Set its handler before the turn ends. */
  accept(): Connection | null {
    const connection = this.queue.shift();
    if (connection === undefined) return null;
    this.host.probe?.userCall(connection, 'accept', 0);
    this.host.accepted(connection);
    return connection;
  }

  /** No further connections; those that were not accepted are reset. */
  close(): void {
    if (this.closed) return;
    this.host.probe?.listenerCall(this.host, this.address, this.port, 'close');
    this.host.closeListener(this);
  }

  /** @internal The handshake is complete: from the first queue to the second. */
  established(connection: Connection): void {
    this.pending.delete(connection);
    this.queue.push(connection);
  }

  /** @internal The connection ended before it was accepted. */
  forget(connection: Connection): void {
    this.pending.delete(connection);
    const index = this.queue.indexOf(connection);
    if (index >= 0) this.queue.splice(index, 1);
  }

  /** @internal All that were not accepted; for the stack, when the listener closes. */
  unaccepted(): Connection[] {
    return [...this.pending, ...this.queue];
  }
}
