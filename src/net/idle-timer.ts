// Tells that a socket was idle for some time; must not know sockets.

import { checkNumber } from './arguments.js';
import { ClockTimer } from './clock-timer.js';
import { outOfRange } from './errors.js';

/** What is watched. */
export interface Watched {
  /** It was idle for the time that was set. */
  idle(): void;
  /** How far a write that waits has come; null when none does. */
  progress(): number | null;
}

/** Tells that nothing has touched it for the time that was set. Keeps no process alive. */
export class IdleTimer {
  /** Most sockets never need one. */
  #timer: ClockTimer | undefined;
  readonly #now: () => number;
  readonly #watched: Watched;
  #progress = 0;

  /** @param now microseconds */
  constructor(now: () => number, watched: Watched) {
    this.#now = now;
    this.#watched = watched;
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
    this.#timer ??= new ClockTimer(this.#now, () => this.#ran());
    this.#timer.start(ms);
  }

  /** A long write that makes progress is not idle. */
  #ran(): void {
    const progress = this.#watched.progress();
    const before = this.#progress;
    this.#progress = progress ?? 0;
    if (progress !== null && progress !== before) this.touch();
    else this.#watched.idle();
  }

  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    this.#timer?.stop();
  }
}
