// What the clock makes of a process that stood still, by a process whose time the test makes.
import { describe, expect, test } from 'vitest';
import type { TimeSource } from '../../src/device/process-time.js';
import { SystemClock } from '../../src/device/system-clock.js';

const SECOND = 1_000_000;

interface Timer {
  at: number;
  every: number | null;
  run: () => void;
}

/** A process with an event loop of timers only. Times in µs, delays in ms. */
class FakeProcess implements TimeSource {
  inspected = false;
  private time = 5 * SECOND;
  private readonly timers: Timer[] = [];

  now(): number {
    return this.time;
  }

  setTimer(run: () => void, ms: number): NodeJS.Timeout {
    return this.add({ at: this.time + ms * 1000, every: null, run });
  }

  setBeat(run: () => void, ms: number): NodeJS.Timeout {
    return this.add({ at: this.time + ms * 1000, every: ms, run });
  }

  isInspected(): boolean {
    return this.inspected;
  }

  /** The event loop turns, and waits, for a while. */
  turn(us: number): void {
    const end = this.time + us;
    for (let next = this.next(); next !== undefined && next.at <= end; next = this.next()) {
      this.time = Math.max(this.time, next.at);
      this.fire(next);
    }
    this.time = end;
  }

  /** Nothing runs for a while: a breakpoint in the turn that calls this. */
  standStill(us: number): void {
    this.time += us;
  }

  private add(timer: Timer): NodeJS.Timeout {
    this.timers.push(timer);
    const handle = { ref: () => handle, unref: () => handle };
    return handle as unknown as NodeJS.Timeout;
  }

  private next(): Timer | undefined {
    return this.timers.sort((a, b) => a.at - b.at)[0];
  }

  /** One that was due several times during a pause runs once, as in libuv. */
  private fire(timer: Timer): void {
    this.timers.shift();
    if (timer.every !== null) this.add({ ...timer, at: this.time + timer.every * 1000 });
    timer.run();
  }
}

/** A clock in such a process, and how much later it says it is. */
function start(discountPauses: boolean | undefined, inspected = false) {
  const process = new FakeProcess();
  process.inspected = inspected;
  const clock = new SystemClock({ discountPauses, source: process });
  const begin = clock.now();
  return { process, clock, elapsed: () => clock.now() - begin };
}

describe('a clock that discounts pauses', () => {
  test('goes on as before while the event loop turns', () => {
    const { process, elapsed } = start(true);
    for (const us of [1, 999, 20_000, 300_000, 60 * SECOND]) process.turn(us);
    expect(elapsed()).toBe(60 * SECOND + 321_000);
  });

  test('stands at a breakpoint, for whoever asks in the same turn', () => {
    const { process, clock } = start(true);
    process.turn(SECOND);
    const before = clock.now();
    process.standStill(600 * SECOND);
    expect(clock.now()).toBe(before);
    process.standStill(30 * SECOND); // the next breakpoint
    expect(clock.now()).toBe(before);
    process.turn(SECOND);
    // Some milliseconds are left out, for reading what came meanwhile.
    expect(clock.now() - before).toBe(SECOND - 20_000);
  });

  test('stands while nobody asks', () => {
    const { process, elapsed } = start(true);
    process.turn(SECOND);
    process.standStill(600 * SECOND);
    process.turn(SECOND);
    expect(elapsed() / SECOND).toBeCloseTo(2, 0);
  });

  test('fires no alarm for a pause; the rest of the time is still to be waited for', () => {
    const { process, clock } = start(true);
    const fired: number[] = [];
    const at = clock.now() + SECOND;
    clock.setAlarm(at, () => fired.push(clock.now()));
    process.turn(400_000);
    process.standStill(3600 * SECOND);
    process.turn(590_000);
    expect(fired).toEqual([]);
    process.turn(60_000);
    expect(fired).toHaveLength(1);
    expect(fired[0]).toBeGreaterThanOrEqual(at);
  });

  test('an alarm set in the turn of a breakpoint, by the time that the turn began with, waits', () => {
    const { process, clock } = start(true);
    process.turn(SECOND);
    const began = clock.now();
    process.standStill(600 * SECOND);
    let fired = 0;
    clock.setAlarm(began + 200_000, () => fired++);
    process.turn(190_000);
    expect(fired).toBe(0);
    process.turn(60_000);
    expect(fired).toBe(1);
  });

  test('fires nothing in the first milliseconds after a pause, while packets wait to be read', () => {
    const { process, clock } = start(true);
    let fired = 0;
    process.turn(SECOND);
    clock.setAlarm(clock.now() + 1000, () => fired++); // due when the process stands still
    process.standStill(10 * SECOND);
    process.turn(15_000);
    expect(fired).toBe(0);
    process.turn(10_000);
    expect(fired).toBe(1);
  });

  test('takes a hiccup, as garbage collection makes them, for what it is: time', () => {
    const { process, elapsed } = start(true);
    process.turn(SECOND);
    process.standStill(60_000);
    process.turn(SECOND);
    expect(elapsed()).toBe(2 * SECOND + 60_000);
  });

  test('never goes back', () => {
    const { process, clock } = start(true);
    let last = clock.now();
    for (let i = 0; i < 2000; i++) {
      if (i % 7 === 0) process.standStill((i % 11) * 40_000);
      else process.turn((i % 13) * 3000);
      expect(clock.now()).toBeGreaterThanOrEqual(last);
      last = clock.now();
    }
  });
});

describe('whether pauses are discounted', () => {
  test('not, without a debugger, or where the program says no', () => {
    for (const { process, elapsed } of [start(undefined), start(false), start(false, true)]) {
      process.turn(SECOND);
      process.standStill(600 * SECOND);
      expect(elapsed()).toBe(601 * SECOND);
    }
  });

  test('with a debugger that was there from the beginning', () => {
    const { process, elapsed } = start(undefined, true);
    process.turn(SECOND);
    process.standStill(600 * SECOND);
    expect(elapsed()).toBe(SECOND);
  });

  test('with one that came later (SIGUSR1), from then on', () => {
    const { process, elapsed } = start(undefined);
    process.standStill(10 * SECOND); // before: a pause like any other time
    expect(elapsed()).toBe(10 * SECOND);
    process.inspected = true;
    process.turn(SECOND);
    expect(elapsed()).toBe(11 * SECOND); // and here it is noticed
    process.standStill(600 * SECOND);
    expect(elapsed()).toBe(11 * SECOND);
  });
});
