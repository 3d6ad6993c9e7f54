// The API of net.Socket over one channel. Knows streams and the words of node:net; must not know
// how a connection works.

import { addAbortSignal } from 'node:stream';
import type { TcpConfig } from '../tcp/config.js';
import type { CloseReason, Connection } from '../tcp/connection.js';
import { IpAddress } from '../wire/address.js';
import { checkFunction, normalizeArguments, refusePath } from './arguments.js';
import { Channel, type ChannelEvents } from './channel.js';
import { bytesOf, type Chunk, totalBytes } from './chunks.js';
import { Connecting, type DialFailure, type Target } from './connecting.js';
import { alreadyDialing, dialFailed, peerOf, whyNotDialed } from './dialing.js';
import {
  closedBeforeConnection,
  endedByOtherParty,
  missingPort,
  type SystemError,
  socketClosed,
  systemError,
} from './errors.js';
import type { Host } from './host.js';
import { IdleTimer } from './idle-timer.js';
import { Intake } from './intake.js';
import {
  type Accepted,
  checkSocketOptions,
  type SocketConnectOptions,
  type SocketOptions,
  TransportSettings,
} from './socket-options.js';
import { tcpSettings } from './tcp-settings.js';
import { TransportStream } from './transport-stream.js';
import { explained } from './trouble.js';

type WriteDone = (error?: Error | null) => void;

/**
 * A socket as in `node:net` of Node 20: a Duplex over one TCP connection. Options, events and
 * errors have the names, the order and the fields that they have there; what is not said here is
 * as described at https://nodejs.org/docs/latest-v20.x/api/net.html#class-netsocket. Besides:
 * `tcpState`, `tcpInfo()`, `closeReason`, and the event 'tcpstate' (to, from).
 */
export class Socket extends TransportStream {
  /** Between `connect()` and 'connect', or the end. */
  connecting = false;
  /** The server that it came from; null for one that was made by `connect`. */
  server: unknown;
  /** What `setTimeout` set, ms. */
  declare timeout?: number;
  /** `address:port` of each attempt, where a name had several addresses. */
  declare autoSelectFamilyAttemptedAddresses: string[];

  readonly #host: Host;
  /** The latest connection, also after it was closed. */
  #channel: Channel<Socket> | null = null;
  /** From `connect()` or the acceptance until it is destroyed: while `node:net` has a handle. */
  #attached = false;
  #connecting: Connecting | null = null;
  #referenced = true;
  #resetting = false;
  #peerEnded = false;
  readonly #gone: (() => void) | undefined;
  readonly #intake: Intake;
  readonly #settings: TransportSettings;
  #bytesWritten = 0;
  /** Of the write that waits for the connection. */
  #bytesWaiting = 0;
  readonly #idle: IdleTimer;

  constructor(host: Host, options: SocketOptions = {}, accepted?: Accepted) {
    checkSocketOptions(options);
    const { signal, ...streamOptions } = options;
    super({
      ...streamOptions,
      allowHalfOpen: Boolean(options.allowHalfOpen),
      // As in node:net, 'close' waits for the connection, and says whether there was an error.
      emitClose: false,
      autoDestroy: true,
      // As in node:net, what waits counts in characters: strings are encoded when they are written.
      decodeStrings: false,
    });
    this.#host = host;
    this.#idle = new IdleTimer(host.now, {
      idle: () => this.emit('timeout'),
      progress: () => (this.writableLength > 0 ? (this.#channel?.bytesTaken ?? 0) : null),
    });
    this.server = accepted?.server ?? null;
    this.#gone = accepted?.gone;
    this.#intake = new Intake(options.onread);
    this.#settings = new TransportSettings(options);
    this.on('end', () => {
      this.#peerEnded = !this.allowHalfOpen;
    });
    // Not by the stream's constructor: one that is aborted already destroys at once.
    if (signal) addAbortSignal(signal, this);
    if (accepted !== undefined) this.#accept(accepted, options.readable !== false);
  }

  #accept(accepted: Accepted, readable: boolean): void {
    this.#channel = Channel.accept(this.#host, Socket.#events, this, accepted.connection);
    this.#attached = true;
    this.#settings.apply(accepted.connection);
    if (!readable) return;
    if (accepted.pause) super.pause();
    else this.read(0);
  }

  static readonly #events: ChannelEvents<Socket> = {
    connected: (socket, code) => socket.#connected(code),
    readable: (socket, connection) => socket.#received(connection),
    ended: (socket) => {
      socket.push(null);
      socket.read(0);
    },
    broken: (socket, code) => void socket.destroy(socket.#failure(code, 'read')),
    watchesStates: (socket) => socket.listenerCount('tcpstate') > 0,
    moved: (socket, to, from) => void socket.emit('tcpstate', to, from),
    closeInOrder: (socket) => socket.destroySoon(),
    abort: (socket) => socket.#reset(),
  };

  // Connecting

  /**
   * Begins to connect, in the forms of `net.Socket.connect`; 'connect' or 'error' tells what has become of
   * it. A socket that is closed may connect again.
   * @param listener once told of 'connect'
   * @throws TypeError, RangeError with the codes ERR_… of Node, for options that make no sense
   */
  connect(options: SocketConnectOptions, listener?: () => void): this;
  /**
   * To a port of a host.
   * @param host address or name
   */
  connect(port: number | string, host: string, listener?: () => void): this;
  /** To `localhost`; the path of a pipe is refused. */
  connect(portOrPath: number | string, listener?: () => void): this;
  connect(...args: unknown[]): this {
    const { options, callback } = normalizeArguments<SocketConnectOptions>(args);
    if (callback !== null) this.once('connect', callback);
    refusePath(options.path);
    if (options.port === undefined) throw missingPort();
    const tcp = tcpSettings(options.tcp);
    const dialer = {
      dial: (target: Target) => this.#dial(target, tcp),
      dialed: () => this.#channel?.connection ?? null,
      hangUp: () => this.#channel?.close(() => {}),
      touch: () => this.#idle.touch(),
    };
    this.#connecting = new Connecting(this, dialer, options);
    if (this.destroyed) this.#renew();
    this.#attached = true;
    this.#intake.prepare();
    this.#idle.touch();
    this.connecting = true;
    this.#connecting.start();
    return this;
  }

  /** A socket that was closed may connect again. */
  #renew(): void {
    (this as unknown as { _undestroy(): void })._undestroy();
    this.#channel = null;
    this._forgetPeer();
    this.#peerEnded = false;
  }

  #dial(target: Target, tcp: Partial<TcpConfig>): DialFailure | null {
    const channel = this.#channel;
    // As libuv: a socket that is connected already says so once more, and goes on as it is.
    if (channel?.open) {
      return channel.established ? this.#tell(null) : alreadyDialing(channel.connection);
    }
    const remote = peerOf(this.#host, target);
    const failure = whyNotDialed(this.#host, target, remote);
    if (failure !== null) return failure;
    // Nobody can listen there; the kernel asks all the same, and is refused.
    if (target.port === 0) return this.#tell('ECONNREFUSED');
    try {
      const local = target.localAddress ? IpAddress.parse(target.localAddress) : null;
      const ends = { remote, remotePort: target.port, local, localPort: target.localPort ?? 0 };
      this.#channel = Channel.connect(this.#host, Socket.#events, this, { tcp, ...ends });
    } catch (error) {
      return dialFailed(error);
    }
    if (!this.#referenced) this.#channel.unref();
    return null;
  }

  #tell(code: string | null): null {
    process.nextTick(() => {
      if (this.connecting) this.#connected(code);
    });
    return null;
  }

  #connected(code: string | null): void {
    if (!this.#connecting!.attemptEnded(code)) return;
    this.connecting = false;
    this.#idle.touch();
    this.#settings.apply(this.#channel!.connection);
    this.emit('connect');
    this.emit('ready');
    if (!this.destroyed && !this.isPaused()) this.read(0);
  }

  // Reading

  /** @internal */
  override _read(size: number): void {
    if (this.connecting || !this.#attached) this.once('connect', () => this._read(size));
    else this.#channel!.startReading();
  }

  #received(connection: Connection): boolean {
    this.#idle.touch();
    return this.#intake.take(connection, this.#push);
  }

  readonly #push = (chunk: Buffer): boolean => this.push(chunk);

  // With `onread` the stream holds nothing back, so the reading itself has to be stopped.

  override pause(): this {
    if (this.#intake.direct && !this.connecting) this.#channel?.stopReading();
    return super.pause();
  }

  override resume(): this {
    this.#readOn();
    return super.resume();
  }

  override read(size?: number): unknown {
    this.#readOn();
    return super.read(size);
  }

  #readOn(): void {
    if (this.#intake.direct && !this.connecting) this.#channel?.startReading();
  }

  // Writing

  /**
   * As in `node:stream`: false asks to wait for 'drain'. After the peer's FIN and our own it fails with EPIPE.
   * @param done told when TCP has taken it all, or why not
   */
  override write(chunk: unknown, encoding?: BufferEncoding | WriteDone, done?: WriteDone): boolean {
    if (this.#peerEnded && this.writableEnded) {
      const error = endedByOtherParty();
      const callback = typeof encoding === 'function' ? encoding : done;
      if (callback !== undefined) process.nextTick(callback, error);
      this.destroy(error);
      return false;
    }
    return super.write(chunk, encoding as BufferEncoding, done);
  }

  /** @internal */
  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: WriteDone): void {
    this.#send([bytesOf({ chunk, encoding })], done);
  }

  /** @internal */
  override _writev(chunks: Chunk[], done: WriteDone): void {
    this.#send(chunks.map(bytesOf), done);
  }

  #send(chunks: readonly Uint8Array[], done: WriteDone): void {
    if (this.connecting) {
      this.#bytesWaiting = chunks.reduce((sum, { length }) => sum + length, 0);
      const closed = () => done(closedBeforeConnection());
      this.once('close', closed);
      this.once('connect', () => {
        this.off('close', closed);
        this.#send(chunks, done);
      });
      return;
    }
    if (!this.#attached) {
      done(socketClosed());
      return;
    }
    this.#idle.touch();
    this.#bytesWaiting = 0;
    for (const chunk of chunks) this.#bytesWritten += chunk.length;
    this.#channel!.write(chunks, (code) => {
      if (code !== null) {
        done(this.#failure(code, 'write'));
        return;
      }
      this.#idle.touch();
      done();
    });
  }

  /** @internal */
  override _final(done: WriteDone): void {
    if (this.pending) {
      this.once('connect', () => this._final(done));
      return;
    }
    this.#channel!.shutdown(done);
  }

  /** What a call has failed with, and what TCP knows about it. */
  #failure(code: string, call: string): SystemError {
    return explained(systemError(code, call), this.#channel?.connection ?? null, code);
  }

  // Ending

  /** @internal */
  override _destroy(error: Error | null, done: WriteDone): void {
    this.connecting = false;
    this.#connecting?.cancel();
    this.#idle.stop();
    const attached = this.#attached;
    if (attached) this.#detach(error !== null && error !== undefined);
    done(error);
    if (!attached) process.nextTick(() => this.emit('close'));
    this.#gone?.();
  }

  #detach(hadError: boolean): void {
    this.#attached = false;
    const closed = () => this.emit('close', hadError);
    if (!this.#channel?.open) setImmediate(closed);
    else if (this.#resetting) this.#channel.reset(closed);
    else this.#channel.close(closed, this.#settings.linger ?? undefined);
    this.#resetting = false;
  }

  /** Writes what is left, ends, and then destroys the socket. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Destroys the socket; the peer gets a RST. */
  resetAndDestroy(): this {
    if (!this.#attached) return this.destroy(socketClosed());
    if (this.connecting) this.once('connect', () => this.#reset());
    else this.#reset();
    return this;
  }

  #reset(): void {
    this.#resetting = true;
    this.destroy();
  }

  // Settings

  /** Emits 'timeout' whenever nothing was read or written for `ms` milliseconds; 0: never. */
  setTimeout(ms: number, listener?: () => void): this {
    if (this.destroyed) return this;
    if (listener !== undefined) checkFunction(listener, 'The "callback" argument');
    this.#idle.set(ms);
    this.timeout = ms;
    if (listener === undefined) return this;
    return ms === 0 ? this.off('timeout', listener) : this.once('timeout', listener);
  }

  /** Has the open socket keep the process alive, as it does at first. */
  ref(): this {
    this.#referenced = true;
    this.#channel?.ref();
    return this;
  }

  /** Lets the process end though the socket is open. */
  unref(): this {
    this.#referenced = false;
    this.#channel?.unref();
    return this;
  }

  // What it says about itself

  /** Not (yet, or any more) connected. */
  override get pending(): boolean {
    return !this.#attached || this.connecting;
  }

  /** Bytes that were written but not yet taken by the connection. */
  get bufferSize(): number {
    return this.#attached ? this.writableLength : (undefined as unknown as number);
  }

  /** Bytes that were taken from the connection. */
  get bytesRead(): number {
    return this.#intake.bytesRead;
  }

  /** Bytes given to `write`, those that still wait included. */
  get bytesWritten(): number {
    const { writableBuffer } = this as unknown as { writableBuffer: readonly Chunk[] };
    return this.#bytesWritten + this.#bytesWaiting + totalBytes(writableBuffer);
  }

  protected override _transport(): TransportSettings {
    return this.#settings;
  }

  protected override _reason(): CloseReason | null {
    return this.#channel?.reason ?? null;
  }

  protected override _latest(): Connection | null {
    return this.#channel?.connection ?? null;
  }

  protected override _isAttached(): boolean {
    return this.#attached;
  }
}
