// A user without rights, made for a test, who may or may not open /dev/net/tun. Knows how to become one; must
// not know what is tried.

import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const USER = 'tester';
/** Another one in each process of the tests: who has two networks must say which one to join. */
export const UID = 10_000 + (process.pid % 50_000);

/** Programs that it takes. */
export const USER_TOOLS = ['unshare', 'setpriv', 'mount', 'mknod'];

/** In a mount namespace of its own: who the user is, a device node, what else is to be so, and the command. */
const BECOME = `mount -t tmpfs -o mode=755 none /dev/net &&
  { test -z "$MODE" || mknod -m "$MODE" /dev/net/tun c 10 "$MINOR"; } &&
  { cat /etc/passwd; echo ${USER}:x:${UID}:${UID}::/:/bin/sh; } > /dev/net/passwd &&
  mount --bind /dev/net/passwd /etc/passwd && eval "$PREPARE" &&
  exec $CHROOT setpriv --reuid ${UID} --regid ${UID} --clear-groups --bounding-set=-all "$@"`;

export interface Device {
  /** Of /dev/net/tun; '' where there is none. Default 0666. */
  mode?: string;
  /** Of the node; no driver answers to 255. */
  minor?: number;
  /** Shell, as root, before the user comes. */
  prepare?: string;
  /** What the command is started with, such as `chroot /mnt`. */
  chroot?: string;
}

/** The command, as this user would start it. */
export function asUser(device: Device, ...command: string[]): [string, string[]] {
  const { mode = '0666', minor = 200, prepare = 'true', chroot = '' } = device;
  const settings = { MODE: mode, MINOR: `${minor}`, PREPARE: prepare, CHROOT: chroot };
  const env = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return ['env', [...env, 'unshare', '--mount', 'sh', '-c', BECOME, 'sh', ...command]];
}

/** A folder of that user's. */
export class Home {
  readonly path = mkdtempSync(join(tmpdir(), 'finwait-home-'));

  constructor() {
    chownSync(this.path, UID, UID);
  }

  /** A script that becomes the user and runs its arguments. */
  script(): string {
    const [command, args] = asUser({});
    const path = join(this.path, 'as-user');
    writeFileSync(path, `exec ${[command, ...args].map(quote).join(' ')} "$@"\n`);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

const answers = new Map<string, string>();

/** Why such a user cannot be tried here, or '': a checkout for root only, or no user namespaces. */
export function whyNoUser(file: string): string {
  const known = answers.get(file) ?? askWhy(file);
  answers.set(file, known);
  return known;
}

function askWhy(file: string): string {
  const probe = `test -r ${file} && : <> /dev/net/tun && unshare --user --map-root-user --net true`;
  const [command, args] = asUser({}, 'sh', '-c', probe);
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? '' : stderr.trim() || `${file} is for others`;
}
