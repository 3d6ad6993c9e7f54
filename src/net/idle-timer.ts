// Tells that a socket was idle for some time; must not know sockets.

import { checkNumber } from './arguments.js';
import { ClockTimer } from './clock-timer.js';
import { outOfRange } from './errors.js';

/** Runs `fire` whenever it was not touched for the time that was set. Keeps no process alive. */
export class IdleTimer {
  /** Most sockets never need one. */
  #timer: ClockTimer | undefined;
  readonly #now: () => number;
  readonly #fire: () => void;

  /** @param now microseconds */
  constructor(now: () => number, fire: () => void) {
    this.#now = now;
    this.#fire = fire;
  }

  /**
   * @param ms milliseconds; 0: never
   * @throws TypeError, RangeError as `setTimeout` of a socket
   */
  set(ms: number): void {
    checkNumber(ms, 'The "msecs" argument');
    if (!(ms >= 0 && Number.isFinite(ms))) {
      throw outOfRange('msecs', 'a non-negative finite number', ms);
    }
    this.stop();
    if (ms === 0) return;
    this.#timer ??= new ClockTimer(this.#now, this.#fire);
    this.#timer.start(ms);
  }

  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    this.#timer?.stop();
  }
}
