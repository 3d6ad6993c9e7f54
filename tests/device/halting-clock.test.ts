// A clock that can be made to stand: what it shows, and when its alarm goes off.

import { expect, it } from 'vitest';
import { HaltingClock } from '../../src/device/halting-clock.js';
import { VirtualClock } from '../../src/device/virtual-clock.js';

function make() {
  const base = new VirtualClock();
  return { base, clock: new HaltingClock(base), rang: [] as number[] };
}

it('shows the time of the other clock, without the time in which it stood', () => {
  const { base, clock } = make();
  base.run(100);
  expect(clock.now()).toBe(100);
  clock.halt();
  clock.halt();
  base.run(1000);
  expect(clock.now()).toBe(100);
  clock.resume();
  clock.resume();
  base.run(1050);
  expect(clock.now()).toBe(150);
});

it('lets an alarm wait as long as it stood', () => {
  const { base, clock, rang } = make();
  clock.setAlarm(200, () => rang.push(base.now()));
  base.run(100);
  clock.halt();
  base.run(5000);
  expect(rang).toEqual([]);
  clock.resume();
  base.run(10_000);
  expect(rang).toEqual([5100]);
});

it('takes and forgets alarms while it stands', () => {
  const { base, clock, rang } = make();
  clock.halt();
  clock.setAlarm(50, () => rang.push(1));
  clock.clearAlarm();
  clock.setAlarm(70, () => rang.push(clock.now()));
  base.run(1000);
  clock.resume();
  base.run(2000);
  expect(rang).toEqual([70]);
});

it('can be set again by its own alarm', () => {
  const { base, clock, rang } = make();
  const ring = () => {
    rang.push(clock.now());
    if (rang.length < 3) clock.setAlarm(clock.now() + 10, ring);
  };
  clock.setAlarm(10, ring);
  base.run(100);
  expect(rang).toEqual([10, 20, 30]);
});
