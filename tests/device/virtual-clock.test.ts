// Virtual time: order, alarms, deferral.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Simulation, VirtualClock } from '../../src/device/virtual-clock.js';

/** Times, and whether the event is cancelled; long ones, so that the heap is deep. */
const plans = fc.array(fc.tuple(fc.nat(200), fc.boolean()), { maxLength: 100, size: 'max' });

describe('a simulation', () => {
  test('carries out events by time, and in the order they were made within one time', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const simulation = new Simulation();
        const seen: [number, number][] = [];
        const events = plan.map(([time], i) => simulation.at(time, () => seen.push([time, i])));
        for (const [i, [, cancelled]] of plan.entries()) {
          if (cancelled) simulation.cancel(events[i]!);
        }
        simulation.run();
        const expected = plan
          .map(([time, cancelled], i) => ({ time, i, cancelled }))
          .filter(({ cancelled }) => !cancelled)
          .sort((a, b) => a.time - b.time || a.i - b.i);
        expect(seen).toEqual(expected.map(({ time, i }) => [time, i]));
      }),
    );
  });

  test('stops at the time it was told, and says when the next event is due', () => {
    const simulation = new Simulation(100);
    const seen: number[] = [];
    for (const time of [150, 200, 201]) simulation.at(time, () => seen.push(simulation.now));
    expect(simulation.next).toBe(150);
    simulation.run(200);
    expect([simulation.now, simulation.next, seen]).toEqual([200, 201, [150, 200]]);
    expect(simulation.step()).toBe(true);
    expect(simulation.step()).toBe(false);
    expect([simulation.now, simulation.next]).toEqual([201, Number.POSITIVE_INFINITY]);
  });

  test('never goes back: an event in the past happens now', () => {
    const simulation = new Simulation(100);
    let at = 0;
    simulation.at(50, () => {
      at = simulation.now;
    });
    expect(simulation.next).toBe(100);
    simulation.run();
    expect(at).toBe(100);
  });

  test('defers to before the next event, even one of the same time', () => {
    const simulation = new Simulation();
    const seen: string[] = [];
    simulation.at(10, () => {
      seen.push('first');
      simulation.defer(() => seen.push('deferred'));
    });
    simulation.at(10, () => seen.push('second'));
    simulation.run();
    expect(seen).toEqual(['first', 'deferred', 'second']);
  });
});

describe('a virtual clock', () => {
  test('has one alarm, which a new one replaces', () => {
    const clock = new VirtualClock();
    const seen: [string, number][] = [];
    const alarm = (name: string) => () => seen.push([name, clock.now()]);
    clock.setAlarm(30, alarm('late'));
    clock.setAlarm(10, alarm('early'));
    clock.run();
    clock.setAlarm(40, alarm('cancelled'));
    clock.clearAlarm();
    clock.clearAlarm();
    clock.run(50);
    expect(seen).toEqual([['early', 10]]);
    expect(clock.now()).toBe(50);
  });

  test('may set its alarm again when it fires', () => {
    const clock = new VirtualClock();
    let fired = 0;
    const fire = () => {
      if (++fired < 3) clock.setAlarm(clock.now() + 10, fire);
    };
    clock.setAlarm(10, fire);
    clock.run();
    expect([fired, clock.now()]).toEqual([3, 30]);
  });

  test('shares time with its siblings, but not the alarm', () => {
    const simulation = new Simulation();
    const [one, other] = [simulation.clock(), simulation.clock()];
    const seen: string[] = [];
    one.setAlarm(10, () => seen.push(`one ${other.now()}`));
    other.setAlarm(20, () => seen.push(`other ${one.now()}`));
    simulation.run();
    expect(seen).toEqual(['one 10', 'other 20']);
  });
});
