// What happens to processes and threads that a program starts, and when it ends itself. Knows how they are
// started; the programs in apps/ know nothing of finwait.

import { spawnSync } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BUILD_MS, buildProgram, MAIN, Place } from '../cli/program.js';
import { describeKernel } from '../support/kernel.js';

const app = (name: string) => fileURLToPath(new URL(`apps/${name}`, import.meta.url));

beforeAll(buildProgram, BUILD_MS);

/** Everything through the stack, or through the kernel. */
function run(name: string, how: 'all' | 'plain') {
  const command = how === 'all' ? [MAIN, 'run', '--all'] : [];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, app(name)], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status, said: stdout.trimEnd().split('\n'), stderr };
}

test('a connection of the stack cannot be handed to another process: that fails in words', () => {
  expect(run('hand-over.mjs', 'plain').said).toEqual(['from the child', 'closed']);
  const { status, said, stderr } = run('hand-over.mjs', 'all');
  expect(said).toEqual(['write ENOTSUP', 'closed']);
  expect(stderr).toContain(
    'FinwaitWarning: a connection or server of its stack cannot be given to another process: ENOTSUP',
  );
  expect(status).toBe(0);
});

test('each thread has a stack of its own', () => {
  expect(run('threads.mjs', 'plain').said).toContain(
    'listen EADDRINUSE: address already in use 127.0.0.1:4001',
  );
  const { status, said, stderr } = run('threads.mjs', 'all');
  expect(stderr).toBe('');
  expect(said).toEqual(['main thread 1', 'other thread 1']);
  expect(status).toBe(0);
});

test('a Node whose inside is another one is refused by name', () => {
  const without = 'data:text/javascript,delete process.binding("js_stream").JSStream';
  const register = fileURLToPath(new URL('../register.js', pathToFileURL(MAIN)));
  const args = ['--import', without, '--import', register, '-e', '0'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toContain('has no JSStream inside, which finwait/register needs');
  expect(status).toBe(1);
});

describeKernel('with a device', ['curl'], () => {
  let place: Place;

  beforeAll(async () => {
    place = await Place.create();
  });

  afterAll(() => place.close());

  test('the servers of a cluster are the kernel’s, and a warning says so', async () => {
    const running = await place.start(`run ${app('cluster.mjs')}`, 'ready');
    const { stdout } = await place.sh('for i in 1 2; do curl -sS http://127.0.0.1:4000/; done');
    expect(stdout.split('\n').sort()).toEqual(['', 'worker 1', 'worker 2']);
    expect(running.stderr).toContain('FinwaitWarning: the workers of a cluster share servers');
    await running.stop('SIGTERM');
  });

  test('a process that ends itself says goodbye to its peers', async () => {
    const running = await place.start(`run ${app('leaves.mjs')}`, 'ready');
    const { stdout, stderr } = await place.sh('curl -sS -m 5 http://10.9.0.2:4002/leave');
    expect(stdout).toBe('half of it');
    expect(stderr).toContain('transfer closed'); // and no time-out
    expect((await running.end()).code).toBe(4);
  });

  test('what a process has sent when it ends itself arrives, also what waits for the peer', async () => {
    const running = await place.start(`run ${app('leaves.mjs')}`, 'ready');
    const { stdout, stderr } = await place.sh('curl -sS -m 9 http://10.9.0.2:4002/all | wc -c');
    expect([stdout.trim(), stderr]).toEqual(['4000000', '']);
    expect((await running.end()).code).toBe(0);
  });

  test('one that a signal ends says goodbye as well, and until then finwait ss shows its connections', async () => {
    const running = await place.start(`run ${app('leaves.mjs')}`, 'ready');
    const curl = place.sh('curl -sS -m 15 http://10.9.0.2:4002/stay');
    await vi.waitUntil(async () => (await place.finwait('ss')).stdout.includes('ESTAB'), 10_000);
    const { stdout } = await place.finwait('ss --all');
    expect(stdout).toMatch(/fw0 \(pid \d+, 10.9.0.2, fd09::2\), 1 connection, 1 listener/);
    expect((await running.stop('SIGTERM')).code).toBe(143);
    expect((await curl).stderr).toContain('transfer closed');
    expect(place.sockets).toEqual([]);
  });
});
