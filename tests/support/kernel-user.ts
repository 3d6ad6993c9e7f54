// Our end of a connection, as a test drives it: writes streams, hashes what it reads, notes what it is
// told. Knows the interface of a connection; must not know what carries it.
import { createHash } from 'node:crypto';
import { type CloseReason, type Connection, IdleHandler } from '../../src/tcp/connection.js';
import { STATE_NAMES, type State } from '../../src/tcp/state.js';
import { until } from './kernel.js';
import { byteStream } from './kernel-bytes.mjs';

const buffer = new Uint8Array(1 << 20);

export class User extends IdleHandler {
  connection!: Connection;
  /** States that it went through, the first one on the way. */
  readonly states: string[] = [];
  readonly advice: string[] = [];
  /** How it was over; null until then. */
  closed: { reason: CloseReason; errorCode: string | null } | null = null;
  ended = false;
  /** Bytes read. */
  bytes = 0;
  /** Read what comes, as it comes. */
  reading = true;
  /** Shut down as soon as the peer has ended. */
  answersFin = false;
  readonly #hash = createHash('sha256');
  #source: Iterator<Uint8Array, void> | null = null;
  #piece: Uint8Array | null = null;
  #offset = 0;

  get state(): string {
    return this.connection.stateName;
  }

  get sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Writes a stream as fast as it is taken; `allWritten` says when it is done. */
  send(seed: number, count: number): void {
    this.#source = byteStream(seed, count);
    this.#pump();
  }

  get allWritten(): boolean {
    return this.#source === null;
  }

  /** Writes a text, which must fit. */
  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    if (this.connection.write(bytes) !== bytes.length) throw new Error('the send ring is full');
  }

  /** Begins to read after all. */
  resume(): void {
    this.reading = true;
    this.onReadable();
  }

  #pump(): void {
    while (this.#source !== null) {
      if (this.#piece === null) {
        const { value, done } = this.#source.next();
        if (done) {
          this.#source = null;
          return;
        }
        this.#piece = value as Uint8Array;
        this.#offset = 0;
      }
      this.#offset += this.connection.write(this.#piece, this.#offset);
      if (this.#offset < this.#piece.length) return;
      this.#piece = null;
    }
  }

  override onWritable(): void {
    this.#pump();
  }

  override onReadable(): void {
    if (!this.reading) return;
    for (;;) {
      const count = this.connection.read(buffer);
      if (count === 0) return;
      this.bytes += count;
      this.#hash.update(buffer.subarray(0, count));
    }
  }

  override onEnd(): void {
    this.ended = true;
    if (this.answersFin) this.connection.shutdown();
  }

  override onClosed(_: Connection, reason: CloseReason, errorCode: string | null): void {
    this.closed = { reason, errorCode };
  }

  override onState(_: Connection, _from: State, to: State): void {
    this.states.push(STATE_NAMES[to]!);
  }

  override onAdvice(_: Connection, code: string): void {
    this.advice.push(code);
  }

  // What tests wait for

  #until(what: string, done: () => boolean): Promise<void> {
    return until(`our end: ${what}`, done, () => ({
      states: this.states,
      bytes: this.bytes,
      closed: this.closed,
      info: this.connection.info(),
    }));
  }

  /** Until it has come to this state, even if it has left it again. */
  reaches(state: string): Promise<void> {
    return this.#until(state, () => this.states.includes(state));
  }

  receives(count: number): Promise<void> {
    return this.#until(`${count} bytes`, () => this.bytes >= count);
  }

  seesEnd(): Promise<void> {
    return this.#until('the end of the stream', () => this.ended);
  }

  isClosed(): Promise<void> {
    return this.#until('closed', () => this.closed !== null);
  }
}
