// Promises that something will be so. Knows when to look whether it is; must not know what it is about.

import { ClockTimer } from '../net/clock-timer.js';

interface Waiter {
  readonly isSo: () => boolean;
  readonly settle: (isSo: boolean) => void;
}

/** How often it is looked while somebody waits: not all that happens is told. ms */
const LOOK_MS = 10;

export class Waiting {
  readonly #now: () => number;
  readonly #look: () => void;
  readonly #waiters = new Set<Waiter>();
  #round: NodeJS.Immediate | undefined;
  #looks: NodeJS.Timeout | undefined;

  /**
   * @param now microseconds
   * @param look to be called now and then while somebody waits
   */
  constructor(now: () => number, look: () => void) {
    this.#now = now;
    this.#look = look;
  }

  /** Something has happened; those who wait are asked as soon as all of it has. */
  changed(): void {
    if (this.#waiters.size > 0) this.#round ??= setImmediate(() => this.#ask());
  }

  /** @returns whether it was so within `ms` milliseconds */
  async until(isSo: () => boolean, ms: number): Promise<boolean> {
    if (isSo()) return true;
    return new Promise((resolve) => {
      const timer = new ClockTimer(this.#now, () => waiter.settle(isSo()));
      const waiter: Waiter = {
        isSo,
        settle: (answer) => {
          timer.stop();
          this.#leave(waiter);
          resolve(answer);
        },
      };
      this.#waiters.add(waiter);
      timer.start(ms);
      // It also keeps the process alive: a test that waits is not over.
      this.#looks ??= setInterval(this.#look, LOOK_MS);
    });
  }

  /** Those who wait now need not wait any longer. */
  giveUp(): void {
    for (const waiter of this.#waiters) waiter.settle(waiter.isSo());
  }

  #leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0) return;
    clearInterval(this.#looks);
    this.#looks = undefined;
  }

  #ask(): void {
    this.#round = undefined;
    for (const waiter of this.#waiters) if (waiter.isSo()) waiter.settle(true);
  }
}
