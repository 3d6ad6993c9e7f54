// The program at the peer: it listens, hands its connections to whoever serves them, and does what it is
// told with the newest one. Knows sockets; must not know faults, or the client.

import { Server } from '../net/server.js';
import type { Socket } from '../net/socket.js';
import type { Stack } from '../net/stack.js';
import { Reading, readingSockets } from './reading.js';
import type { Call } from './words.js';

/** What has servers of Node in it: `http.createServer(…)`, which need not listen. */
export interface ConnectionEmitter {
  /** Is told of each connection. */
  emit(event: 'connection', socket: Socket): boolean;
}

/** Who speaks with the client: a function that gets each connection, or a server of Node's. */
export type Serve = ((socket: Socket) => void) | ConnectionEmitter;

/** Reads what comes and throws it away, never writes, and never closes. */
const silent = (socket: Socket): void => void socket.resume();

/** Calls that are about no connection, or about all. */
const NEED_NONE: readonly Call['call'][] = ['listen', 'unlisten', 'read', 'pause'];

/** One connection as its program sees it. */
interface Talk {
  readonly socket: Socket;
  seesEnd: boolean;
  seesClose: boolean;
  error: string | null;
}

export class Program {
  readonly #stack: Stack;
  readonly #port: number;
  readonly #serve: (socket: Socket) => void;
  readonly #news: () => void;
  readonly #reading = new Reading();
  /** Those that are open, and the newest one. */
  readonly #open = new Set<Talk>();
  #newest: Talk | null = null;
  /** Bytes that were read of connections that are closed. */
  #receivedBefore = 0;
  #server: Server | null = null;

  /** @param news told when the program has seen something */
  constructor(stack: Stack, port: number, news: () => void, serve: Serve = silent) {
    this.#stack = stack;
    this.#port = port;
    this.#serve =
      typeof serve === 'object' ? (socket) => void serve.emit('connection', socket) : serve;
    this.#news = news;
  }

  // What has been seen, of the newest connection

  /** Bytes, of all connections. */
  get received(): number {
    return [...this.#open].reduce(
      (sum, { socket }) => sum + socket.bytesRead,
      this.#receivedBefore,
    );
  }

  get seesEnd(): boolean {
    return this.#newest?.seesEnd ?? false;
  }

  get seesClose(): boolean {
    return this.#newest?.seesClose ?? false;
  }

  get error(): string | null {
    return this.#newest?.error ?? null;
  }

  // What it is told

  /** Whether a call can be carried out now: most of them need a connection. */
  isReadyFor({ call }: Call): boolean {
    return NEED_NONE.includes(call) || this.#newest !== null;
  }

  call(call: Call): void {
    switch (call.call) {
      case 'listen':
        this.#listen();
        break;
      case 'unlisten':
        this.#server?.close();
        this.#server = null;
        break;
      case 'pause':
        this.#reading.pause();
        break;
      case 'read':
        this.#reading.goOn();
        break;
      default:
        for (const talk of call.all ? this.#open : [this.#newest!]) this.#carryOut(call, talk);
    }
  }

  /** Resets what is open, and takes no more. */
  abort(): void {
    this.call({ call: 'unlisten' });
    for (const { socket } of this.#open) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #carryOut(call: Call, { socket, seesEnd }: Talk): void {
    if (call.call === 'write') socket.write(Buffer.alloc(call.bytes, '!'));
    else if (call.call === 'close') socket.destroySoon();
    else if (call.call === 'abort') socket.resetAndDestroy();
    else if (call.call === 'shutdown' && call.atEnd && !seesEnd)
      socket.once('end', () => socket.end());
    else socket.end();
  }

  #listen(): void {
    if (this.#server !== null) return;
    const PeerSocket = readingSockets(this.#stack, this.#reading);
    // Half-open: the peer ends its half when it is told to, and not by itself.
    this.#server = new Server(
      this.#stack,
      (options, accepted) => new PeerSocket(options, accepted),
      { allowHalfOpen: true },
      (socket) => this.#begin(socket),
    );
    this.#server.listen(this.#port).unref();
  }

  #begin(socket: Socket): void {
    const talk: Talk = { socket, seesEnd: false, seesClose: false, error: null };
    this.#open.add(talk);
    this.#newest = talk;
    // A peer that was forgotten keeps no process alive.
    socket.unref();
    socket.on('end', () => this.#note(talk, { seesEnd: true }));
    socket.on('close', () => {
      this.#open.delete(talk);
      this.#receivedBefore += socket.bytesRead;
      this.#note(talk, { seesClose: true });
    });
    // That the client resets is not an error of a test.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.#note(talk, { error: code ?? null });
    });
    this.#serve(socket);
    this.#news();
  }

  #note(talk: Talk, what: Partial<Talk>): void {
    Object.assign(talk, what);
    this.#news();
  }
}
