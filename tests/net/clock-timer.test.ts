// Timers of sockets by the clock of their stack, which may stand while Node's timers run.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ClockTimer } from '../../src/net/clock-timer.js';

let stoodUs = 0;
let fired: number[] = [];
const now = () => performance.now() * 1000 - stoodUs;
const timer = new ClockTimer(now, () => fired.push(performance.now()));

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  stoodUs = 0;
  fired = [];
});

afterEach(() => {
  timer.stop();
  vi.useRealTimers();
});

test('fires after its time, once, and again after a refresh', () => {
  timer.start(5000);
  vi.advanceTimersByTime(4999);
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(fired).toEqual([5000]);
  timer.refresh();
  vi.advanceTimersByTime(5000);
  expect(fired).toEqual([5000, 69_999]);
});

test('does not count what the clock leaves out', () => {
  timer.start(5000);
  vi.advanceTimersByTime(1000);
  stoodUs = 3_000_000;
  vi.advanceTimersByTime(6999);
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(fired).toEqual([8000]);
});

test('begins anew when it is touched, whatever was left out before', () => {
  timer.start(5000);
  stoodUs = 3_000_000;
  vi.advanceTimersByTime(6000);
  timer.refresh();
  vi.advanceTimersByTime(4999);
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(fired).toEqual([11_000]);
});

test('does nothing once it was stopped', () => {
  timer.start(5000);
  timer.stop();
  timer.refresh();
  vi.advanceTimersByTime(60_000);
  expect([fired, timer.isSet]).toEqual([[], false]);
});
