// The time of day in microseconds, for files that other programs read. Must not be used to measure.

import { performance } from 'node:perf_hooks';

/** The system's time was set, or the machine slept. */
const JUMP_MS = 100;

/** Microseconds since 1970, UTC: Date counts milliseconds only. Goes back only with the system's time. */
export function wallClock(): () => number {
  let originMs = performance.timeOrigin;
  return () => {
    const sinceMs = performance.now();
    if (Math.abs(Date.now() - originMs - sinceMs) > JUMP_MS) originMs = Date.now() - sinceMs;
    return Math.floor((originMs + sinceMs) * 1000);
  };
}
