// Which fault strikes which segment, and which segments wait for another one. Knows faults and the keeper
// of a gate; must not know steps, or when a turn has come.

import type { HeldPacket } from '../device/gate.js';
import type { Gatekeeper } from './gatekeeper.js';
import { matches } from './matching.js';
import type { Fault, Match } from './scenario.js';

/** What has become of a fault so far. */
interface Tally {
  /** Segments that it may be about, and those that it has struck. */
  matched: number;
  struck: number;
  isOver: boolean;
}

export class Faults {
  readonly #keeper: Gatekeeper;
  readonly #tallies = new Map<Fault, Tally>();
  /** Whose turn has come once: faults count and strike a segment once only. */
  readonly #judged = new Set<number>();
  /** Segments that a fault makes wait, for another to pass; how many had left the gate then. */
  readonly #heldBack = new Map<number, { match: Match; since: number }>();

  constructor(keeper: Gatekeeper, faults: readonly Fault[] = []) {
    this.#keeper = keeper;
    for (const fault of faults) this.add(fault);
  }

  /** It counts from now on; of several that are meant for a segment the first one strikes. */
  add(fault: Fault): void {
    this.#tallies.set(fault, { matched: 0, struck: 0, isOver: false });
  }

  /** It strikes no more. What it makes wait goes on waiting for what it waits for. */
  end(fault: Fault): void {
    this.#tallies.get(fault)!.isOver = true;
  }

  /** How many segments it has struck. */
  struck(fault: Fault): number {
    return this.#tallies.get(fault)?.struck ?? 0;
  }

  /** Whether a packet need not wait for another one. */
  mayGo(packet: HeldPacket): boolean {
    const hold = this.#heldBack.get(packet.id);
    if (hold === undefined) return true;
    return this.#keeper.left
      .slice(hold.since)
      .some((seen) => seen.fate === 'passed' && matches(seen, hold.match));
  }

  /** The fault that will strike this packet when its turn comes now; nothing happens. */
  of(held: HeldPacket): Fault | null {
    const seen = this.#keeper.seen(held);
    if (seen === null || seen.origin !== 'sent' || this.#judged.has(held.id)) return null;
    for (const [fault, { matched, isOver }] of this.#tallies) {
      const { on } = fault;
      const isNth = on.nth === undefined || matched + 1 === on.nth;
      if (!isOver && isNth && matches(seen, on)) return fault;
    }
    return null;
  }

  /** Its turn has come: it is struck, or passes. */
  carryOut(held: HeldPacket): void {
    const fault = this.of(held);
    this.#count(held);
    if (fault === null) {
      this.#heldBack.delete(held.id);
      this.#keeper.release(held);
      return;
    }
    this.#tallies.get(fault)!.struck += 1;
    if (fault.do === 'drop') this.#keeper.drop(held);
    else if (fault.do === 'corrupt') this.#keeper.corrupt(held);
    else if (fault.do === 'duplicate') {
      this.#keeper.duplicate(held);
      this.#keeper.release(held);
    } else this.#holdBack(held, fault.do);
  }

  #count(held: HeldPacket): void {
    const seen = this.#keeper.seen(held);
    if (seen === null || seen.origin !== 'sent' || this.#judged.has(held.id)) return;
    this.#judged.add(held.id);
    for (const [{ on }, tally] of this.#tallies) if (matches(seen, on)) tally.matched += 1;
  }

  #holdBack(held: HeldPacket, how: 'swap' | { holdUntil: Match }): void {
    const match = how === 'swap' ? { direction: held.direction } : how.holdUntil;
    this.#heldBack.set(held.id, { match, since: this.#keeper.left.length });
    this.#keeper.noteWait(held, how === 'swap' ? 'swap' : 'delay');
  }
}
