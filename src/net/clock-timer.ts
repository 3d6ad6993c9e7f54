// A timer that goes by a clock which may stand still; must not know what it is for.

/** The longest time that a timer of Node can wait, ms. */
const MAX_MS = 0x7fff_ffff;

/**
 * Runs `fire` when so many milliseconds have passed by `now`. Node's own timers count the time at a
 * breakpoint, which a stack may leave out. Keeps no process alive.
 */
export class ClockTimer {
  readonly #now: () => number;
  readonly #fire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #us = 0;
  #startedAt = 0;

  /** @param now microseconds */
  constructor(now: () => number, fire: () => void) {
    this.#now = now;
    this.#fire = fire;
  }

  /** Whether it was started, and not stopped; it may have fired. */
  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  start(ms: number): void {
    this.#us = Math.min(ms, MAX_MS) * 1000;
    this.#startedAt = this.#now();
    this.#wait(this.#us);
  }

  /** The time begins anew, if it is set; also after it has fired. */
  refresh(): void {
    if (this.#timer === undefined) return;
    this.#startedAt = this.#now();
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(us: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ran(), Math.ceil(us / 1000)).unref();
  }

  #ran(): void {
    const left = this.#startedAt + this.#us - this.#now();
    // Timers of Node may run up to a millisecond early: then it is time.
    if (left > 1000) this.#wait(left);
    else this.#fire();
  }
}
