// A small sorted set of ranges of wrapping int32 numbers; must not know what the numbers mean.

const NO_MEMORY = new Int32Array(0);
/** Ranges for which there is room at first. */
const FEW = 16;

/**
 * Disjoint ranges [start, end), in order, neighbours merged. Numbers wrap (compared by difference,
 * RFC 9293 §3.4), so all that is held at one time must lie within 2^31. Memory comes with the
 * first range, and more of it when there are many.
 */
export class Ranges {
  count = 0;
  private readonly limit: number;
  /** start and end of each range, in turn. */
  private edges = NO_MEMORY;

  /** `limit`: how many ranges are kept at most. */
  constructor(limit = 32) {
    this.limit = limit;
  }

  start(i: number): number {
    return this.edges[2 * i]!;
  }

  end(i: number): number {
    return this.edges[2 * i + 1]!;
  }

  /**
   * Adds [start, end), not empty, and merges it with all that it overlaps or touches. Answers the
   * index of the range that holds it now, or -1 (and nothing changes) when `limit` ranges are
   * there and it would be one more.
   */
  add(start: number, end: number): number {
    if (2 * this.count === this.edges.length && this.count < this.limit) this.grow();
    const { edges } = this;
    const first = this.find(start);
    let after = first;
    while (after < this.count && ((edges[2 * after]! - end) | 0) <= 0) after++;
    if (after === first) {
      if (this.count === this.limit) return -1;
      edges.copyWithin(2 * first + 2, 2 * first, 2 * this.count);
      edges[2 * first] = start;
      edges[2 * first + 1] = end;
      this.count++;
      return first;
    }
    // first … after-1 become one range.
    if (((start - edges[2 * first]!) | 0) < 0) edges[2 * first] = start;
    const last = edges[2 * after - 1]!;
    edges[2 * first + 1] = ((last - end) | 0) > 0 ? last : end;
    this.drop(first + 1, after);
    return first;
  }

  /** Index of the first range that ends at `seq` or behind it; `count` when there is none. */
  find(seq: number): number {
    const { edges } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((edges[2 * middle + 1]! - seq) | 0) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private grow(): void {
    const edges = new Int32Array(2 * Math.min(Math.max(2 * this.count, FEW), this.limit));
    edges.set(this.edges);
    this.edges = edges;
  }

  /** Forgets all numbers before `seq`. */
  removeBelow(seq: number): void {
    const { edges } = this;
    let gone = 0;
    while (gone < this.count && ((edges[2 * gone + 1]! - seq) | 0) <= 0) gone++;
    this.drop(0, gone);
    if (this.count > 0 && ((edges[0]! - seq) | 0) < 0) edges[0] = seq;
  }

  clear(): void {
    this.count = 0;
  }

  /** Whether one range holds all of [start, end). */
  contains(start: number, end: number): boolean {
    const i = this.find(end);
    return i < this.count && ((this.start(i) - start) | 0) <= 0;
  }

  /** Takes out the ranges from … to-1. */
  private drop(from: number, to: number): void {
    if (to <= from) return;
    this.edges.copyWithin(2 * from, 2 * to, 2 * this.count);
    this.count -= to - from;
  }
}
