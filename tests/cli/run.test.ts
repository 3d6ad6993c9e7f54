// `finwait run` as a command: what it makes of options, signals and ends. What programs see of the stack is
// tested in tests/dropin.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeKernel } from '../support/kernel.js';
import { BUILD_MS, buildProgram, MAIN, Place, Running } from './program.js';

const folder = mkdtempSync(join(tmpdir(), 'finwait-run-'));
const app = join(folder, 'app.cjs');

beforeAll(() => {
  buildProgram();
  writeFileSync(
    app,
    `const variables = Object.entries(process.env).filter(([name]) => /^FINWAIT_(?!RUN|TEST)/.test(name));
     console.log(JSON.stringify([require.main === module, process.argv.slice(2), Object.fromEntries(variables)]));
     if (process.argv[2] === 'wait') {
       process.on('SIGTERM', () => process.exit(9));
       process.on('SIGINT', () => console.log('interrupted'));
       setTimeout(() => console.log('waits'), 1);
       setTimeout(() => {}, 20_000);
     } else process.exitCode = Number(process.argv[2] ?? 0);`,
  );
}, BUILD_MS);

afterAll(() => rmSync(folder, { recursive: true }));

describeKernel('finwait run', ['setpriv'], () => {
  let place: Place;

  beforeAll(async () => {
    place = await Place.create();
  });

  afterAll(() => place.close());

  test('the program gets its arguments, and its exit code is ours', async () => {
    const { code, stdout, stderr } = await place.finwait(`run ${app} 6 --name x -- --help`);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([true, ['6', '--name', 'x', '--', '--help'], {}]);
    expect(code).toBe(6);
  });

  test('options become variables', async () => {
    const options = '--name fw7 --address 10.7.0.2 --peer 10.7.0.1/30 --msl 5 --no-offload';
    const { stdout } = await place.finwait(`run ${options} ${app}`);
    expect(JSON.parse(stdout)[2]).toEqual({
      FINWAIT_NAME: 'fw7',
      FINWAIT_ADDRESS: '10.7.0.2',
      FINWAIT_PEER: '10.7.0.1/30',
      FINWAIT_MSL: '5',
      FINWAIT_NO_OFFLOAD: '1',
    });
    expect(JSON.parse((await place.finwait(`run --all ${app}`)).stdout)[2]).toEqual({
      FINWAIT_ROUTE: 'all',
    });
  });

  test.each([
    ['', 2, 'which program?\n  fix: name a file: finwait run app.js'],
    [
      '--all --mtu 1400 x.js',
      2,
      '--mtu is of a device, and --all needs none\n  fix: leave out --mtu',
    ],
    [
      '--inspect x.js',
      2,
      'unknown option --inspect\n  fix: options of Node go with `node --import',
    ],
    ['--nmae x x.js', 2, 'did you mean --name?'],
    ['--name a/b x.js', 2, "'a/b' cannot be the name of a network interface"],
    ['--name lo x.js', 3, 'an interface of that name exists and is no TUN device'],
  ])('run %s ends with %i', async (args, exitCode, words) => {
    const { code, stdout, stderr } = await place.finwait(`run ${args}`);
    expect(stderr).toContain(words);
    expect([code, stdout]).toEqual([exitCode, '']);
  });

  test('a taken device is said in two lines, before the program begins', async () => {
    await place.namespace.ip('tuntap add taken mode tap');
    const { code, stdout, stderr } = await place.finwait(`run --name taken ${app}`);
    expect(stderr).toMatch(/^finwait run: Cannot open the TUN device taken: .*\n {2}fix: .*\n$/);
    expect([code, stdout]).toEqual([3, '']);
  });

  test('SIGTERM is passed on, and so is SIGINT where no terminal has sent it to both', async () => {
    const args = [process.execPath, MAIN, 'run', '--all', app, 'wait'];
    const child = spawn('setsid', args, { stdio: 'pipe', env: place.env });
    const running = await Running.shown(child, 'waits');
    child.kill('SIGINT');
    await running.shows('interrupted');
    expect((await running.stop('SIGTERM')).code).toBe(9);
  });
});
