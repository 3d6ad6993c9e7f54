// Whatever arrives, in whatever state: nothing throws, and what must hold of a connection holds.

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { StackCore } from '../../src/stack/core.js';
import { mayQueueData } from '../../src/tcp/state.js';
import { RESERVED } from '../stack/host.js';
import type { SegmentFields } from '../stack/peer.js';
import { internetChecksum, TCP, type TcpOption, upperChecksum } from '../support/trace-packet.js';
import { Invariants } from './invariants.js';
import { STAGES, type Stage } from './states.js';
import { Watcher } from './watcher.js';

vi.setConfig({ testTimeout: 60_000 });

/** Distances at which numbers matter: next to each other, at window edges, half way round. */
const distance = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: -3, max: 3 }) },
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.constantFrom(2 ** 31 - 1, 2 ** 31, -(2 ** 30), 2 ** 30, 65_535, 65_536, -65_535),
  fc.integer(),
);
const flags = fc.oneof(
  fc.constantFrom('.', '.', 'P.', 'F.', 'R', 'R.', 'S', 'S.', 'FPU.'),
  fc.subarray(['F', 'S', 'R', 'P', '.', 'U', 'E', 'W']).map((list) => list.join('')),
);
const option: fc.Arbitrary<TcpOption> = fc.oneof(
  fc.constant<TcpOption>({ kind: 'nop' }),
  fc.record({ kind: fc.constant('mss' as const), value: fc.nat(65_535) }),
  fc.record({ kind: fc.constant('wscale' as const), value: fc.nat(255) }),
  fc.record({ kind: fc.constant('TS' as const), val: fc.integer(), ecr: fc.integer() }),
  fc
    .array(fc.tuple(fc.integer(), fc.integer()), { minLength: 1, maxLength: 2 })
    .map((blocks) => ({ kind: 'sack' as const, blocks })),
  fc
    .array(fc.nat(255), { minLength: 1, maxLength: 12 })
    .map((bytes) => ({ kind: 'hex' as const, bytes })),
);
const options = fc.array(option, { maxLength: 2 });

const nearSegment = fc.record({
  ...{ kind: fc.constant('segment' as const), flags, seqBy: distance, ackBy: distance, options },
  data: fc.oneof(fc.constant(0), fc.nat(3000), fc.constantFrom(1, 1460, 65_000)),
  window: fc.oneof(fc.nat(65_535), fc.constantFrom(0, 1)),
  urgent: fc.oneof(fc.constant(0), fc.nat(65_535)),
  gsoSize: fc.constantFrom(0, 0, 0, 1, 536, 1448, 65_535),
});
/** A segment of which some bytes are changed, and then, or not, the checksums put right. */
const mutated = fc.record({
  ...{ kind: fc.constant('mutated' as const), of: nearSegment, mend: fc.boolean() },
  changes: fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { minLength: 1, maxLength: 6 }),
  length: fc.option(fc.nat(120)),
});
const event = fc.oneof(
  { weight: 8, arbitrary: nearSegment },
  { weight: 4, arbitrary: mutated },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('bytes' as const),
      bytes: fc.uint8Array({ maxLength: 100 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('sleep' as const),
      ms: fc.oneof(fc.nat(50), fc.nat(5000), fc.nat(200_000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('unreachable' as const), code: fc.nat(15) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      call: fc.constantFrom('write', 'write', 'read', 'shutdown', 'urgent', 'keep-alive', 'close'),
      bytes: fc.nat(5000),
    }),
  },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;
type Near = typeof nearSegment extends fc.Arbitrary<infer T> ? T : never;

function fieldsOf({ peer, connection }: Stage, of: Near): SegmentFields {
  const { flags, seqBy, ackBy, options, data, window, urgent, gsoSize } = of;
  return {
    ...{ flags, options, data: Math.min(data, 60_000), window, urgent, gsoSize },
    seq: connection.rcv.nxt + seqBy,
    ack: peer.stackNxt + ackBy,
  };
}

/** Puts the checksums right of what still looks like a TCP packet. */
function mend(packet: Uint8Array): void {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const v4 = packet[0]! >> 4 === 4;
  const header = v4 ? 20 : 40;
  if (packet.length < header + 20) return;
  if (v4) {
    view.setUint16(10, 0);
    view.setUint16(10, internetChecksum(packet.subarray(0, 20)));
  }
  const ends = v4 ? [12, 16, 20] : [8, 24, 40];
  view.setUint16(header + 16, 0);
  const ip = {
    source: packet.subarray(ends[0], ends[1]),
    destination: packet.subarray(ends[1], ends[2]),
    protocol: TCP,
  };
  view.setUint16(header + 16, upperChecksum(ip, packet.subarray(header)));
}

function happen(stage: Stage, event: Event): void {
  const { core, peer } = stage;
  switch (event.kind) {
    case 'segment':
      peer.send(fieldsOf(stage, event));
      return;
    case 'mutated': {
      const whole = peer.packet(fieldsOf(stage, event.of));
      const packet = event.length === null ? whole : whole.slice(0, event.length);
      for (const [at, value] of event.changes) if (at < packet.length) packet[at]! ^= value;
      if (event.mend) mend(packet);
      core.receivePacket(packet, peer.now, event.of.gsoSize);
      peer.listen();
      return;
    }
    case 'bytes':
      core.receivePacket(event.bytes, peer.now);
      return;
    case 'sleep':
      peer.pass(event.ms * 1000);
      return;
    case 'unreachable':
      if (peer.heard.length > 0) peer.unreachable(event.code);
      return;
    case 'call':
      call(stage, event.call, event.bytes);
      peer.listen();
  }
}

function call({ connection }: Stage, what: string, bytes: number): void {
  const mayWrite = !connection.finQueued && mayQueueData(connection.state);
  if (what === 'write' && mayWrite) connection.write(new Uint8Array(bytes));
  if (what === 'urgent' && mayWrite) connection.sendUrgent(new Uint8Array(bytes));
  if (what === 'read') connection.skip(bytes);
  if (what === 'shutdown') connection.shutdown();
  if (what === 'keep-alive') connection.setKeepAlive(true, 1000, 1000, 3);
  if (what === 'close') connection.close(bytes > 2500 ? bytes : undefined);
}

const world = fc.record({
  family: fc.constantFrom(4 as const, 6 as const),
  iss: fc.constantFrom(1_000_000, -1000, 2 ** 31 - 1000),
  isn: fc.constantFrom(5_000_000, -1000, 2 ** 31 - 1000),
  reads: fc.boolean(),
  headerPrediction: fc.boolean(),
  receiveBuffer: fc.constantFrom(256 << 10, 3000),
  memory: fc.constantFrom(1 << 20, 32 << 10),
  syn: options,
});

describe.each(Object.entries(STAGES))('%s', (name, stageOf) => {
  it('takes anything', () => {
    fc.assert(
      fc.property(world, fc.array(event, { maxLength: 40, size: 'max' }), (world, events) => {
        const { family, iss, isn, reads, headerPrediction, receiveBuffer, syn } = world;
        const memory = RESERVED + world.memory;
        const tcp = { headerPrediction, receiveBuffer, receiveBufferMax: 2 * receiveBuffer };
        const probe = new Watcher();
        // SYNs of which the options make no SYN would not lead to the state.
        const offered = syn.filter(({ kind }) => kind !== 'hex');
        const stage = stageOf({
          core: { tcp, probe, memory, isn: () => isn },
          family,
          iss,
          syn: offered,
        });
        stage.application.reads = reads;
        const invariants = new Invariants(stage.core, () => fragments(stage.core));
        invariants.check();
        expect(stage.connection.stateName).toBe(name.replace(/ .*/, ''));
        for (const event of events) {
          happen(stage, event);
          invariants.check();
        }
        // And it can be given up, whatever came before.
        for (const connection of stage.core.connections()) connection.abort();
        stage.connection.close();
        stage.peer.listen();
        expect([...stage.core.connections()]).toEqual([]);
        expect(stage.core.arena.used).toBe(fragments(stage.core));
      }),
      { numRuns: 40 },
    );
  });
});

/** Bytes of the arena that hold datagrams in the making. */
function fragments(core: StackCore): number {
  const { input } = core as unknown as { input: { reassembly: { waiting: number } } };
  return input.reassembly.waiting * 65_536;
}
