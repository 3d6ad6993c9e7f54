// What finwait needs of a machine, one function a need. Knows Linux; must not know how results are shown.

import { closeSync, constants, openSync } from 'node:fs';
import { findAddressClash } from '../device/address-clash.js';
import { explainSystemError, type SystemError } from '../device/device-error.js';
import { native } from '../device/native.js';
import { TunDevice } from '../device/tun.js';
import { mayMakeInterfaces } from '../enclosure/enclosure.js';
import { MARK, namespaceOf } from '../enclosure/networks.js';
import { ask, controlSockets } from './control.js';
import { deviceFailure } from './device-failure.js';
import { errorCode } from './failure.js';
import type { NetworkOptions } from './network-options.js';
import {
  containerKind,
  explainTun,
  HERE,
  type Refusal,
  SUDO,
  settingsRefusal,
} from './refusals.js';
import type { StackReport } from './report.js';

/** What was looked at, whether it is as needed, and what mends it. */
export interface Check {
  name: string;
  /** `note`: finwait works in spite of it. */
  verdict: 'ok' | 'note' | 'bad';
  finding: string;
  fix?: string;
}

const TUN = '/dev/net/tun';
const { read } = HERE;

/** Where a command would work. */
export interface Whereabouts {
  /** In the network that it is in; else it needs one of its own. */
  readonly stays: boolean;
  /** Why that cannot be had; null where nothing is known against it. */
  readonly refusal: Refusal | null;
}

/** All checks, in the order in which things would go wrong. */
export async function runChecks(
  options: NetworkOptions,
  { stays, refusal }: Whereabouts,
): Promise<Check[]> {
  const checks = [checkNode(), checkAddon(), checkContainer(), checkTun()];
  checks.push(checkCapability(options, stays), checkUserNamespaces(refusal));
  checks.push(checkIpv6(options));
  checks.push(await checkName(options));
  if (checks[1]!.verdict === 'ok') checks.push(checkAddresses(options));
  if (checks.every(({ verdict }) => verdict !== 'bad')) checks.push(checkTrial(options));
  return checks;
}

function ok(name: string, finding: string): Check {
  return { name, verdict: 'ok', finding };
}

function note(name: string, finding: string, fix: string): Check {
  return { name, verdict: 'note', finding, fix };
}

function bad(name: string, finding: string, fix: string): Check {
  return { name, verdict: 'bad', finding, fix };
}

/** What a device's error says, and what mends it. */
function badFromError(name: string, error: unknown, device = name): Check {
  // What the addon throws says which step it was, and not yet what that means.
  const isBare = error instanceof Error && 'subject' in error;
  const known = isBare ? explainSystemError(error as SystemError, device, 1) : error;
  const { message, fix } = deviceFailure(known);
  return bad(name, message, fix);
}

function checkNode(): Check {
  // An older one does not get as far as this.
  return ok('node', `version ${process.versions.node}`);
}

function checkAddon(): Check {
  try {
    native();
    return ok('addon', 'the native part is built and loads');
  } catch (error) {
    return badFromError('addon', error);
  }
}

function checkContainer(): Check {
  const kind = containerKind(HERE);
  if (kind === null) return ok('container', 'none that shows');
  const finding = `this is one (${kind}): finwait works in its network, not in that of the machine`;
  return ok('container', finding);
}

export function checkTun(): Check {
  try {
    closeSync(openSync(TUN, constants.O_RDWR));
    return ok('tun', `${TUN} can be opened`);
  } catch (error) {
    return bad('tun', ...explainTun(errorCode(error)));
  }
}

function checkCapability(options: NetworkOptions, stays: boolean): Check {
  const inside = process.env[MARK] === undefined ? '' : ', in a network of its own';
  if (mayMakeInterfaces()) return ok('capability', `this process has CAP_NET_ADMIN${inside}`);
  const finding = 'this process lacks CAP_NET_ADMIN, which making an interface needs';
  if (!stays) {
    return ok('capability', 'none in this network, so it takes one of its own');
  }
  // One that root has made for this user can be used without.
  return canAttach(options)
    ? note('capability', finding, SUDO)
    : bad('capability', finding, `${SUDO}, or without --host-network where user namespaces work`);
}

/** Whether there is an interface of that name that this process may use. */
export function canAttach(options: NetworkOptions): boolean {
  return interfaceExists(options.name) && checkTrial(options).verdict !== 'bad';
}

/** Whether this network namespace has an interface of that name; /sys may show another one's. */
export function interfaceExists(name: string): boolean {
  const lines = read('/proc/self/net/dev').split('\n');
  return lines.some((line) => line.trim().startsWith(`${name}:`));
}

function checkUserNamespaces(refusal: Refusal | null): Check {
  if (refusal !== null) {
    const [finding, fix] = refusal;
    return bad('user namespaces', `no network of its own for this user: ${finding}`, fix);
  }
  const settings = settingsRefusal(HERE);
  if (settings === null) return ok('user namespaces', 'allowed');
  const [finding, fix] = settings;
  return note('user namespaces', `not of use here: ${finding}; needed only without root`, fix);
}

function checkIpv6({ links, netns }: NetworkOptions): Check {
  if (!links.some(({ stack }) => stack.family === 6)) return ok('ipv6', 'not asked for');
  if (netns !== undefined) return ok('ipv6', 'not checked in another network namespace');
  const fix = 'sudo sysctl net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0';
  const state = read('/proc/sys/net/ipv6/conf/default/disable_ipv6');
  if (state === '0') return ok('ipv6', 'enabled');
  return note('ipv6', 'disabled in this kernel or namespace: IPv4 only', fix);
}

async function checkName(options: NetworkOptions): Promise<Check> {
  const { name, netns } = options;
  if (netns !== undefined) return ok('name', 'not checked in another network namespace');
  if (!interfaceExists(name)) return ok('name', `no interface ${name} exists yet`);
  if (canAttach(options)) return ok('name', `${name} exists, and waits for whoever attaches to it`);
  for (const path of controlSockets()) {
    const report = (await ask(path, { command: 'sockets' })) as StackReport | null;
    if (report?.name !== name || !isHere(report.pid)) continue;
    return bad(
      'name',
      `${name} is in use by finwait, process ${report.pid}`,
      `end that one (kill ${report.pid}), or choose others with --name, --address and --peer`,
    );
  }
  return note('name', `an interface ${name} exists already`, 'choose another with --name');
}

/** Whether a process is in the network that we are in. */
function isHere(pid: number): boolean {
  return namespaceOf(pid, 'net') === namespaceOf('self', 'net');
}

function checkAddresses({ links, netns, name }: NetworkOptions): Check {
  const subnets = links.map(({ kernel }) => kernel);
  try {
    const clashes = findAddressClash(subnets, netns, name);
    const serious = clashes.filter(({ harmless }) => !harmless);
    const messages = (serious.length > 0 ? serious : clashes).map(({ message }) => message);
    const fix = 'choose others: --address 10.77.0.2 --peer 10.77.0.1/24';
    if (serious.length > 0) return bad('addresses', messages.join('; '), fix);
    if (clashes.length > 0) return note('addresses', messages.join('; '), fix);
    return ok('addresses', `${subnets.join(' and ')} are free`);
  } catch (error) {
    return badFromError('addresses', error, name);
  }
}

/** The proof: the interface is opened, as `serve` would, and closed at once. */
function checkTrial({ name, links, mtu, netns }: NetworkOptions): Check {
  try {
    const address = links.map(({ kernel }) => kernel);
    const device = TunDevice.open({ name, address, mtu, ...(netns !== undefined && { netns }) });
    device.close();
    const { warnings } = device;
    const finding = [`${device.name} can be opened`, ...warnings].join('; ');
    return { name: 'trial', verdict: warnings.length === 0 ? 'ok' : 'note', finding };
  } catch (error) {
    return badFromError('trial', error);
  }
}
