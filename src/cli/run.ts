// `finwait run`: a program of somebody else's, over our own TCP. Knows options and how Node is started; what
// happens in the program stands elsewhere.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import type { Variable } from '../dropin/settings.js';
import type { Command, Input } from './command.js';
import { usage } from './failure.js';
import { NETWORK_OPTIONS, readStackOptions, STACK_OPTIONS } from './network-options.js';

/** What there is nothing of without a device. */
const OF_THE_DEVICE = [...Object.keys(NETWORK_OPTIONS), 'no-offload', 'spin'];
const REGISTER = new URL('../register.js', import.meta.url);
/** Of util-linux: the program ends with us, however we end. */
const SETPRIV = '/usr/bin/setpriv';

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
  },
  maxArguments: Number.POSITIVE_INFINITY,
  passesOn: true,
  run,
};

async function run(input: Input): Promise<number> {
  const [script, ...args] = input.positionals;
  if (script === undefined) throw usage('which program?', 'name a file: finwait run app.js');
  return runNode(['--import', REGISTER.href, script, ...args], {
    ...process.env,
    ...readVariables(input),
  });
}

/** The options that were given, as the variables that the program's process reads. */
function readVariables(input: Input): Partial<Record<Variable, string>> {
  const variables: Partial<Record<Variable, string>> = {};
  const { links } = readStackOptions(input); // which says what is wrong with any of them
  for (const name of Object.keys(STACK_OPTIONS)) {
    if (!input.given(name)) continue;
    if (input.given('all') && OF_THE_DEVICE.includes(name)) {
      throw usage(`--${name} is of a device, and --all needs none`, `leave out --${name}`);
    }
    const variable = `FINWAIT_${name.toUpperCase().replaceAll('-', '_')}` as Variable;
    variables[variable] = input.text(name) ?? '1';
  }
  if (input.given('all')) variables.FINWAIT_ROUTE = 'all';
  if (input.given('address') || input.given('peer')) {
    variables.FINWAIT_ADDRESS = links.map(({ stack }) => stack).join();
    variables.FINWAIT_PEER = links.map(({ kernel }) => kernel).join();
  }
  return variables;
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
