// `finwait shell`: a network of one's own, with a TUN device that waits for a stack, and a prompt or a command
// in it; or a second one in the same network. Knows what is to be run; how networks are made stands elsewhere.

import { existsSync } from 'node:fs';
import type { SystemError } from '../device/device-error.js';
import { TunDevice } from '../device/tun.js';
import { runProgram } from '../enclosure/enclosure.js';
import {
  endAllOf,
  endOthersHere,
  isInside,
  MARK,
  namespaceOf,
  type PrivateNetwork,
  privateNetworks,
} from '../enclosure/networks.js';
import type { Command, Input } from './command.js';
import { stackProcesses } from './control.js';
import { deviceFailure } from './device-failure.js';
import { EXIT_FAILED, Failure, formatFailure, usage } from './failure.js';
import { NETWORK_OPTIONS, type NetworkOptions, readNetworkOptions } from './network-options.js';
import { isRefused, runInside } from './own-network.js';
import { PUBLISH_OPTION, Publications } from './publications.js';
import { programCall } from './text.js';

/** As shells have it. */
const EXIT_NO_PROGRAM = 127;
const EXIT_NO_PERMISSION = 126;

const ENDING = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;

const { netns, ...OWN_OPTIONS } = NETWORK_OPTIONS;

export const shellCommand: Command = {
  name: 'shell',
  usage: ['shell [options] [COMMAND...]', 'shell --join [PID] [COMMAND...]'],
  description:
    'Opens a shell, or runs COMMAND, in a network of its own, without root where user namespaces are allowed\n' +
    'and /dev/net/tun may be opened. A TUN device waits there for finwait serve, finwait run or a program of\n' +
    'yours; nothing of it can be seen outside, and nothing outside from there. All ends with it. The exit code\n' +
    'is that of COMMAND. --join enters such a network once more, also one that finwait serve has made.',
  options: {
    join: {
      help: 'enter a network that is there already: the only one, or that of the process PID',
    },
    ...OWN_OPTIONS,
    ...PUBLISH_OPTION,
  },
  maxArguments: Number.POSITIVE_INFINITY,
  passesOn: true,
  run: runShell,
};

async function runShell(input: Input): Promise<number> {
  if (input.given('join')) return join(input);
  const options = readNetworkOptions(input);
  // The one that was asked for it waits outside; the one that it has started is inside.
  if (isInside()) return runHere(input, options);
  const code = runInside(input, { lastSignal: 'SIGHUP' });
  await endAllOf(String(process.pid)); // where the one inside could not
  return code;
}

async function runHere(input: Input, options: NetworkOptions): Promise<number> {
  // While programs run they get them; afterwards there is something to be tidied up.
  for (const signal of ENDING) process.on(signal, () => {});
  const published = Publications.open(input);
  const name = addInterface(options);
  published.start(String(options.links[0]!.stack));
  if (input.positionals.length === 0) greet(name, options, published);
  try {
    return start(input.positionals, 'here');
  } finally {
    await endOthersHere();
    await published.close();
  }
}

/** It is there for as long as the network is, and has several queues if they are wanted. */
function addInterface({ name, links, mtu }: NetworkOptions): string {
  try {
    const address = links.map(({ kernel }) => kernel);
    const device = TunDevice.open({ name, address, mtu, queue: { index: 0, count: 2 } });
    device.persist();
    device.close();
    return device.name;
  } catch (error) {
    throw deviceFailure(error);
  }
}

function greet(name: string, { links }: NetworkOptions, published: Publications): void {
  if (!process.stderr.isTTY || !process.stdin.isTTY) return;
  const [kernel, stack] = [links.map((link) => link.kernel), links.map((link) => link.stack)];
  const lines = [
    `A network of its own: ${name} waits for a stack (finwait serve, finwait run ...),`,
    `which will be ${stack.join(' and ')}; the kernel is ${kernel.join(' and ')}.`,
    ...published.lines.map((line) => `Published: ${line}.`),
    `It ends with this shell; another terminal enters it: ${programCall()} shell --join`,
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}

function join(input: Input): number {
  const alien = Object.keys(shellCommand.options).find(
    (name) => name !== 'join' && input.given(name),
  );
  if (alien !== undefined) {
    const fix = 'give it where the network is made: finwait shell, serve or run';
    throw usage(`--join and --${alien} exclude each other`, fix);
  }
  const [first, ...rest] = input.positionals;
  const byNumber = /^\d+$/.test(first ?? '');
  const networks = privateNetworks();
  // As root, for whom a stack is in the machine's own network: what it suggests works all the same.
  if (!byNumber && networks.length === 0 && isStackHere()) return start(input.positionals, 'here');
  const network = byNumber ? networkOf(Number(first), networks) : theOnly(networks);
  return start(byNumber ? rest : input.positionals, { pid: network.pid }, network.mark);
}

/** Whether a stack of this user is in the network that we are in. */
function isStackHere(): boolean {
  const here = namespaceOf('self', 'net');
  return stackProcesses().some((pid) => namespaceOf(pid, 'net') === here);
}

function theOnly(networks: readonly PrivateNetwork[]): PrivateNetwork {
  const [network, ...others] = networks;
  if (network === undefined) {
    const inside = process.env[MARK] !== undefined;
    throw new Failure(
      EXIT_FAILED,
      inside
        ? 'this is a network of its own already, from which no other one can be entered'
        : 'this user has no network to be entered',
      inside
        ? 'run the command as it is'
        : 'start one: finwait shell, or finwait serve without root',
    );
  }
  if (others.length === 0) return network;
  throw new Failure(
    EXIT_FAILED,
    `this user has ${networks.length} networks: ${listed(networks)}`,
    `say which: finwait shell --join ${networks.at(-1)!.pid}`,
  );
}

function listed(networks: readonly PrivateNetwork[]): string {
  return networks.map(({ pid, command }) => `${pid} (${describe(command)})`).join(', ');
}

/** `node …/dist/cli/main.js serve --http 80` as people have typed it. */
function describe(command: readonly string[]): string {
  const script = command.findIndex((word) => /(\/main\.js|\/finwait)$/.test(word));
  return script < 0 ? command.join(' ') : ['finwait', ...command.slice(script + 1)].join(' ');
}

/** Of any process in it, or of the one that waits outside for it. */
function networkOf(pid: number, networks: readonly PrivateNetwork[]): PrivateNetwork {
  const known = networks.find((each) => each.pid === pid || each.mark === String(pid));
  if (known !== undefined) return known;
  const network = namespaceOf(pid, 'net');
  if (network === namespaceOf('self', 'net')) {
    throw usage(`process ${pid} is in this very network`, 'leave out --join');
  }
  if (network !== '') return { pid, command: [], mark: String(pid) };
  throw new Failure(
    EXIT_FAILED,
    `there is no process ${pid} whose network this user may enter`,
    networks.length === 0
      ? 'start one: finwait shell, or finwait serve without root'
      : `choose one of those that there are: ${listed(networks)}`,
  );
}

/** Runs what is asked for, or the shell of this user, and waits for its end. */
function start(words: readonly string[], where: 'here' | { pid: number }, mark?: string): number {
  const argv = words.length > 0 ? words : [userShell()];
  const env = mark === undefined ? process.env : { ...process.env, [MARK]: mark };
  try {
    return runProgram({ argv, where, env });
  } catch (error) {
    if (!isRefused(error)) throw error;
    const failure = startFailure(error, argv[0]!);
    process.stderr.write(formatFailure('finwait shell', failure, false));
    if (error.syscall !== 'execve') return EXIT_FAILED;
    return isThere(error, argv[0]!) ? EXIT_NO_PERMISSION : EXIT_NO_PROGRAM;
  }
}

/** Of a name without a path it cannot be told: a folder in PATH may be closed to this user. */
function isThere({ code }: SystemError, program: string): boolean {
  return code !== 'ENOENT' && program.includes('/');
}

function startFailure(error: SystemError, program: string): Failure {
  if (isThere(error, program)) {
    const what = `${program} cannot be run: ${error.message}`;
    return new Failure(EXIT_FAILED, what, `make it a program: chmod +x ${program}`, error);
  }
  if (error.syscall === 'execve') {
    const what = `${program} cannot be run: ${error.code === 'ENOENT' ? 'there is no such program' : error.message}`;
    return new Failure(EXIT_FAILED, what, 'check its name, and PATH', error);
  }
  const what = `the network cannot be entered: ${error.message}`;
  return new Failure(EXIT_FAILED, what, 'enter it as the user who has made it', error);
}

function userShell(): string {
  const { SHELL = '' } = process.env;
  return existsSync(SHELL) ? SHELL : '/bin/sh';
}
