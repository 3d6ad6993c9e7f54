// Runs before and after all tests: nothing of theirs may be left on the machine. Knows where devices,
// control sockets and processes show up; must not know the tests.

import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { controlSockets } from '../../src/cli/control.js';

/** Inherited by whatever the tests start, also by what outlives its parent. */
const MARK = 'FINWAIT_TEST_RUN';
const ENDS_WITHIN_MS = 3000;

const mark = randomUUID();
let before: ReadonlySet<string>;

export function setup(): void {
  before = new Set(found());
  // Workers take it over with their environment; this process has it in memory only, not in /proc.
  process.env[MARK] = mark;
}

export async function teardown(): Promise<void> {
  const deadline = performance.now() + ENDS_WITHIN_MS;
  let left: string[];
  do {
    await sleep(50);
    left = [...found().filter((thing) => !before.has(thing)), ...strays().map(describe)];
  } while (left.length > 0 && performance.now() < deadline);
  for (const pid of strays()) process.kill(pid, 'SIGKILL');
  if (left.length === 0) return;
  console.error(`The tests left behind:\n  ${left.join('\n  ')}`);
  process.exitCode = 1; // an error thrown here would be shown only
}

/** Our devices in this network namespace, and control sockets of stacks that run no more. */
function found(): string[] {
  const devices =
    readFileSync('/proc/net/dev', 'utf8').match(/(?<=^ *)(fw|tun)[^ :]*(?=:)/gm) ?? [];
  return [
    ...devices.map((name) => `device ${name}`),
    ...controlSockets()
      .filter((path) => !existsSync(`/proc/${/\d+(?=\.sock$)/.exec(path)?.[0]}`))
      .map((path) => `control socket ${path}`),
  ];
}

/** Processes that the tests started, and that still run; the workers of the tests are no such. */
function strays(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) !== process.pid)
    .filter((pid) => read(pid, 'environ').split('\0').includes(`${MARK}=${mark}`));
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(read(pid, 'status'))?.[1]);
}

function describe(pid: number): string {
  const command = read(pid, 'cmdline').replaceAll('\0', ' ').trim();
  return `process ${pid}: ${command}`;
}

/** Empty for what has ended, and for processes of other users. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
