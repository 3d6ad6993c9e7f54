// A connection of ours in the shape of the handle that sits inside each net.Socket of Node's. Knows
// what lib/net.js wants of a handle, and channels; must not know which connections are ours.

import { EventEmitter } from 'node:events';
import { Channel, type ChannelEvents } from '../net/channel.js';
import type { DialFailure } from '../net/connecting.js';
import { dialFailed, peerOf, whyNotBound, whyNotDialed } from '../net/dialing.js';
import type { Stack } from '../net/stack.js';
import type { Connection } from '../tcp/connection.js';
import { IpAddress } from '../wire/address.js';
import { type End, fillIn } from './ends.js';
import {
  type ConnectRequest,
  errnoOf,
  JSStream,
  kArrayBufferOffset,
  kBytesWritten,
  kLastWriteWasAsync,
  kReadBytesOrError,
  type NativeStream,
  ownerSymbol,
  type Request,
  type StreamOwner,
  streamBaseState,
  TCP,
} from './internals.js';
import { encoded, Outgoing } from './outgoing.js';

/** Bytes that are read at once. */
const MAX_CHUNK = 65_536;
/** For bytes on their way into native code, which keeps a copy; one for all connections. */
const scratch = Buffer.allocUnsafeSlow(MAX_CHUNK);

const ANY_IPV4 = IpAddress.parse('0.0.0.0')!;
const ANY_IPV6 = IpAddress.parse('::')!;
/** What is to be known of `Target` besides: `bind` has looked at it. */
const NOT_BOUND = { localAddress: undefined, localPort: undefined };
const INVALID = errnoOf('EINVAL');
const NOT_CONNECTED = errnoOf('ENOTCONN');

/** What the socket of a handle does when its stack goes down. */
interface Owner {
  destroySoon(): void;
  destroy(): void;
}

/**
 * A stream that Node's own classes take for a TCP handle: lib/net.js calls it by JavaScript, and TLS, HTTP/2
 * and the HTTP parser natively, as the JSStream that it is. Each method answers 0 or a negative errno.
 */
export class StackHandle extends JSStream implements StreamOwner {
  /** The socket; the accessor stands in `TCP.prototype`. */
  declare owner: unknown;
  /** The native stream that reads in place of a socket: TLS. Errors go to whoever reads from that. */
  reader: (NativeStream & { [ownerSymbol]: unknown }) | null = null;

  /** What the stack said when it could not even begin to connect. */
  refusal = '';

  readonly #stack: Stack;
  /** Whether IPv4 addresses are shown as those of a socket of family IPv6. */
  readonly #mapped: boolean;
  #channel: Channel<StackHandle> | null = null;
  /** Address and port of ours to connect from, as `bind` was told. */
  #bound: { address: IpAddress | null; port: number } = { address: null, port: 0 };
  #connecting: ConnectRequest | null = null;
  readonly #outgoing = new Outgoing();
  #bytesWritten = 0;
  /** Whether native code reads, or may do so: it has asked. */
  #consumed = false;
  /** Of a socket with `onread`. */
  #userBuffer: Uint8Array | null = null;
  #bytesRead = 0;
  #referenced = true;
  #closed = false;

  constructor(stack: Stack, mapped: boolean) {
    super();
    this.#stack = stack;
    this.#mapped = mapped;
  }

  /** The handle of a connection that a listener accepted. */
  static accept(stack: Stack, connection: Connection, mapped: boolean): StackHandle {
    const handle = new StackHandle(stack, mapped);
    handle.#use(Channel.accept(stack, StackHandle.#events, handle, connection));
    return handle;
  }

  static readonly #events: ChannelEvents<StackHandle> = {
    connected: (handle, code) => handle.#connected(code),
    readable: (handle, connection) => handle.#read(connection),
    ended: (handle) => handle.emitEOF(),
    broken: (handle, code) => handle.#tellReader(errnoOf(code)),
    watchesStates: (handle) => handle.#sockets().some((s) => s.listenerCount('tcpstate') > 0),
    moved: (handle, to, from) => {
      for (const socket of handle.#sockets()) socket.emit('tcpstate', to, from);
    },
    closeInOrder: (handle) => (handle.owner as Owner).destroySoon(),
    abort: (handle) => {
      handle.#channel?.connection.abort();
      (handle.owner as Owner).destroy();
    },
  };

  /** The socket, and that of TLS above it. */
  #sockets(): EventEmitter[] {
    const sockets = new Set([this.owner, this.reader?.[ownerSymbol]]);
    return [...sockets].filter((socket) => socket instanceof EventEmitter);
  }

  /** The connection, also after it was closed; null before there is one. */
  get channel(): Channel<StackHandle> | null {
    return this.#channel;
  }

  // Connecting

  bind(address: string, port: number): number {
    const local = IpAddress.parse(address);
    if (local === null) return INVALID;
    const target = { address, family: local.family, localPort: port };
    const failure = whyNotBound(this.#stack, target, address);
    this.#bound = { address: local, port };
    return failure === null ? 0 : errnoOf(failure.code);
  }

  bind6(address: string, port: number): number {
    return this.bind(address, port);
  }

  connect(request: ConnectRequest, address: string, port: number): number {
    const given = IpAddress.parse(address);
    if (given === null) return INVALID;
    if (this.#channel?.open) return this.#connectAgain(request, this.#channel);
    this.#bound.address ??= given.family === 6 ? ANY_IPV6 : ANY_IPV4;
    const target = { address, family: given.family, port, ...NOT_BOUND };
    const remote = peerOf(this.#stack, target);
    const failure = whyNotDialed(this.#stack, target, remote) ?? this.#dial(remote, port);
    if (failure !== null) {
      this.refusal = failure.words;
      return errnoOf(failure.code);
    }
    this.#connecting = request;
    return 0;
  }

  connect6(request: ConnectRequest, address: string, port: number): number {
    return this.connect(request, address, port);
  }

  #dial(remote: IpAddress, remotePort: number): DialFailure | null {
    if (remotePort === 0) {
      // Nobody can listen there; the kernel asks all the same, and is refused.
      setImmediate(() => this.#connected('ECONNREFUSED'));
      return null;
    }
    const { address: local, port: localPort } = this.#bound;
    const ends = { remote, remotePort, local, localPort };
    try {
      this.#use(Channel.connect(this.#stack, StackHandle.#events, this, ends));
      return null;
    } catch (error) {
      return dialFailed(error);
    }
  }

  /** As libuv: a socket that is connected already says so once more, and goes on as it is. */
  #connectAgain(request: ConnectRequest, { established }: Channel<StackHandle>): number {
    if (!established) return errnoOf('EALREADY');
    this.#connecting = request;
    setImmediate(() => this.#connected(null));
    return 0;
  }

  #use(channel: Channel<StackHandle>): void {
    this.#channel = channel;
    this.#outgoing.open(channel);
    if (!this.#referenced) channel.unref();
  }

  #connected(code: string | null): void {
    const request = this.#connecting;
    this.#connecting = null;
    request?.oncomplete?.(code === null ? 0 : errnoOf(code), this, request, true, true);
  }

  // Reading

  onreadstart(): number {
    this.#channel?.startReading();
    return 0;
  }

  onreadstop(): number {
    this.#channel?.stopReading();
    return 0;
  }

  /** HTTP and HTTP/2 ask whether they can read natively, and do it then. */
  get isStreamBase(): boolean {
    this.expectNativeReader();
    return true;
  }

  /** From now on bytes go through the native stream, whoever reads there. */
  expectNativeReader(): void {
    this.#consumed = true;
  }

  override useUserBuffer(buffer: Uint8Array): void {
    this.#userBuffer = buffer;
  }

  override get bytesRead(): number {
    return this.#bytesRead + super.bytesRead;
  }

  #read(connection: Connection): boolean {
    if (this.#consumed) {
      const bytes = connection.read(scratch);
      this.readBuffer(scratch.subarray(0, bytes));
    } else if (this.#userBuffer === null) {
      this.#readForSocket(connection);
    } else {
      this.#readForUser(connection, this.#userBuffer);
    }
    return true;
  }

  /** Without the copy that `readBuffer` makes: what lib/internal/stream_base_commons.js would be told. */
  #readForSocket(connection: Connection): void {
    const chunk = Buffer.allocUnsafe(Math.min(connection.readable, MAX_CHUNK));
    streamBaseState[kArrayBufferOffset] = chunk.byteOffset;
    this.#tellSocket(connection.read(chunk), chunk.buffer as ArrayBuffer);
  }

  /** The socket answers with its next buffer, where it has several. */
  #readForUser(connection: Connection, buffer: Uint8Array): void {
    const next = this.#tellSocket(connection.read(buffer));
    if (next instanceof Uint8Array) this.#userBuffer = next;
  }

  #tellSocket(bytes: number, data?: ArrayBuffer): unknown {
    this.#bytesRead += bytes;
    streamBaseState[kReadBytesOrError] = bytes;
    return this.onread!(data);
  }

  /** A JSStream can tell of data and of their end, not of an error. */
  #tellReader(status: number): void {
    streamBaseState[kReadBytesOrError] = status;
    const reader = this.reader ?? this;
    reader.onread!();
  }

  // Writing: what comes from lib/net.js is not copied on its way, and may be done at once

  writeBuffer(request: Request, data: Uint8Array): number {
    return this.#write(request, [data], data.length);
  }

  writeUtf8String(request: Request, text: string): number {
    return this.writeBuffer(request, Buffer.from(text, 'utf8'));
  }

  writeLatin1String(request: Request, text: string): number {
    return this.writeBuffer(request, Buffer.from(text, 'latin1'));
  }

  writeAsciiString(request: Request, text: string): number {
    return this.writeBuffer(request, Buffer.from(text, 'latin1'));
  }

  writeUcs2String(request: Request, text: string): number {
    return this.writeBuffer(request, Buffer.from(text, 'ucs2'));
  }

  /** @param items buffers, or one after the other data and encoding */
  writev(request: Request, items: readonly unknown[], allBuffers: boolean): number {
    const chunks = allBuffers ? (items as Uint8Array[]) : encoded(items);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return this.#write(request, chunks, bytes);
  }

  #write(request: Request, chunks: readonly Uint8Array[], bytes: number): number {
    let status: number | null = null;
    let returned = false;
    this.#outgoing.write(chunks, (result) => {
      if (returned) request.oncomplete?.(result, this);
      else status = result;
    });
    returned = true;
    this.#bytesWritten += bytes;
    streamBaseState[kBytesWritten] = bytes;
    streamBaseState[kLastWriteWasAsync] = status === null ? 1 : 0;
    return status ?? 0;
  }

  /** From native code, which must not be answered before it has left its own call. */
  onwrite(request: object, chunks: Uint8Array[]): number {
    let returned = false;
    this.#outgoing.write(chunks, (status) => {
      if (returned) this.finishWrite(request, status);
      else setImmediate(() => this.finishWrite(request, status));
    });
    returned = true;
    return 0;
  }

  onshutdown(request: object): number {
    if (this.#channel === null || this.#closed) return NOT_CONNECTED;
    this.#outgoing.shutdown((status) => this.finishShutdown(request, status));
    return 0;
  }

  // Closing

  isClosing(): boolean {
    return this.#closed;
  }

  close(closed?: () => void): void {
    this.#end(closed, (channel, done) => channel.close(done));
  }

  /** Closes with a RST. */
  reset(closed?: () => void): number {
    this.#end(closed, (channel, done) => channel.reset(done));
    return 0;
  }

  #end(
    closed: (() => void) | undefined,
    end: (channel: Channel<StackHandle>, done: () => void) => void,
  ): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outgoing.close();
    const finish = () => {
      this.#connected('ECANCELED');
      this.#outgoing.cancel();
      closed?.call(this);
    };
    if (this.#channel?.open) end(this.#channel, finish);
    else setImmediate(finish);
  }

  // Settings and questions

  ref(): void {
    this.#referenced = true;
    this.#channel?.ref();
  }

  unref(): void {
    this.#referenced = false;
    this.#channel?.unref();
  }

  hasRef(): boolean {
    return this.#referenced && !this.#closed;
  }

  setNoDelay(enable: boolean): number {
    if (this.#channel !== null) this.#channel.connection.noDelay = enable;
    return 0;
  }

  /** @param delay seconds; Node sets TCP_KEEPINTVL to 1 s and TCP_KEEPCNT to 10 with it */
  setKeepAlive(enable: boolean, delay: number): number {
    const connection = this.#channel?.connection;
    if (delay > 0) connection?.setKeepAlive(enable, delay * 1000, 1000, 10);
    else if (connection?.keepsAlive !== enable) connection?.setKeepAlive(enable);
    return 0;
  }

  getsockname(out: End): number {
    const connection = this.#channel?.connection;
    const address = connection?.localAddress ?? this.#bound.address;
    if (address === null) return NOT_CONNECTED;
    fillIn(out, address, connection?.localPort ?? this.#bound.port, this.#mapped);
    return 0;
  }

  getpeername(out: End): number {
    const connection = this.#channel?.connection;
    if (connection === undefined) return NOT_CONNECTED;
    fillIn(out, connection.remoteAddress, connection.remotePort, this.#mapped);
    return 0;
  }

  override get bytesWritten(): number {
    return this.#bytesWritten + super.bytesWritten;
  }

  /** Bytes that still wait; lib/net.js compares it to see whether a long write makes progress. */
  get writeQueueSize(): number {
    return this.bytesWritten - (this.#channel?.bytesTaken ?? 0);
  }
}

// Node asks `handle instanceof TCP` before it resets a connection. So copies of the methods of JSStream stand
// between ours and those of TCP, of which no native one may be called. `onread` is an accessor in disguise.
const prototype = JSStream.prototype as NativeStream;
const { onread: _, ...methods } = Object.getOwnPropertyDescriptors(prototype);
Object.setPrototypeOf(
  StackHandle.prototype,
  Object.create(TCP.prototype, {
    ...methods,
    onread: {
      get: function (this: NativeStream) {
        return Reflect.get(prototype, 'onread', this);
      },
      set: function (this: NativeStream, onread: unknown) {
        Reflect.set(prototype, 'onread', onread, this);
      },
    },
  }),
);
