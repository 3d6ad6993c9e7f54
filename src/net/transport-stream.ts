// What can be set about a socket's connection, before there is one or while it is there. Knows settings;
// must not know how bytes flow or connections come about.

import type { TcpConfig } from '../tcp/config.js';
import { checkMilliseconds } from './arguments.js';
import { EndpointStream } from './endpoint-stream.js';
import type { TransportSettings } from './socket-options.js';

/** The settings of a socket, as methods. */
export abstract class TransportStream extends EndpointStream {
  /** What is set, for the present connection and the next ones. */
  protected abstract _transport(): TransportSettings;

  /**
   * Whether each write is sent at once, rather than held back while little is in flight and not yet
   * acknowledged (Nagle's algorithm, RFC 9293 §3.7.4). As in `node:net`.
   * @param enable default true
   */
  setNoDelay(enable?: boolean): this {
    this._transport().noDelay = enable === undefined || Boolean(enable);
    return this.#apply();
  }

  /**
   * Whether the peer of an idle connection is asked now and then if it is still there (RFC 9293
   * §3.8.4). As in `node:net`.
   * @param enable default false
   * @param initialDelay idle time before the first probe, ms, in whole seconds; with it the probes are 1 s
   *   apart, and 10 of them without an answer end the connection. 0 (default): the stack's settings
   *   (two hours, 75 s, 9).
   */
  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this._transport().setKeepAlive(Boolean(enable), initialDelay ?? 0);
    return this.#apply();
  }

  /**
   * Beyond `node:net`, as SO_LINGER: how long the end of what was sent may stay unacknowledged once the
   * socket is destroyed. Then the connection is given up with a RST.
   * @param ms milliseconds; 0: `destroy()` sends a RST at once, and no TIME-WAIT follows; null (default):
   *   as long as the stack's `userTimeout`
   * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
   */
  setLinger(ms: number | null): this {
    if (ms !== null) checkMilliseconds(ms, 'ms', 0);
    this._transport().linger = ms;
    return this;
  }

  /**
   * Beyond `node:net`: the maximum segment lifetime of this connection. It stays in TIME-WAIT for two of
   * it, if it is the side that closes first (RFC 9293 §3.6.1).
   * @param ms milliseconds; default 30,000, or what the stack was opened with
   * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
   */
  setMsl(ms: number): this {
    checkMilliseconds(ms, 'ms', 0);
    this._transport().msl = ms;
    return this.#apply();
  }

  /**
   * Beyond `node:net`, as TCP_CONGESTION: what decides how much may be in flight. The window stays as it
   * is; from now on it grows and shrinks by the rules of the new controller.
   * @param name `cubic` (RFC 9438, the default) or `newreno` (RFC 5681)
   * @throws RangeError for another name
   */
  setCongestionControl(name: TcpConfig['congestion']): this {
    this._transport().setCongestionControl(name);
    return this.#apply();
  }

  #apply(): this {
    const connection = this._latest();
    if (connection !== null) this._transport().apply(connection);
    return this;
  }
}
