// The command `npm run bench`: what it says to those who ask for what is not there, and one short run.

import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { canUseNamespaces } from '../support/namespace.js';
import { asUser, Home, whyNoUser } from '../support/ordinary-user.js';
import { figures } from './figures.js';

const BENCH = fileURLToPath(new URL('../../bench/main.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'finwait-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What it builds goes where we can see whether it stays. */
const env = { ...process.env, TMPDIR: folder };

interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

function bench(...args: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [BENCH, ...args], { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

describe('npm run bench', () => {
  it('explains itself', async () => {
    const { code, stdout } = await bench('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('Groups: throughput, cpu, latency');
  });

  it.each([
    [['speed'], 'there is no group speed; there are: throughput, '],
    [['--fast'], "Unknown option '--fast'"],
    [['--rounds', '0'], "--rounds is '0', and must be a whole number from 1 to 1000"],
    [['--rounds', '1.5'], "--rounds is '1.5', and must be a whole number"],
    [['--seconds', ''], "--seconds is '', and must be a number from 0.05 to 600"],
    [['--only', 'bsd'], 'no contender is called bsd; there are: finwait raw, '],
    [['--compare', 'one.json'], '--compare needs two files'],
  ])('%j is a mistake of the user', async (args, message) => {
    const { code, stdout, stderr } = await bench(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`bench: ${message}`);
    expect(stderr).toContain('--help');
  });

  it('compares two files, and fails when something got slower', async () => {
    const [fast, slow] = [join(folder, 'fast.json'), join(folder, 'slow.json')];
    figures({ 'bulk-in|finwait raw': [40, 41, 42, 43] }).write(fast);
    figures({ 'bulk-in|finwait raw': [20, 21, 22, 23] }).write(slow);
    expect(await bench('--compare', fast, slow)).toMatchObject({ code: 1 });
    expect(await bench('--compare', slow, fast)).toMatchObject({ code: 0 });
    const { code, stderr } = await bench('--compare', fast, join(folder, 'none.json'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^bench: ENOENT.*none\.json/);
  });

  it('writes a page and plots beside a file', async () => {
    const file = join(folder, 'figures.json');
    figures({ 'bulk-in|finwait raw': [40], 'bulk-in|C epoll': [80] }).write(file);
    const { code, stdout } = await bench('--report', file);
    expect(code).toBe(0);
    const written = stdout.trim().split('\n');
    expect(written.map((path) => existsSync(path))).not.toContain(false);
    const page = readFileSync(join(folder, 'figures.html'), 'utf8');
    expect(page).toContain('0.50 of C epoll, target ≥ 1: missed');
    expect(page).toContain('slirp4netns is not available: needs the Debian package slirp4netns');
  });
});

const place = canUseNamespaces();
const whyNot = place.ok ? whyNoUser(BENCH) : place.why;
if (whyNot !== '') console.warn(`npm run bench without root: skipped: ${whyNot}`);

describe.skipIf(!place.ok)('a run', () => {
  it('gives a figure for each contender, and leaves nothing behind', async () => {
    const file = join(folder, 'run.json');
    const args = ['--quick', '--seconds', '0.1', '--idle', '200', '--json', file];
    const groups = ['throughput', 'latency', 'connections', 'close', 'memory'];
    const only = ['--only', 'finwait,node:net,C epoll'];
    const { code, stdout, stderr } = await bench(...groups, ...args, ...only);
    expect(stderr.replace(/^bench: dist is older.*$/m, '')).not.toContain('bench:');
    const { results, failures } = JSON.parse(readFileSync(file, 'utf8'));
    expect(failures).toEqual([]);
    expect(code).toBe(0);
    const rows = (name: string) =>
      results
        .filter((each: { contender: string }) => each.contender === name)
        .map(({ row, values }: { row: string; values: number[] }) => [row, values.length]);
    const loads = ['bulk-in', 'bulk-out', 'pingpong', 'crc-1', 'crc-50', 'close-p50', 'close-p99'];
    for (const name of ['finwait raw', 'finwait sockets', 'node:net', 'C epoll']) {
      expect(rows(name)).toEqual(expect.arrayContaining(loads.map((row) => [row, 1])));
    }
    expect(rows('finwait raw')).toEqual(expect.arrayContaining([['memory-idle', 1]]));
    expect(stdout).toContain('bulk in, Gbit/s');
    expect(readdirSync(folder).filter((name) => name.startsWith('finwait-bench-'))).toEqual([]);
  }, 60_000);

  it.skipIf(whyNot !== '')(
    'needs no root where the user may open the device, and says so where not',
    async () => {
      const home = new Home();
      const run = (mode: string) => {
        const args = ['latency', '--quick', '--seconds', '0.1', '--only', 'finwait raw'];
        const command = asUser({ mode }, process.execPath, BENCH, ...args);
        const options = { encoding: 'utf8', env: { ...process.env, TMPDIR: home.path } } as const;
        return spawnSync(...command, options);
      };
      const [open, closed] = [run('0666'), run('0600')];
      home.remove();
      expect(open.stderr).toBe('');
      expect(open.stdout).toContain('ping-pong');
      expect(open.status).toBe(0);
      expect(closed.stderr).toContain('/dev/net/tun may not be opened by this user');
      expect(closed.status).toBe(3);
    },
    60_000,
  );

  it('that is interrupted leaves nothing behind either', async () => {
    const child = spawn(process.execPath, [BENCH, '--quick', '--only', 'C epoll'], { env });
    const closed = once(child, 'close');
    const built = () => readdirSync(folder).find((name) => name.startsWith('finwait-bench-'));
    const programs = () => {
      const name = built();
      return name === undefined ? [] : readdirSync(join(folder, name));
    };
    await vi.waitUntil(() => programs().includes('load'), { timeout: 20_000 });
    const place = join(folder, built()!);
    child.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    expect(built()).toBeUndefined();
    expect(commandLines().filter((line) => line.includes(place))).toEqual([]);
  }, 60_000);
});

/** Of all processes that there are. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
}
