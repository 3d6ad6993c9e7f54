// The API of net.Server over one listener. Knows events and the words of node:net; must not know how
// connections come about.

import { lookup } from 'node:dns';
import { EventEmitter } from 'node:events';
import { isIP } from 'node:net';
import { getDefaultHighWaterMark } from 'node:stream';
import { promisify } from 'node:util';
import type { TcpConfig } from '../tcp/config.js';
import type { Connection } from '../tcp/connection.js';
import { TcpError } from '../tcp/errors.js';
import { IpAddress } from '../wire/address.js';
import {
  checkMilliseconds,
  checkNumber,
  checkSignal,
  normalizeArguments,
  refuseDescriptor,
  refusePath,
} from './arguments.js';
import { serverListens, serverSockets } from './diagnostics.js';
import {
  alreadyListening,
  checkPort,
  invalidType,
  invalidValue,
  listenError,
  serverNotRunning,
} from './errors.js';
import type { DropArgument, Emit, Listen, ServerEvents } from './events.js';
import type { Host } from './host.js';
import { Listening, type ListeningOptions } from './listening.js';
import type { Socket } from './socket.js';
import {
  type Accepted,
  type SocketAddress,
  type SocketOptions,
  socketAddress,
  wholeSeconds,
} from './socket-options.js';
import { tcpSettings } from './tcp-settings.js';
import { explained } from './trouble.js';

/** Options of `createServer`, as in `node:net`. */
export interface ServerOptions {
  /** Whether sockets stay open for writing after the peer's FIN; default false. */
  allowHalfOpen?: boolean | undefined;
  /** Whether new sockets start paused; default false. */
  pauseOnConnect?: boolean | undefined;
  /** For each new socket: see `setNoDelay`; default false. */
  noDelay?: boolean | undefined;
  /** For each new socket: see `setKeepAlive`; default false. */
  keepAlive?: boolean | undefined;
  /** Idle time before the first probe, ms, in whole seconds; 0 (default): two hours. */
  keepAliveInitialDelay?: number | undefined;
  /** For both sides of each new socket, bytes; default as in `node:stream`. */
  highWaterMark?: number | undefined;
  /** Beyond `node:net`: settings of the connections that differ from those of the stack. */
  tcp?: Partial<TcpConfig> | undefined;
  /** Beyond `node:net`: for each new socket, see `setLinger`; default null. */
  linger?: number | null | undefined;
}

/** Options of `listen`, as in `node:net`. */
export interface ListenOptions {
  /** 0 or nothing: any free port. */
  port?: number | string | null | undefined;
  /** Address, or a name to look up; all addresses of the stack when omitted. */
  host?: string | undefined;
  /** Connections that may wait to be accepted; default 511. */
  backlog?: number | undefined;
  /** As in `node:net`: whether the workers of a cluster leave the port to this server; here they always do. */
  exclusive?: boolean | undefined;
  /** With the host `::`: whether IPv4 is left to others; default false. */
  ipv6Only?: boolean | undefined;
  /** Closes the server when aborted. */
  signal?: AbortSignal | undefined;
}

/** Told of each connection that a server accepts. */
export type ConnectionListener = (socket: Socket) => void;
/** Makes the sockets of a server. */
export type MakeSocket = (options: SocketOptions, accepted: Accepted) => Socket;

const DEFAULT_BACKLOG = 511;

/** What `listen` asks for, besides the address. */
type Wanted = Pick<ListeningOptions, 'port' | 'backlog' | 'ipv6Only' | 'tcp'>;

/** What the class below has of EventEmitter, with the types of its events. */
export interface Server {
  /** Tells `listener` each time; known events have arguments with types. */
  on: Listen<ServerEvents<Socket>, this>;
  /** Tells `listener` the next time only. */
  once: Listen<ServerEvents<Socket>, this>;
  /** The same as `on`. */
  addListener: Listen<ServerEvents<Socket>, this>;
  /** As `on`, before the listeners that there are. */
  prependListener: Listen<ServerEvents<Socket>, this>;
  /** As `once`, before the listeners that there are. */
  prependOnceListener: Listen<ServerEvents<Socket>, this>;
  /** Tells all listeners; answers whether there are any. */
  emit: Emit<ServerEvents<Socket>>;
}

/**
 * A server as in `node:net` of Node 20:
 * https://nodejs.org/docs/latest-v20.x/api/net.html#class-netserver
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: all that the interface says is there
export class Server extends EventEmitter {
  /** Beyond so many connections new ones are closed at once, with 'drop'; 0 or nothing: no limit. */
  declare maxConnections: number;
  /** @deprecated As in Node 20 it is always undefined; `getConnections` tells the number. */
  declare readonly connections: number;
  /** The option of the same name, for sockets to come; as those that follow. */
  allowHalfOpen: boolean;
  /** Whether new sockets start paused. */
  pauseOnConnect: boolean;
  /** Whether Nagle's algorithm is off. */
  noDelay: boolean;
  /** Whether the peers of idle connections are asked if they are still there. */
  keepAlive: boolean;
  /** Whole seconds, as in `node:net`; the option is in milliseconds. */
  keepAliveInitialDelay: number;
  /** Of both sides of a socket, bytes; default as in `node:stream`. */
  highWaterMark: number;
  /** Beyond `node:net`: see `Socket.setLinger`; default null. */
  linger: number | null;

  readonly #tcp: Partial<TcpConfig>;
  readonly #host: Host;
  readonly #makeSocket: MakeSocket;
  #listening: Listening | null = null;
  /** Each call of `listen` and `close` makes those before it void. */
  #call = 0;
  #referenced = true;
  #connections = 0;

  constructor(
    host: Host,
    makeSocket: MakeSocket,
    options?: ServerOptions | ConnectionListener | null,
    listener?: ConnectionListener,
  ) {
    super();
    if (typeof options !== 'function' && typeof (options ?? {}) !== 'object') {
      throw invalidType('The "options" argument', 'of type object', options);
    }
    const onConnection = typeof options === 'function' ? options : listener;
    const settings = typeof options === 'function' ? {} : (options ?? {});
    if (typeof onConnection === 'function') this.on('connection', onConnection);
    for (const name of ['keepAliveInitialDelay', 'highWaterMark'] as const) {
      const value = settings[name];
      if (value !== undefined) checkNumber(value, `The "options.${name}" property`);
    }
    this.#host = host;
    this.#makeSocket = makeSocket;
    this.allowHalfOpen = settings.allowHalfOpen || false;
    this.pauseOnConnect = Boolean(settings.pauseOnConnect);
    this.noDelay = Boolean(settings.noDelay);
    this.keepAlive = Boolean(settings.keepAlive);
    this.keepAliveInitialDelay = wholeSeconds(Math.max(settings.keepAliveInitialDelay ?? 0, 0));
    const { highWaterMark = -1 } = settings;
    this.highWaterMark = highWaterMark < 0 ? getDefaultHighWaterMark(false) : highWaterMark;
    this.linger = settings.linger ?? null;
    if (this.linger !== null) checkMilliseconds(this.linger, 'options.linger', 0);
    this.#tcp = tcpSettings(settings.tcp);
  }

  // Listening

  /**
   * Listens for connections, in the forms of `net.Server.listen`. 'listening' or 'error' tells what has
   * become of it: EADDRINUSE, EADDRNOTAVAIL, or what the look-up of the host says.
   * @param port 0 or nothing: any free one
   * @param host address or name; default: all addresses of the stack
   * @param backlog connections that may wait to be accepted; default 511
   * @param listener once told of 'listening'
   * @throws Error ERR_SERVER_ALREADY_LISTEN; TypeError, RangeError for arguments that make no sense
   */
  listen(port?: number | string, host?: string, backlog?: number, listener?: () => void): this;
  /** With a backlog of 511. */
  listen(port?: number | string, host?: string, listener?: () => void): this;
  /** On all addresses of the stack. */
  listen(port?: number | string, backlog?: number, listener?: () => void): this;
  /** On all addresses of the stack, with a backlog of 511. */
  listen(port?: number | string, listener?: () => void): this;
  /** With options, among them `signal` and `ipv6Only`. */
  listen(options: ListenOptions, listener?: () => void): this;
  /** On any free port. */
  listen(listener?: () => void): this;
  listen(...args: unknown[]): this {
    const { options, callback } = normalizeArguments<ListenOptions>(args);
    if (this.#listening !== null) throw alreadyListening();
    if (serverListens.hasSubscribers) serverListens.asyncStart.publish({ server: this, options });
    if (callback !== null) this.once('listening', callback);
    this.#call += 1;
    if (options.signal !== undefined) this.#closeOn(options.signal);
    const port = portToListenOn(options, args);
    const given = [options.backlog, args[1], args[2]].map(Number).find((number) => number > 0);
    const wanted = { port, backlog: given ?? DEFAULT_BACKLOG, tcp: this.#tcp };
    if (!options.host) this.#open(null, { ...wanted, ipv6Only: false });
    else this.#lookUp(options.host, { ...wanted, ipv6Only: options.ipv6Only === true });
    return this;
  }

  #closeOn(signal: unknown): void {
    checkSignal(signal, 'The "options.signal" property');
    const abort = () => void this.close();
    if (signal.aborted) {
      process.nextTick(abort);
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    this.once('close', () => signal.removeEventListener('abort', abort));
  }

  #lookUp(host: string, wanted: Wanted): void {
    const call = this.#call;
    const found = (error: Error | null, address: string) => {
      if (call !== this.#call) return;
      if (error) this.emit('error', error);
      else this.#open(address, wanted);
    };
    if (isIP(host)) process.nextTick(found, null, host);
    else lookup(host, found);
  }

  /** @param address null, `::` and `0.0.0.0` mean all addresses of the stack */
  #open(address: string | null, wanted: Wanted): void {
    const shown = address ?? (this.#host.hasIpv6 ? '::' : '0.0.0.0');
    try {
      if (this.#host.closed) throw new TcpError('ENETDOWN', 'the stack is closed');
      this.#listening = new Listening(this.#host, shown, {
        ...wanted,
        address: IpAddress.parse(shown),
        onConnection: (connection) => this.#accept(connection),
        closeInOrder: () => void this.close(),
      });
    } catch (error) {
      if (!(error instanceof TcpError)) throw error;
      this.#failed(error, shown, wanted.port);
      return;
    }
    const listening = this.#listening;
    if (serverListens.hasSubscribers) serverListens.asyncEnd.publish({ server: this });
    listening.keepAlive(this.#referenced);
    process.nextTick(() => {
      if (this.#listening === listening) this.emit('listening');
    });
  }

  #failed({ code, message }: TcpError, shown: string, port: number): void {
    const error = explained(listenError(code, shown, port), null, code, message);
    if (serverListens.hasSubscribers) serverListens.error.publish({ server: this, error });
    process.nextTick(() => this.emit('error', error));
  }

  #accept(connection: Connection): void {
    if (this.maxConnections && this.#connections >= this.maxConnections) {
      this.emit('drop', dropArgument(connection));
      connection.close();
      return;
    }
    this.#connections += 1;
    const accepted = {
      connection,
      server: this,
      pause: this.pauseOnConnect,
      gone: () => this.#socketGone(),
    };
    const socket = this.#makeSocket(this.#socketOptions(), accepted);
    this.emit('connection', socket);
    if (serverSockets.hasSubscribers) serverSockets.publish({ socket });
  }

  #socketOptions(): SocketOptions {
    const { allowHalfOpen, noDelay, keepAlive, highWaterMark, linger } = this;
    const keepAliveInitialDelay = this.keepAliveInitialDelay * 1000;
    return { allowHalfOpen, noDelay, keepAlive, keepAliveInitialDelay, highWaterMark, linger };
  }

  #socketGone(): void {
    this.#connections -= 1;
    this.#closeIfDrained();
  }

  // Closing

  /** Accepts no more; 'close' comes when the last connection is gone. */
  close(listener?: (error?: Error) => void): this {
    this.#call += 1;
    if (typeof listener === 'function') {
      const running = this.#listening !== null;
      this.once('close', running ? listener : () => listener(serverNotRunning()));
    }
    this.#listening?.close();
    this.#listening = null;
    this.#closeIfDrained();
    return this;
  }

  #closeIfDrained(): void {
    if (this.#listening !== null || this.#connections > 0) return;
    process.nextTick(() => this.emit('close'));
  }

  /** For `await using`: closes the server, and waits for its last connection; ESNext. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.listening) await promisify((done: (error?: Error) => void) => this.close(done))();
  }

  /** With `captureRejections`: a listener's promise was rejected. */
  override [EventEmitter.captureRejectionSymbol](
    error: Error,
    event: string,
    socket?: Socket,
  ): void {
    if (event === 'connection') socket?.destroy(error);
    else this.emit('error', error);
  }

  // What it says about itself

  /** Whether it listens. */
  get listening(): boolean {
    return this.#listening !== null;
  }

  /** Where it listens; null when it does not. */
  address(): Required<SocketAddress> | null {
    return this.#listening?.address ?? null;
  }

  /** How many sockets it has that are not destroyed; told in a later turn. The error is always null. */
  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#connections);
    return this;
  }

  /** Has the listening server keep the process alive, as it does at first. */
  ref(): this {
    this.#referenced = true;
    this.#listening?.keepAlive(true);
    return this;
  }

  /** Lets the process end though the server listens. */
  unref(): this {
    this.#referenced = false;
    this.#listening?.keepAlive(false);
    return this;
  }
}

/** `listen()`, `listen(callback)` and an explicit null or undefined ask for any free port. */
function portToListenOn(options: ListenOptions, args: readonly unknown[]): number {
  const { port } = options;
  refuseDescriptor(options);
  const any = args.length === 0 || typeof args[0] === 'function';
  if (any || port === null || (port === undefined && 'port' in options)) return 0;
  if (typeof port === 'number' || typeof port === 'string') return checkPort(port, 'options.port');
  if ('path' in options) refusePath(options.path);
  const reason = 'port' in options ? 'is invalid' : 'must have the property "port" or "path"';
  throw invalidValue("The argument 'options'", options, reason);
}

/** What 'drop' tells. */
function dropArgument(connection: Connection): DropArgument {
  const { localAddress, localPort, remoteAddress, remotePort } = connection;
  const local = socketAddress(localAddress, localPort);
  const remote = socketAddress(remoteAddress, remotePort);
  return {
    localAddress: local.address,
    localPort: local.port,
    localFamily: local.family,
    remoteAddress: remote.address,
    remotePort: remote.port,
    remoteFamily: remote.family,
  };
}
