// The timer wheel against a map of deadlines that do not wrap.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerWheel } from '../../src/stack/timer-wheel.js';

const HORIZON = 2 ** 31 - 1;

/** How far ahead a timer is set: overdue, near, around the edges of slots and levels, far. */
const delay = fc.oneof(
  fc.integer({ min: -50, max: 100 }),
  fc.nat({ max: 100_000 }),
  fc.tuple(fc.nat({ max: 30 }), fc.integer({ min: -1, max: 1 })).map(([bit, by]) => 2 ** bit + by),
  fc.nat({ max: HORIZON }),
  fc.constant(HORIZON),
);
const pause = fc.oneof(
  fc.nat({ max: 100 }),
  fc.nat({ max: 100_000 }),
  fc.nat({ max: 2 ** 30 - 1 }),
);
const id = fc.nat({ max: 150 });
const setting = fc.oneof(
  { weight: 5, arbitrary: fc.record({ arm: id, delay }) },
  { weight: 1, arbitrary: fc.record({ cancel: id }) },
);
const step = fc.oneof(
  { weight: 4, arbitrary: setting },
  { weight: 1, arbitrary: fc.record({ pause, whileFiring: fc.array(setting, { maxLength: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ untilNext: fc.constant(true) }) },
);
/** Times at which int32 and uint32 wrap, and any other. */
const beginning = fc.oneof(
  fc.constantFrom(0, -1, -1000, 2 ** 31 - 1, 2 ** 31 - 1000, -(2 ** 31)),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);

/** Drives a wheel and a map of deadlines side by side, and compares what they do. */
class Pair {
  readonly wheel: TimerWheel;
  /** By id: when it is due, and whether it was set, while timers fired, for no later than now. */
  readonly model = new Map<number, { due: number; deferred: boolean }>();
  /** Milliseconds since the beginning; the wheel sees them added to `zero`, as int32. */
  now = 0;
  firing = false;
  readonly zero: number;

  constructor(zero: number) {
    this.zero = zero;
    this.wheel = new TimerWheel(zero);
  }

  set(setting: { arm: number; delay: number } | { cancel: number }): void {
    if ('cancel' in setting) {
      this.wheel.cancel(setting.cancel);
      this.model.delete(setting.cancel);
      return;
    }
    const at = this.now + setting.delay;
    this.wheel.arm(setting.arm, (this.zero + at) | 0);
    const overdue = setting.delay <= 0;
    this.model.set(setting.arm, { due: Math.max(at, this.now), deferred: overdue && this.firing });
  }

  /** What is due in this call, in order. */
  private due(): [number, number][] {
    return [...this.model]
      .filter(([, timer]) => timer.due <= this.now && !timer.deferred)
      .map(([name, timer]): [number, number] => [timer.due, name])
      .sort((a, b) => a[0] - b[0]);
  }

  advance(by: number, whileFiring: Parameters<Pair['set']>[0][] = []): void {
    this.now += by;
    this.firing = true;
    let turn = 0;
    this.wheel.advance((this.zero + this.now) | 0, (name) => {
      const due = this.due();
      const own = this.model.get(name);
      expect(own, `${name} is not armed`).toBeDefined();
      expect(own!.deferred).toBe(false);
      expect(own!.due, `${name} fires out of order`).toBe(due[0]![0]);
      this.model.delete(name);
      expect(this.wheel.armed).toBe(this.model.size);
      const setting = whileFiring[turn++];
      if (setting !== undefined) this.set(setting);
    });
    this.firing = false;
    expect(this.due()).toEqual([]);
    for (const timer of this.model.values()) timer.deferred = false;
  }

  check(): void {
    expect(this.wheel.armed).toBe(this.model.size);
    const least = Math.min(...[...this.model.values()].map((timer) => timer.due));
    const next = this.wheel.next();
    if (this.model.size === 0) {
      expect(next).toBe(-1);
      return;
    }
    expect(next).toBeGreaterThanOrEqual(0);
    expect(next).toBeLessThanOrEqual(least - this.now);
    // Exact unless many timers share a slot.
    if (this.model.size < 30) expect(next).toBe(least - this.now);
  }
}

describe('TimerWheel', () => {
  it('fires what a map of deadlines would, in order, once, wherever time wraps', () => {
    fc.assert(
      fc.property(beginning, fc.array(step, { maxLength: 200 }), (zero, steps) => {
        const pair = new Pair(zero);
        for (const action of steps) {
          if ('pause' in action) pair.advance(action.pause, action.whileFiring);
          else if ('untilNext' in action)
            pair.advance(Math.min(Math.max(0, pair.wheel.next()), 2 ** 30));
          else pair.set(action);
          pair.check();
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reaches the last deadline by sleeping as long as `next` says, in few steps', () => {
    fc.assert(
      fc.property(beginning, fc.array(delay, { minLength: 1, maxLength: 100 }), (zero, delays) => {
        const pair = new Pair(zero);
        for (const [name, wait] of delays.entries()) pair.set({ arm: name, delay: wait });
        let steps = 0;
        while (pair.wheel.armed > 0) {
          pair.advance(pair.wheel.next());
          expect(++steps).toBeLessThan(8 * delays.length + 1);
        }
      }),
    );
  });

  it('fires at the very millisecond, for each distance up to the top of the second level', () => {
    for (const zero of [0, 37, -5, 2 ** 31 - 20]) {
      const wheel = new TimerWheel(zero);
      const fired: number[] = [];
      for (let i = 1; i <= 1100; i++) wheel.arm(i, (zero + i) | 0);
      for (let i = 1; i <= 1100; i++) wheel.advance((zero + i) | 0, (name) => fired.push(name));
      expect(fired).toEqual(Array.from({ length: 1100 }, (_, i) => i + 1));
    }
  });

  it('keeps the order in which timers of one deadline were armed', () => {
    const wheel = new TimerWheel(0);
    const fired: number[] = [];
    for (const name of [5, 3, 9, 1]) wheel.arm(name, 5000);
    wheel.advance(6000, (name) => fired.push(name));
    expect(fired).toEqual([5, 3, 9, 1]);
  });

  it('does not fire again, in the same call, what is armed for now while it fires', () => {
    const wheel = new TimerWheel(1000);
    let count = 0;
    wheel.arm(0, 1010);
    const rearm = () => {
      count++;
      wheel.arm(0, count === 1 ? 1020 : 1015);
    };
    wheel.advance(1020, rearm);
    expect([count, wheel.next(), wheel.armed]).toEqual([1, 0, 1]);
    wheel.advance(1020, rearm);
    wheel.advance(1020, rearm);
    expect(count).toBe(3);
  });

  it('can be told to forget what is due already', () => {
    const wheel = new TimerWheel(0);
    const fired: number[] = [];
    for (const name of [1, 2, 3]) wheel.arm(name, 10);
    wheel.advance(10, (name) => {
      fired.push(name);
      wheel.cancel(2);
    });
    expect(fired).toEqual([1, 3]);
    wheel.cancel(2);
    wheel.cancel(1_000_000);
    expect([wheel.armed, wheel.next()]).toEqual([0, -1]);
  });

  it('does not go back in time', () => {
    const wheel = new TimerWheel(1000);
    const fired: number[] = [];
    wheel.arm(1, 1500);
    wheel.advance(900, (name) => fired.push(name));
    expect([wheel.next(), fired.length]).toEqual([500, 0]);
    wheel.advance(1500, (name) => fired.push(name));
    expect(fired).toEqual([1]);
  });

  it('loses no timer when one throws', () => {
    const wheel = new TimerWheel(0);
    const fired: number[] = [];
    for (const name of [1, 2]) wheel.arm(name, 50);
    wheel.arm(3, 200);
    wheel.arm(4, 2000);
    expect(() =>
      wheel.advance(500, () => {
        throw new Error('thrown by a timer');
      }),
    ).toThrow('thrown by a timer');
    expect([wheel.armed, wheel.next()]).toEqual([3, 0]);
    wheel.advance(500, (name) => fired.push(name));
    expect(fired).toEqual([2, 3]);
    expect(wheel.next()).toBe(1500);
  });

  it('is never late for a crowd of timers', () => {
    const wheel = new TimerWheel(0);
    for (let i = 0; i < 1000; i++) wheel.arm(i, 70_000 - i);
    let early = 0;
    let now = 0;
    let fired = 0;
    while (wheel.armed > 0) {
      const wait = wheel.next();
      now += wait;
      const before = fired;
      wheel.advance(now, (name) => {
        fired++;
        expect(now).toBe(70_000 - name);
      });
      if (fired === before) early++;
    }
    expect(fired).toBe(1000);
    expect(early).toBeLessThan(100);
  });
});
