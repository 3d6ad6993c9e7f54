// A byte ring over one block of the arena; must not know sequence numbers or who writes and reads.

import type { Arena } from './arena.js';

const NONE = -1;
/** Up to so many bytes a plain loop beats making a view (measured: 48 bytes; and no garbage). */
const SMALL = 64;

/**
 * Bytes are named by their distance from the head. The first `length` bytes are in order; bytes may
 * also be placed beyond them, with gaps, and count once `extend` has reached them. It has no memory
 * until `ensure` is called. No call checks that its arguments lie within the ring.
 */
export class Ring {
  /** Bytes in the block: a power of two, or 0. */
  capacity = 0;
  /** Bytes stored without a gap from the head on. */
  length = 0;

  private readonly arena: Arena;
  private block = NONE;
  private head = 0;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /**
   * Makes the capacity at least `extent` bytes; all bytes keep their distances, those beyond
   * `length` too. False when the arena has no such block; the ring is as before then.
   */
  ensure(extent: number): boolean {
    if (extent <= this.capacity) return true;
    const block = this.arena.allocate(extent);
    if (block === NONE) return false;
    if (this.block !== NONE) {
      const { bytes } = this.arena;
      const end = this.block + this.capacity;
      bytes.copyWithin(block, this.block + this.head, end);
      bytes.copyWithin(block + this.capacity - this.head, this.block, this.block + this.head);
      this.arena.free(this.block, this.capacity);
    }
    this.block = block;
    this.head = 0;
    this.capacity = this.arena.blockSize(extent);
    return true;
  }

  /**
   * Copies `n` bytes at `offset` in the arena to `distance`, unless they are there already; needs
   * `ensure(distance + n)` before.
   */
  placeFromArena(distance: number, offset: number, n: number): void {
    const { bytes } = this.arena;
    const to = this.pieceOffset(distance);
    if (offset === to) return;
    const first = this.pieceLength(distance, n);
    bytes.copyWithin(to, offset, offset + first);
    if (first < n) bytes.copyWithin(this.block, offset + first, offset + n);
  }

  /** Copies `n` bytes of `source`, from index `from` on, to `distance`; needs `ensure` before. */
  place(distance: number, source: Uint8Array, from: number, n: number): void {
    const { bytes } = this.arena;
    const first = this.pieceLength(distance, n);
    copy(source, from, bytes, this.pieceOffset(distance), first);
    if (first < n) copy(source, (from + first) | 0, bytes, this.block, (n - first) | 0);
  }

  /** Adds `n` bytes, placed before, to those that are in order. */
  extend(n: number): void {
    this.length = (this.length + n) | 0;
  }

  /** Copies `n` bytes at `distance` to index `at` of `target`. */
  copyOut(distance: number, target: Uint8Array, at: number, n: number): void {
    const { bytes } = this.arena;
    const first = this.pieceLength(distance, n);
    copy(bytes, this.pieceOffset(distance), target, at, first);
    if (first < n) copy(bytes, this.block, target, (at + first) | 0, (n - first) | 0);
  }

  /** Drops `n` bytes, at most `length`, at the head. */
  consume(n: number): void {
    this.head = (this.head + n) & (this.capacity - 1);
    this.length = (this.length - n) | 0;
  }

  /** Offset of the block in the arena; -1 without one. */
  get blockOffset(): number {
    return this.block;
  }

  /** While nothing is stored, not even beyond a gap: the next byte goes to the block's begin. */
  rewind(): void {
    this.head = 0;
  }

  /** Offset in the arena of the byte at `distance`. */
  pieceOffset(distance: number): number {
    return (this.block + ((this.head + distance) & (this.capacity - 1))) | 0;
  }

  /** How many of the `n` bytes at `distance` lie before the end of the block. */
  pieceLength(distance: number, n: number): number {
    const room = (this.capacity - ((this.head + distance) & (this.capacity - 1))) | 0;
    return Math.min(n, room);
  }

  /** Gives the block back to the arena; the ring is empty, and can be used again. */
  release(): void {
    if (this.block !== NONE) this.arena.free(this.block, this.capacity);
    this.block = NONE;
    this.capacity = 0;
    this.length = 0;
    this.head = 0;
  }
}

/** Between two arrays. A large part of an array needs a view of that part, made and forgotten. */
function copy(source: Uint8Array, from: number, target: Uint8Array, at: number, n: number): void {
  if (n <= SMALL) for (let i = 0; i < n; i++) target[at + i] = source[from + i]!;
  else target.set(n === source.length ? source : source.subarray(from, from + n), at);
}
