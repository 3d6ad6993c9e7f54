// Options of sockets and what they mean for a connection. Knows the words of node:net; must not know
// streams or events.

import type { DuplexOptions } from 'node:stream';
import type { TcpConfig } from '../tcp/config.js';
import type { Connection } from '../tcp/connection.js';
import { controllerNamed } from '../tcp/controllers.js';
import type { IpAddress } from '../wire/address.js';
import { checkMilliseconds, checkNumber, refuseDescriptor } from './arguments.js';
import type { ConnectOptions } from './connecting.js';
import { invalidValue } from './errors.js';
import type { OnReadOptions } from './intake.js';

/** Options of `new Socket`, as in `node:net`; pipes and file descriptors are not for TCP. */
export interface SocketOptions extends DuplexOptions {
  /** False: nothing is read; default true. */
  readable?: boolean | undefined;
  /** Stop Nagle's algorithm; default false. */
  noDelay?: boolean | undefined;
  /** Probe an idle connection; default false. */
  keepAlive?: boolean | undefined;
  /** Idle time before the first probe, ms, in whole seconds; 0 (default): two hours. */
  keepAliveInitialDelay?: number | undefined;
  /** Bytes go into this buffer instead of being told by 'data'; default: they are told. */
  onread?: OnReadOptions | null | undefined;
  /** Beyond `node:net`: the same as `setLinger(linger)`; default null. */
  linger?: number | null | undefined;
}

/** Options of `connect`, as in `node:net`. */
export interface SocketConnectOptions extends ConnectOptions, SocketOptions {
  /** The same as `setTimeout(timeout)`. */
  timeout?: number | undefined;
}

/** An end of a connection; empty where there is none. */
export interface SocketAddress {
  /** As text: `10.9.0.2`, `fd09::2`. */
  address?: string;
  /** Of the address. */
  family?: 'IPv4' | 'IPv6';
  /** 1 to 65535. */
  port?: number;
}

/** A connection that a listener accepted, for the socket that will have it. */
export interface Accepted {
  readonly connection: Connection;
  readonly server: object;
  readonly pause: boolean;
  /** Called once, when the socket is destroyed. */
  readonly gone: () => void;
}

export function socketAddress(address: IpAddress, port: number) {
  const family: 'IPv4' | 'IPv6' = address.family === 6 ? 'IPv6' : 'IPv4';
  return { address: address.toString(), family, port };
}

export function checkSocketOptions(options: SocketOptions): void {
  for (const name of ['objectMode', 'readableObjectMode', 'writableObjectMode'] as const) {
    if (options[name]) {
      throw invalidValue(`The property 'options.${name}'`, options[name], 'is not supported');
    }
  }
  refuseDescriptor(options);
  if (options.keepAliveInitialDelay !== undefined) {
    checkNumber(options.keepAliveInitialDelay, 'The "options.keepAliveInitialDelay" property');
  }
  const { linger } = options;
  if (linger !== undefined && linger !== null) checkMilliseconds(linger, 'options.linger', 0);
}

/** Milliseconds as whole seconds, 1999 as 1; what cannot be waited for as 0. */
export function wholeSeconds(ms: number): number {
  return Math.trunc(ms / 1000) || 0;
}

/** Settings that may be made before there is a connection. */
export class TransportSettings {
  noDelay: boolean;
  /** Milliseconds; null: the user timeout alone. */
  linger: number | null;
  /** Milliseconds; null: as the connection was opened with. */
  msl: number | null = null;
  #congestion: TcpConfig['congestion'] | null = null;
  #keepAlive: boolean;
  #keepAliveDelay: number;

  constructor(options: SocketOptions) {
    this.noDelay = Boolean(options.noDelay);
    this.linger = options.linger ?? null;
    this.#keepAlive = Boolean(options.keepAlive);
    this.#keepAliveDelay = wholeSeconds(options.keepAliveInitialDelay ?? 0) * 1000;
  }

  setKeepAlive(enable: boolean, initialDelay: number): void {
    this.#keepAlive = enable;
    this.#keepAliveDelay = wholeSeconds(initialDelay) * 1000;
  }

  /** @throws RangeError for a name that no controller has */
  setCongestionControl(name: TcpConfig['congestion']): void {
    this.#congestion = controllerNamed(name).name as TcpConfig['congestion'];
  }

  /** Node sets TCP_KEEPIDLE, and with it TCP_KEEPINTVL to 1 s and TCP_KEEPCNT to 10. */
  apply(connection: Connection): void {
    const delay = this.#keepAliveDelay;
    connection.noDelay = this.noDelay;
    if (this.msl !== null) connection.mslMs = this.msl;
    if (this.#congestion !== null) connection.setCongestionControl(this.#congestion);
    if (delay > 0) connection.setKeepAlive(this.#keepAlive, delay, 1000, 10);
    else if (connection.keepsAlive !== this.#keepAlive) connection.setKeepAlive(this.#keepAlive);
  }
}
