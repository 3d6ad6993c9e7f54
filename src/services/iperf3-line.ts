// A connection as iperf3's server needs it: first a line to talk on, or to be a stream. Knows one connection;
// must not know what is said.

import { type Connection, IdleHandler } from '../tcp/connection.js';
import { mayQueueData } from '../tcp/state.js';
import { formatEndpoint } from './describe.js';
import { DataStream, type TestStream } from './iperf3-stream.js';

/** Bytes in order, both ways, with the connection in this thread or in another one. */
export interface Line {
  /** The peer's end, as a person writes it. */
  readonly peer: string;
  /** Name of the congestion control that its connection has. */
  readonly congestion: string;
  /** Nothing more comes than can be read now. */
  readonly ended: boolean;
  /** Called when there is more to read, or the end was reached. */
  onNews: (() => void) | null;
  /** Copies what has come into `target` from `at` on; answers how many bytes. */
  read(target: Uint8Array, at: number): number;
  /** Answers whether it took all of `bytes`. */
  write(bytes: Uint8Array): boolean;
  /** Our FIN, then whatever the peer likes to do, for so long. */
  close(lingerMs: number): void;
  abort(): void;
  /** From now on it is a stream; the line must not be used any more. */
  toStream(noDelay: boolean): TestStream;
}

/** A line whose connection is here. What nobody reads stays in it, and its window shrinks. */
export class LocalLine extends IdleHandler implements Line {
  onNews: (() => void) | null = null;
  private readonly connection: Connection;
  private closed = false;

  constructor(connection: Connection) {
    super();
    this.connection = connection;
    connection.noDelay = true;
    connection.handler = this;
  }

  get peer(): string {
    const { remoteAddress, remotePort } = this.connection;
    return formatEndpoint(String(remoteAddress), remotePort);
  }

  get congestion(): string {
    return this.connection.info().congestion;
  }

  get ended(): boolean {
    return this.closed || this.connection.ended;
  }

  read(target: Uint8Array, at: number): number {
    return this.connection.read(target, at);
  }

  write(bytes: Uint8Array): boolean {
    const { connection } = this;
    if (connection.finQueued || !mayQueueData(connection.state)) return false;
    return connection.write(bytes) === bytes.length;
  }

  close(lingerMs: number): void {
    this.connection.skip(this.connection.readable);
    this.connection.close(lingerMs);
  }

  abort(): void {
    this.connection.abort();
  }

  toStream(noDelay: boolean): TestStream {
    return new DataStream(this.connection, noDelay);
  }

  override onReadable(): void {
    this.onNews?.();
  }

  override onEnd(): void {
    this.onNews?.();
  }

  override onClosed(): void {
    this.closed = true;
    this.onNews?.();
  }
}
