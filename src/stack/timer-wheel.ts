// Deadlines of many timers, as small integers; must not know what a timer is for, or any clock.

/** Slots of a level are told apart by five bits of the deadline, one more level by the next five. */
const LEVEL_BITS = 5;
const SLOTS = 1 << LEVEL_BITS;
/** Levels 0 … 6; the last has the two highest bits of an int32, and is a circle. */
const TOP_LEVEL = 6;
const TOP_SLOTS = 4;
/** Lists besides the slots: timers armed when already due, and those that are being fired. */
const OVERDUE = (TOP_LEVEL + 1) * SLOTS;
const FIRING = OVERDUE + 1;
const LISTS = FIRING + 1;

const NONE = -1;
/** So many timers of a crowded slot are looked at by `next`. */
const NEXT_SCAN = 32;

/**
 * A hierarchical timing wheel (Varghese and Lauck, 1987) in steps of a millisecond. Times are int32
 * milliseconds that wrap; a deadline lies at most 2^31 - 1 ms (24 days) after the last `advance`,
 * which is called once in 2^30 ms (12 days) at least. Ids are small integers from 0: the memory
 * grows with the largest.
 *
 * A timer waits in the slot named by the highest digit (of five bits) in which its deadline differs
 * from the present. So all timers of a level are due before any of a higher level, and the slots of
 * a level come due in the order of their numbers.
 */
export class TimerWheel {
  private armedCount = 0;
  /** The time that `advance` was given last, and how far the wheel has turned towards it. */
  private target: number;
  private now: number;
  /** One bit for each slot of a level that is not empty. */
  private readonly occupied = new Int32Array(TOP_LEVEL + 1);
  private readonly first = new Int32Array(LISTS).fill(NONE);
  private readonly last = new Int32Array(LISTS).fill(NONE);
  /** By id: deadline, the list it is in (NONE when not armed), its neighbours there. */
  private deadline = new Int32Array(0);
  private list = new Int32Array(0);
  private following = new Int32Array(0);
  private preceding = new Int32Array(0);

  constructor(nowMs: number) {
    this.target = nowMs | 0;
    this.now = nowMs | 0;
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.armedCount;
  }

  /**
   * Sets timer `id` to `atMs`, in place of its former deadline. A time that is not after the last
   * `advance` is due at the next one (also when it is set while timers are being fired).
   */
  arm(id: number, atMs: number): void {
    if (id >= this.list.length) this.grow(id);
    const list = ((atMs - this.target) | 0) <= 0 ? OVERDUE : this.slotFor(atMs);
    const former = this.list[id]!;
    this.deadline[id] = atMs;
    if (former === list) return;
    if (former === NONE) this.armedCount++;
    else this.unlink(id, former);
    this.link(id, list);
  }

  /** Forgets timer `id`; nothing when it is not armed. */
  cancel(id: number): void {
    const list = id < this.list.length ? this.list[id]! : NONE;
    if (list === NONE) return;
    this.unlink(id, list);
    this.list[id] = NONE;
    this.armedCount--;
  }

  /**
   * Lets time pass to `nowMs` and calls `fire` once for each timer that is due by then, in the
   * order of their deadlines; it is no longer armed at that moment. `fire` may arm and cancel any
   * timer; what it arms fires in a later call, even if it is due at once. Time never goes back.
   */
  advance(nowMs: number, fire: (id: number) => void): void {
    if (this.armedCount === 0) {
      // An empty wheel can be turned by any time, also by more than it has room for.
      this.target = nowMs | 0;
      this.now = this.target;
      return;
    }
    if (((nowMs - this.target) | 0) > 0) this.target = nowMs | 0;
    this.moveAll(OVERDUE, FIRING);
    this.fireAll(fire);
    for (let level = this.lowestLevel(); level !== NONE; level = this.lowestLevel()) {
      const slot = this.earliestSlot(level);
      const time = this.slotTime(level, slot);
      if (((time - this.target) | 0) > 0) break;
      this.now = time;
      const list = level * SLOTS + slot;
      if (level === 0) {
        this.moveAll(list, FIRING);
        this.fireAll(fire);
      } else {
        this.cascade(list);
      }
    }
    this.now = this.target;
  }

  /**
   * Milliseconds from the last `advance` until the next deadline, 0 when something is overdue, -1
   * when nothing is armed. Never late; early only where a distant slot is crowded.
   */
  next(): number {
    if (this.first[OVERDUE] !== NONE || this.first[FIRING] !== NONE) return 0;
    const level = this.lowestLevel();
    if (level === NONE) return -1;
    const slot = this.earliestSlot(level);
    const from = this.slotTime(level, slot);
    return Math.max(0, (this.earliestDeadline(level * SLOTS + slot, from) - this.target) | 0);
  }

  /** The least deadline in a list; `from`, which none precedes, when the list is long. */
  private earliestDeadline(list: number, from: number): number {
    let least = this.deadline[this.first[list]!]!;
    let id = this.first[list]!;
    for (let seen = 0; id !== NONE; seen++) {
      if (seen === NEXT_SCAN) return from;
      if (((this.deadline[id]! - least) | 0) < 0) least = this.deadline[id]!;
      id = this.following[id]!;
    }
    return least;
  }

  /** The slot for a deadline that is not before `now`. */
  private slotFor(atMs: number): number {
    // The index of the highest bit that differs, divided by LEVEL_BITS (13 / 64 does it up to 31).
    const level = ((31 - Math.clz32((atMs ^ this.now) | 1)) * 13) >> 6;
    return level * SLOTS + ((atMs >>> (level * LEVEL_BITS)) & (SLOTS - 1));
  }

  /** The lowest level that is not empty; the earliest deadline is on it. */
  private lowestLevel(): number {
    for (let level = 0; level <= TOP_LEVEL; level++) {
      if (this.occupied[level] !== 0) return level;
    }
    return NONE;
  }

  private earliestSlot(level: number): number {
    const bits = this.occupied[level]!;
    if (level < TOP_LEVEL) return lowestBit(bits);
    const digit = this.now >>> (TOP_LEVEL * LEVEL_BITS);
    const turned = (bits >>> digit) | (bits << (TOP_SLOTS - digit));
    return (digit + lowestBit(turned)) & (TOP_SLOTS - 1);
  }

  /** The first millisecond of a slot: the digits above as now, the digits below zero. */
  private slotTime(level: number, slot: number): number {
    const shift = level * LEVEL_BITS;
    const above = level < TOP_LEVEL ? this.now & (-1 << (shift + LEVEL_BITS)) : 0;
    return above | (slot << shift);
  }

  /** The slot's first millisecond has come: its timers go to lower levels. */
  private cascade(list: number): void {
    for (let id = this.first[list]!; id !== NONE; id = this.first[list]!) {
      this.unlink(id, list);
      this.link(id, this.slotFor(this.deadline[id]!));
    }
  }

  private fireAll(fire: (id: number) => void): void {
    for (let id = this.first[FIRING]!; id !== NONE; id = this.first[FIRING]!) {
      this.cancel(id);
      fire(id);
    }
  }

  private moveAll(from: number, to: number): void {
    for (let id = this.first[from]!; id !== NONE; id = this.first[from]!) {
      this.unlink(id, from);
      this.link(id, to);
    }
  }

  private link(id: number, list: number): void {
    const last = this.last[list]!;
    this.list[id] = list;
    this.following[id] = NONE;
    this.preceding[id] = last;
    this.last[list] = id;
    if (last !== NONE) {
      this.following[last] = id;
      return;
    }
    this.first[list] = id;
    if (list < OVERDUE) this.occupied[list >> LEVEL_BITS]! |= 1 << (list & (SLOTS - 1));
  }

  private unlink(id: number, list: number): void {
    const before = this.preceding[id]!;
    const after = this.following[id]!;
    if (before !== NONE) this.following[before] = after;
    else this.first[list] = after;
    if (after !== NONE) this.preceding[after] = before;
    else this.last[list] = before;
    if (list < OVERDUE && this.first[list] === NONE) {
      this.occupied[list >> LEVEL_BITS]! &= ~(1 << (list & (SLOTS - 1)));
    }
  }

  private grow(id: number): void {
    let size = Math.max(64, this.list.length);
    while (size <= id) size *= 2;
    const list = new Int32Array(size).fill(NONE);
    list.set(this.list);
    this.list = list;
    this.deadline = grown(this.deadline, size);
    this.following = grown(this.following, size);
    this.preceding = grown(this.preceding, size);
  }
}

function grown(array: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(size);
  larger.set(array);
  return larger;
}

/** Index of the lowest bit that is set; `word` is not 0. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
