// Whether the process must stay alive. Counts; must not know sockets or devices.

import { ClockTimer } from './clock-timer.js';

/**
 * How long a program that is finished waits for its last bytes and FINs to be acknowledged, ms. A
 * kernel would go on sending them alone; here nobody does once the process is gone.
 */
const LAST_WORDS_MS = 10_000;

/**
 * Counts what is open and must keep the process alive, and what is closed but has not yet been
 * acknowledged by its peer, which keeps it alive for a while only.
 */
export class Liveness {
  #open = 0;
  #closing = 0;
  #alive = false;
  readonly #patience: ClockTimer;
  #waitedEnough = false;
  readonly #changed: (alive: boolean) => void;

  /**
   * @param now microseconds
   * @param changed told whether the process must stay alive, whenever that changes
   */
  constructor(now: () => number, changed: (alive: boolean) => void) {
    this.#changed = changed;
    this.#patience = new ClockTimer(now, () => {
      this.#waitedEnough = true;
      this.#update();
    });
  }

  /** Something that keeps the process alive was opened (+1), or is closed or unreferenced (-1). */
  addOpen(change: 1 | -1): void {
    this.#open += change;
    this.#update();
  }

  /** Something that is closed waits to be acknowledged (+1), or does so no more (-1). */
  addClosing(change: 1 | -1): void {
    this.#closing += change;
    this.#update();
  }

  #update(): void {
    if (this.#open > 0 || this.#closing === 0) {
      this.#patience.stop();
      this.#waitedEnough = false;
    } else if (!this.#patience.isSet) {
      this.#patience.start(LAST_WORDS_MS);
    }
    const alive = this.#open > 0 || (this.#closing > 0 && !this.#waitedEnough);
    if (alive === this.#alive) return;
    this.#alive = alive;
    this.#changed(alive);
  }
}
