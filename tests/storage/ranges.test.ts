// Ranges against a set of numbers.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ranges } from '../../src/storage/ranges.js';

/** The runs of a set of small numbers, as [start, end) pairs. */
function runs(set: Set<number>): [number, number][] {
  const all: [number, number][] = [];
  for (const value of [...set].sort((a, b) => a - b)) {
    const last = all.at(-1);
    if (last?.[1] === value) last[1]++;
    else all.push([value, value + 1]);
  }
  return all;
}

const span = fc.tuple(fc.nat({ max: 80 }), fc.integer({ min: 1, max: 12 }));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ add: span }) },
  { weight: 1, arbitrary: fc.record({ removeBelow: fc.nat({ max: 95 }) }) },
  { weight: 1, arbitrary: fc.record({ clear: fc.boolean() }) },
);
/** Where zero of the model lies: anywhere, and where int32 and uint32 wrap. */
const origin = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.constantFrom(0, -40, 2 ** 31 - 40, -(2 ** 31)),
);

describe('Ranges', () => {
  it('hold what a set of numbers would, also across the wrap', () => {
    const limits = fc.integer({ min: 1, max: 8 });
    fc.assert(
      fc.property(origin, limits, fc.array(step, { maxLength: 60 }), (zero, limit, steps) => {
        const ranges = new Ranges(limit);
        let set = new Set<number>();
        for (const action of steps) {
          if ('add' in action) {
            const [start, length] = action.add;
            const added = new Set(set);
            for (let i = 0; i < length; i++) added.add(start + i);
            const fits = runs(added).length <= limit;
            const index = ranges.add((zero + start) | 0, (zero + start + length) | 0);
            if (fits) {
              set = added;
              const holder = runs(set).findIndex(([from, to]) => from <= start && start < to);
              expect(index).toBe(holder);
            } else {
              expect(index).toBe(-1);
            }
          } else if ('removeBelow' in action) {
            ranges.removeBelow((zero + action.removeBelow) | 0);
            set = new Set([...set].filter((value) => value >= action.removeBelow));
          } else if (action.clear) {
            ranges.clear();
            set.clear();
          }
          const held = Array.from({ length: ranges.count }, (_, i) => [
            (ranges.start(i) - zero) | 0,
            (ranges.end(i) - zero) | 0,
          ]);
          expect(held).toEqual(runs(set));
        }
        const wrong: string[] = [];
        for (let start = 0; start < 90; start += 3) {
          for (let length = 1; length < 20; length += 4) {
            let all = true;
            for (let i = 0; i < length; i++) all &&= set.has(start + i);
            const answer = ranges.contains((zero + start) | 0, (zero + start + length) | 0);
            if (answer !== all) wrong.push(`[${start}, ${start + length}): ${answer}`);
          }
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('may lie almost 2^31 apart', () => {
    const ranges = new Ranges();
    expect(ranges.add(-(2 ** 30), -(2 ** 30) + 10)).toBe(0);
    expect(ranges.add(2 ** 30 - 20, 2 ** 30 - 10)).toBe(1);
    expect(ranges.add(0, 1)).toBe(1);
    expect(ranges.count).toBe(3);
    expect(ranges.contains(0, 1)).toBe(true);
    expect(ranges.contains(1, 2)).toBe(false);
  });

  it('are 32 at most unless told otherwise; the last can still grow', () => {
    const ranges = new Ranges();
    for (let i = 0; i < 32; i++) expect(ranges.add(10 * i, 10 * i + 1)).toBe(i);
    expect(ranges.add(500, 501)).toBe(-1);
    expect(ranges.add(5, 6)).toBe(-1);
    expect(ranges.count).toBe(32);
    expect(ranges.add(311, 400)).toBe(31);
    expect(ranges.end(31)).toBe(400);
    expect(ranges.add(1, 10)).toBe(0);
    expect(ranges.count).toBe(31);
    expect(ranges.add(500, 501)).toBe(31);
  });
});
