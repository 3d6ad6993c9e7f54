// A program with ordinary sockets, which does what it is told line by line on standard input, and tells
// what it sees. Knows node:net and /proc/sys; must not know who is at the other end.

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setImmediate as round } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Ends, Line, Order, Sight } from './kernel-lines.js';
import type { Call } from './scenario.js';

/** Rounds of the event loop in which nothing happened, after which nothing more will by itself. */
const QUIET_ROUNDS = 8;

let activity = 0;

function say(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Each round looks at all sockets, so that what the kernel has done by now is seen before the end. */
async function settle(): Promise<void> {
  for (let quiet = 0; quiet < QUIET_ROUNDS; quiet++) {
    const before = activity;
    await round();
    if (activity !== before) quiet = -1;
  }
}

/** A socket in the hands of libuv; there is no public way to stop reading at once. */
type Readable = Socket & { _handle: { readStop(): number } | null };

/** One program: a listener, perhaps, and connections; calls are about the newest one. */
class Program {
  readonly #ends: Ends;
  readonly #sockets: Socket[] = [];
  #server: Server | null = null;
  #connects = 0;
  #reading = true;
  #lingerMs: number | null = null;
  /** Of the newest connection. */
  #error: string | null = null;

  constructor(ends: Ends) {
    this.#ends = ends;
  }

  /** Carries out a call. @returns the code of an error that came of it at once, or null */
  async call(call: Call): Promise<string | null> {
    this.#error = null;
    this.#carryOut(call);
    await settle();
    return this.#error;
  }

  /** Lets go of all: nothing is left to be sent again. */
  end(): void {
    this.#server?.close();
    for (const socket of this.#sockets) {
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.resetAndDestroy();
    }
  }

  #carryOut(call: Call): void {
    switch (call.call) {
      case 'listen':
        this.#listen();
        break;
      case 'unlisten':
        this.#server?.close();
        break;
      case 'connect':
        this.#connect(call.samePort ?? false);
        break;
      case 'read':
      case 'pause':
        this.#setReading(call.call === 'read');
        break;
      case 'linger':
        this.#lingerMs = call.ms;
        break;
      default:
        this.#carryOutWith(this.#sockets.at(-1), call);
    }
  }

  #carryOutWith(socket: Socket | undefined, call: Call): void {
    if (socket === undefined || socket.destroyed) this.#error = 'ENOTCONN';
    else if (call.call === 'write') socket.write(new Uint8Array(call.bytes));
    else if ('atEnd' in call && call.atEnd) this.#atEnd(socket, () => this.#shut(socket, call));
    else this.#shut(socket, call);
  }

  #atEnd(socket: Socket, run: () => void): void {
    if (socket.readableEnded) run();
    else socket.once('end', run);
  }

  #shut(socket: Socket, call: Call): void {
    if (call.call === 'shutdown') socket.end();
    else if (call.call === 'close') this.#close(socket);
    else if (call.call === 'abort') socket.resetAndDestroy();
  }

  #close(socket: Socket): void {
    // SO_LINGER with a time, which makes close(2) wait, is nothing that node:net can set.
    const lingerMs = this.#lingerMs;
    this.#lingerMs = null;
    if (lingerMs === 0) socket.resetAndDestroy();
    // close(2) lets the kernel send what it has; what this process still has goes to it first.
    else if (socket.writableLength > 0) socket.destroySoon();
    else socket.destroy();
  }

  #listen(): void {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      this.#adopt(socket);
      this.#tell({ sees: 'connection' });
    });
    server.on('error', (error) => this.#fail(error));
    server.listen({ host: this.#ends.address, port: this.#ends.port });
    this.#server = server;
  }

  #connect(samePort: boolean): void {
    if (!samePort) this.#connects++;
    const { address, port, peerAddress, peerPort } = this.#ends;
    const socket = new Socket({ allowHalfOpen: true });
    socket.pause();
    this.#adopt(socket);
    socket.on('connect', () => this.#tell({ sees: 'connection' }));
    socket.connect({
      host: peerAddress,
      port: peerPort,
      localAddress: address,
      localPort: port + this.#connects - 1,
    });
  }

  #adopt(socket: Socket): void {
    this.#sockets.push(socket);
    const tell = (sight: Sight) => {
      if (socket === this.#sockets.at(-1)) this.#tell(sight);
      else activity++;
    };
    socket.on('end', () => tell({ sees: 'end' }));
    socket.on('close', () => tell({ sees: 'close' }));
    socket.on('error', (error) => this.#fail(error));
    if (this.#reading) this.#read(socket);
  }

  #read(socket: Socket): void {
    if (socket.listenerCount('data') === 0) {
      socket.on('data', (piece) => this.#tell({ sees: 'data', bytes: piece.length }));
    }
    socket.resume();
  }

  #setReading(on: boolean): void {
    this.#reading = on;
    const socket = this.#sockets.at(-1);
    if (socket === undefined || socket.destroyed) return;
    if (on) {
      this.#read(socket);
      return;
    }
    socket.pause();
    // A stream that is paused reads one buffer more, and what it has read is not in the kernel any more.
    (socket as Readable)._handle?.readStop();
  }

  #tell(sight: Sight): void {
    activity++;
    say(sight);
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#error = error.code ?? error.message;
    this.#tell({ sees: 'error', code: this.#error });
  }
}

function sysctl(name: string, value: string): string | null {
  const path = `/proc/sys/net/${name}`;
  try {
    const before = readFileSync(path, 'utf8').trim();
    writeFileSync(path, value);
    return before;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

let program: Program | null = null;

async function carryOut(order: Order): Promise<string | null> {
  switch (order.command) {
    case 'begin':
      program?.end();
      program = new Program(order.ends);
      return null;
    case 'end':
      program?.end();
      program = null;
      await settle();
      return null;
    case 'call':
      return program!.call(order.call);
    case 'settle':
      await settle();
      return null;
    case 'sysctl':
      return sysctl(order.name, order.value);
    case 'patience': {
      const { device, network, ms } = order;
      const route = ['route', 'change', network, 'dev', device, 'rto_min', `${ms}ms`];
      await promisify(execFile)('ip', route);
      return null;
    }
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, ...order } = JSON.parse(line) as Order & { id: number };
  carryOut(order).then(
    (result) => say({ id, result }),
    (error: Error) => say({ id, failed: error.message }),
  );
});
// It ends with whoever started it, however that one ended; Ctrl-C in a terminal is for that one alone.
lines.on('close', () => process.exit());
process.on('SIGINT', () => {});
process.stdout.on('error', () => process.exit());
say({ ready: true });
