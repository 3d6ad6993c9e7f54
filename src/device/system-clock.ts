// The time and timers of this process; must not know who asks for them.

import type { Clock } from '../stack/device.js';
import { RunningTime, SYSTEM, type TimeSource } from './process-time.js';

/** A delay that setTimeout still takes; later alarms are reached in several steps. */
const MAX_DELAY_MS = 0x7fff_ffff;
/** How often it is asked whether there is a debugger now, µs. */
const LOOK_EVERY_US = 500_000;

/** What a `SystemClock` may be told. */
export interface SystemClockOptions {
  /**
   * Whether the clock stands while the process does (at a breakpoint, or stopped by a signal), so that
   * no timer runs out in a pause that nobody could have used. Default: as soon as a debugger can attach,
   * as with `--inspect`; it costs forty beats a second.
   */
  discountPauses?: boolean | undefined;
  /** @internal For tests. Default: this process. */
  source?: TimeSource | undefined;
}

/** The monotonic clock of the process. A pending alarm keeps it alive only after `ref()`. */
export class SystemClock implements Clock {
  readonly #source: TimeSource;
  /** Null while pauses count like all other time. */
  #running: RunningTime | null;
  /** When to look for a debugger again. */
  #lookAt: number;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer runs; it may be early, for an alarm that was moved to later. */
  #timerAt = 0;
  #alarmAt = 0;
  #fire: (() => void) | undefined;
  #keepsAlive = false;

  constructor({ discountPauses, source = SYSTEM }: SystemClockOptions = {}) {
    this.#source = source;
    this.#running = discountPauses === true ? new RunningTime(source) : null;
    this.#lookAt = discountPauses === undefined ? 0 : Number.POSITIVE_INFINITY;
    this.now();
  }

  /** Microseconds since the process started, an integer; without pauses where they are discounted. */
  now(): number {
    if (this.#running !== null) return this.#running.now();
    const now = this.#source.now();
    if (now >= this.#lookAt) this.#look(now);
    return now;
  }

  setAlarm(at: number, fire: () => void): void {
    this.#alarmAt = at;
    this.#fire = fire;
    // An early timer costs one idle wake-up, replacing it at every change of a deadline more.
    if (this.#timer === undefined || at < this.#timerAt) this.#startTimer();
    else if (this.#keepsAlive) this.#timer.ref();
  }

  clearAlarm(): void {
    this.#fire = undefined;
    this.#timer?.unref();
  }

  defer(run: () => void): void {
    setImmediate(run);
  }

  ref(): void {
    this.#keepsAlive = true;
    if (this.#fire !== undefined) this.#timer?.ref();
  }

  unref(): void {
    this.#keepsAlive = false;
    this.#timer?.unref();
  }

  /** A debugger may come at any time; it stays. */
  #look(now: number): void {
    this.#lookAt = now + LOOK_EVERY_US;
    if (this.#source.isInspected()) this.#running = new RunningTime(this.#source);
  }

  #startTimer(): void {
    clearTimeout(this.#timer);
    // Timers count whole milliseconds and may run up to one early.
    const delay = Math.ceil((this.#alarmAt - this.now()) / 1000);
    this.#timerAt = this.#alarmAt;
    const wait = Math.min(Math.max(delay, 1), MAX_DELAY_MS);
    this.#timer = this.#source.setTimer(() => this.#timerRan(), wait);
    if (!this.#keepsAlive) this.#timer.unref();
  }

  #timerRan(): void {
    this.#timer = undefined;
    if (this.#fire === undefined) return;
    if (this.now() < this.#alarmAt) {
      this.#startTimer();
      return;
    }
    const fire = this.#fire;
    this.#fire = undefined;
    fire();
  }
}
