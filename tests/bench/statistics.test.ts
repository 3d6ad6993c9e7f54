// Medians, and whether numbers differ by chance.

import { describe, expect, it } from 'vitest';
import { differenceByChance, median, quantile, summary } from '../../bench/statistics.mjs';

describe('a median', () => {
  it.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('of nothing is no number', () => {
    expect(median([])).toBeNaN();
  });

  it('is one of the quantiles, which lie between values', () => {
    expect([0, 0.25, 0.5, 0.99, 1].map((p) => quantile([10, 20, 30], p))).toEqual([
      10, 15, 20, 29.8, 30,
    ]);
  });

  it('stands between least and most', () => {
    expect(summary([7, 5, 6, 30, 1])).toEqual({ median: 6, min: 1, max: 30 });
  });
});

describe('a difference by chance', () => {
  // Mann and Whitney (1947), table for n = m = 5: U = 0 has a probability of 1/252 on each side.
  it('is as unlikely as two sets of five can make it when they do not overlap', () => {
    expect(differenceByChance([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(2 / 252, 12);
  });

  it('has U = 1 in two more ways', () => {
    expect(differenceByChance([1, 2, 3, 4, 6], [5, 7, 8, 9, 10])).toBeCloseTo(4 / 252, 12);
  });

  it('is certain for the same numbers, and for none', () => {
    expect(differenceByChance([1, 2, 3], [1, 2, 3])).toBe(1);
    expect(differenceByChance([5, 5, 5], [5, 5])).toBe(1);
    expect(differenceByChance([], [1])).toBe(1);
  });

  it('does not depend on which comes first', () => {
    const a = [1, 4, 4, 9];
    const b = [4, 5, 11, 12, 13];
    expect(differenceByChance(a, b)).toBeCloseTo(differenceByChance(b, a), 12);
  });

  it('is quick for many numbers', () => {
    const many = Array.from({ length: 40 }, (_, i) => i);
    expect(
      differenceByChance(
        many,
        many.map((each) => each + 30),
      ),
    ).toBeLessThan(0.001);
  });
});
