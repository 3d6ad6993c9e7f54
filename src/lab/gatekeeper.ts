// Lets segments through the gate, or does them harm, and remembers each one. Knows the gate and what
// was sent; must not know why something is done.

import type { HeldPacket } from '../device/gate.js';
import type { Direction, Origin, SegmentFields } from '../trace/event.js';
import { decodeSegment, hasFlag, sequenceLength } from '../trace/segment.js';
import { forge } from './forge.js';
import { type Marked, Marks, matches, opposite } from './matching.js';
import type { Injection, Match } from './scenario.js';
import type { World } from './world.js';

export type FaultAction = 'drop' | 'delay' | 'duplicate' | 'swap' | 'corrupt' | 'inject';

/** A segment that came to the gate. */
export interface SeenSegment extends Marked {
  readonly id: number;
  /** Who made it: one of the two ends, or somebody at the gate. */
  readonly origin: Origin;
  fate: 'waits' | 'passed' | 'dropped' | 'corrupted';
}

/** What one end has sent last: where a forged segment takes its numbers from. */
interface Voice {
  segment: SegmentFields;
  sndNxt: number;
}

/** Where there is a gate; a world, or a stack that serves. */
type Place = Pick<World, 'gate' | 'timeline' | 'now'>;

export class Gatekeeper {
  /** Segments in the order in which they left the gate, passed or not; the latest of them. */
  left: SeenSegment[] = [];
  /** How many have left before those. */
  #forgotten = 0;
  readonly #capacity: number;
  readonly #world: Place;
  readonly #waiting = new Map<number, SeenSegment>();
  readonly #marks = new Marks();
  readonly #voices = new Map<Direction, Voice>();
  /** Counts of those that have left, and how many were counted. */
  readonly #counts = new Map<Match, { upTo: number; count: number }>();

  /** @param capacity segments that are remembered when they have left; default: all */
  constructor(world: Place, capacity = Number.POSITIVE_INFINITY) {
    this.#world = world;
    this.#capacity = capacity;
  }

  /** How many segments have left. */
  get gone(): number {
    return this.#forgotten + this.left.length;
  }

  /** Whether such a segment has passed, when so many had left. */
  hasPassed(match: Match, since: number): boolean {
    return this.left
      .slice(Math.max(since - this.#forgotten, 0))
      .some((seen) => seen.fate === 'passed' && matches(seen, match));
  }

  /** The segment of a packet that waits; null when it is none. */
  seen(held: HeldPacket): SeenSegment | null {
    this.look();
    return this.#waiting.get(held.id) ?? null;
  }

  /** Takes note of what has come, and of what somebody else has let go. */
  look(): void {
    const { held } = this.#world.gate;
    const isKnown =
      held.length === this.#waiting.size && held.every(({ id }) => this.#waiting.has(id));
    if (isKnown) return;
    for (const packet of held) if (!this.#waiting.has(packet.id)) this.#came(packet, 'sent');
    const ids = new Set(held.map(({ id }) => id));
    for (const seen of [...this.#waiting.values()])
      if (!ids.has(seen.id)) this.#leaves(seen, 'passed');
  }

  /** How many segments that an end has sent have had their turn. */
  count(match: Match): number {
    this.look();
    return this.#countLeft(match);
  }

  #countLeft(match: Match): number {
    const known = this.#counts.get(match) ?? { upTo: this.#forgotten, count: 0 };
    for (; known.upTo < this.gone; known.upTo++) {
      const seen = this.left[known.upTo - this.#forgotten]!;
      if (seen.origin === 'sent' && matches(seen, match)) known.count += 1;
    }
    this.#counts.set(match, known);
    return known.count;
  }

  // ── What can be done with a packet that waits ──

  release(held: HeldPacket): void {
    this.look();
    this.#noteRelease(held);
    this.#leave(held, 'passed');
    this.#world.gate.release(held);
  }

  drop(held: HeldPacket): void {
    this.look();
    this.#note('drop', held);
    this.#leave(held, 'dropped');
    this.#world.gate.drop(held);
  }

  /** Lets it through with a checksum that is wrong. */
  corrupt(held: HeldPacket): void {
    this.look();
    // Where that cannot be done, nothing has happened that could be told.
    this.#world.gate.corrupt(held);
    this.#note('corrupt', held);
    this.#leave(held, 'corrupted');
    this.#world.gate.release(held);
  }

  duplicate(held: HeldPacket): HeldPacket {
    this.look();
    this.#note('duplicate', held);
    const copy = this.#world.gate.duplicate(held);
    this.#came(copy, 'copied');
    return copy;
  }

  swap(held: HeldPacket): boolean {
    this.look();
    const swapped = this.#world.gate.swap(held);
    if (swapped) this.#note('swap', held);
    return swapped;
  }

  delay(held: HeldPacket): void {
    this.look();
    this.#note('delay', held);
    this.#world.gate.delay(held);
  }

  /** Notes a fault that only makes a packet wait. */
  noteWait(held: HeldPacket, action: 'delay' | 'swap'): void {
    this.#note(action, held);
  }

  /**
   * Puts a forged segment before all that waits.
   * @returns null when nothing was ever sent, so that there is no connection to pretend to be of
   */
  inject(injection: Injection): HeldPacket | null {
    this.look();
    const { direction } = injection;
    const bytes = this.#forge(injection);
    return bytes === null ? null : this.put(direction, bytes);
  }

  /** Puts a whole packet that somebody has forged before all that waits. */
  put(direction: Direction, bytes: Uint8Array): HeldPacket {
    this.look();
    const held = this.#world.gate.inject(direction, bytes, true);
    this.#came(held, 'injected');
    this.#note('inject', held);
    return held;
  }

  #forge(injection: Injection): Uint8Array | null {
    const { direction, seqOffset = 0, ackOffset = 0, timestampOffset = 0 } = injection;
    const own = this.#voices.get(direction);
    const other = this.#voices.get(opposite(direction));
    const model = own?.segment ?? (other && reversed(other.segment));
    if (model === undefined) return null;
    const { timestamps } = (own ?? other)!.segment.options;
    const [value, echo] = own || !timestamps ? (timestamps ?? [0, 0]) : [0, timestamps[0]];
    return forge({
      source: model.source,
      sourcePort: model.sourcePort,
      destination: model.destination,
      destinationPort: model.destinationPort,
      flags: injection.flags,
      seq: (own?.sndNxt ?? model.seq) + seqOffset,
      ack: injection.flags.includes('ACK') ? model.ack + ackOffset : 0,
      window: 0xffff,
      data: injection.data ?? 0,
      timestamps: timestamps === undefined ? null : [value + timestampOffset, echo],
    });
  }

  #came(held: HeldPacket, origin: SeenSegment['origin']): void {
    const segment = decodeSegment(held.packet.bytes);
    if (segment === null) return;
    const { id, direction } = held;
    const sent = { direction, segment };
    const marked = origin === 'sent' ? this.#marks.note(sent) : this.#marks.look(sent);
    this.#waiting.set(id, { ...marked, id, origin, fate: 'waits' });
    if (origin !== 'sent') return;
    this.#voices.set(direction, { segment, sndNxt: this.#sndNxt(direction, segment) });
  }

  /** One past the last number that the end has used; a repetition takes nothing back. */
  #sndNxt(direction: Direction, segment: SegmentFields): number {
    const end = (segment.seq + sequenceLength(segment)) >>> 0;
    const before = this.#voices.get(direction);
    const same = before?.segment.sourcePort === segment.sourcePort && !hasFlag(segment, 'SYN');
    return before && same && ((before.sndNxt - end) | 0) > 0 ? before.sndNxt : end;
  }

  #leave(held: HeldPacket, fate: 'passed' | 'dropped' | 'corrupted'): void {
    const seen = this.#waiting.get(held.id);
    if (seen !== undefined) this.#leaves(seen, fate);
  }

  #leaves(seen: SeenSegment, fate: 'passed' | 'dropped' | 'corrupted'): void {
    this.#waiting.delete(seen.id);
    seen.fate = fate;
    this.left.push(seen);
    if (this.left.length >= 2 * this.#capacity) this.#forget();
  }

  /** The older half, so that each segment is moved at most once on average. */
  #forget(): void {
    for (const match of this.#counts.keys()) this.#countLeft(match);
    this.#forgotten += this.#capacity;
    this.left = this.left.slice(this.#capacity);
  }

  #note(action: FaultAction, held: HeldPacket): void {
    const seen = this.#waiting.get(held.id);
    const { direction } = held;
    const segment = seen?.segment ?? null;
    const origin = seen?.origin ?? 'sent';
    this.#world.timeline.add({
      ...this.#common(),
      ...{ kind: 'fault', action, direction, segment, origin },
    });
  }

  #noteRelease(held: HeldPacket): void {
    const seen = this.#waiting.get(held.id);
    if (seen === undefined) return;
    const { direction, segment, origin } = seen;
    this.#world.timeline.add({
      ...this.#common(),
      ...{ kind: 'release', direction, segment, origin },
    });
  }

  #common() {
    return { timeUs: this.#world.now(), end: 'ours', connection: null, tcb: null } as const;
  }
}

/** As if the other end answered. */
function reversed(segment: SegmentFields): SegmentFields {
  return {
    ...segment,
    source: segment.destination,
    sourcePort: segment.destinationPort,
    destination: segment.source,
    destinationPort: segment.sourcePort,
    seq: segment.ack,
    ack: segment.seq,
  };
}
