// Which fault strikes which segment, and which segments wait for another one. Knows faults and the keeper
// of a gate; must not know steps, or when a turn has come.

import type { HeldPacket } from '../device/gate.js';
import type { Gatekeeper, SeenSegment } from './gatekeeper.js';
import { matches } from './matching.js';
import type { Fault, Match } from './scenario.js';

/** What has become of a fault so far. */
interface Tally {
  /** Segments that it may be about, and those that it has struck. */
  matched: number;
  struck: number;
  isOver: boolean;
}

/** A segment that waits for another one to pass; how many had left the gate when that began. */
interface Hold {
  readonly seen: SeenSegment;
  readonly isSwap: boolean;
  readonly match: Match;
  readonly since: number;
}

export class Faults {
  readonly #keeper: Gatekeeper;
  readonly #tallies = new Map<Fault, Tally>();
  /** Packets that a fault makes wait, by id. Their turn has come: faults count and strike each once only. */
  readonly #heldBack = new Map<number, Hold>();

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
    return hold === undefined || this.#keeper.hasPassed(hold.match, hold.since);
  }

  /** The fault that will strike this packet when its turn comes now; nothing happens. */
  of(held: HeldPacket): Fault | null {
    const seen = this.#firstTurn(held);
    if (seen === null) return null;
    for (const [fault, { matched, isOver }] of this.#tallies) {
      const { on } = fault;
      const isNth = on.nth === undefined || matched + 1 === on.nth;
      if (!isOver && isNth && matches(seen, on) && this.#maySwap(fault, seen)) return fault;
    }
    return null;
  }

  /** A segment that an end has sent, and whose turn comes for the first time. */
  #firstTurn(held: HeldPacket): SeenSegment | null {
    const seen = this.#keeper.seen(held);
    return seen?.origin === 'sent' && !this.#heldBack.has(held.id) ? seen : null;
  }

  /** Whoever shall be overtaken cannot wait for one that waits for the same: that one has to overtake it. */
  #maySwap(fault: Fault, { direction }: SeenSegment): boolean {
    if (fault.do !== 'swap') return true;
    const waits = ({ isSwap, seen }: Hold) =>
      isSwap && seen.direction === direction && seen.fate === 'waits';
    return ![...this.#heldBack.values()].some(waits);
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
    const seen = this.#firstTurn(held);
    if (seen === null) return;
    for (const [{ on }, tally] of this.#tallies) if (matches(seen, on)) tally.matched += 1;
  }

  #holdBack(held: HeldPacket, how: 'swap' | { holdUntil: Match }): void {
    const isSwap = how === 'swap';
    const match = isSwap ? { direction: held.direction } : how.holdUntil;
    const { gone: since } = this.#keeper;
    this.#heldBack.set(held.id, { seen: this.#keeper.seen(held)!, isSwap, match, since });
    this.#keeper.noteWait(held, isSwap ? 'swap' : 'delay');
  }
}
