// The flow table against a Map, with flows that come, go and crowd each other.

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FlowTable } from '../../src/stack/flow-table.js';
import { IpAddress } from '../../src/wire/address.js';
import { address } from './host.js';

vi.setConfig({ testTimeout: 60_000 });

interface Flow {
  local: IpAddress;
  localPort: number;
  remote: IpAddress;
  remotePort: number;
}

// Few values, so that flows differ in one part only, and some in the order of their parts.
const ADDRESSES = ['10.0.0.1', '10.0.0.2', '::1', 'fd09::1', 'fd09::2', '::2', '1::', '2::'].map(
  address,
);
const PORTS = [1, 2, 80, 32_768, 65_535];

const flow: fc.Arbitrary<Flow> = fc.record({
  local: fc.constantFrom(...ADDRESSES),
  localPort: fc.constantFrom(...PORTS),
  remote: fc.constantFrom(...ADDRESSES),
  remotePort: fc.constantFrom(...PORTS),
});

const keyOf = ({ local, localPort, remote, remotePort }: Flow) =>
  `${local} ${localPort} ${remote} ${remotePort}`;

const find = (table: FlowTable, { local, localPort, remote, remotePort }: Flow) =>
  table.lookup(local, localPort, remote, remotePort);

const add = (table: FlowTable, { local, localPort, remote, remotePort }: Flow) =>
  table.add(local, localPort, remote, remotePort);

function sameAddress(address: IpAddress, word: (i: number) => number): boolean {
  return [address.w0, address.w1, address.w2, address.w3].every((own, i) => own === word(i));
}

/** All that the table says about one flow is as it was added. */
function expectKept(table: FlowTable, id: number, expected: Flow): void {
  expect(find(table, expected)).toBe(id);
  expect(table.localPort(id)).toBe(expected.localPort);
  expect(table.remotePort(id)).toBe(expected.remotePort);
  expect(sameAddress(expected.local, (i) => table.localWord(id, i))).toBe(true);
  expect(sameAddress(expected.remote, (i) => table.remoteWord(id, i))).toBe(true);
}

describe('a flow table', () => {
  it('does what a Map does', () => {
    const steps = fc.array(fc.record({ flow, remove: fc.boolean() }), { maxLength: 300 });
    fc.assert(
      fc.property(fc.integer(), fc.integer(), steps, (key0, key1, list) => {
        const table = new FlowTable(key0, key1);
        const model = new Map<string, { id: number; flow: Flow }>();
        for (const step of list) {
          const key = keyOf(step.flow);
          const known = model.get(key);
          expect(find(table, step.flow)).toBe(known?.id ?? -1);
          if (known === undefined) {
            model.set(key, { id: add(table, step.flow), flow: step.flow });
          } else if (step.remove) {
            table.remove(known.id);
            model.delete(key);
          }
          expect(table.count).toBe(model.size);
        }
        for (const known of model.values()) expectKept(table, known.id, known.flow);
        expect(new Set([...model.values()].map(({ id }) => id)).size).toBe(model.size);
      }),
      { numRuns: 100 },
    );
  });

  it('finds each of 200,000 flows, among which some share all bits of their hash', () => {
    const table = new FlowTable(0x12345678, -0x76543210);
    const local = address('10.9.0.2');
    const count = 200_000;
    const remote = (i: number) => IpAddress.v4(0x0a000000 + (i >> 4));
    const port = (i: number) => 1024 + (i & 15);
    for (let i = 0; i < count; i++) {
      if (table.add(local, 80, remote(i), port(i)) !== i) throw new Error(`flow ${i}: other id`);
    }
    const wrong = (from: number, step: number, there: boolean) => {
      for (let i = from; i < count; i += step) {
        if (table.lookup(local, 80, remote(i), port(i)) !== (there ? i : -1)) return i;
      }
      return 'none';
    };
    expect(wrong(0, 1, true)).toBe('none');
    for (let i = 0; i < count; i += 2) table.remove(i);
    expect(wrong(0, 2, false)).toBe('none');
    expect(wrong(1, 2, true)).toBe('none');
    expect(table.count).toBe(count / 2);
  });

  it('gives ids that are small, dense and used again', () => {
    const table = new FlowTable(1, 2);
    const local = address('fd09::2');
    const ids = Array.from({ length: 100 }, (_, i) => table.add(local, i, local, i));
    expect(ids).toEqual(ids.map((_, i) => i));
    for (const id of [7, 50, 99]) table.remove(id);
    const again = [1, 2, 3].map((i) => table.add(local, 1000 + i, local, i));
    expect(again.sort((x, y) => x - y)).toEqual([7, 50, 99]);
    expect(table.add(local, 5000, local, 5000)).toBe(100);
  });

  it('tells the two ends of a flow apart', () => {
    const table = new FlowTable(3, 4);
    const [x, y] = [address('10.0.0.1'), address('10.0.0.2')];
    const id = table.add(x, 1, y, 2);
    expect(table.lookup(x, 1, y, 2)).toBe(id);
    expect(table.lookup(y, 2, x, 1)).toBe(-1);
    expect(table.lookup(x, 2, y, 1)).toBe(-1);
    expect(table.lookup(y, 1, x, 2)).toBe(-1);
  });

  it('spreads flows by its keys: chosen to crowd one table, they do not crowd another', () => {
    const local = address('10.9.0.2');
    const slotOf = (key0: number, key1: number, port: number) => {
      const table = new FlowTable(key0, key1);
      table.add(local, 80, local, port);
      const { slots } = table as unknown as { slots: Int32Array };
      return slots.findIndex((id) => id !== -1);
    };
    const crowd: number[] = [];
    for (let port = 1; crowd.length < 30; port++) if (slotOf(5, 6, port) === 9) crowd.push(port);
    // 30 flows in 64 slots take 24 of them on average.
    for (const [key0, key1] of [
      [7, 8],
      [5, 7],
      [4, 6],
      [-5, -6],
    ] as const) {
      const taken = new Set(crowd.map((port) => slotOf(key0, key1, port)));
      expect(taken.size).toBeGreaterThan(15);
    }
  });
});
