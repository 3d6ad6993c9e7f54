// Errors in the words of node:net. Knows errno numbers and messages; must not know sockets.

import { constants } from 'node:os';
import { format, getSystemErrorMap, inspect } from 'node:util';
import type { TcpTrouble } from './trouble.js';

/** An error of the system, with the fields that `node:net` gives it. */
export interface SystemError extends Error {
  /** Name of the error: `ECONNREFUSED`. */
  code: string;
  /** Its number, negative: -111. */
  errno: number;
  /** The call that failed: `connect`, `bind`, `listen`, `read`, `write`. */
  syscall: string;
  /** Where it failed: the peer of a `connect`, our own end of a `bind` or `listen`. */
  address?: string;
  /** The port that belongs to `address`, unless it is 0. */
  port?: number;
  /** Of a `connect` that was told where to speak from: the address. */
  localAddress?: string;
  /** The same: the port. */
  localPort?: number;
  /** Beyond `node:net`: what TCP knows about it. */
  tcp?: TcpTrouble;
}

function errnoOf(code: string): number {
  return -((constants.errno as Record<string, number>)[code] ?? constants.errno.EIO);
}

/** `read ECONNRESET` */
export function systemError(code: string, syscall: string): SystemError {
  return Object.assign(new Error(`${syscall} ${code}`), { errno: errnoOf(code), code, syscall });
}

/** A peer that was tried, and where from; port 0 stands for none. */
export interface Endpoints {
  address: string;
  port: number;
  localAddress?: string | undefined;
  localPort?: number | undefined;
}

/** `connect ECONNREFUSED 10.9.0.1:81`, with ` - Local (10.9.0.2:5000)` where that was asked for. */
export function connectError(code: string, ends: Endpoints): SystemError {
  const { address, port, localAddress, localPort } = ends;
  const error = addressError(code, 'connect', address, port);
  if (!localAddress || !localPort) return error;
  error.message += ` - Local (${localAddress}:${localPort})`;
  return Object.assign(error, { localAddress, localPort });
}

/** `bind EADDRNOTAVAIL 10.9.0.3:5000` */
export function addressError(
  code: string,
  syscall: string,
  address: string,
  port: number,
): SystemError {
  const error = systemError(code, syscall);
  error.message += port > 0 ? ` ${address}:${port}` : ` ${address}`;
  return Object.assign(error, port > 0 ? { address, port } : { address });
}

/** `listen EADDRINUSE: address already in use 10.9.0.2:80` */
export function listenError(code: string, address: string, port: number): SystemError {
  const errno = errnoOf(code);
  const words = getSystemErrorMap().get(errno)?.[1] ?? 'unknown error';
  const where = port > 0 ? `${address}:${port}` : address;
  const error = new Error(`listen ${code}: ${words} ${where}`);
  return Object.assign(error, { code, errno, syscall: 'listen', address }, port > 0 && { port });
}

type ErrorClass = new (message: string) => Error;

/** An error of Node's own: `code` is `ERR_…`. */
export function nodeError(Base: ErrorClass, code: string, message: string): Error {
  return Object.assign(new Base(message), { code });
}

export const socketClosed = () => nodeError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed');

export const closedBeforeConnection = () =>
  nodeError(
    Error,
    'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
    'Socket closed before the connection was established',
  );

export const endedByOtherParty = () =>
  nodeError(Error, 'EPIPE', 'This socket has been ended by the other party');

export const serverNotRunning = () =>
  nodeError(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.');

export const alreadyListening = () =>
  nodeError(
    Error,
    'ERR_SERVER_ALREADY_LISTEN',
    'Listen method has been called more than once without closing.',
  );

export const missingPort = () =>
  nodeError(
    TypeError,
    'ERR_MISSING_ARGS',
    'The "options" or "port" or "path" argument must be specified',
  );

export const invalidAddress = (address: unknown) =>
  nodeError(TypeError, 'ERR_INVALID_IP_ADDRESS', format('Invalid IP address: %s', address));

export const invalidFamily = (family: unknown, host: unknown, port: unknown) =>
  Object.assign(
    nodeError(
      RangeError,
      'ERR_INVALID_ADDRESS_FAMILY',
      `Invalid address family: ${family} ${host}:${port}`,
    ),
    { host, port },
  );

/** @param what the thing with its kind: `The "port" argument`, `The "options.port" property` */
export const invalidType = (what: string, expected: string, actual: unknown) =>
  nodeError(
    TypeError,
    'ERR_INVALID_ARG_TYPE',
    `${what} must be ${expected}. Received ${describe(actual)}`,
  );

export const invalidValue = (what: string, value: unknown, reason: string) => {
  const text = inspect(value);
  const shown = text.length > 128 ? `${text.slice(0, 128)}...` : text;
  return nodeError(TypeError, 'ERR_INVALID_ARG_VALUE', `${what} ${reason}. Received ${shown}`);
};

export const outOfRange = (name: string, range: string, value: unknown) =>
  nodeError(
    RangeError,
    'ERR_OUT_OF_RANGE',
    `The value of "${name}" is out of range. It must be ${range}. Received ${grouped(value)}`,
  );

/** As Node writes large whole numbers: 10_000_000_000. */
function grouped(value: unknown): string {
  const large = Number.isInteger(value) && Math.abs(value as number) > 2 ** 32;
  return inspect(value, { numericSeparator: large });
}

/** @throws RangeError ERR_SOCKET_BAD_PORT unless `port` is a whole number of 16 bits, or its text. */
export function checkPort(port: unknown, name: string): number {
  const text = typeof port === 'string' && port.trim() !== '';
  const number = typeof port === 'number' || text ? Number(port) : -1;
  if (Number.isInteger(number) && number >= 0 && number < 65536) return number;
  throw nodeError(
    RangeError,
    'ERR_SOCKET_BAD_PORT',
    `${name} should be >= 0 and < 65536. Received ${describe(port)}.`,
  );
}

/** `type number (70000)`, `an instance of Date`, `undefined`: as Node writes it. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  const text = inspect(value);
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}
