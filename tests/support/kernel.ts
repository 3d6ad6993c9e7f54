// What all tests against the kernel share: whether they can run here, and how they wait. Must not know
// what is tested.
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from 'vitest';
import { canUseNamespaces } from './namespace.js';

/** Longest wait for anything, ms: far more than it takes, since the machine may be busy. */
export const PATIENCE_MS = 20_000;
/** For vitest: a test waits for several things. */
export const TEST_MS = 60_000;

/** The two ends in one family. */
export interface Family {
  name: 'IPv4' | 'IPv6';
  /** The kernel's address, and the stack's. */
  kernel: string;
  stack: string;
  /** The stack's address as it stands in a URL. */
  host: string;
}

export const IPV4: Family = {
  name: 'IPv4',
  kernel: '10.9.0.1',
  stack: '10.9.0.2',
  host: '10.9.0.2',
};
export const IPV6: Family = {
  name: 'IPv6',
  kernel: 'fd09::1',
  stack: 'fd09::2',
  host: '[fd09::2]',
};
export const FAMILIES = [IPV4, IPV6];

function isInstalled(tool: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why tests against the kernel cannot run here, or null. */
function obstacle(tools: readonly string[]): string | null {
  if (!existsSync('/dev/net/tun')) return 'no /dev/net/tun';
  const missing = ['unshare', 'nsenter', 'setpriv', 'ip', ...tools].filter((t) => !isInstalled(t));
  if (missing.length > 0) return `${missing.join(', ')} not installed`;
  const possible = canUseNamespaces();
  return possible.ok ? null : possible.why;
}

/**
 * `describe` for tests that need a namespace, a TUN device and these programs. Where something is
 * missing they are reported as skipped, and the title says what it is.
 */
export function describeKernel(title: string, tools: readonly string[], body: () => void): void {
  const why = obstacle(tools);
  if (why === null) {
    describe(title, { timeout: TEST_MS }, body);
    return;
  }
  console.warn(`${title}: skipped: ${why}`);
  describe.skip(`${title} (skipped: ${why})`, body);
}

/** Waits until `done` answers true; throws with `what` and `details` when it never does. */
export async function until(
  what: string,
  done: () => boolean | Promise<boolean>,
  details: () => unknown = () => '',
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await done())) {
    if (Date.now() > end) {
      const more = JSON.stringify(details());
      throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what} ${more}`);
    }
    await sleep(2);
  }
}
