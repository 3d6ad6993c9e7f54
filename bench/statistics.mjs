// What a few noisy numbers say: medians, quantiles, and whether one set of them is larger than another.
// Knows numbers; must not know what was measured.

/** The middle of `values`; the mean of the two middle ones when their number is even. */
export function median(values) {
  return quantile(values, 0.5);
}

/** The value below which a share `p` (0 to 1) of `values` lies, interpolated; NaN for none. */
export function quantile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

/** @returns {{ median: number, min: number, max: number }} */
export function summary(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * How likely it is that two sets of numbers differ as much as these when nothing has changed: the
 * two-sided p of the rank sum test of Mann and Whitney (1947), exact, with ties counted as halves.
 */
export function differenceByChance(a, b) {
  if (a.length === 0 || b.length === 0) return 1;
  const ranks = rank([...a, ...b]);
  const sum = ranks.slice(0, a.length).reduce((total, each) => total + each, 0);
  const ways = waysToSum(ranks, a.length);
  const expected = (a.length * (a.length + b.length + 1)) / 2;
  const distance = Math.abs(sum - expected);
  let all = 0;
  let asFar = 0;
  for (const [total, count] of ways) {
    all += count;
    if (Math.abs(total - expected) >= distance - 1e-9) asFar += count;
  }
  return asFar / all;
}

/** The rank of each value, from 1; equal ones share the mean of theirs. */
function rank(values) {
  return values.map((value) => {
    const smaller = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return smaller + (equal + 1) / 2;
  });
}

/** In how many ways `size` of the ranks add up to each sum. */
function waysToSum(ranks, size) {
  const ways = Array.from({ length: size + 1 }, () => new Map());
  ways[0].set(0, 1);
  for (const each of ranks) {
    for (let chosen = size; chosen > 0; chosen--) {
      for (const [sum, count] of ways[chosen - 1]) {
        ways[chosen].set(sum + each, (ways[chosen].get(sum + each) ?? 0) + count);
      }
    }
  }
  return ways[size];
}
