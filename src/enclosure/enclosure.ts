// How an ordinary user gets to make networks: as root of a user namespace of its own. Knows Linux; must
// not know what is run there.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** Bits of CapEff, capabilities(7). */
const CAP_NET_ADMIN = 1n << 12n;
const CAP_SYS_ADMIN = 1n << 21n;

/** unshare(1): to be root among oneself. The network stays the one that we are in. */
const AS_ROOT = ['--user', '--map-root-user'];

/** Whether this process may make network namespaces, and interfaces in them. */
export function mayMakeNetworks(): boolean {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const needed = CAP_NET_ADMIN | CAP_SYS_ADMIN;
  return (effective & needed) === needed;
}

/** Whether it might in a user namespace; '' if so, else what the system says. */
export function whyNotEnclosed(): string {
  const { status, stderr, error } = spawnSync('unshare', [...AS_ROOT, '--net', 'true'], {
    encoding: 'utf8',
  });
  if (error !== undefined) return 'unshare(1) is missing, a part of util-linux';
  return status === 0 ? '' : stderr.trim() || `unshare ended with ${status}`;
}

/**
 * Runs this program again, with the same arguments, as root of a user namespace of its own. The other one
 * ends with this one, however this one ends.
 * @returns its exit code
 */
export async function runEnclosed(): Promise<number> {
  // Whoever debugs means the one that does the work; there is one port for both.
  if (process.features.inspector) process.getBuiltinModule('node:inspector').close();
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const args = [...AS_ROOT, 'setpriv', '--pdeathsig', 'KILL', ...again];
  const child = spawn('unshare', args, { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both, others to us alone: a second one does no harm.
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + constants.signals[signal!];
}
