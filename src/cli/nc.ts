// `finwait nc`: netcat over our own TCP. Knows one connection; must not know how packets travel.

import { once } from 'node:events';
import { getSystemErrorMap } from 'node:util';
import { MARK } from '../enclosure/networks.js';
import type { ServiceSocket } from '../services/service.js';
import { interfaceExists } from './checks.js';
import { type Command, helpHint, type Input, parseInteger } from './command.js';
import { EXIT_FAILED, EXIT_OK, errorCode, Failure, usage } from './failure.js';
import { Host } from './host.js';
import {
  DEFAULT_NAME,
  readStackOptions,
  STACK_OPTIONS,
  type StackOptions,
} from './network-options.js';
import { StopSignals } from './signals.js';

/** Milliseconds that the peer has to acknowledge our last bytes and our FIN. */
const LAST_WORDS_MS = 2000;

/** How a shell names the end by Ctrl-C: 128 and the number of the signal. */
const EXIT_INTERRUPTED = 130;

export const ncCommand: Command = {
  name: 'nc',
  usage: ['nc [options] HOST PORT', 'nc -l [options] [ADDRESS] PORT'],
  description:
    'Connects over our own TCP, on a TUN device of its own, and copies stdin to the connection and\n' +
    'the connection to stdout; or listens for one connection.',
  options: {
    listen: { short: 'l', help: 'listen for one connection' },
    'half-close': { short: 'N', help: 'send our FIN at the end of stdin, and go on receiving' },
    verbose: { short: 'v', help: 'say on stderr when the connection is there' },
    ...STACK_OPTIONS,
    name: { ...STACK_OPTIONS.name, default: 'fw%d' },
  },
  maxArguments: 2,
  run: runNc,
};

interface Target {
  host: string | undefined;
  port: number;
}

async function runNc(input: Input): Promise<number> {
  const options = readOptions(input);
  const target = readTarget(input);
  const signals = new StopSignals();
  const host = await Host.open(options);
  try {
    const done = converse(host, target, input).then(() => EXIT_OK);
    return await Promise.race([done, signals.next().then(() => EXIT_INTERRUPTED)]);
  } finally {
    process.stdin.destroy();
    await host.close(LAST_WORDS_MS);
    signals.release();
  }
}

/** In a network of its own an interface waits to be used, and has the addresses. */
function readOptions(input: Input): StackOptions {
  const options = readStackOptions(input);
  const waits = process.env[MARK] !== undefined && interfaceExists(DEFAULT_NAME);
  return waits && !input.given('name') ? { ...options, name: DEFAULT_NAME } : options;
}

function readTarget(input: Input): Target {
  const words = input.positionals;
  const port = words.at(-1);
  if (port === undefined || (words.length < 2 && !input.given('listen'))) {
    const missing = input.given('listen') || words.length === 1 ? 'port' : 'host and port';
    throw usage(`the ${missing} is missing`, helpHint(ncCommand));
  }
  return {
    host: words.length === 2 ? words[0] : undefined,
    port: parseInteger('the port', port, 1, 65_535),
  };
}

/** Carries one connection from its beginning to its end. */
async function converse(host: Host, target: Target, input: Input): Promise<void> {
  const listen = input.given('listen');
  const say = (text: string) => {
    if (input.given('verbose')) process.stderr.write(`${text}\n`);
  };
  const socket = await (listen ? accept(host, target, say) : connect(host, target, say));
  const peer = `${socket.remoteAddress} port ${socket.remotePort}`; // a destroyed socket forgets it
  try {
    await relay(socket, input.given('half-close'), listen);
  } catch (error) {
    throw new Failure(
      EXIT_FAILED,
      `the connection to ${peer} broke: ${describe(error)}`,
      'see what the other side says about it',
      error,
    );
  }
}

async function connect({ stack }: Host, target: Target, say: (text: string) => void) {
  const { host, port } = target as { host: string; port: number };
  const socket = stack.net.connect({ host, port, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
  } catch (error) {
    const refused = errorCode(error) === 'ECONNREFUSED';
    throw new Failure(
      EXIT_FAILED,
      `connect to ${host} port ${port} (tcp) failed: ${describe(error)}`,
      refused ? `start a listener there: nc -l ${port}` : 'check address, port and --peer',
      error,
    );
  }
  say(`Connection to ${host} ${port} port [tcp/*] succeeded!`);
  return socket;
}

async function accept({ stack }: Host, { host, port }: Target, say: (text: string) => void) {
  const server = stack.net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  try {
    server.listen({ port, ...(host !== undefined && { host }) });
    await once(server, 'listening');
  } catch (error) {
    throw new Failure(
      EXIT_FAILED,
      `cannot listen on ${host ?? 'any address'} port ${port}: ${describe(error)}`,
      'leave out the address, or give one that --address has',
      error,
    );
  }
  say(`Listening on ${host ?? 'any address'} ${port}`);
  const [socket] = await once(server, 'connection');
  server.close();
  say(`Connection received on ${socket.remoteAddress} ${socket.remotePort}`);
  return socket;
}

/**
 * Copies both ways until both are over; a listener is done when its peer is. Rejects when the
 * connection breaks.
 */
async function relay(socket: ServiceSocket, halfClose: boolean, listen: boolean): Promise<void> {
  const closed = once(socket, 'close');
  const received = once(socket, 'end');
  const over = listen ? received : Promise.all([received, once(process.stdin, 'end')]);
  process.stdin.pipe(socket, { end: halfClose });
  socket.pipe(process.stdout, { end: false });
  process.stdout.once('error', () => socket.destroy()); // nobody reads what the peer sends
  await Promise.race([over, closed]);
  process.stdin.unpipe(socket);
  socket.end();
  await closed;
}

/** What a system error means, in the words of strerror(3). */
function describe(error: unknown): string {
  const code = errorCode(error);
  for (const [name, text] of getSystemErrorMap().values()) {
    if (name === code) return text[0]!.toUpperCase() + text.slice(1);
  }
  return (error as Error).message;
}
