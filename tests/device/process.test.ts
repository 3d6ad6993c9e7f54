// What a device means for the life of its process, and what it does when the kernel falls short:
// shown by child processes in a namespace of their own.
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { canUseNamespaces, Namespace } from '../support/namespace.js';
import { launch, Scenarios } from './children/start.js';

// Several programs are started in each test.
vi.setConfig({ testTimeout: 30_000 });

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`process.test.ts is skipped: ${possible.why}`);

describe.skipIf(!possible.ok)('a process with a device', () => {
  let scenarios: Scenarios;
  let namespace: Namespace;

  beforeAll(() => {
    scenarios = new Scenarios();
  });

  afterAll(() => scenarios.remove());

  beforeEach(async () => {
    namespace = await Namespace.create();
  });

  afterEach(() => namespace.close());

  test('ends by itself when the device is not referenced', async () => {
    expect(await scenarios.run(namespace, 'idle')).toMatchObject({ code: 0, result: 'idle' });
  });

  test('goes on while the device is referenced', async () => {
    const [command, ...args] = scenarios.command('referenced');
    const child = namespace.spawn(command!, args);
    await once(child.stdout!, 'data');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(child.exitCode).toBe(null);
  });

  test('goes on until the alarm of a referenced clock', async () => {
    expect(await scenarios.run(namespace, 'alarm')).toMatchObject({ code: 0, result: 'alarm' });
  });

  test('ends at once by process.exit, even within a callback', async () => {
    expect(await scenarios.run(namespace, 'exit')).toMatchObject({ code: 3 });
  });

  test('hears of an exception in a callback as of any other', async () => {
    const { code, result } = await scenarios.run(namespace, 'uncaught');
    expect({ code, result }).toEqual({ code: 0, result: 'thrown in receive' });
  });

  test.each([
    ['super-segments', 'no-tso', true],
    ['the virtio header', 'no-vnet-header', false],
  ])('works where the kernel refuses %s, and says so', async (_, mode, checksum) => {
    const { result } = await scenarios.run(namespace, 'open', launch(mode));
    expect(result).toEqual({
      answered: true,
      offload: { checksum, tso4: false, tso6: false },
      maxSegmentBytes: 1500,
      warnings: ['Slower: the kernel refused super-segments on this interface'],
    });
  });

  test.each([
    ['EAGAIN', 'full-socket'],
    ['ENOBUFS', 'full-interface'],
  ])('%s: packets wait, whole, in order and without spinning', async (_, mode) => {
    const { result, stderr } = await scenarios.run(namespace, 'overfill', launch(mode));
    expect(stderr).toBe('');
    const { atOnce, dropped, sent, read, busyWaiting, busyIdle } = result;
    expect(atOnce).toBeGreaterThan(0);
    // 256 wait; of 300 the rest is too much.
    expect(dropped).toBe(300 - 256 - atOnce);
    expect(read).toEqual(Array.from({ length: 256 + atOnce }, (_, i) => i));
    expect(sent).toBe(256 + atOnce + 1);
    expect(busyWaiting).toBeLessThan(0.5);
    expect(busyIdle).toBeLessThan(0.5);
  });
});
