// One connection as a stream: reading that can be stopped, writes that end in a callback, and events
// in turns of their own. Knows a connection; must not know streams, errors of Node, or servers.

import { AsyncResource } from 'node:async_hooks';
import type { CloseReason, Connection, ConnectionHandler } from '../tcp/connection.js';
import { CLOSING, FIN_WAIT_1, LAST_ACK, STATE_NAMES, type State } from '../tcp/state.js';
import { type ConnectionMessage, closed, established, opened } from './diagnostics.js';
import type { Host, Member } from './host.js';
import type { Source } from './turns.js';

/** What a channel tells its owner; one table serves all owners of a kind. Codes are errno names. */
export interface ChannelEvents<Owner> {
  /** The attempt to connect ended; `code` is null when it worked. */
  connected(owner: Owner, code: string | null): void;
  /** There are bytes to read from `connection`: some must be taken. False stops the reading. */
  readable(owner: Owner, connection: Connection): boolean;
  /** All was read, and the peer will send no more. */
  ended(owner: Owner): void;
  /** All was read, and nothing more can be. */
  broken(owner: Owner, code: string): void;
  /** Whether `moved` is to be called for what happens now. */
  watchesStates(owner: Owner): boolean;
  /** The state changed; names as in RFC 9293. */
  moved(owner: Owner, to: string, from: string): void;
  /** The stack is going down: write what is left, and close. */
  closeInOrder(owner: Owner): void;
  /** The stack is gone: reset. */
  abort(owner: Owner): void;
}

/** @param code null when all bytes were taken */
export type Written = (code: string | null) => void;

type ConnectTarget = Omit<Parameters<Host['core']['connect']>[0], 'handler'>;

// Events that wait, lowest first.
const MOVED = 1;
const CONNECTED = 2;
const READ = 4;
const WRITE = 8;
const SHUTDOWN = 16;

const NOTHING: readonly Uint8Array[] = [];

export class Channel<Owner = unknown>
  extends AsyncResource
  implements ConnectionHandler, Member, Source
{
  readonly urgent = false;
  queued = false;
  following: Source | null = null;

  connection!: Connection;
  /** Until `close` or `reset`. */
  open = true;
  established: boolean;
  /** Why the connection is over; null until it is. */
  reason: CloseReason | null = null;
  /** Bytes that writes have brought into the connection. */
  bytesTaken = 0;

  readonly #host: Host;
  readonly #events: ChannelEvents<Owner>;
  readonly #owner: Owner;
  #waiting = 0;
  /** States gone through that nobody was told: from and to, one after the other. */
  readonly #moves: State[] = [];
  #reading = false;
  #ended = false;
  /** As the error of a socket in the kernel: told once, to the first call that it concerns. */
  #failure: string | null = null;
  #chunks = NOTHING;
  #chunk = 0;
  #offset = 0;
  #written: Written | null = null;
  /** Where a write that waits, and the shutdown, were asked for; `AsyncResource.bind` would take microseconds. */
  #writeContext: AsyncResource | null = null;
  #shutdownContext: AsyncResource | null = null;
  #shutdownDone = (): void => {};
  #referenced = true;
  #countedOpen = false;
  #countedClosing = false;

  private constructor(
    host: Host,
    events: ChannelEvents<Owner>,
    owner: Owner,
    established: boolean,
  ) {
    super('TCPCHANNEL');
    this.#host = host;
    this.#events = events;
    this.#owner = owner;
    this.established = established;
  }

  /**
   * Begins to connect; `connected` tells how it ended.
   * @throws TcpError when it cannot even begin.
   */
  static connect<Owner>(
    host: Host,
    events: ChannelEvents<Owner>,
    owner: Owner,
    target: ConnectTarget,
  ): Channel<Owner> {
    const channel = new Channel(host, events, owner, false);
    channel.connection = host.core.connect({ ...target, handler: channel });
    return channel.#join();
  }

  /** Takes over a connection that a listener accepted. */
  static accept<Owner>(
    host: Host,
    events: ChannelEvents<Owner>,
    owner: Owner,
    connection: Connection,
  ): Channel<Owner> {
    const channel = new Channel(host, events, owner, true);
    channel.connection = connection;
    connection.handler = channel;
    return channel.#join();
  }

  #join(): this {
    this.#host.join(this);
    this.#count();
    if (opened.hasSubscribers) opened.publish(this.#message());
    if (this.established && established.hasSubscribers) established.publish(this.#message());
    return this;
  }

  #message(): ConnectionMessage {
    return { core: this.#host.core, connection: this.connection };
  }

  // What the owner calls

  ref(): void {
    this.#referenced = true;
    this.#count();
  }

  unref(): void {
    this.#referenced = false;
    this.#count();
  }

  get reading(): boolean {
    return this.#reading;
  }

  /** Has `readable`, `ended` and `broken` called, the first of them in a later turn. */
  startReading(): void {
    if (this.#reading || !this.open) return;
    this.#setReading(true);
    if (this.#hasToRead()) this.#queue(READ);
  }

  /** What arrives stays with the connection, whose window shrinks. */
  stopReading(): void {
    this.#setReading(false);
  }

  #setReading(reading: boolean): void {
    if (this.#reading === reading) return;
    this.#reading = reading;
    this.#count();
  }

  /**
   * Copies `chunks` into the connection; `written` is called when all of them were taken, which may
   * be before this returns. One write at a time.
   */
  write(chunks: readonly Uint8Array[], written: Written): void {
    this.#chunks = chunks;
    this.#chunk = 0;
    this.#offset = 0;
    this.#written = written;
    this.#goOnWriting();
    // As in Node, what has to wait is told in the context in which it was written.
    if (this.#written === null) return;
    this.#writeContext = new AsyncResource('TCPWRITE');
    this.#count();
  }

  /** Our FIN, after all that was written; reading goes on. `done` is called unless it is closed. */
  shutdown(done: () => void): void {
    if (this.reason === null) this.connection.shutdown();
    this.#shutdownDone = done;
    this.#shutdownContext = new AsyncResource('TCPSHUTDOWN');
    this.#queue(SHUTDOWN);
  }

  /**
   * Lets go of both directions; `gone` is called when that has been sent.
   * @param lingerMs how long our FIN may stay unacknowledged before a RST follows; 0: a RST at once
   */
  close(gone: () => void, lingerMs?: number): void {
    this.connection.close(lingerMs);
    this.#let(gone);
  }

  /** The same, with a RST. */
  reset(gone: () => void): void {
    this.connection.abort();
    this.#let(gone);
  }

  closeInOrder(): void {
    if (this.open) this.#events.closeInOrder(this.#owner);
  }

  abort(): void {
    if (this.open) this.#events.abort(this.#owner);
    else this.connection.abort();
  }

  // What the connection calls, at the end of the stack's turn

  onEstablished(): void {
    if (this.established) return;
    this.established = true;
    if (established.hasSubscribers) established.publish(this.#message());
    this.#queue(CONNECTED);
  }

  onReadable(): void {
    if (this.#reading) this.#queue(READ);
  }

  onEnd(): void {
    if (this.#reading) this.#queue(READ);
  }

  onWritable(): void {
    if (this.#written !== null) this.#queue(WRITE);
    else this.#count();
  }

  onClosed(connection: Connection, reason: CloseReason, code: string | null): void {
    this.reason = reason;
    // As Linux: after the peer's FIN, a RST says that nobody reads what we write.
    this.#failure = code === 'ECONNRESET' && connection.ended ? 'EPIPE' : code;
    this.#count();
    if (!this.established) this.#queue(CONNECTED);
    if (this.#reading) this.#queue(READ);
    if (this.#written !== null) this.#queue(WRITE);
    if (closed.hasSubscribers) closed.publish({ ...this.#message(), reason, code });
  }

  onState(_: Connection, from: State, to: State): void {
    this.#count();
    if (!this.#events.watchesStates(this.#owner)) return;
    this.#moves.push(from, to);
    this.#queue(MOVED);
  }

  onUrgent(): void {
    // Urgent data are delivered in line (RFC 6093 §3.1), as by a socket with SO_OOBINLINE.
  }

  onAdvice(): void {
    // Soft errors: the connection goes on.
  }

  // Turns

  deliver(): boolean {
    return this.runInAsyncScope(this.#deliverOne, this);
  }

  #queue(event: number): void {
    this.#waiting |= event;
    this.#host.turns.add(this);
  }

  #deliverOne(): boolean {
    const event = this.#waiting & -this.#waiting;
    if (event === 0) return false;
    this.#waiting &= ~event;
    if (event === MOVED) this.#deliverMove();
    else if (!this.open) this.#waiting &= MOVED;
    else if (event === CONNECTED) this.#deliverConnected();
    else if (event === READ) this.#deliverRead();
    else if (event === SHUTDOWN) this.#shutdownContext!.runInAsyncScope(this.#shutdownDone);
    else if (this.#written !== null) this.#goOnWriting();
    return this.#waiting !== 0;
  }

  #deliverConnected(): void {
    this.#events.connected(this.#owner, this.#takeFailure());
    this.#count();
  }

  #deliverMove(): void {
    const [from, to] = this.#moves.splice(0, 2) as [State, State];
    if (this.#moves.length > 0) this.#waiting |= MOVED;
    this.#events.moved(this.#owner, STATE_NAMES[to]!, STATE_NAMES[from]!);
  }

  /** The order is that of a socket in the kernel: data, then the FIN, then the error. */
  #deliverRead(): void {
    if (!this.#reading) return;
    const { connection } = this;
    if (connection.readable > 0) {
      // Before the program is told: one that throws is told of the rest all the same.
      this.#waiting |= READ;
      if (!this.#events.readable(this.#owner, connection)) this.#setReading(false);
      if (!this.#reading || !this.#hasToRead()) this.#waiting &= ~READ;
    } else if (connection.ended) {
      this.#setReading(false);
      if (this.#ended) return;
      this.#ended = true;
      this.#events.ended(this.#owner);
    } else {
      const code = this.#takeFailure();
      if (code === null) return;
      this.#setReading(false);
      this.#events.broken(this.#owner, code);
    }
  }

  #hasToRead(): boolean {
    const { connection } = this;
    return connection.readable > 0 || connection.ended || this.#failure !== null;
  }

  #takeFailure(): string | null {
    const code = this.#failure;
    this.#failure = null;
    return code;
  }

  #goOnWriting(): void {
    const chunks = this.#chunks;
    if (this.reason !== null) {
      this.#endWrite(this.#takeFailure() ?? 'EPIPE');
      return;
    }
    while (this.#chunk < chunks.length) {
      const chunk = chunks[this.#chunk]!;
      const taken = this.connection.write(chunk, this.#offset, chunk.length - this.#offset);
      this.bytesTaken += taken;
      this.#offset += taken;
      if (this.#offset < chunk.length) return;
      this.#chunk += 1;
      this.#offset = 0;
    }
    this.#endWrite(null);
  }

  #endWrite(code: string | null): void {
    const written = this.#written;
    const context = this.#writeContext;
    this.#written = null;
    this.#writeContext = null;
    this.#chunks = NOTHING;
    if (context === null) written?.(code);
    else context.runInAsyncScope(written!, null, code);
    // While it is read from it holds the process anyway.
    if (!this.#reading || !this.#referenced) this.#count();
  }

  #let(gone: () => void): void {
    this.open = false;
    this.#reading = false;
    this.#count();
    setImmediate(() =>
      this.runInAsyncScope(() => {
        this.#endWrite(null);
        gone();
      }),
    );
  }

  /**
   * As in libuv, an open connection holds the process while it connects, is read from, or has a write that
   * waits; one that is paused, or has been read to its end, does not. What a kernel would go on sending alone
   * when the process is gone counts as closing: data that were taken, and our FIN, until the peer has them.
   */
  #count(): void {
    const busy = !this.established || this.#reading || this.#written !== null;
    const open = this.open && this.#referenced && busy;
    const wanted = !this.open || (this.#referenced && !busy);
    const closing = wanted && this.reason === null && this.established && this.#isOwed();
    // Else nobody would tell that the last of it is acknowledged.
    if (closing && this.open) this.connection.tellWritable();
    const { liveness } = this.#host;
    // Up before down, so that the process is not let go of for a moment.
    if (closing && !this.#countedClosing) liveness.addClosing(1);
    if (open !== this.#countedOpen) liveness.addOpen(open ? 1 : -1);
    if (!closing && this.#countedClosing) liveness.addClosing(-1);
    this.#countedOpen = open;
    this.#countedClosing = closing;
    if (!this.open && this.reason !== null) this.#host.leave(this);
  }

  /** Whether the peer does not yet have all that we have sent, or are to send. */
  #isOwed(): boolean {
    const { connection } = this;
    const { state } = connection;
    if (state === FIN_WAIT_1 || state === CLOSING || state === LAST_ACK) return true;
    return connection.unacknowledged > 0 || connection.unsent > 0;
  }
}
