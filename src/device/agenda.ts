// Things to do at certain times, in order; must not know what time it is.

/** One thing in an agenda. */
export interface Entry<T> {
  readonly time: number;
  readonly item: T;
  /** Place in the heap, -1 when it is no longer in the agenda. */
  index: number;
  readonly order: number;
}

function isBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

/** A binary heap by time; entries of the same time keep the order in which they were added. */
export class Agenda<T> {
  readonly #heap: Entry<T>[] = [];
  #order = 0;

  /** The time of the first entry; Infinity when there is none. */
  get next(): number {
    return this.#heap.length > 0 ? this.#heap[0]!.time : Number.POSITIVE_INFINITY;
  }

  add(time: number, item: T): Entry<T> {
    const entry = { time, item, index: -1, order: this.#order++ };
    this.#siftUp(entry, this.#heap.length);
    return entry;
  }

  /** Takes an entry out before its time; nothing happens if it is out already. */
  remove(entry: Entry<T>): void {
    const { index } = entry;
    if (index < 0) return;
    entry.index = -1;
    const last = this.#heap.pop()!;
    if (last === entry) return;
    const parent = this.#heap[(index - 1) >> 1];
    if (index > 0 && isBefore(last, parent!)) this.#siftUp(last, index);
    else this.#siftDown(last, index);
  }

  /** Takes the first entry out. */
  take(): T | undefined {
    const first = this.#heap[0];
    if (first === undefined) return undefined;
    this.remove(first);
    return first.item;
  }

  #place(entry: Entry<T>, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }

  #siftUp(entry: Entry<T>, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = this.#heap[(at - 1) >> 1]!;
      if (!isBefore(entry, parent)) break;
      this.#place(parent, at);
      at = (at - 1) >> 1;
    }
    this.#place(entry, at);
  }

  #siftDown(entry: Entry<T>, from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, entry)) break;
      this.#place(heap[child]!, at);
      at = child;
    }
    this.#place(entry, at);
  }
}
