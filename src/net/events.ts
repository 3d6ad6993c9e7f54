// Names and arguments of events, as types. No code.

import type { SystemError } from './errors.js';

/** The error of a socket: one of the system has a code, and TCP's side of it. */
export type SocketError = Error & Partial<SystemError>;

/** Events of a socket: those of `node:net`, and 'tcpstate'. */
export interface SocketEvents {
  /** A peer is tried: its address, port, and family (4 or 6). */
  connectionAttempt: [address: string, port: number, family: number];
  /** A peer has refused, or cannot be reached; others may follow. */
  connectionAttemptFailed: [address: string, port: number, family: number, error: SocketError];
  /** One of several peers has not answered in time; the next one is tried. */
  connectionAttemptTimeout: [address: string, port: number, family: number];
  /** A name was looked up. */
  lookup: [error: Error | null, address: string, family: number | undefined, host: string];
  /** The connection is established. */
  connect: [];
  /** Right after 'connect'. */
  ready: [];
  /** Bytes from the peer; text after `setEncoding`. */
  data: [data: Buffer];
  /** The peer has sent its FIN, and all before it was read. */
  end: [];
  /** What was written has left for TCP, and a write may follow. */
  drain: [];
  /** `end()` was called, and all that was written is with TCP. */
  finish: [];
  /** The socket was idle for the time that `setTimeout` has set. */
  timeout: [];
  /** It has failed; 'close' follows. */
  error: [error: SocketError];
  /** It is destroyed; no other event follows but 'tcpstate'. */
  close: [hadError: boolean];
  /** Beyond `node:net`: the connection changed its state; both as RFC 9293 writes them. */
  tcpstate: [to: string, from: string];
}

/** The ends of a connection that was refused because of `maxConnections`. */
export interface DropArgument {
  /** Our end: address. */
  localAddress: string;
  /** Our end: port. */
  localPort: number;
  /** Our end: `IPv4` or `IPv6`. */
  localFamily: string;
  /** The peer: address. */
  remoteAddress: string;
  /** The peer: port. */
  remotePort: number;
  /** The peer: `IPv4` or `IPv6`. */
  remoteFamily: string;
}

/** Events of a server, as in `node:net`. */
export interface ServerEvents<Socket> {
  /** `listen` has worked. */
  listening: [];
  /** A connection was accepted. */
  connection: [socket: Socket];
  /** One was closed at once, since there are `maxConnections` already. */
  drop: [data?: DropArgument];
  /** `listen` has failed. */
  error: [error: SocketError];
  /** It listens no more, and its last socket is destroyed. */
  close: [];
}

/** `on`, `once` and their like: known events have listeners with known arguments. */
export interface Listen<Events, Self> {
  <Name extends keyof Events>(
    event: Name,
    listener: (...args: Events[Name] extends unknown[] ? Events[Name] : never) => void,
  ): Self;
  // biome-ignore lint/suspicious/noExplicitAny: as in the types of Node
  (event: string | symbol, listener: (...args: any[]) => void): Self;
}

/** Answers whether there was a listener. */
export interface Emit<Events> {
  <Name extends keyof Events>(
    event: Name,
    ...args: Events[Name] extends unknown[] ? Events[Name] : never
  ): boolean;
  // biome-ignore lint/suspicious/noExplicitAny: as in the types of Node
  (event: string | symbol, ...args: any[]): boolean;
}
