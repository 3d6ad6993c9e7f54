// Lets segments through the gate by themselves, but for those that a fault strikes. Knows the gate and the
// event loop; must not know who sends what, or why.

import type { Gate, HeldPacket } from '../device/gate.js';
import type { Faults } from '../lab/faults.js';

export class Traffic {
  readonly #gate: Gate;
  readonly #faults: Faults;
  readonly #passed: () => void;
  #stalls = false;
  #round: NodeJS.Immediate | undefined;

  /** @param passed told after each round in which something may have passed */
  constructor(gate: Gate, faults: Faults, passed: () => void) {
    this.#gate = gate;
    this.#faults = faults;
    this.#passed = passed;
    gate.shut();
    gate.onHeld = () => this.wake();
  }

  /** From now on everything waits. */
  stall(): void {
    this.#stalls = true;
  }

  /** What waits goes on its way, in order. */
  resume(): void {
    this.#stalls = false;
    this.wake();
  }

  /** Something waits: the gate may only be opened outside of the stack's turns. */
  wake(): void {
    this.#round ??= setImmediate(() => this.#go());
  }

  close(): void {
    this.#gate.onHeld = null;
    clearImmediate(this.#round);
  }

  /** What is sent in return has its turn in the next round: in between both ends can be looked at. */
  #go(): void {
    this.#round = undefined;
    const mayGo = (packet: HeldPacket) => !this.#stalls && this.#faults.mayGo(packet);
    for (const held of [...this.#gate.held]) if (mayGo(held)) this.#faults.carryOut(held);
    this.#passed();
    if (this.#gate.held.some(mayGo)) this.wake();
  }
}
