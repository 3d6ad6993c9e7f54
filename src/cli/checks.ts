// What finwait needs of a machine, one function a need. Knows Linux; must not know how results are shown.

import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { findAddressClash } from '../device/address-clash.js';
import { native } from '../device/native.js';
import { TunDevice } from '../device/tun.js';
import { ask, controlSockets } from './control.js';
import { deviceFailure } from './device-failure.js';
import { errorCode } from './failure.js';
import type { NetworkOptions } from './network-options.js';
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
/** capability.h */
const CAP_NET_ADMIN = 12n;

/** All checks, in the order in which things would go wrong. */
export async function runChecks(options: NetworkOptions): Promise<Check[]> {
  const checks = [checkNode(), checkAddon(), checkTun(), checkCapability(options)];
  checks.push(checkUserNamespaces(), checkIpv6(options), await checkName(options));
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
function badFromError(name: string, error: unknown): Check {
  const { message, fix } = deviceFailure(error);
  return bad(name, message, fix);
}

/** A file's text without its last newline; '' where it can't be read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
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

export function checkTun(): Check {
  try {
    closeSync(openSync(TUN, constants.O_RDWR));
    return ok('tun', `${TUN} can be opened`);
  } catch (error) {
    if (/^(EACCES|EPERM)$/.test(errorCode(error))) {
      const finding = `${TUN} may not be opened by this user`;
      return bad('tun', finding, 'run as root, or once: sudo chmod 0666 /dev/net/tun');
    }
    const finding = `${TUN} cannot be opened (${errorCode(error)}): the kernel has no TUN driver, or the container hides it`;
    return bad('tun', finding, 'sudo modprobe tun, or docker run --device /dev/net/tun ...');
  }
}

/** Whether this process has CAP_NET_ADMIN, proc(5). */
function hasNetAdmin(): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(read('/proc/self/status'))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}

function checkCapability({ name }: NetworkOptions): Check {
  if (hasNetAdmin()) return ok('capability', 'this process has CAP_NET_ADMIN');
  const finding = 'this process lacks CAP_NET_ADMIN, which making an interface needs';
  const fix = 'run it with sudo, or in a network of its own, which `unshare -Urn` opens';
  // One that root has made for this user can be used without; the trial will show it.
  return interfaceExists(name) ? note('capability', finding, fix) : bad('capability', finding, fix);
}

/** Whether this network namespace has an interface of that name; /sys may show another one's. */
function interfaceExists(name: string): boolean {
  const lines = read('/proc/self/net/dev').split('\n');
  return lines.some((line) => line.trim().startsWith(`${name}:`));
}

/** What keeps an ordinary user from making a network namespace, or null. */
export function namespaceObstacle(): [finding: string, fix: string] | null {
  if (read('/proc/sys/user/max_user_namespaces') === '0') {
    return ['max_user_namespaces is 0', 'sudo sysctl user.max_user_namespaces=10000'];
  }
  if (read('/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return ['unprivileged_userns_clone is 0', 'sudo sysctl kernel.unprivileged_userns_clone=1'];
  }
  if (read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return [
      'AppArmor takes the capabilities away in them',
      'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0',
    ];
  }
  return null;
}

function checkUserNamespaces(): Check {
  const obstacle = namespaceObstacle();
  if (obstacle === null) return ok('user namespaces', 'allowed');
  const [finding, fix] = obstacle;
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

async function checkName({ name, netns }: NetworkOptions): Promise<Check> {
  if (netns !== undefined) return ok('name', 'not checked in another network namespace');
  if (!interfaceExists(name)) return ok('name', `no interface ${name} exists yet`);
  for (const path of controlSockets()) {
    const report = (await ask(path, { command: 'sockets' })) as StackReport | null;
    if (report?.name !== name) continue;
    return bad(
      'name',
      `${name} is in use by finwait, process ${report.pid}`,
      `end that one (kill ${report.pid}), or choose others with --name, --address and --peer`,
    );
  }
  return note('name', `an interface ${name} exists already`, 'choose another with --name');
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
    return badFromError('addresses', error);
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
