// Tells that a socket was idle for some time; must not know sockets.

import { checkNumber } from './arguments.js';
import { outOfRange } from './errors.js';

/** The longest time that a timer of Node can wait, ms. */
const MAX_MS = 0x7fff_ffff;

/** Runs `fire` whenever it was not touched for the time that was set. Keeps no process alive. */
export class IdleTimer {
  #timer: NodeJS.Timeout | undefined;
  readonly #fire: () => void;

  constructor(fire: () => void) {
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
    if (ms > 0) this.#timer = setTimeout(this.#fire, Math.min(ms, MAX_MS)).unref();
  }

  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
