// A file or a pipe that is written while the program goes on. Knows how much may wait; must not know what
// is written.

import { close, constants, fstatSync, openSync, type Stats, statSync, writev } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';

/** Bytes that wait at most for a slow disk, or for who reads the pipe. */
const MOST_WAITING = 64 * 1024 * 1024;
/** Time for the rest when all is over, milliseconds. */
const PATIENCE_MS = 2000;
/** Pieces in one call of writev(2): IOV_MAX is 1024. */
const MOST_PIECES = 1000;

/** Writes some pieces, and answers how many bytes have gone. */
type Write = (pieces: readonly Uint8Array[]) => Promise<number>;

/** `-` stands for standard output. */
export class RecordFile {
  /** Told once, when nothing more can be written: the disk is full, or the reader has gone. */
  onfailure: ((error: Error) => void) | null = null;
  readonly #write: Write;
  readonly #end: () => Promise<void>;
  #mostWaiting: number;
  readonly #pieces: Uint8Array[] = [];
  #waiting = 0;
  #busy = false;
  #failed = false;
  #idle: (() => void) | null = null;

  /**
   * Makes the file anew; of a pipe somebody must be reading the other end.
   * @throws Error (with `code`) when that cannot be
   */
  static open(path: string, mostWaiting = MOST_WAITING): RecordFile {
    if (path === '-') return RecordFile.#standardOutput(mostWaiting);
    if (isPipe(statSync(path, { throwIfNoEntry: false }))) {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      const socket = new Socket({ fd, readable: false, writable: true });
      socket.on('error', () => {}); // the write in question tells it
      const end = async () => void socket.destroy();
      return new RecordFile((pieces) => writeTo(socket, pieces), end, mostWaiting);
    }
    const fd = openSync(path, 'w');
    return RecordFile.#file(fd, () => closeAsync(fd), mostWaiting);
  }

  static #standardOutput(mostWaiting: number): RecordFile {
    const end = async () => {};
    if (!isPipe(fstatSync(1))) return RecordFile.#file(1, end, mostWaiting);
    // A thread that writes to a pipe could wait for ever, and the program at its end for the thread.
    const write: Write = (pieces) => writeTo(process.stdout, pieces);
    return new RecordFile(write, end, mostWaiting);
  }

  static #file(fd: number, end: () => Promise<void>, mostWaiting: number): RecordFile {
    const write: Write = async (pieces) => (await writevAsync(fd, pieces)).bytesWritten;
    return new RecordFile(write, end, mostWaiting);
  }

  private constructor(write: Write, end: () => Promise<void>, mostWaiting: number) {
    this.#write = write;
    this.#end = end;
    this.#mostWaiting = mostWaiting;
  }

  /** Bytes that were taken and have not gone yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes bytes, which must not change any more; false when they are lost: too much waits. */
  write(bytes: Uint8Array): boolean {
    if (this.#failed || this.#waiting + bytes.length > this.#mostWaiting) return false;
    this.#pieces.push(bytes);
    this.#waiting += bytes.length;
    if (!this.#busy) void this.#pump();
    return true;
  }

  /** From now on nothing is refused: what follows are the last words of the file. */
  admitAll(): void {
    this.#mostWaiting = Number.POSITIVE_INFINITY;
  }

  /**
   * Writes what waits, and closes; what has not gone after two seconds is lost.
   * @returns how many bytes that were taken have not been written
   */
  async close(): Promise<number> {
    if (this.#busy) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, PATIENCE_MS);
      });
      clearTimeout(timer);
    }
    const isTold = this.#failed;
    this.#failed = true;
    // Some file systems say only now that there was no room.
    await this.#end().catch((error: Error) => {
      if (!isTold) this.onfailure?.(error);
    });
    return this.#waiting;
  }

  async #pump(): Promise<void> {
    this.#busy = true;
    try {
      while (this.#pieces.length > 0 && !this.#failed) {
        const pieces = this.#pieces.splice(0, MOST_PIECES);
        const written = await this.#write(pieces);
        this.#waiting -= written;
        this.#pieces.unshift(...rest(pieces, written));
      }
    } catch (error) {
      this.#failed = true;
      this.onfailure?.(error as Error);
    } finally {
      this.#busy = false;
      this.#idle?.();
    }
  }
}

/** What is left of some pieces when so many bytes of them have gone. */
function rest(pieces: readonly Uint8Array[], written: number): Uint8Array[] {
  let gone = written;
  return pieces.flatMap((piece) => {
    const from = Math.min(gone, piece.length);
    gone -= from;
    return from === piece.length ? [] : [piece.subarray(from)];
  });
}

function isPipe(stats: Stats | undefined): boolean {
  return stats !== undefined && (stats.isFIFO() || stats.isSocket());
}

function writeTo(stream: Writable, pieces: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const all = Buffer.concat(pieces);
    stream.write(all, (error) => (error ? reject(error) : resolve(all.length)));
  });
}

const closeAsync = promisify(close);
const writevAsync = promisify(writev) as unknown as (
  fd: number,
  pieces: readonly Uint8Array[],
) => Promise<{ bytesWritten: number }>;
