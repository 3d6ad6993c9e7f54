// Lets segments through the gate by themselves, but for those that a fault strikes. Knows the gate and the
// event loop; must not know who sends what, or why.

import type { Gate } from '../device/gate.js';
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

  #go(): void {
    this.#round = undefined;
    while (!this.#stalls) {
      const held = this.#gate.held.find((packet) => this.#faults.mayGo(packet));
      if (held === undefined) break;
      this.#faults.carryOut(held);
    }
    this.#passed();
  }
}
