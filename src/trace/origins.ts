// Where the sequence numbers of connections begin, so that they can be shown counted from 0, the SYN's.
// Knows what was seen of each direction; must not know states.

import type { SegmentFields } from './event.js';
import { hasFlag, type Relative } from './segment.js';

/** Learns from segments in the order in which they were sent. */
export class Origins {
  readonly #initial = new Map<string, number>();

  /** The origins of all these segments. */
  static of(segments: Iterable<SegmentFields>): Origins {
    const origins = new Origins();
    for (const segment of segments) origins.learn(segment);
    return origins;
  }

  /**
   * A SYN sets the origin of its direction; where none was seen, the first number seen counts as 1.
   * @param forged the end of that direction has not sent it: it says nothing where something is known
   */
  learn(segment: SegmentFields, forged = false): void {
    const [there, back] = directions(segment);
    if (forged && this.#initial.has(there)) return;
    if (hasFlag(segment, 'SYN')) this.#initial.set(there, segment.seq);
    else if (!this.#initial.has(there) && !hasFlag(segment, 'RST')) {
      this.#initial.set(there, segment.seq - 1);
    }
    if (hasFlag(segment, 'ACK') && !this.#initial.has(back)) {
      this.#initial.set(back, segment.ack - 1);
    }
  }

  /** What to subtract from the numbers of a segment; zeros where nothing is known. */
  relative(segment: SegmentFields): Relative {
    const [there, back] = directions(segment);
    return { seq: this.#initial.get(there) ?? 0, ack: this.#initial.get(back) ?? 0 };
  }
}

function directions(segment: SegmentFields): [there: string, back: string] {
  const from = `${segment.source}:${segment.sourcePort}`;
  const to = `${segment.destination}:${segment.destinationPort}`;
  return [`${from} ${to}`, `${to} ${from}`];
}
