// The buddy blocks of the arena against a map of which units are taken.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, MAX_BLOCK, MIN_BLOCK } from '../../src/storage/arena.js';

/** Units of MIN_BLOCK, each free or not; an aligned run of free units is a block that must be had. */
class Model {
  readonly taken: boolean[];
  constructor(units: number) {
    this.taken = new Array<boolean>(units).fill(false);
  }
  fits(count: number): boolean {
    for (let at = 0; at + count <= this.taken.length; at += count) {
      if (this.isFree(at, count)) return true;
    }
    return false;
  }
  isFree(at: number, count: number): boolean {
    return this.taken.slice(at, at + count).every((taken) => !taken);
  }
  set(at: number, count: number, taken: boolean): void {
    this.taken.fill(taken, at, at + count);
  }
  get bytes(): number {
    return this.taken.filter(Boolean).length * MIN_BLOCK;
  }
}

const sizes = fc.oneof(
  fc.constantFrom(1, MIN_BLOCK, MIN_BLOCK + 1, 4096, 65_535),
  fc.integer({ min: 1, max: 40 * MIN_BLOCK }),
);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ allocate: sizes }) },
  { weight: 2, arbitrary: fc.record({ free: fc.nat() }) },
);

describe('Arena', () => {
  it('gives aligned, disjoint blocks, and refuses only when there is none of that size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 75 }),
        fc.nat({ max: 5000 }),
        fc.array(step, { maxLength: 80 }),
        (units, reserved, steps) => {
          const base = Math.ceil(reserved / MIN_BLOCK) * MIN_BLOCK;
          const arena = new Arena(base + units * MIN_BLOCK + (reserved % MIN_BLOCK));
          if (reserved > 0) arena.reserve(reserved, 1);
          const model = new Model(arena.capacity / MIN_BLOCK);
          const largest = 2 ** Math.floor(Math.log2(model.taken.length));
          const live: { offset: number; size: number; tag: number }[] = [];
          let peak = 0;
          let tag = 0;
          for (const action of steps) {
            if ('allocate' in action) {
              const size = action.allocate;
              const block = 2 ** Math.ceil(Math.log2(Math.max(size, MIN_BLOCK)));
              const count = block / MIN_BLOCK;
              expect(arena.blockSize(size)).toBe(block);
              const offset = arena.allocate(size);
              expect(offset >= 0, `room for ${count} units`).toBe(
                count <= largest && model.fits(count),
              );
              if (offset < 0) continue;
              const unit = (offset - base) / MIN_BLOCK;
              expect(unit % count).toBe(0);
              expect(unit + count).toBeLessThanOrEqual(model.taken.length);
              expect(model.isFree(unit, count)).toBe(true);
              model.set(unit, count, true);
              tag = (tag + 1) & 255;
              arena.bytes.fill(tag, offset, offset + block);
              live.push({ offset, size, tag });
            } else if (live.length > 0) {
              const [{ offset, size, tag: written }] = live.splice(
                action.free % live.length,
                1,
              ) as [(typeof live)[0]];
              const block = arena.blockSize(size);
              for (let at = offset; at < offset + block; at += MIN_BLOCK / 2) {
                expect(arena.bytes[at]).toBe(written);
              }
              expect(arena.bytes[offset + block - 1]).toBe(written);
              arena.free(offset, size);
              model.set((offset - base) / MIN_BLOCK, block / MIN_BLOCK, false);
            }
            peak = Math.max(peak, model.bytes);
            expect([arena.used, arena.peak]).toEqual([model.bytes, peak]);
          }
          for (const { offset, size } of live) arena.free(offset, size);
          expect(arena.used).toBe(0);
          expect(arena.allocate(largest * MIN_BLOCK)).toBe(base);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('gives every freed block again, in whatever order they were freed', () => {
    const rounds = fc.array(fc.array(fc.nat({ max: 46 }), { maxLength: 47 }), { maxLength: 6 });
    fc.assert(
      fc.property(rounds, (orders) => {
        const arena = new Arena(47 * MIN_BLOCK);
        const fill = () => {
          const given: number[] = [];
          for (let at = arena.allocate(1); at >= 0; at = arena.allocate(1)) given.push(at);
          return given.sort((a, b) => a - b);
        };
        expect(fill()).toEqual(Array.from({ length: 47 }, (_, i) => i * MIN_BLOCK));
        for (const order of orders) {
          const freed = [...new Set(order)].map((unit) => unit * MIN_BLOCK);
          for (const at of freed) arena.free(at, MIN_BLOCK);
          expect(fill()).toEqual(freed.sort((a, b) => a - b));
        }
      }),
    );
  });

  it('has blocks of 8 MiB at most', () => {
    const arena = new Arena(3 * MAX_BLOCK);
    expect(arena.allocate(MAX_BLOCK + 1)).toBe(-1);
    expect([0, 1, 2].map(() => arena.allocate(MAX_BLOCK))).toEqual([0, MAX_BLOCK, 2 * MAX_BLOCK]);
    expect(arena.allocate(1)).toBe(-1);
    expect(arena.used).toBe(arena.capacity);
  });

  it('has 256 MiB unless told otherwise', () => {
    const arena = new Arena();
    expect(arena.capacity).toBe(256 * 1024 * 1024);
    expect(arena.bytes.buffer).toBe(arena.buffer);
    expect(arena.view.buffer).toBe(arena.buffer);
  });

  it('reserves regions below all blocks, aligned', () => {
    const arena = new Arena(16 * MIN_BLOCK);
    expect(arena.reserve(10)).toBe(0);
    expect(arena.reserve(10)).toBe(64);
    expect(arena.reserve(10, 4)).toBe(76);
    expect(arena.reserve(10, 2048)).toBe(2048);
    expect(arena.capacity).toBe(14 * MIN_BLOCK);
    expect(arena.allocate(1)).toBeGreaterThanOrEqual(2 * MIN_BLOCK);
    expect(arena.capacity).toBe(14 * MIN_BLOCK);
    expect(() => arena.reserve(1)).toThrow(/before the first block/);
  });

  it('says so when a region does not fit', () => {
    const arena = new Arena(4 * MIN_BLOCK);
    expect(() => arena.reserve(4 * MIN_BLOCK + 1)).toThrow(RangeError);
    expect(arena.reserve(4 * MIN_BLOCK)).toBe(0);
    expect(arena.capacity).toBe(0);
    expect(() => arena.reserve(1)).toThrow(RangeError);
    expect(arena.allocate(1)).toBe(-1);
  });

  it('refuses to free what is not in use', () => {
    const arena = new Arena(64 * MIN_BLOCK);
    const offset = arena.allocate(3 * MIN_BLOCK);
    for (const [at, size] of [
      [offset, MIN_BLOCK],
      [offset, 8 * MIN_BLOCK],
      [offset + MIN_BLOCK, MIN_BLOCK],
      [offset + 1, 4 * MIN_BLOCK],
      [-MIN_BLOCK, MIN_BLOCK],
      [64 * MIN_BLOCK, MIN_BLOCK],
    ] as const) {
      expect(() => arena.free(at, size), `${at} ${size}`).toThrow(/no block/);
    }
    arena.free(offset, 3 * MIN_BLOCK);
    expect(() => arena.free(offset, 3 * MIN_BLOCK)).toThrow(/no block/);
    expect(arena.used).toBe(0);
  });

  it.each([0, 2047, -1, 1.5, 2 ** 31, Number.NaN])('has a sensible size, not %s', (bytes) => {
    expect(() => new Arena(bytes)).toThrow(RangeError);
    expect(new Arena(MIN_BLOCK).allocate(1)).toBe(0);
  });
});
