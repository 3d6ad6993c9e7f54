// The lab against the kernel: all scenarios, again and again, and what others see of them. Knows the built
// program's modules, since the kernel's side is a program of its own; must not know the command line.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import type * as kernelProcess from '../../src/lab/kernel-process.js';
import type * as kernelWorld from '../../src/lab/kernel-world.js';
import type { Result } from '../../src/lab/result.js';
import type * as run from '../../src/lab/run.js';
import type { Scenario } from '../../src/lab/scenario.js';
import { SCENARIOS, scenarioNamed } from '../../src/lab/scenarios/index.js';
import type * as series from '../../src/lab/series.js';
import { BUILD_MS, buildProgram } from '../cli/program.js';
import { describeKernel, until } from '../support/kernel.js';
import { Sniffer } from './sniffer.js';

const ROUNDS = 20;
/** Most of its time a run waits for a timer, ours or the kernel's. */
const SITES = 8;
const ALL_ROUNDS_MS = 240_000;

const built = <T>(module: string): Promise<T> =>
  import(fileURLToPath(new URL(`../../dist/lab/${module}.js`, import.meta.url)));

const plain: Scenario = {
  ...scenarioNamed('handshake')!,
  name: 'plain',
  steps: [
    { end: 'theirs', call: 'listen' },
    { end: 'ours', call: 'connect' },
    { until: { end: 'theirs', state: 'ESTABLISHED' } },
  ],
};

describeKernel('the lab against the kernel, many times', [], () => {
  const results = new Map<string, Result[]>();

  beforeAll(async () => {
    buildProgram();
    const { runSeries } = await built<typeof series>('series');
    const many = Array.from({ length: ROUNDS }, () => SCENARIOS).flat();
    const options = { simulated: false, sites: SITES, look: () => null };
    for await (const { result } of runSeries(many, options)) {
      results.set(result.name, [...(results.get(result.name) ?? []), result]);
    }
  }, BUILD_MS + ALL_ROUNDS_MS);

  test.each(SCENARIOS.map(({ name }) => name))(`%s passes ${ROUNDS} times`, (name) => {
    const all = results.get(name)!;
    expect(all.filter(({ passed }) => !passed)).toEqual([]);
    expect(all).toHaveLength(ROUNDS);
  });
});

describeKernel('what others see of a run', ['tcpdump', 'ss', 'nsenter'], () => {
  beforeAll(buildProgram, BUILD_MS);

  test.each(['active-close', 'simultaneous-close', 'lost-fin', 'rst-after-fin', 'linger-zero'])(
    '%s: ss names the same states, and tcpdump sees the same segments',
    async (name) => {
      const { KernelProcess } = await built<typeof kernelProcess>('kernel-process');
      const { KernelWorld } = await built<typeof kernelWorld>('kernel-world');
      const { Run } = await built<typeof run>('run');
      const process = await KernelProcess.start();
      const world = await KernelWorld.open(scenarioNamed(name)!, { process });
      const sniffer = await Sniffer.start(process.pid, 'fw0');
      try {
        const steps = new Run(scenarioNamed(name)!, world);
        const compared: string[] = [];
        while (!steps.done) {
          await steps.step();
          compared.push(world.theirs.state);
          expect(stateByTool(process.pid, world.theirs.path.length > 0)).toBe(world.theirs.state);
        }
        const { segments, passed } = steps.result();
        expect(passed).toBe(true);
        expect(new Set(compared).size).toBeGreaterThan(2);
        // What the kernel sends is on its wire whatever becomes of it at the gate.
        const sent = segments.filter(
          ({ direction, fate }) => direction === 'in' || fate === 'passed',
        );
        await until('tcpdump has seen all', () => sniffer.flags.length >= sent.length);
        for (const direction of ['in', 'out'] as const) {
          expect(sniffer.flags.filter((line) => line.startsWith(direction))).toEqual(
            sent.filter((each) => each.direction === direction).map(lettersOf),
          );
        }
      } finally {
        sniffer.stop();
        await world.close();
        await process.close();
      }
    },
  );
});

describeKernel('a world with the kernel in it', ['ss', 'nsenter'], () => {
  beforeAll(buildProgram, BUILD_MS);

  test('is settled when the kernel, its program and our stack have done all they can', async () => {
    const { KernelWorld } = await built<typeof kernelWorld>('kernel-world');
    const { Run } = await built<typeof run>('run');
    const world = await KernelWorld.open(plain);
    try {
      const opening = new Run(plain, world);
      while (!opening.done) await opening.step();
      for (let i = 1; i <= 100; i++) {
        await world.ours.call({ end: 'ours', call: 'write', bytes: 10 });
        await world.settle();
        for (const held of [...world.gate.held]) world.gate.release(held);
        await world.settle();
        expect(world.theirs.received).toBe(10 * i);
        await world.theirs.call({ end: 'theirs', call: 'write', bytes: 20 });
        await world.settle();
        expect(world.gate.held.at(-1)?.direction).toBe('in');
        for (const held of [...world.gate.held]) world.gate.release(held);
        await world.settle();
        expect(world.ours.received).toBe(20 * i);
      }
    } finally {
      await world.close();
    }
  });

  test('is settled when all of a burst has been read, which takes several batches', async () => {
    const { KernelWorld } = await built<typeof kernelWorld>('kernel-world');
    const { Run } = await built<typeof run>('run');
    // CUBIC leaves slow start early, since the round trip gets longer while segments wait at the gate.
    const sysctl = { 'ipv4/tcp_congestion_control': 'reno' };
    const world = await KernelWorld.open({ ...plain, kernel: { sysctl } });
    try {
      const opening = new Run(plain, world);
      while (!opening.done) await opening.step();
      const flush = async () => {
        while (world.gate.held.length > 0) {
          for (const held of [...world.gate.held]) world.gate.release(held);
          await world.settle();
        }
      };
      // So much that its congestion window grows; then so much at once.
      for (const bytes of [400_000, 300_000]) {
        await flush();
        await world.theirs.call({ end: 'theirs', call: 'write', bytes });
        await world.settle();
      }
      const arrived = () => world.gate.held.filter(({ direction }) => direction === 'in').length;
      const burst = arrived();
      expect(burst).toBeGreaterThan(64);
      for (let i = 0; i < 10; i++) await world.settle();
      expect(arrived()).toBe(burst);
    } finally {
      await world.close();
    }
  });

  test('lets time pass only until something has happened, however long it may', async () => {
    const { KernelWorld } = await built<typeof kernelWorld>('kernel-world');
    const world = await KernelWorld.open(plain);
    try {
      await world.theirs.call({ end: 'theirs', call: 'connect' });
      await world.settle();
      expect(world.gate.held).toHaveLength(1);
      const start = world.now();
      // tcp(7): the first SYN is repeated after a second.
      await world.pass(60_000);
      expect(world.gate.held).toHaveLength(2);
      expect((world.now() - start) / 1000).toBeGreaterThan(900);
      expect((world.now() - start) / 1000).toBeLessThan(10_000);
    } finally {
      await world.close();
    }
  });

  test('puts the parameters of its namespace back for the next one', async () => {
    const { KernelProcess } = await built<typeof kernelProcess>('kernel-process');
    const { KernelWorld } = await built<typeof kernelWorld>('kernel-world');
    const process = await KernelProcess.start();
    try {
      const read = () => inNetworkOf(process.pid, 'cat', '/proc/sys/net/ipv4/tcp_fin_timeout');
      const before = read();
      const sysctl = { 'ipv4/tcp_fin_timeout': 7 };
      const world = await KernelWorld.open({ ...plain, kernel: { sysctl } }, { process });
      expect(read()).toBe('7');
      await world.close();
      expect(read()).toBe(before);
    } finally {
      await process.close();
    }
  });

  test('can ask the kernel for patience by a route, where it has no parameter for that', async () => {
    const { KernelProcess } = await built<typeof kernelProcess>('kernel-process');
    const { KernelWorld } = await built<typeof kernelWorld>('kernel-world');
    const side = await KernelProcess.start();
    const world = await KernelWorld.open(plain, { process: side });
    try {
      const network = '10.9.0.0/24';
      await side.ask({ command: 'patience', device: 'fw0', network, ms: 3000 });
      expect(inNetworkOf(side.pid, 'ip', 'route')).toMatch(/^10\.9\.0\.0\/24 .* rto_min lock 3s/);
    } finally {
      await world.close();
      await side.close();
    }
  });

  test('says so when the kernel’s program has ended', async () => {
    const { KernelProcess } = await built<typeof kernelProcess>('kernel-process');
    const { KernelWorld } = await built<typeof kernelWorld>('kernel-world');
    const side = await KernelProcess.start();
    const world = await KernelWorld.open(plain, { process: side });
    process.kill(side.pid, 'SIGKILL');
    await expect(world.settle()).rejects.toThrow('it has ended (SIGKILL)');
    await world.close();
  });
});

/** `in FIN,ACK …` as `in FA`, without what says nothing: PSH. */
function lettersOf({ direction, text }: Result['segments'][number]): string {
  const [flags] = text.split(' ') as [string];
  const letters = flags.split(',').filter((flag) => flag !== 'PSH');
  return `${direction} ${letters.map((flag) => flag[0]).join('')}`;
}

/** What ss(8) calls them. */
const NAMES: Readonly<Record<string, string>> = {
  ESTAB: 'ESTABLISHED',
  'SYN-RECV': 'SYN-RECEIVED',
};

/** The state of the one connection that the kernel has there; before there was any, that of a listener. */
function stateByTool(pid: number, wasConnected: boolean): string {
  const lines = inNetworkOf(pid, 'ss', '-tanH').split('\n');
  const states = lines.map((line) => line.split(/\s+/)[0]!);
  if (!wasConnected && states.includes('LISTEN')) return 'LISTEN';
  const [state = ''] = states.filter((each) => each !== 'LISTEN');
  return state === '' ? 'CLOSED' : (NAMES[state] ?? state);
}

function inNetworkOf(pid: number, command: string, ...args: string[]): string {
  const enter = [`--net=/proc/${pid}/ns/net`, '--', command, ...args];
  const { stdout, stderr, status } = spawnSync('nsenter', enter, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout.trim();
}
