// Records of connections in TIME-WAIT: what they keep, for how long, and what they cost.

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { TimeWaitTable } from '../../src/stack/timewait-table.js';
import {
  Acceptor,
  Application,
  address,
  advanceTo,
  HOST_A,
  newCore,
  Pair,
  SECOND,
} from './host.js';
import { Peer } from './peer.js';

vi.setConfig({ testTimeout: 60_000 });

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const fields = fc.record({
  sndNxt: int32,
  rcvNxt: int32,
  rcvWnd: fc.nat(0xffff),
  timestamps: fc.boolean(),
  tsRecent: int32,
  tsOffset: int32,
  durationMs: fc.nat(600_000),
  endsMs: int32,
});
type Fields = typeof fields extends fc.Arbitrary<infer T> ? T : never;

function put(table: TimeWaitTable, id: number, of: Fields): void {
  const { sndNxt, rcvNxt, rcvWnd, timestamps, tsRecent, tsOffset, durationMs, endsMs } = of;
  table.add(id, sndNxt, rcvNxt, rcvWnd, timestamps, tsRecent, tsOffset, durationMs, endsMs);
}

describe('the table', () => {
  it('does what a Map does', () => {
    const step = fc.record({ id: fc.nat(300), fields, endsMs: int32 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = new TimeWaitTable();
        const model = new Map<number, Fields>();
        for (const { id, fields, endsMs } of steps) {
          expect(table.has(id)).toBe(model.has(id));
          const known = model.get(id);
          if (known === undefined) {
            put(table, id, fields);
            model.set(id, fields);
          } else if ((endsMs & 1) === 0) {
            table.remove(id);
            model.delete(id);
          } else {
            table.select(id).endsMs = endsMs;
            model.set(id, { ...known, endsMs });
          }
          expect(table.count).toBe(model.size);
        }
        for (const [id, fields] of model) expect(table.select(id)).toMatchObject(fields);
        expect(table.has(100_000)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});

/** Opens and closes `count` connections; the records are left with `a`. */
function closeMany(pair: Pair, count: number): void {
  const acceptor = new Acceptor();
  const listener = pair.b.listen({ port: 80, handler: acceptor });
  for (let i = 0; i < count; i++) {
    const connection = pair.a.connect({
      ...{ remote: address('10.9.0.1'), remotePort: 80, handler: new Application() },
    });
    pair.exchange();
    connection.shutdown();
    pair.exchange();
  }
  listener.close();
}

describe('many records', () => {
  it('each stands for 2MSL (MUST-13), and leaves nothing behind', () => {
    const pair = new Pair();
    closeMany(pair, 100);
    pair.pass(10 * SECOND);
    closeMany(pair, 200);
    expect(pair.a.timeWaits()).toHaveLength(300);
    expect(pair.b.timeWaits()).toEqual([]);
    pair.pass(49.998 * SECOND);
    expect(pair.a.timeWaits()).toHaveLength(300);
    pair.pass(0.002 * SECOND);
    expect(pair.a.timeWaits()).toHaveLength(200);
    pair.pass(10 * SECOND);
    expect(pair.a.timeWaits()).toEqual([]);
    expect(pair.a.flows.count).toBe(0);
    expect(pair.a.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it('are reported with their ends and the time that is left', () => {
    const pair = new Pair();
    closeMany(pair, 2);
    pair.pass(7 * SECOND);
    for (const info of pair.a.timeWaits()) {
      expect(info.localAddress.toString()).toBe(HOST_A[4]);
      expect(info.remoteAddress.toString()).toBe('10.9.0.1');
      expect(info.localPort).toBeGreaterThan(32_767);
      expect(info.remotePort).toBe(80);
      expect(info.remainingMs).toBe(53_000);
    }
  });

  it('hold no part of the arena', () => {
    const pair = new Pair();
    closeMany(pair, 50);
    expect(pair.a.arena.used).toBe(0);
    expect([...pair.a.connections()]).toEqual([]);
  });
});

/** Bytes of all typed arrays and lists that a stack's tables hold, the arena apart. */
function tableBytes(root: object, arena: ArrayBufferLike): number {
  const seen = new Set<unknown>();
  let bytes = 0;
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (ArrayBuffer.isView(value)) {
      if (value.buffer !== arena) bytes += value.byteLength;
      return;
    }
    // A pointer is eight bytes; what it points to is counted on its own.
    if (Array.isArray(value)) bytes += 8 * value.length;
    for (const inner of value instanceof Map ? value.values() : Object.values(value)) walk(inner);
  };
  walk(root);
  return bytes;
}

describe('memory of a record', () => {
  it('is at most 128 bytes, all tables together', () => {
    const pair = new Pair();
    const before = tableBytes(pair.a, pair.a.arena.buffer);
    const count = 4096;
    closeMany(pair, count);
    expect(pair.a.timeWaits()).toHaveLength(count);
    const perRecord = (tableBytes(pair.a, pair.a.arena.buffer) - before) / count;
    console.log(`a record in TIME-WAIT takes ${perRecord.toFixed(1)} bytes (tables full)`);
    expect(perRecord).toBeLessThanOrEqual(128);
    // The tables double: between two sizes they hold at most twice as much.
    closeMany(pair, 1);
    const larger = (tableBytes(pair.a, pair.a.arena.buffer) - before) / (count + 1);
    console.log(`and ${larger.toFixed(1)} bytes just after the tables have grown`);
    expect(larger).toBeLessThanOrEqual(256);
  });
});

describe('a record and a new connection (RFC 6191)', () => {
  it('MAY-2, SHOULD-4: a newer SYN takes its place, with or without a listener it is answered', () => {
    const core = newCore();
    const acceptor = new Acceptor();
    const listener = core.listen({ port: 80, handler: acceptor });
    const peer = new Peer(core);
    peer.open();
    acceptor.connections[0]!.shutdown();
    peer.listen();
    peer.send({ flags: 'F.' });
    expect(core.timeWaits()).toHaveLength(1);

    // Nobody listens: the record stays, and says where it stands.
    listener.close();
    const next = peer.nxt + 100_000;
    expect(peer.send({ flags: 'S', seq: next, ack: 0 })).toMatchObject([
      { flags: '.', ack: peer.nxt },
    ]);
    expect(core.timeWaits()).toHaveLength(1);

    core.listen({ port: 80, handler: acceptor, reuseAddress: true });
    expect(peer.send({ flags: 'S', seq: next, ack: 0 })).toMatchObject([
      { flags: 'S.', ack: next + 1 },
    ]);
    expect(core.timeWaits()).toEqual([]);
    expect(core.counters.timeWaitReopened).toBe(1);
    advanceTo(core, 70 * SECOND);
    expect([...core.connections()]).toHaveLength(1);
  });
});
