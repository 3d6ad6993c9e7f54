// The clock of the process, in real time.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SystemClock } from '../../src/device/system-clock.js';

describe('the system clock', () => {
  test('counts microseconds, whole ones', async () => {
    const clock = new SystemClock();
    const [start, startMs] = [clock.now(), performance.now()];
    await sleep(20);
    const [end, endMs] = [clock.now(), performance.now()];
    expect(Number.isInteger(start) && Number.isInteger(end)).toBe(true);
    expect(Math.abs(end - start - (endMs - startMs) * 1000)).toBeLessThan(1000);
  });

  test('fires at or soon after the time, never before', async () => {
    const clock = new SystemClock();
    for (const delay of [0, 1, 999, 1000, 1001, 1999, 4321, -5]) {
      const at = clock.now() + delay;
      clock.ref();
      const fired = await new Promise<number>((resolve) =>
        clock.setAlarm(at, () => resolve(clock.now())),
      );
      expect(fired).toBeGreaterThanOrEqual(at);
    }
  });

  test('has one alarm: the last one set counts, earlier or later', async () => {
    const clock = new SystemClock();
    const fired: string[] = [];
    const start = clock.now();
    const alarm = (name: string) => () => fired.push(`${name} ${clock.now() - start >= 20_000}`);
    clock.setAlarm(start + 60_000_000, alarm('far'));
    clock.setAlarm(start + 2_000, alarm('near'));
    clock.setAlarm(start + 20_000, alarm('middle'));
    await sleep(50);
    expect(fired).toEqual(['middle true']);
  });

  test('fires once, may be set again when it fires, and can be cleared', async () => {
    const clock = new SystemClock();
    let fired = 0;
    const fire = () => {
      if (++fired < 3) clock.setAlarm(clock.now() + 1000, fire);
    };
    clock.setAlarm(clock.now() + 1000, fire);
    await sleep(30);
    expect(fired).toBe(3);
    clock.setAlarm(clock.now() + 2000, fire);
    clock.clearAlarm();
    clock.clearAlarm();
    await sleep(10);
    expect(fired).toBe(3);
    // The timer of the cleared alarm must not fire the next one early.
    clock.setAlarm(clock.now() + 1000, fire);
    clock.clearAlarm();
    const at = clock.now() + 15_000;
    const firedAt = await new Promise<number>((resolve) =>
      clock.setAlarm(at, () => resolve(clock.now())),
    );
    expect(firedAt).toBeGreaterThanOrEqual(at);
  });

  test('takes alarms that are further away than any timer', async () => {
    const clock = new SystemClock();
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on('warning', warn);
    let fired = false;
    clock.setAlarm(clock.now() + 100 * 24 * 3600 * 1e6, () => {
      fired = true;
    });
    await sleep(5);
    clock.clearAlarm();
    process.off('warning', warn);
    expect([fired, warnings]).toEqual([false, []]);
  });

  test('defers to before the next wait', async () => {
    const clock = new SystemClock();
    const seen: string[] = [];
    setTimeout(() => seen.push('timer'), 5);
    clock.defer(() => seen.push('deferred'));
    seen.push('now');
    await sleep(20);
    expect(seen).toEqual(['now', 'deferred', 'timer']);
  });
});
