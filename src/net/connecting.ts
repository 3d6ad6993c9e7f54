// From a host and a port to a connection: look-up, and one attempt after another. Knows names and
// addresses; must not know streams.

import {
  ADDRCONFIG,
  type LookupAddress,
  type LookupOptions,
  lookup as systemLookup,
} from 'node:dns';
import {
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  type LookupFunction,
} from 'node:net';
import type { TcpConfig } from '../tcp/config.js';
import type { Connection } from '../tcp/connection.js';
import { checkBoolean, checkFunction, checkMilliseconds, checkNumber } from './arguments.js';
import {
  addressError,
  checkPort,
  connectError,
  invalidAddress,
  invalidFamily,
  invalidType,
  type SystemError,
} from './errors.js';
import { explained } from './trouble.js';

/** Where to connect to, as for `net.connect`. */
export interface ConnectOptions {
  /** 1 to 65535, as a number or in words; there is no default. */
  port?: number | string | undefined;
  /** Refused: pipes are no TCP. */
  path?: string | null | undefined;
  /** Address, or a name to look up; 'localhost' when omitted. */
  host?: string | undefined;
  /** Address of ours to connect from; default: the one nearest to the peer. */
  localAddress?: string | undefined;
  /** Port of ours to connect from; default: any free one. */
  localPort?: number | undefined;
  /** 4 or 6: the family to look a name up in; 0 (default): both. */
  family?: number | string | undefined;
  /** Flags of `dns.lookup`. */
  hints?: number | undefined;
  /** In place of `dns.lookup`. */
  lookup?: LookupFunction | undefined;
  /** Whether to try all addresses of a name, families in turn (RFC 8305); default as in `node:net`. */
  autoSelectFamily?: boolean | undefined;
  /** How long one of several addresses is tried, ms; default 250, at least 10. */
  autoSelectFamilyAttemptTimeout?: number | undefined;
  /** Settings of this connection that differ from those of the stack. */
  tcp?: Partial<TcpConfig> | undefined;
}

/** One attempt. */
export interface Target {
  address: string;
  family: 4 | 6;
  port: number;
  localAddress: string | undefined;
  localPort: number | undefined;
}

/** The socket that is to be connected. */
export interface Connectable {
  readonly connecting: boolean;
  autoSelectFamilyAttemptedAddresses?: string[];
  emit(event: string, ...args: unknown[]): boolean;
  destroy(error: Error): unknown;
}

/** Why an attempt cannot even begin. */
export interface DialFailure {
  /** The call that fails in `node:net`. */
  call: 'bind' | 'connect';
  /** Name of the error: `EADDRINUSE`. */
  code: string;
  /** What the stack says about it; may be empty. */
  words: string;
  /** Where it would speak from, where that is not what was asked for: `10.9.0.2:5000`. */
  local?: string;
}

/** What makes its connections. */
export interface Dialer {
  /** Begins an attempt; answers what is known at once to be wrong. */
  dial(target: Target): DialFailure | null;
  /** The connection of the attempt that has begun last. */
  dialed(): Connection | null;
  /** Gives the attempt up. */
  hangUp(): void;
  /** Something happened: the idle timer starts anew. */
  touch(): void;
}

const MIN_ATTEMPT_MS = 10;

/** The way of one socket to its peer, from `connect` until it is connected or has failed. */
export class Connecting {
  readonly #socket: Connectable;
  readonly #dialer: Dialer;
  readonly #options: ConnectOptions;
  readonly #host: string;
  readonly #port: number;
  readonly #attemptMs: number;
  #targets: LookupAddress[] = [];
  #next = 0;
  readonly #errors: Error[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @throws TypeError and RangeError as `net.connect` does */
  constructor(socket: Connectable, dialer: Dialer, options: ConnectOptions) {
    checkOptions(options);
    this.#socket = socket;
    this.#dialer = dialer;
    this.#options = options;
    this.#host = options.host || 'localhost';
    this.#port = checkPort(options.port, 'Port');
    this.#attemptMs = Math.max(
      options.autoSelectFamilyAttemptTimeout ?? getDefaultAutoSelectFamilyAttemptTimeout(),
      MIN_ATTEMPT_MS,
    );
  }

  start(): void {
    const family = isIP(this.#host);
    if (family !== 0) {
      process.nextTick(() => {
        if (this.#socket.connecting) this.#tryAll([{ address: this.#host, family }]);
      });
      return;
    }
    const { localAddress, autoSelectFamily = getDefaultAutoSelectFamily() } = this.#options;
    const lookup = (this.#options.lookup ?? systemLookup) as LookupFunction;
    const options = this.#lookupOptions();
    if (options.family || localAddress || !autoSelectFamily) {
      lookup(this.#host, options, (error, address, family) => {
        this.#socket.emit('lookup', error, address, family, this.#host);
        this.#lookedUp(error, error ? [] : [{ address: address as string, family: family! }]);
      });
      return;
    }
    lookup(this.#host, { ...options, all: true }, (error, found) => {
      if (error) this.#socket.emit('lookup', error, undefined, undefined, this.#host);
      const addresses = error ? [] : (found as LookupAddress[]);
      for (const { address, family } of addresses) {
        if (this.#socket.connecting)
          this.#socket.emit('lookup', error, address, family, this.#host);
      }
      this.#lookedUp(error, addresses);
    });
  }

  /** The socket was destroyed. */
  cancel(): void {
    clearTimeout(this.#timer);
  }

  /** The attempt ended; `code` is null when it worked. Answers whether the socket is connected. */
  attemptEnded(code: string | null): boolean {
    clearTimeout(this.#timer);
    if (code === null) return true;
    const target = this.#target(this.#next - 1);
    const error = this.#explained(connectError(code, target), code);
    this.#socket.emit('connectionAttemptFailed', target.address, target.port, target.family, error);
    this.#attemptFailed(error);
    return false;
  }

  #explained<E extends Error>(error: E, code: string): E {
    return explained(error, this.#dialer.dialed(), code);
  }

  #lookupOptions(): LookupOptions {
    const { family, hints = 0 } = this.#options;
    const number = { IPv4: 4, IPv6: 6 }[family as string] ?? (family as number | undefined);
    const oneFamily = number === 4 || number === 6;
    const options = { hints: oneFamily || hints !== 0 ? hints : ADDRCONFIG };
    return number === undefined ? options : { family: number, ...options };
  }

  #lookedUp(error: Error | null, addresses: LookupAddress[]): void {
    if (!this.#socket.connecting) return;
    const usable = addresses.filter(({ address, family }) => isIP(address) && isFamily(family));
    const failure = error ?? (usable.length === 0 ? this.#useless(addresses[0]) : null);
    if (failure !== null) {
      // The caller of `connect` has not yet had the time to add a listener.
      process.nextTick(() => this.#socket.destroy(failure));
      return;
    }
    this.#dialer.touch();
    this.#tryAll(inTurns(usable));
  }

  #useless(first: LookupAddress | undefined): Error {
    if (first === undefined || !isIP(first.address)) return invalidAddress(first?.address);
    return invalidFamily(first.family, this.#options.host, this.#options.port);
  }

  #tryAll(targets: LookupAddress[]): void {
    this.#targets = targets;
    if (targets.length > 1) this.#socket.autoSelectFamilyAttemptedAddresses = [];
    this.#tryNext();
  }

  #target(index: number): Target {
    const { address, family } = this.#targets[index]!;
    const { localAddress, localPort } = this.#options;
    const any = family === 6 ? '::' : '0.0.0.0';
    return {
      address,
      family: family as 4 | 6,
      port: this.#port,
      localAddress: localAddress || (localPort ? any : undefined),
      localPort,
    };
  }

  #tryNext(): void {
    const target = this.#target(this.#next);
    const { address, family, port, localAddress, localPort } = target;
    this.#next += 1;
    const socket = this.#socket;
    const failure = this.#dialer.dial(target);
    if (failure?.call === 'bind') {
      const error = addressError(failure.code, 'bind', localAddress!, localPort ?? 0);
      this.#attemptFailed(explained(error, null, failure.code, failure.words));
      return;
    }
    socket.emit('connectionAttempt', address, port, family);
    socket.autoSelectFamilyAttemptedAddresses?.push(`${address}:${port}`);
    if (!socket.connecting) return;
    if (failure !== null) {
      const error = failedAtOnce(failure, target);
      if (this.#targets.length > 1) {
        socket.emit('connectionAttemptFailed', address, port, family, error);
      }
      this.#attemptFailed(error);
    } else if (this.#next < this.#targets.length) {
      this.#timer = setTimeout(() => this.#attemptTimedOut(target), this.#attemptMs);
    }
  }

  #attemptTimedOut(target: Target): void {
    this.#socket.emit('connectionAttemptTimeout', target.address, target.port, target.family);
    this.#attemptFailed(this.#explained(connectError('ETIMEDOUT', target), 'ETIMEDOUT'));
  }

  #attemptFailed(error: Error): void {
    if (!this.#socket.connecting) return;
    this.#errors.push(error);
    if (this.#next < this.#targets.length) {
      this.#dialer.hangUp();
      this.#tryNext();
    } else if (this.#targets.length === 1) {
      this.#socket.destroy(error);
    } else {
      const { code, tcp } = this.#errors[0] as SystemError;
      this.#socket.destroy(Object.assign(new AggregateError(this.#errors), { code, tcp }));
    }
  }
}

function checkOptions(options: ConnectOptions): void {
  const { localAddress, localPort, port, autoSelectFamily, autoSelectFamilyAttemptTimeout } =
    options;
  if (localAddress && !isIP(localAddress)) throw invalidAddress(localAddress);
  if (localPort) checkNumber(localPort, 'The "options.localPort" property');
  if (typeof port !== 'number' && typeof port !== 'string') {
    const what = 'The "options.port" property';
    throw invalidType(what, 'one of type number or string', port);
  }
  if (autoSelectFamily !== undefined && autoSelectFamily !== null) {
    checkBoolean(autoSelectFamily, 'The "options.autoSelectFamily" property');
  }
  if (autoSelectFamilyAttemptTimeout !== undefined && autoSelectFamilyAttemptTimeout !== null) {
    const name = 'options.autoSelectFamilyAttemptTimeout';
    checkMilliseconds(autoSelectFamilyAttemptTimeout, name, 1);
  }
  if (options.lookup !== undefined && options.lookup !== null && !isIP(options.host ?? '')) {
    checkFunction(options.lookup, 'The "options.lookup" property');
  }
}

function isFamily(family: number): family is 4 | 6 {
  return family === 4 || family === 6;
}

/** Each address once, families in turn, that of the first address first (RFC 8305 §4). */
function inTurns(addresses: readonly LookupAddress[]): LookupAddress[] {
  const once = [...new Map(addresses.map((a) => [a.address, a])).values()];
  const first = once.filter((a) => a.family === once[0]!.family);
  const second = once.filter((a) => a.family !== once[0]!.family);
  const longer = Math.max(first.length, second.length);
  return Array.from({ length: longer }, (_, i) => [first[i], second[i]])
    .flat()
    .filter((a) => a !== undefined);
}

/** Without an own address, Node says that it was 0.0.0.0:0. */
function failedAtOnce({ code, words, local }: DialFailure, target: Target): SystemError {
  const error = addressError(code, 'connect', target.address, target.port);
  const { localAddress = target.family === 6 ? '::' : '0.0.0.0', localPort = 0 } = target;
  error.message += ` - Local (${local ?? `${localAddress}:${localPort}`})`;
  return explained(error, null, code, words);
}
