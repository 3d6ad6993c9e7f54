// Which segment of its kind a packet is: the first FIN of ours, the second ACK of theirs. Numbers of packets
// differ between a kernel's run and a simulation of it; this does not. Must not know what is done with them.

import type { HeldLook } from './debuggee.js';

/** The segments that have come to a gate, counted by what they are. */
export class Tally {
  /** Of what waits, by number. */
  #marks = new Map<number, string>();
  readonly #counts = new Map<string, number>();

  /** Takes note of what waits now. Cheap when nothing is new. */
  note(held: readonly HeldLook[]): void {
    this.#marks = new Map(
      held.map((each) => [each.id, this.#marks.get(each.id) ?? this.#count(each)]),
    );
  }

  /** What the packet is; null when it does not wait. */
  markOf(id: number): string | null {
    return this.#marks.get(id) ?? null;
  }

  /** The number of what waits here and is the same; null when nothing does. */
  find(mark: string): number | null {
    for (const [id, each] of this.#marks) if (each === mark) return id;
    return null;
  }

  #count({ direction, origin, again, segment, text }: HeldLook): string {
    const what = segment === null ? text : `${segment.flags}${segment.length > 0 ? ' data' : ''}`;
    const kind = `${direction} ${origin}${again ? ' again' : ''} ${what}`;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return `${kind} ${count}`;
  }
}
