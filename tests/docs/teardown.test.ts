// docs/teardown.md does not lie: each of its commands runs here, from the first to the last, in a network
// of their own, and prints what the page shows. With FINWAIT_PAGE=write, the page is changed instead: what
// it shows becomes what was printed. Lines with `…` stay, and so do blocks that leave out lines.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILD_MS, buildProgram, MAIN, Place } from '../cli/program.js';
import { canUseNamespaces } from '../support/namespace.js';
import { agrees, normal, type PageCommand, readPage } from './page.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`teardown.test.ts is skipped: ${possible.why}`);

const FILE = 'docs/teardown.md';
/** Longest that a command may take, or that one which goes on may need for what the page shows, ms. */
const PATIENCE_MS = 30_000;

/** A shell command that prints to one stream, as a terminal shows it. */
class Job {
  private readonly child: ChildProcess;
  private printed = '';

  constructor(place: Place, command: string, cwd: string) {
    this.child = place.namespace.spawn('bash', ['-c', `exec 2>&1\n${command}`], {
      cwd,
      detached: true, // Ctrl-C is for a whole group of processes
      env: {
        ...place.env,
        NO_COLOR: '1',
        npm_config_loglevel: 'error',
        LC_ALL: 'C.UTF-8',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.printed += text;
    });
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** What it has printed since the last call, once it has ended. */
  async end(): Promise<string> {
    const timer = setTimeout(() => this.signal('SIGKILL'), PATIENCE_MS);
    if (!this.child.stdout!.closed) await once(this.child, 'close');
    clearTimeout(timer);
    return this.printed;
  }

  /** What it prints, until that is as much as the page shows. */
  async begin(shown: string): Promise<string> {
    const last = performance.now() + PATIENCE_MS;
    while (!agrees(shown, this.printed, true) && performance.now() < last && !this.hasEnded) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const printed = this.printed;
    this.printed = '';
    return printed;
  }

  interrupt(): Promise<string> {
    this.signal('SIGINT');
    return this.end();
  }

  private signal(signal: NodeJS.Signals): void {
    if (!this.hasEnded) process.kill(-this.child.pid!, signal);
  }
}

describe.skipIf(!possible.ok)(FILE, () => {
  const page = readPage(FILE);
  const results = new Map<PageCommand, string>();
  const jobs: Job[] = [];
  let place: Place;
  let folder: string;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
    // What the page writes stays out of the sources; `npx` finds the program.
    folder = mkdtempSync(join(tmpdir(), 'finwait-page-'));
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
    symlinkSync(MAIN, join(folder, 'node_modules', '.bin', 'finwait'));
  }, BUILD_MS);

  afterAll(async () => {
    for (const job of jobs.splice(0).reverse()) await job.interrupt();
    await place?.close();
    rmSync(folder, { recursive: true, force: true });
    if (process.env.FINWAIT_PAGE === 'write') rewrite(results);
  });

  async function carryOut({ text, output, running }: PageCommand): Promise<string> {
    if (text === null) return jobs.pop()!.interrupt();
    const job = new Job(place, text, folder);
    if (!running) return job.end();
    jobs.push(job);
    return job.begin(output);
  }

  for (const command of page.commands) {
    const { line, text, output, running } = command;
    test(`line ${line}: ${text ?? '^C'}`, { timeout: 2 * PATIENCE_MS }, async () => {
      const printed = await carryOut(command);
      results.set(command, printed);
      if (process.env.FINWAIT_PAGE === 'write' && !running) return;
      if (!agrees(output, printed, running)) expect(normal(printed)).toEqual(normal(output));
    });
  }

  test('links to files that are there', () => {
    for (const link of page.links)
      expect([link, existsSync(join('docs', link))]).toEqual([link, true]);
  });
});

function rewrite(results: ReadonlyMap<PageCommand, string>): void {
  const lines = readFileSync(FILE, 'utf8').split('\n');
  for (const [{ line, text, output }, printed] of [...results].reverse()) {
    if (/^…$/m.test(output) || agrees(output, printed)) continue;
    const first = line - 1 + (text === null ? 1 : text.split('\n').length);
    const count = output.split('\n').length - 1;
    const kept = output.split('\n').filter((each) => each.includes('…'));
    const shown = printed.trim() === '' ? [] : printed.trimEnd().split('\n');
    const written = shown.map((each) => kept.find((old) => agrees(old, each)) ?? each.trimEnd());
    lines.splice(first, count, ...written);
  }
  writeFileSync(FILE, lines.join('\n'));
}
