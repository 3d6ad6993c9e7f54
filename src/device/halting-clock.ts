// A clock that somebody can make stand. Knows how time goes on afterwards; must not know why it stood.

import type { Clock } from '../stack/device.js';

/** Another clock, without the time in which it was halted: whatever is due waits as long. */
export class HaltingClock implements Clock {
  readonly #clock: Clock;
  /** What it shows while it stands; null while it runs. */
  #haltedAt: number | null = null;
  /** Microseconds in which it has stood, in all. */
  #stoodUs = 0;
  #alarmAt = 0;
  #fire: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#haltedAt ?? this.#clock.now() - this.#stoodUs;
  }

  /** From now on it stands, and no alarm goes off; idempotent. */
  halt(): void {
    if (this.#haltedAt !== null) return;
    this.#haltedAt = this.now();
    this.#clock.clearAlarm();
  }

  /** It goes on from where it stood; idempotent. */
  resume(): void {
    if (this.#haltedAt === null) return;
    this.#stoodUs = this.#clock.now() - this.#haltedAt;
    this.#haltedAt = null;
    if (this.#fire !== null) this.#arm();
  }

  setAlarm(at: number, fire: () => void): void {
    this.#alarmAt = at;
    this.#fire = fire;
    if (this.#haltedAt === null) this.#arm();
  }

  clearAlarm(): void {
    this.#fire = null;
    this.#clock.clearAlarm();
  }

  defer(run: () => void): void {
    this.#clock.defer(run);
  }

  ref(): void {
    this.#clock.ref();
  }

  unref(): void {
    this.#clock.unref();
  }

  #arm(): void {
    this.#clock.setAlarm(this.#alarmAt + this.#stoodUs, this.#goesOff);
  }

  readonly #goesOff = (): void => {
    const fire = this.#fire;
    this.#fire = null;
    fire?.();
  };
}
