// A list that is filled and emptied in every turn. An array that is set to no length gives its memory
// away; this one keeps it. Must not know what is in it.

export class WorkList<T> {
  length = 0;
  private readonly items: (T | null)[] = [];

  push(item: T): void {
    if (this.length === this.items.length) this.items.push(item);
    else this.items[this.length] = item;
    this.length += 1;
  }

  /** The item at a place below `length`. */
  at(index: number): T {
    return this.items[index] as T;
  }

  /** Forgets all items, so that they can be collected. */
  clear(): void {
    for (let i = 0; i < this.length; i++) this.items[i] = null;
    this.length = 0;
  }
}
