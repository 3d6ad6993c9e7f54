// Rings against an array of bytes, some of them missing.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, MIN_BLOCK } from '../../src/storage/arena.js';
import { Ring } from '../../src/storage/ring.js';

/** Bytes by their distance from the head; undefined where nothing was placed. */
type Model = (number | undefined)[];

const distance = fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 3 * MIN_BLOCK }));
const size = fc.oneof(fc.nat({ max: 70 }), fc.nat({ max: MIN_BLOCK }));
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ place: size, at: distance, seed: fc.nat({ max: 255 }) }) },
  { weight: 3, arbitrary: fc.record({ append: size, seed: fc.nat({ max: 255 }) }) },
  { weight: 4, arbitrary: fc.record({ consume: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ release: fc.constant(true) }) },
);

/** All that was placed is where it belongs: by offset, by pieces, and when copied out. */
function check(arena: Arena, ring: Ring, model: Model): void {
  for (let i = 0; i < model.length; i++) {
    const byte = model[i];
    if (byte !== undefined && arena.bytes[ring.pieceOffset(i)] !== byte) {
      expect.fail(`distance ${i}: ${arena.bytes[ring.pieceOffset(i)]}, not ${byte}`);
    }
  }
  const n = model.length;
  if (n === 0) return;
  const first = ring.pieceLength(0, n);
  const target = new Uint8Array(n + 10).fill(0xee);
  ring.copyOut(0, target, 5, n);
  for (let i = 0; i < n; i++) {
    if (model[i] !== undefined && target[5 + i] !== model[i]) expect.fail(`copied byte ${i}`);
  }
  expect([...target.subarray(0, 5), ...target.subarray(n + 5)]).toEqual(new Array(10).fill(0xee));
  if (first < n) expect(ring.pieceOffset(first)).toBe(ring.pieceOffset(0) + first - ring.capacity);
}

/** Length of the part without a gap. */
function inOrder(model: Model): number {
  const gap = model.indexOf(undefined);
  return gap < 0 ? model.length : gap;
}

describe('Ring', () => {
  it.each(['placeFromArena', 'place'] as const)('keeps bytes as an array would (%s)', (how) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat({ max: 50 }), (steps, skew) => {
        const arena = new Arena(40 * MIN_BLOCK);
        const slot = arena.reserve(2 * MIN_BLOCK);
        const ring = new Ring(arena);
        let model: Model = [];
        const put = (at: number, n: number, seed: number) => {
          if (!ring.ensure(at + n)) return false;
          const bytes = Uint8Array.from({ length: n }, (_, i) => seed + i * 7);
          const from = how === 'place' && skew === 0 ? 0 : skew;
          const source = new Uint8Array(from + n + (skew & 1));
          source.set(bytes, from);
          if (how === 'place') {
            ring.place(at, source, from, n);
          } else {
            arena.bytes.set(bytes, slot + skew);
            ring.placeFromArena(at, slot + skew, n);
          }
          while (model.length < at) model.push(undefined);
          model.splice(at, n, ...bytes);
          return true;
        };
        for (const action of steps) {
          if ('place' in action) {
            put(ring.length + action.at, action.place, action.seed);
          } else if ('append' in action) {
            if (put(ring.length, action.append, action.seed)) {
              ring.extend(Math.max(0, inOrder(model) - ring.length));
            }
          } else if ('consume' in action) {
            const n = action.consume % (ring.length + 1);
            ring.consume(n);
            model.splice(0, n);
          } else {
            ring.release();
            model = [];
            expect([ring.capacity, ring.length, arena.used]).toEqual([0, 0, 0]);
          }
          expect(arena.used).toBe(ring.capacity);
          check(arena, ring, model);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('takes no memory before it is needed, and gives all back', () => {
    const arena = new Arena(8 * MIN_BLOCK);
    const ring = new Ring(arena);
    expect([ring.capacity, ring.length, arena.used]).toEqual([0, 0, 0]);
    ring.release();
    expect(ring.ensure(0)).toBe(true);
    expect(arena.used).toBe(0);
    expect(ring.ensure(1)).toBe(true);
    expect([ring.capacity, arena.used]).toEqual([MIN_BLOCK, MIN_BLOCK]);
    expect(ring.ensure(MIN_BLOCK)).toBe(true);
    expect(ring.capacity).toBe(MIN_BLOCK);
    ring.release();
    expect([ring.capacity, arena.used]).toEqual([0, 0]);
  });

  it('stays as it is when the arena is full', () => {
    const arena = new Arena(4 * MIN_BLOCK);
    const ring = new Ring(arena);
    ring.ensure(MIN_BLOCK);
    ring.place(0, Uint8Array.of(1, 2, 3, 4, 5), 0, 5);
    ring.extend(3);
    ring.consume(1);
    expect(ring.ensure(3 * MIN_BLOCK)).toBe(false);
    expect([ring.capacity, ring.length]).toEqual([MIN_BLOCK, 2]);
    const target = new Uint8Array(4);
    ring.copyOut(0, target, 0, 4);
    expect([...target]).toEqual([2, 3, 4, 5]);
    const other = new Ring(arena);
    expect(other.ensure(2 * MIN_BLOCK)).toBe(true);
    expect(ring.ensure(2 * MIN_BLOCK)).toBe(false);
    other.release();
    expect(ring.ensure(2 * MIN_BLOCK)).toBe(true);
    ring.copyOut(0, target, 0, 4);
    expect([...target]).toEqual([2, 3, 4, 5]);
  });

  it('grows in order, wherever its head is and however far it is filled', () => {
    const bytes = Uint8Array.from({ length: MIN_BLOCK }, (_, i) => 1 + i * 13 + (i >> 8));
    for (const head of [0, 1, 700, 2000, MIN_BLOCK - 1]) {
      for (const n of [1, 48, 60, MIN_BLOCK - 1, MIN_BLOCK]) {
        const arena = new Arena(8 * MIN_BLOCK);
        const ring = new Ring(arena);
        ring.ensure(MIN_BLOCK);
        ring.extend(head);
        ring.consume(head);
        ring.place(0, bytes, 0, n);
        expect(ring.ensure(MIN_BLOCK + 1)).toBe(true);
        const target = new Uint8Array(n);
        ring.copyOut(0, target, 0, n);
        expect(Buffer.compare(target, bytes.subarray(0, n)), `${n} bytes at ${head}`).toBe(0);
      }
    }
  });

  it('is filled to the last byte, across the end of its block', () => {
    const arena = new Arena(8 * MIN_BLOCK);
    const ring = new Ring(arena);
    ring.ensure(MIN_BLOCK);
    ring.extend(1500);
    ring.consume(1500);
    const bytes = Uint8Array.from({ length: MIN_BLOCK }, (_, i) => i * 13 + (i >> 8));
    ring.place(0, bytes, 0, MIN_BLOCK);
    ring.extend(MIN_BLOCK);
    expect(ring.pieceLength(0, MIN_BLOCK)).toBe(MIN_BLOCK - 1500);
    expect(ring.pieceLength(0, 10)).toBe(10);
    expect(ring.pieceLength(MIN_BLOCK - 1500, 2000)).toBe(2000);
    expect(ring.pieceOffset(MIN_BLOCK - 1500)).toBe(0);
    const target = new Uint8Array(MIN_BLOCK);
    ring.copyOut(0, target, 0, MIN_BLOCK);
    expect(target).toEqual(bytes);
  });
});
