// How a program gets a network of its own, as root or as an ordinary user, and how another one enters it.
// Knows Linux; must not know what is run there.

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { native } from '../device/native.js';
import { MARK, namespaceOf } from './networks.js';

/** Bits of CapEff, capabilities(7). */
const CAP_NET_ADMIN = 1n << 12n;
const CAP_SYS_ADMIN = 1n << 21n;

/** Which network: ours, a new one, or that of another process. */
export type Where = 'here' | 'new' | { readonly pid: number };

export interface Program {
  /** Name or path, and arguments. */
  readonly argv: readonly string[];
  readonly where: Where;
  /** Of ours by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** Descriptors that it gets as 3, 4, ... */
  readonly descriptors?: readonly number[];
  /** What it gets when this process ends, however that is. Default SIGKILL. */
  readonly lastSignal?: 'SIGKILL' | 'SIGHUP';
}

function may(needed: bigint): boolean {
  const status = readText('/proc/self/status');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return (effective & needed) === needed;
}

/** '' where there is none, and no /proc to look into. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Whether this process may make network namespaces, and interfaces in them. */
export function mayMakeNetworks(): boolean {
  return may(CAP_NET_ADMIN | CAP_SYS_ADMIN);
}

/** Whether it may make interfaces in the network that it is in. */
export function mayMakeInterfaces(): boolean {
  return (
    may(CAP_NET_ADMIN) && (!isInUserNamespace() || process.env[MARK] !== undefined || makesOne())
  );
}

/** user_namespaces(7): outside of all, everybody is mapped to themselves. */
function isInUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readText('/proc/self/uid_map'));
}

/** In a user namespace one may have all rights over networks, but not over the one that one is in. */
function makesOne(): boolean {
  try {
    return runProgram({ argv: [], where: 'here' }) === 0;
  } catch {
    return false;
  }
}

/**
 * Runs a program and waits for its end. Signals that others send to this process go on to it.
 * @returns its exit code, or 128 and the number of the signal that ended it
 * @throws SystemError with what the system refused: `unshare user`, `write /proc/self/uid_map`, ...
 */
export function runProgram(program: Program): number {
  const { argv, where, env = process.env, descriptors = [], lastSignal = 'SIGKILL' } = program;
  return native().start(
    argv,
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : `${key}=${value}`)),
    userNamespace(where),
    networkNamespace(where),
    Int32Array.from(descriptors),
    constants.signals[lastSignal],
  );
}

/** A new one only for those who may not make networks otherwise. */
function userNamespace(where: Where): string {
  if (where === 'here') return '';
  if (where === 'new') return mayMakeNetworks() ? '' : 'new';
  const ours = namespaceOf('self', 'user');
  return namespaceOf(where.pid, 'user') === ours ? '' : `/proc/${where.pid}/ns/user`;
}

function networkNamespace(where: Where): string {
  if (where === 'here') return '';
  return where === 'new' ? 'new' : `/proc/${where.pid}/ns/net`;
}
