// Our segments between their sending and their passing of a gate. Knows which one an event is about; must
// not know what becomes of it.

import type { Origin, SegmentFields } from './event.js';
import type { Rung, SegmentRung } from './ladder.js';
import { announces, isSame } from './segment.js';

type Segment = Rung & SegmentRung;

interface Entry {
  rung: Segment;
  origin: Origin;
  /** Bytes of a super-segment that have not come to the gate as segments of their own. */
  left: number;
}

export class GateQueue {
  readonly #entries: Entry[] = [];

  add(rung: Segment, origin: Origin): void {
    this.#entries.push({ rung, origin, left: rung.segment.length });
  }

  /** A second one, which nobody has sent. */
  copy(rung: Segment): void {
    const copy = { ...rung, ours: null, remarks: ['a copy'] };
    const entry: Entry = { rung: copy, origin: 'copied', left: rung.segment.length };
    this.#entries.splice(this.#entries.findIndex((each) => each.rung === rung) + 1, 0, entry);
  }

  /** The oldest one that looks like this. */
  find(segment: SegmentFields, origin: Origin): Segment | null {
    const found = this.#entries.find(
      (each) =>
        each.origin === origin &&
        isSame(each.rung.segment, segment) &&
        each.rung.segment.window === segment.window,
    );
    return found?.rung ?? this.#piece(segment);
  }

  take(segment: SegmentFields, origin: Origin): Segment | null {
    const rung = this.find(segment, origin);
    if (rung !== null) this.remove(rung);
    return rung;
  }

  /** All that is left. */
  takeAll(): Segment[] {
    return this.#entries.splice(0).map(({ rung }) => rung);
  }

  /** Those that stand for the state in which they were sent, which is no longer the newest to be shown. */
  *announcing(): Generator<Segment> {
    for (const { rung } of this.#entries) if (rung.ours !== null) yield rung;
  }

  /** @returns whether it was there */
  remove(rung: Segment): boolean {
    const at = this.#entries.findIndex((each) => each.rung === rung);
    if (at >= 0) this.#entries.splice(at, 1);
    return at >= 0;
  }

  /** What was sent as a super-segment may have been cut up before the gate. */
  #piece(segment: SegmentFields): Segment | null {
    const at = this.#entries.findIndex(({ rung }) => contains(rung.segment, segment));
    if (at < 0) return null;
    const whole = this.#entries[at]!;
    const { ours } = whole.rung;
    const takesState = ours !== null && announces(segment, ours);
    const rung = { ...whole.rung, segment, ours: takesState ? ours : null };
    if (takesState) whole.rung.ours = null;
    whole.left -= segment.length;
    const piece: Entry = { rung, origin: 'sent', left: segment.length };
    this.#entries.splice(at, whole.left > 0 ? 0 : 1, piece);
    return rung;
  }
}

function contains(whole: SegmentFields, piece: SegmentFields): boolean {
  const from = (piece.seq - whole.seq) >>> 0;
  return whole.gsoSize > 0 && piece.length > 0 && from + piece.length <= whole.length;
}
