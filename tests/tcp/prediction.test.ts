// Header prediction against the full path: two stacks get the same traffic, and must not differ in
// anything, sent, remembered or delivered.

import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type { Connection } from '../../src/tcp/connection.js';
import type { isPredicted } from '../../src/tcp/fastpath.js';
import { RESERVED } from '../stack/host.js';
import { Invariants } from './invariants.js';
import { activelyEstablished, established, type Stage } from './states.js';
import { offers, Player, type Step, traffic } from './traffic.js';

vi.setConfig({ testTimeout: 60_000 });

/** How many segments took each way. */
const ways = { short: 0, full: 0 };

vi.mock('../../src/tcp/fastpath.js', async (importOriginal) => {
  const original = await importOriginal<{ isPredicted: typeof isPredicted }>();
  const counted: typeof isPredicted = (tcb, segment) => {
    const predicted = original.isPredicted(tcb, segment);
    if (predicted) ways.short += 1;
    else ways.full += 1;
    return predicted;
  };
  return { isPredicted: counted };
});

/** Everything that a connection remembers, as text. */
function memory(connection: Connection): string {
  const plain = (of: object) =>
    Object.entries(of).filter(
      ([, value]) => typeof value !== 'object' && typeof value !== 'function',
    );
  const { snd, rcv, rtt, counters, deadlines } = connection;
  const ranges = rcv.outOfOrder;
  const gaps = Array.from({ length: ranges?.count ?? 0 }, (_, i) => [
    ranges?.start(i),
    ranges?.end(i),
  ]);
  const rings = [snd.ring, rcv.ring].map(({ length, capacity }) => [length, capacity]);
  const parts = [connection, snd, rcv, rtt, counters].map(plain);
  return JSON.stringify([...parts, gaps, rings, deadlines]);
}

function stageWith(headerPrediction: boolean, world: World): Stage {
  const stage = world.active ? activelyEstablished : established;
  return stage({
    core: {
      memory: RESERVED + world.memory,
      isn: () => world.isn,
      tcp: { headerPrediction, receiveBuffer: world.buffer, receiveBufferMax: 4 * world.buffer },
    },
    ...{ syn: world.syn, family: world.family, iss: world.iss },
  });
}

const near = fc.integer({ min: -3000, max: 10 });
const world = fc.record({
  active: fc.boolean(),
  family: fc.constantFrom(4 as const, 6 as const),
  // So little that it runs out, now and then.
  memory: fc.constantFrom(1 << 20, 1 << 20, 64 << 10),
  buffer: fc.constantFrom(256 << 10, 20_000),
  syn: offers,
  isn: fc.oneof(fc.integer(), near),
  iss: fc.oneof(fc.integer(), near),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

/** Compares what was sent since packet `from`, and what is remembered. */
function compare(a: Stage, b: Stage, from: number): void {
  const [sent, other] = [a.peer.packets, b.peer.packets];
  expect(sent.length).toBe(other.length);
  for (let i = from; i < sent.length; i++) {
    if (Buffer.compare(sent[i]!, other[i]!) !== 0) expect(a.peer.heard[i]).toEqual(b.peer.heard[i]);
  }
  const [fromA, fromB] = [memory(a.connection), memory(b.connection)];
  if (fromA !== fromB) expect(fromA).toBe(fromB);
}

it('the short path and the full path do the same', () => {
  fc.assert(
    fc.property(world, traffic, (world, steps: Step[]) => {
      const stages = [stageWith(true, world), stageWith(false, world)] as const;
      const players = stages.map((stage) => new Player(stage));
      const invariants = stages.map(({ core }) => new Invariants(core));
      for (const step of steps) {
        const from = stages[0].peer.packets.length;
        for (const player of players) player.play(step);
        for (const each of invariants) each.check();
        compare(...stages, from);
      }
      const [short, full] = stages;
      expect(short.application.told).toEqual(full.application.told);
      expect(short.application.received.equals(full.application.received)).toBe(true);
      expect(short.core.counters).toEqual(full.core.counters);
    }),
    { numRuns: 200 },
  );
  // Else nothing was compared.
  expect(ways.short).toBeGreaterThan(300);
  expect(ways.full).toBeGreaterThan(300);
});
