// The time and timers of this process; must not know who asks for them.
import { performance } from 'node:perf_hooks';
import type { Clock } from '../stack/device.js';

/** A delay that setTimeout still takes; later alarms are reached in several steps. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** The monotonic clock of the process. A pending alarm keeps it alive only after `ref()`. */
export class SystemClock implements Clock {
  #timer: NodeJS.Timeout | undefined;
  /** When the timer runs; it may be early, for an alarm that was moved to later. */
  #timerAt = 0;
  #alarmAt = 0;
  #fire: (() => void) | undefined;
  #keepsAlive = false;

  /** Microseconds since the process started, an integer. */
  now(): number {
    return Math.floor(performance.now() * 1000);
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

  #startTimer(): void {
    clearTimeout(this.#timer);
    // Timers count whole milliseconds and may run up to one early.
    const delay = Math.ceil((this.#alarmAt - this.now()) / 1000);
    this.#timerAt = this.#alarmAt;
    this.#timer = setTimeout(() => this.#timerRan(), Math.min(Math.max(delay, 1), MAX_DELAY_MS));
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
