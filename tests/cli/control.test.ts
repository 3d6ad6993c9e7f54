// The socket between finwait processes: privacy, answers, and what dead processes leave behind.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ask, ControlServer, controlSockets, runtimeDirectories } from '../../src/cli/control.js';

let home: string;
let control: ControlServer | null = null;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'finwait-test-'));
  vi.stubEnv('XDG_RUNTIME_DIR', home);
});

afterEach(() => {
  control?.close();
  control = null;
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

/** Sockets in the directory of this test. */
function sockets(): string[] {
  return controlSockets().filter((path) => path.startsWith(home));
}

it('answers, also in one line of several megabytes', async () => {
  const big = 'x'.repeat(5_000_000);
  control = await ControlServer.open('fw0', { big: () => big, add: ({ a }) => Number(a) + 1 });
  expect(sockets()).toEqual([control.path]);
  expect(await ask(control.path, { command: 'add', a: 1 })).toBe(2);
  expect(await ask(control.path, { command: 'big' })).toBe(big);
});

it('is for this user only', async () => {
  control = await ControlServer.open('fw0', {});
  expect(statSync(join(home, 'finwait')).mode & 0o777).toBe(0o700);
  expect(statSync(control.path).mode & 0o777).toBe(0o600);
});

it('passes over a directory that others can enter', async () => {
  control = await ControlServer.open('fw0', {});
  control.close();
  chmodSync(join(home, 'finwait'), 0o755);
  control = await ControlServer.open('fw0', {});
  expect(control.path.startsWith(runtimeDirectories()[1]!)).toBe(true);
});

it('uses the directory of FINWAIT_RUNTIME_DIR, and looks nowhere else', async () => {
  control = await ControlServer.open('fw0', {});
  const elsewhere = join(home, 'elsewhere');
  vi.stubEnv('FINWAIT_RUNTIME_DIR', elsewhere);
  expect(controlSockets()).toEqual([]);
  const other = await ControlServer.open('fw0', {});
  expect(other.path.startsWith(`${elsewhere}/`)).toBe(true);
  expect(controlSockets()).toEqual([other.path]);
  other.close();
});

it('removes its file when it closes', async () => {
  control = await ControlServer.open('fw0', {});
  const { path } = control;
  control.close();
  expect(sockets()).toEqual([]);
  expect(await ask(path, { command: 'x' })).toBeNull();
});

it('reports errors of the other side, unknown commands among them', async () => {
  const fail = () => {
    throw new Error('broken');
  };
  control = await ControlServer.open('fw0', { fail });
  await expect(ask(control.path, { command: 'fail' })).rejects.toThrow(
    /does not answer "fail": broken/,
  );
  for (const command of ['nothing', 'constructor']) {
    await expect(ask(control.path, { command })).rejects.toThrow(`unknown command ${command}`);
  }
});

it('survives nonsense, and answers several requests on one connection', async () => {
  control = await ControlServer.open('fw0', { one: () => 1 });
  const socket = net.connect(control.path);
  socket.end('nonsense\n{"command":"one"}\n{"command":"one"}\n');
  const lines = (await socket.setEncoding('utf8').toArray()).join('').trim().split('\n');
  expect(lines.map((line) => Object.keys(JSON.parse(line))[0])).toEqual([
    'error',
    'result',
    'result',
  ]);
});

it('removes what a killed process has left, and nothing else', async () => {
  control = await ControlServer.open('fw0', {});
  const dead = spawnSync('true').pid;
  const orphan = join(home, 'finwait', `fw7.${dead}.sock`);
  const script = `require('net').createServer().listen('${orphan}', () => process.kill(process.pid, 9))`;
  spawnSync(process.execPath, ['-e', script]);
  expect(sockets()).toEqual([control.path, orphan]);
  expect(await ask(orphan, { command: 'x' })).toBeNull();
  expect(sockets()).toEqual([control.path]);
  // A file at a living process's number stays: it is not ours to judge.
  const alive = join(home, 'finwait', `fw8.${process.ppid}.sock`);
  writeFileSync(alive, '');
  expect(await ask(alive, { command: 'x' })).toBeNull();
  expect(sockets()).toContain(alive);
});
