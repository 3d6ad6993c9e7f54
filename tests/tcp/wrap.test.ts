// Sequence numbers are only differences: the same traffic with other initial numbers, below their
// wrap or below the change of sign, gives the same segments.

import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type { TcpFields } from '../support/trace-packet.js';
import { Invariants } from './invariants.js';
import { activelyEstablished, established, type Stage } from './states.js';
import { offers, Player, traffic } from './traffic.js';

vi.setConfig({ testTimeout: 60_000 });

const PLAIN = 1_000_000;
/** Near the wrap of 32 bits and near 2^31, so that some edge of a window lies across it. */
const start = fc.oneof(
  fc.integer({ min: -5000, max: 1 }),
  fc.integer({ min: -300_000, max: 1 }),
  fc.integer({ min: 2 ** 31 - 5000, max: 2 ** 31 + 1 }),
  fc.integer({ min: 2 ** 31 - 300_000, max: 2 ** 31 + 1 }),
);

const world = fc.record({
  ...{ isn: start, iss: start, active: fc.boolean(), syn: offers },
  family: fc.constantFrom(4 as const, 6 as const),
  headerPrediction: fc.boolean(),
  receiveBuffer: fc.constantFrom(256 << 10, 20_000),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function stageWith(world: World, isn: number, iss: number): Stage {
  const { active, syn, family, headerPrediction, receiveBuffer } = world;
  const tcp = { headerPrediction, receiveBuffer, receiveBufferMax: 4 * receiveBuffer };
  return (active ? activelyEstablished : established)({
    ...{ core: { tcp, isn: () => isn }, syn, family, iss },
  });
}

/** A segment that the stack sent, with numbers counted from the initial ones. */
function relative(segment: TcpFields, isn: number, iss: number): object {
  const { seq, ack, options, flags } = segment;
  return {
    ...segment,
    // A RST for an unknown flow has no number of its own, when it acknowledges (§3.10.7.1).
    seq: flags.includes('R') && flags.includes('.') ? 'none' : (seq - isn) >>> 0,
    ack: flags.includes('.') ? (ack - iss) >>> 0 : 'none',
    options: options.map((option) => {
      if (option.kind !== 'sack') return option;
      const blocks = option.blocks.map((edges) => edges.map((edge) => (edge - iss) >>> 0));
      return { kind: 'sack', blocks };
    }),
    payload: Buffer.from(segment.payload).toString('latin1'),
  };
}

it('what is sent does not depend on where the numbers begin', () => {
  let segments = 0;
  fc.assert(
    fc.property(world, traffic, (world, steps) => {
      const { isn, iss } = world;
      const [plain, near] = [stageWith(world, PLAIN, PLAIN), stageWith(world, isn, iss)];
      const players = [new Player(plain), new Player(near)];
      const invariants = new Invariants(near.core);
      for (const step of steps) {
        const from = plain.peer.heard.length;
        for (const player of players) player.play(step);
        invariants.check();
        expect(near.peer.heard.length).toBe(plain.peer.heard.length);
        for (let i = from; i < near.peer.heard.length; i++) {
          const sent = JSON.stringify(relative(near.peer.heard[i]!, isn, iss));
          const expected = JSON.stringify(relative(plain.peer.heard[i]!, PLAIN, PLAIN));
          if (sent !== expected) expect(sent).toBe(expected);
          segments++;
        }
      }
      expect(near.application.told).toEqual(plain.application.told);
      expect(near.application.received.equals(plain.application.received)).toBe(true);
    }),
    { numRuns: 120 },
  );
  expect(segments).toBeGreaterThan(1000);
});
