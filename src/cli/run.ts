// `finwait run`: a program of somebody else's, over our own TCP. Knows options and how Node is started; what
// happens in the program stands elsewhere.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { TunDevice } from '../device/tun.js';
import { readSettings, type Settings, type Variable } from '../dropin/settings.js';
import type { Command, Input } from './command.js';
import { deviceFailure } from './device-failure.js';
import { usage } from './failure.js';
import {
  type LinkAddress,
  NETWORK_OPTIONS,
  readStackOptions,
  STACK_OPTIONS,
} from './network-options.js';
import { enterNetwork, OWN_NETWORK_OPTIONS } from './own-network.js';
import { PUBLISH_OPTION, Publications } from './publications.js';

/** What there is nothing of without a device. */
const OF_THE_DEVICE = [
  ...Object.keys({ ...NETWORK_OPTIONS, ...OWN_NETWORK_OPTIONS, ...PUBLISH_OPTION }),
  'no-offload',
  'spin',
];
const REGISTER = new URL('../register.js', import.meta.url);
/** Of util-linux: the program ends with us, however we end. */
const SETPRIV = '/usr/bin/setpriv';

type Variables = Partial<Record<Variable, string>>;

export const runCommand: Command = {
  name: 'run',
  usage: ['run [options] app.js [arguments]', 'run --all app.js [arguments]'],
  description: `Runs a Node program, unchanged: what it listens on, and what it connects to in the stack's subnets,
goes through our own TCP, all else through the kernel as ever. The device is made when the program
first needs it. It is the same as \`node --import finwait/register app.js\`, with each option as a
variable of the environment: --name is FINWAIT_NAME.`,
  options: {
    all: {
      help: 'everything goes there, localhost included; needs no device and no rights (FINWAIT_ROUTE=all)',
    },
    ...STACK_OPTIONS,
    ...OWN_NETWORK_OPTIONS,
    ...PUBLISH_OPTION,
  },
  maxArguments: Number.POSITIVE_INFINITY,
  passesOn: true,
  otherOptions:
    'options of Node go with `node --import finwait/register`, or into NODE_OPTIONS; those of the program behind its name',
  run,
};

async function run(input: Input): Promise<number> {
  const [script, ...args] = input.positionals;
  if (script === undefined) throw usage('which program?', 'name a file: finwait run app.js');
  const all = input.given('all') || process.env.FINWAIT_ROUTE === 'all';
  if (all) refuseDevice(input);
  const { links } = readStackOptions(input); // which says what is wrong with any of them
  const elsewhere = all ? null : enterNetwork(input);
  if (elsewhere !== null) return elsewhere;
  const variables = all ? { FINWAIT_ROUTE: 'all' } : networkVariables(input, links);
  const env = { ...process.env, ...stackVariables(input), ...variables };
  checkDevice(env);
  const published = Publications.open(input);
  published.start(String(links[0]!.stack));
  try {
    return await runNode(['--import', REGISTER.href, script, ...args], env);
  } finally {
    await published.close();
  }
}

/** Says here in a line what would else come as an error of the program's, or long after it has begun. */
function checkDevice(env: NodeJS.ProcessEnv): void {
  const { tun } = readSettingsOrFail(env);
  if (tun === null) return;
  try {
    const device = TunDevice.open(tun);
    for (const warning of device.warnings) process.stderr.write(`finwait run: ${warning}\n`);
    device.close();
  } catch (error) {
    throw deviceFailure(error);
  }
}

function readSettingsOrFail(env: NodeJS.ProcessEnv): Settings {
  try {
    return readSettings(env);
  } catch (error) {
    throw usage((error as Error).message, 'correct the variable, or unset it');
  }
}

function refuseDevice(input: Input): void {
  const given = OF_THE_DEVICE.find((name) => input.given(name));
  if (given === undefined) return;
  throw usage(`--${given} is of a device, and --all needs none`, `leave out --${given}`);
}

/** The options that were given, as the variables that the program's process reads. */
function stackVariables(input: Input): Variables {
  const given = Object.keys(STACK_OPTIONS).filter((name) => input.given(name));
  return Object.fromEntries(
    given.map((name) => [
      `FINWAIT_${name.toUpperCase().replaceAll('-', '_')}`,
      input.text(name) ?? '1',
    ]),
  );
}

/** Both sides of the link, where one was named: the other one is then that of the same families. */
function networkVariables(input: Input, links: readonly LinkAddress[]): Variables {
  if (!input.given('address') && !input.given('peer')) return {};
  return {
    FINWAIT_ADDRESS: links.map(({ stack }) => stack).join(),
    FINWAIT_PEER: links.map(({ kernel }) => kernel).join(),
  };
}

/** @returns the exit code, as a shell would have it */
async function runNode(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  // Whoever debugs means the program; there is one port for both.
  if (process.features.inspector) process.getBuiltinModule('node:inspector').close();
  const command = [process.execPath, ...args];
  if (existsSync(SETPRIV)) command.unshift(SETPRIV, '--pdeathsig', 'KILL');
  const child = spawn(command[0]!, command.slice(1), { stdio: 'inherit', env });
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  // A terminal sends Ctrl-C to both of us, and twice means something else to many programs.
  const terminal = hasTerminal();
  process.on('SIGINT', () => terminal || child.kill('SIGINT'));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + constants.signals[signal!];
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
