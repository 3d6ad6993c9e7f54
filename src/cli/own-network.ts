// Which network a command works in: that of the machine where it may, else one of its own, in which the
// program runs again. Knows options and what to say; how it is done stands in src/enclosure.

import { DeviceError, type SystemError } from '../device/device-error.js';
import {
  mayMakeInterfaces,
  mayMakeNetworks,
  type Program,
  runProgram,
} from '../enclosure/enclosure.js';
import { MARK } from '../enclosure/networks.js';
import { canAttach } from './checks.js';
import type { Input, OptionSpec } from './command.js';
import { deviceFailure } from './device-failure.js';
import { environment } from './failure.js';
import { readNetworkOptions } from './network-options.js';
import { Publications } from './publications.js';
import { CONTAINER_ALL, CONTAINER_RIGHTS, explainRefusal, type Refusal } from './refusals.js';

const TUN = '/dev/net/tun';

export const OWN_NETWORK_OPTIONS = {
  'host-network': { help: "stay in this machine's network, also without root" },
} satisfies Record<string, OptionSpec>;

export interface Need {
  /** What the command makes: an interface (default), or networks, which takes more. */
  readonly makes?: 'interface' | 'networks';
  /** What else helps where the machine does not allow it, such as `or --sim`. */
  readonly instead?: string;
}

/**
 * Makes sure that a command can make its interface: where this process may not, the program runs again in a
 * network of its own, as the same user. To be called first. `--host-network`, `--netns` and an interface
 * that root has made for this user leave it where it is.
 * @returns the exit code of the other one, or null where this process goes on
 * @throws Failure where the machine does not allow it
 */
export function enterNetwork(input: Input, need: Need = {}): number | null {
  return staysHere(input, need) ? null : runInside(input, need);
}

/** Whether a command can work in the network that it is in, or has to. */
export function staysHere(input: Input, { makes = 'interface' }: Need = {}): boolean {
  if (input.given('host-network') || input.text('netns') !== undefined) return true;
  if (makes === 'networks') return mayMakeNetworks();
  return mayMakeInterfaces() || canAttach(readNetworkOptions(input));
}

/** Why no network of its own can be had; null where one can. */
export function triedNetwork(): Refusal | null {
  try {
    runProgram({ argv: [], where: 'new' });
    return null;
  } catch (error) {
    if (isRefused(error)) return explainRefusal(error);
    const { message, fix } = deviceFailure(error);
    return [message, fix];
  }
}

/**
 * Runs this program again, in a network of its own.
 * @returns its exit code
 * @throws Failure where the machine does not allow it
 */
export function runInside(
  input: Input,
  { makes, instead, lastSignal }: Need & Pick<Program, 'lastSignal'> = {},
): number {
  try {
    return run(input, lastSignal);
  } catch (error) {
    if (error instanceof DeviceError) throw deviceFailure(error);
    if (!isRefused(error)) throw error;
    const [why, known] = explainRefusal(error);
    const fix = makes === 'networks' && known === CONTAINER_RIGHTS ? CONTAINER_ALL : known;
    const more = instead === undefined ? fix : `${fix}; ${instead}`;
    // The device would be as closed to root.
    const what = error.subject === TUN ? '' : 'a network of its own is not allowed to this user: ';
    throw environment(what + why, more, error);
  }
}

function run(input: Input, lastSignal: Program['lastSignal'] = 'SIGKILL'): number {
  if (process.env[MARK] !== undefined && !mayMakeNetworks()) {
    // Once more would not help, and would never end.
    const what =
      'this is a network of its own, but the right to make interfaces in it was taken away';
    throw environment(what, 'leave it and try again');
  }
  runProgram({ argv: [], where: 'new' });
  const published = Publications.open(input);
  // Whoever debugs means the one that does the work; there is one port for both.
  if (process.features.inspector) process.getBuiltinModule('node:inspector').close();
  return runProgram({
    lastSignal,
    argv: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    where: 'new',
    env: { ...process.env, ...published.environment, [MARK]: String(process.pid) },
    descriptors: published.descriptors,
  });
}

/** Whether that is what the system said. */
export function isRefused(error: unknown): error is SystemError {
  return error instanceof Error && 'subject' in error;
}
