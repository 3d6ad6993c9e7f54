// One block of memory, handed out in buddy blocks; must not know what is kept in it.

/** A block of order n has MIN_BLOCK << n bytes. */
const MIN_SHIFT = 11;
const TOP_ORDER = 12;

/** Smallest block: 2 KiB. */
export const MIN_BLOCK = 1 << MIN_SHIFT;
/** Largest block: 8 MiB (a small arena has smaller ones only). */
export const MAX_BLOCK = MIN_BLOCK << TOP_ORDER;

const DEFAULT_BYTES = 256 * 1024 * 1024;

/** State of a unit: not the first unit of a block. */
const INTERIOR = 0;
/** State of the first unit of a free block: FREE + order. */
const FREE = 1;
/** State of the first unit of a block in use: TAKEN + order. */
const TAKEN = 0x80;

const NONE = -1;

/**
 * A fixed amount of memory: regions that are reserved once, and after them power-of-two blocks by
 * the buddy system (Knuth, TAOCP 2.5). All places in it are int32 byte offsets. Its size is the
 * memory limit of those who use it: `allocate` answers -1 when nothing fits.
 */
export class Arena {
  /** The memory. */
  readonly buffer: ArrayBuffer;
  /** All of it, as bytes. */
  readonly bytes: Uint8Array;
  /** All of it, as a view. */
  readonly view: DataView;
  /** Bytes in blocks that are in use now. */
  used = 0;
  /** The largest that `used` has been. */
  peak = 0;

  /** Offset of the first unit; what lies below is reserved. */
  private base = 0;
  /** Units of MIN_BLOCK bytes; 0 until the first allocation ends the reservations. */
  private units = 0;
  private state = new Uint8Array(0);
  private next = new Int32Array(0);
  private previous = new Int32Array(0);
  /** First free block of each order, and one bit for each order that has one. */
  private readonly freeLists = new Int32Array(TOP_ORDER + 1).fill(NONE);
  private freeOrders = 0;
  private pinned = NONE;
  /** Size of the pinned block once it was given back, 0 before. */
  private pinnedSize = 0;

  /** `bytes`: size of the arena, 256 MiB by default, below 2 GiB. RangeError otherwise. */
  constructor(bytes = DEFAULT_BYTES) {
    if (!Number.isInteger(bytes) || bytes < MIN_BLOCK || bytes > 0x7fffffff) {
      throw new RangeError(`An arena has ${MIN_BLOCK} to ${0x7fffffff} bytes, not ${bytes}`);
    }
    this.buffer = new ArrayBuffer(bytes);
    this.bytes = new Uint8Array(this.buffer);
    this.view = new DataView(this.buffer);
  }

  /** Bytes that blocks can have in total: what reservations leave. */
  get capacity(): number {
    if (this.units > 0) return this.units * MIN_BLOCK;
    return Math.max(0, this.buffer.byteLength - alignUp(this.base, MIN_BLOCK)) & -MIN_BLOCK;
  }

  /**
   * Takes a region for good; only before the first `allocate`. `align` is a power of two.
   * RangeError when the arena is too small for it.
   */
  reserve(size: number, align = 64): number {
    if (this.units > 0) throw new Error('Regions are reserved before the first block is allocated');
    const offset = alignUp(this.base, align);
    if (size < 0 || offset + size > this.buffer.byteLength) {
      throw new RangeError(
        `An arena of ${this.buffer.byteLength} bytes has no room for a region of ${size} bytes`,
      );
    }
    this.base = offset + size;
    return offset;
  }

  /** Size of the block that `allocate(size)` gives: the next power of two, at least MIN_BLOCK. */
  blockSize(size: number): number {
    return MIN_BLOCK << orderOf(size);
  }

  /** Offset of a block of `blockSize(size)` bytes, its content undefined; -1 when none is free. */
  allocate(size: number): number {
    if (this.units === 0) this.seal();
    const wanted = orderOf(size);
    const fitting = (this.freeOrders >>> wanted) << wanted;
    if (fitting === 0) return NONE;
    let order = lowestBit(fitting);
    const unit = this.freeLists[order]!;
    this.unlink(unit, order);
    while (order > wanted) {
      order--;
      this.link(unit + (1 << order), order);
    }
    this.state[unit] = TAKEN + wanted;
    this.used = (this.used + (MIN_BLOCK << wanted)) | 0;
    if (this.used > this.peak) this.peak = this.used;
    return (this.base + (unit << MIN_SHIFT)) | 0;
  }

  /**
   * A device may write into this block at any time: given back, it is not handed out again before
   * the next `pin`. One block at a time; -1 for none.
   */
  pin(offset: number): void {
    const last = this.pinned;
    const size = this.pinnedSize;
    this.pinned = offset;
    if (offset === last) return;
    this.pinnedSize = 0;
    if (size > 0) this.free(last, size);
  }

  /** Gives a block back; `size` is what `allocate` was asked for, or the block's size. */
  free(offset: number, size: number): void {
    if (offset === this.pinned) {
      this.pinnedSize = size;
      return;
    }
    let order = orderOf(size);
    let unit = (offset - this.base) >> MIN_SHIFT;
    if (this.state[unit] !== TAKEN + order || ((offset - this.base) & (MIN_BLOCK - 1)) !== 0) {
      throw new Error(`There is no block of ${size} bytes in use at ${offset}`);
    }
    this.used = (this.used - (MIN_BLOCK << order)) | 0;
    this.state[unit] = INTERIOR;
    while (order < TOP_ORDER) {
      const buddy = unit ^ (1 << order);
      if (buddy >= this.units || this.state[buddy] !== FREE + order) break;
      this.unlink(buddy, order);
      unit &= buddy;
      order++;
    }
    this.link(unit, order);
  }

  /** Ends the reservations: what is left becomes free blocks, as large as alignment lets them be. */
  private seal(): void {
    const capacity = this.capacity;
    this.base = alignUp(this.base, MIN_BLOCK);
    this.units = capacity >> MIN_SHIFT;
    if (this.units === 0) return;
    this.state = new Uint8Array(this.units);
    this.next = new Int32Array(this.units);
    this.previous = new Int32Array(this.units);
    // From the end, where the odd small blocks are, so that the lowest block is handed out first.
    for (let end = this.units; end > 0; ) {
      const order = Math.min(TOP_ORDER, lowestBit(end));
      end -= 1 << order;
      this.link(end, order);
    }
  }

  private link(unit: number, order: number): void {
    const first = this.freeLists[order]!;
    this.next[unit] = first;
    this.previous[unit] = NONE;
    if (first !== NONE) this.previous[first] = unit;
    this.freeLists[order] = unit;
    this.freeOrders |= 1 << order;
    this.state[unit] = FREE + order;
  }

  private unlink(unit: number, order: number): void {
    const next = this.next[unit]!;
    const previous = this.previous[unit]!;
    if (next !== NONE) this.previous[next] = previous;
    if (previous !== NONE) this.next[previous] = next;
    else {
      this.freeLists[order] = next;
      if (next === NONE) this.freeOrders &= ~(1 << order);
    }
    this.state[unit] = INTERIOR;
  }
}

function alignUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}

/** Order of the smallest block that holds `size` bytes. */
function orderOf(size: number): number {
  return size <= MIN_BLOCK ? 0 : 32 - Math.clz32((size - 1) >>> MIN_SHIFT);
}

/** Index of the lowest bit that is set; `word` is not 0. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
