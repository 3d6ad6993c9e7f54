// A small sorted set of ranges of wrapping int32 numbers; must not know what the numbers mean.

const NO_MEMORY = new Int32Array(0);

/**
 * Disjoint ranges [start, end), in order, neighbours merged. Numbers wrap (compared by difference,
 * RFC 9293 §3.4), so all that is held at one time must lie within 2^31. Memory comes with the
 * first range.
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
    if (this.edges === NO_MEMORY) this.edges = new Int32Array(2 * this.limit);
    const { edges } = this;
    let first = 0;
    while (first < this.count && ((edges[2 * first + 1]! - start) | 0) < 0) first++;
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
    for (let i = 0; i < this.count; i++) {
      if (((this.start(i) - start) | 0) <= 0 && ((end - this.end(i)) | 0) <= 0) return true;
    }
    return false;
  }

  /** Takes out the ranges from … to-1. */
  private drop(from: number, to: number): void {
    if (to <= from) return;
    this.edges.copyWithin(2 * from, 2 * to, 2 * this.count);
    this.count -= to - from;
  }
}
