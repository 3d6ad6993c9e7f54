// Acknowledgments and SACK blocks of all kinds, true ones and absurd ones, in any order: what must
// hold of the log of what is in flight holds (invariants.ts), and an honest peer gets everything.

import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { packetTooBig } from '../../src/tcp/icmp-error.js';
import { RESERVED } from '../stack/host.js';
import type { TcpOption } from '../support/trace-packet.js';
import { Invariants } from './invariants.js';
import { established, type Stage } from './states.js';

vi.setConfig({ testTimeout: 60_000 });

/** A place in the send space: so many eighths of what is outstanding behind SND.UNA, and so many bytes. */
const place = fc.record({
  eighths: fc.integer({ min: -1, max: 9 }),
  bytes: fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: -3, max: 3 }) },
    { weight: 2, arbitrary: fc.constantFrom(1448, -1448, 536) },
    { weight: 1, arbitrary: fc.integer() },
  ),
});
/** Blocks that overlap, touch, go backwards, were acknowledged, or were never sent. */
const blocks = fc.array(fc.tuple(place, place), { maxLength: 4 });

const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('ack' as const),
      ack: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, place),
      blocks,
      /** Which transmission the peer echoes: so many milliseconds ago. */
      echo: fc.constantFrom(0, 1, 5, 50, 1000),
      window: fc.oneof(
        { weight: 8, arbitrary: fc.constant(65_535) },
        fc.constantFrom(0, 1, 1000, 5000),
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('write' as const), bytes: fc.nat(30_000) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('sleep' as const),
      ms: fc.oneof(fc.nat(3), fc.nat(30), fc.nat(400), fc.nat(5000)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('too big' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('shutdown' as const) }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;
type Place = typeof place extends fc.Arbitrary<infer T> ? T : never;

const world = fc.record({
  isn: fc.constantFrom(5_000_000, -3000, 2 ** 31 - 3000),
  timestamps: fc.boolean(),
  headerPrediction: fc.boolean(),
  congestion: fc.constantFrom('newreno' as const, 'cubic' as const),
});

function numberAt({ connection }: Stage, { eighths, bytes }: Place): number {
  const { una, max } = connection.snd;
  return (una + (((max - una) * eighths) >> 3) + bytes) | 0;
}

function send(stage: Stage, fields: { ack: number; window: number }, options: TcpOption[]): void {
  stage.peer.send({ ...fields, options });
}

function happen(stage: Stage, event: Event): void {
  const { connection, peer } = stage;
  switch (event.kind) {
    case 'ack': {
      const ack = event.ack === null ? connection.snd.una : numberAt(stage, event.ack);
      const options = stamp(stage, event.echo);
      const list = event.blocks.slice(0, options.length > 0 ? 3 : 4);
      const edges = list.map(([from, to]): [number, number] => [
        numberAt(stage, from) >>> 0,
        numberAt(stage, to) >>> 0,
      ]);
      if (edges.length > 0) options.push({ kind: 'sack', blocks: edges });
      send(stage, { ack, window: event.window }, options);
      return;
    }
    case 'write':
      if (!connection.finQueued) connection.write(new Uint8Array(event.bytes));
      peer.listen();
      return;
    case 'sleep':
      peer.pass(event.ms * 1000);
      return;
    case 'too big':
      packetTooBig(connection, 1000);
      peer.listen();
      return;
    default:
      connection.shutdown();
      peer.listen();
  }
}

function stamp({ connection, peer }: Stage, echoMs: number): TcpOption[] {
  if (!connection.timestamps) return [];
  const now = Math.floor(peer.now / 1000) + connection.timestampOffset;
  return [{ kind: 'TS', val: Math.floor(peer.now / 1000), ecr: (now - echoMs) >>> 0 }];
}

/** A peer that acknowledges all that it has heard, until there is nothing left. */
function settle(stage: Stage): void {
  const { connection, peer } = stage;
  for (let round = 0; round < 2000 && connection.unacknowledged + connection.unsent > 0; round++) {
    peer.pass(50_000);
    send(stage, { ack: peer.stackNxt, window: 65_535 }, stamp(stage, 0));
  }
}

it('whatever is acknowledged, the log is in order, and all gets through in the end', () => {
  fc.assert(
    fc.property(world, fc.array(event, { maxLength: 50, size: 'max' }), (world, events) => {
      const { isn, timestamps, headerPrediction, congestion } = world;
      const syn: TcpOption[] = [{ kind: 'mss', value: 1460 }, { kind: 'sackOK' }];
      if (timestamps) syn.push({ kind: 'TS', val: 0, ecr: 0 });
      const stage = established({
        core: {
          memory: RESERVED + (1 << 20),
          isn: () => isn,
          tcp: { headerPrediction, congestion },
        },
        syn,
      });
      const { connection, core } = stage;
      expect(connection.sack).toBe(true);
      const invariants = new Invariants(core);
      for (const event of events) {
        happen(stage, event);
        invariants.check();
      }
      settle(stage);
      invariants.check();
      expect(connection.unacknowledged).toBe(0);
      expect(connection.unsent).toBe(0);
      const { flight } = connection.snd;
      expect(flight === null ? 0 : flight.count).toBe(0);
    }),
    { numRuns: 400 },
  );
});
