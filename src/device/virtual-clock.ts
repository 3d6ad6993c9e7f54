// Time that moves only when it is told to; must not know the time of the world.
import type { Clock } from '../stack/device.js';
import { Agenda, type Entry } from './agenda.js';

/**
 * One line of time for any number of clocks. It moves from event to event, so that an hour of
 * waiting takes no time, and the same calls give the same run. Times are integer microseconds.
 */
export class Simulation {
  #now: number;
  readonly #events = new Agenda<() => void>();
  readonly #deferred: (() => void)[] = [];

  constructor(start = 0) {
    this.#now = start;
  }

  /** The time, µs. */
  get now(): number {
    return this.#now;
  }

  /** When the next event is due: now, if something is deferred; Infinity, if there is none. */
  get next(): number {
    return this.#deferred.length > 0 ? this.#now : Math.max(this.#events.next, this.#now);
  }

  /** Calls `run` at `time`, or as soon as possible if that is over; events of one time in order. */
  at(time: number, run: () => void): Entry<() => void> {
    return this.#events.add(time, run);
  }

  /** Takes back what `at` has planned. */
  cancel(event: Entry<() => void>): void {
    this.#events.remove(event);
  }

  /** Calls `run` before time moves on. */
  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  /** A clock on this line of time, with an alarm of its own. */
  clock(): VirtualClock {
    return new VirtualClock(this);
  }

  /** Moves on to the next event and carries it out; false when there is none. */
  step(): boolean {
    const deferred = this.#deferred.shift();
    if (deferred !== undefined) {
      deferred();
      return true;
    }
    const time = this.#events.next;
    const event = this.#events.take();
    if (event === undefined) return false;
    if (time > this.#now) this.#now = time;
    event();
    return true;
  }

  /** Carries out all that is due up to `until`, and stops there; without it, all there is. */
  run(until = Number.POSITIVE_INFINITY): void {
    while (this.next <= until && this.step());
    if (Number.isFinite(until) && until > this.#now) this.#now = until;
  }
}

/** A clock whose time moves only by `step()` and `run()`, of its own or of its simulation. */
export class VirtualClock implements Clock {
  /** The line of time that it is on. */
  readonly simulation: Simulation;
  #alarm: Entry<() => void> | undefined;

  constructor(simulation = new Simulation()) {
    this.simulation = simulation;
  }

  now(): number {
    return this.simulation.now;
  }

  setAlarm(at: number, fire: () => void): void {
    this.clearAlarm();
    this.#alarm = this.simulation.at(at, fire);
  }

  clearAlarm(): void {
    if (this.#alarm !== undefined) this.simulation.cancel(this.#alarm);
    this.#alarm = undefined;
  }

  defer(run: () => void): void {
    this.simulation.defer(run);
  }

  /** Nothing to do: virtual time never waits, so it keeps no process alive. */
  ref(): void {}

  unref(): void {}

  /** See `Simulation.step`. */
  step(): boolean {
    return this.simulation.step();
  }

  /** See `Simulation.run`. */
  run(until?: number): void {
    this.simulation.run(until);
  }
}
