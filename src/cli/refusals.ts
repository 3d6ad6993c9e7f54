// Why a system does not let an ordinary user have a network of its own, in words that help. Knows what
// Linux, its distributions and containers say; must not try anything.

import { existsSync, readFileSync } from 'node:fs';
import type { SystemError } from '../device/device-error.js';

export type Refusal = readonly [finding: string, fix: string];

/** What is looked at to find out; may be another machine's. */
export interface Surroundings {
  /** A file's text without white space at its ends; '' where it can't be read. */
  read(path: string): string;
  exists(path: string): boolean;
  readonly uid: number;
}

export const HERE: Surroundings = {
  read(path) {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '';
    }
  },
  exists: existsSync,
  uid: process.getuid!(),
};

const APPARMOR = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns';
const CLONE = '/proc/sys/kernel/unprivileged_userns_clone';
const MAX_USERS = '/proc/sys/user/max_user_namespaces';
const MAX_NETWORKS = '/proc/sys/user/max_net_namespaces';

export const SUDO = 'run it with sudo';
/** Where it has to make networks and to change settings. */
export const CONTAINER_ALL = 'docker run --privileged ...';
/** Where it needs no user namespace, since the container has a network of its own. */
export const CONTAINER_RIGHTS = 'docker run --cap-add NET_ADMIN --device /dev/net/tun ...';

/** In which kind of container this process is, null if in none that shows. */
export function containerKind({ exists, read }: Surroundings): string | null {
  if (exists('/.dockerenv')) return 'Docker';
  if (exists('/run/.containerenv')) return 'Podman';
  const kind = /(?:^|\0)container=([^\0]+)/.exec(read('/proc/1/environ'))?.[1];
  return kind ?? null;
}

/** What keeps ordinary users from having namespaces with rights in them, as settings say it; or null. */
export function settingsRefusal({ read }: Surroundings): Refusal | null {
  if (read(MAX_USERS) === '0') {
    return ['user.max_user_namespaces is 0', 'sudo sysctl user.max_user_namespaces=10000'];
  }
  if (read(CLONE) === '0') {
    return [
      'kernel.unprivileged_userns_clone is 0',
      'sudo sysctl kernel.unprivileged_userns_clone=1',
    ];
  }
  if (read(APPARMOR) === '1') {
    return [
      'AppArmor takes the rights away in user namespaces',
      'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0',
    ];
  }
  if (read(MAX_NETWORKS) === '0') {
    return ['user.max_net_namespaces is 0', 'sudo sysctl user.max_net_namespaces=10000'];
  }
  return null;
}

/**
 * What an error of `runProgram` means that tried to get a network of its own.
 * @param error its `syscall` and `subject` say which step: `unshare user`, `write /proc/self/uid_map`, ...
 */
export function explainRefusal(error: SystemError, around: Surroundings = HERE): Refusal {
  const { code, syscall, subject } = error;
  if (syscall === 'open' && subject === '/dev/net/tun') return explainTun(code, around);
  if (code === 'ENOSPC' || code === 'EUSERS') return explainLimit(subject, around);
  if (syscall === 'unshare' && code === 'EINVAL') {
    return [`this kernel has no ${subject} namespaces`, SUDO];
  }
  if (!/^(unshare|setns|write|capset|prctl|TUNSETIFF|SIOCSIFFLAGS)$/.test(syscall)) {
    return [error.message, 'run the same command with --debug, and report what it prints'];
  }
  const settings = settingsRefusal(around);
  if (settings !== null) return settings;
  const kind = containerKind(around);
  if (kind !== null) {
    return [`the container (${kind}) does not allow it: ${error.message}`, CONTAINER_RIGHTS];
  }
  return [error.message, around.uid === 0 ? CONTAINER_RIGHTS : SUDO];
}

/** unshare(2): a limit that is reached is "no space left on device", whatever disks may have. */
function explainLimit(subject: string, around: Surroundings): Refusal {
  const [path, name] =
    subject === 'network'
      ? [MAX_NETWORKS, 'max_net_namespaces']
      : [MAX_USERS, 'max_user_namespaces'];
  const limit = around.read(path);
  if (limit === '0') return settingsRefusal({ ...around, read: (p) => (p === path ? limit : '') })!;
  return [
    `all ${limit} ${subject} namespaces that user.${name} allows are in use, or they are nested too ` +
      'deeply (the kernel calls that ENOSPC; no disk is full)',
    `end what uses them, or: sudo sysctl user.${name}=${2 * Number(limit)}`,
  ];
}

/** Why /dev/net/tun cannot be opened. */
export function explainTun(code: string, around: Surroundings = HERE): Refusal {
  const device = '/dev/net/tun';
  const kind = containerKind(around);
  const inContainer = kind === null ? '' : ` (${kind})`;
  if (code === 'EACCES' || code === 'EPERM') {
    if (around.uid === 0 || code === 'EPERM') {
      return [
        `${device} may not be opened even by root: the container${inContainer} or the mount forbids devices`,
        'docker run --device /dev/net/tun ...',
      ];
    }
    return [
      `${device} may not be opened by this user, and a user namespace does not change that`,
      'run as root, or once: sudo chmod 0666 /dev/net/tun',
    ];
  }
  if (kind !== null && code === 'ENOENT') {
    return [
      `${device} is missing in this container (${kind})`,
      'docker run --device /dev/net/tun ...',
    ];
  }
  const release = around.read('/proc/sys/kernel/osrelease');
  const modules = `/lib/modules/${release}`;
  if (release !== '' && !around.exists(modules)) {
    return [
      `${device} cannot be opened (${code}): the driver tun is not loaded, and there is no ${modules} to load it from`,
      'reboot, if the kernel was updated; else install the modules of this kernel, or one that has tun',
    ];
  }
  return [
    `${device} cannot be opened (${code}): the driver tun is not loaded, or the container hides it`,
    'sudo modprobe tun, or docker run --device /dev/net/tun ...',
  ];
}
