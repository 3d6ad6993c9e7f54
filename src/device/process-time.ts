// The time of this process, and how much of it the process stood still. Knows what the system offers for
// that; must not know who asks, or what a pause means to them.

import { performance } from 'node:perf_hooks';

/** What time is made of; another one in tests. */
export interface TimeSource {
  /** Microseconds since some start, an integer that never falls. */
  now(): number;
  setTimer(run: () => void, ms: number): NodeJS.Timeout;
  setBeat(run: () => void, ms: number): NodeJS.Timeout;
  /** Whether a debugger can stop the process now: `--inspect`, `inspector.open()`, SIGUSR1. */
  isInspected(): boolean;
}

/** The process and its event loop. */
export const SYSTEM: TimeSource = {
  now: () => Math.floor(performance.now() * 1000),
  setTimer: (run, ms) => setTimeout(run, ms),
  setBeat: (run, ms) => setInterval(run, ms),
  isInspected: () =>
    // Not an import: where Node was built without the inspector, that would throw.
    process.features.inspector && process.getBuiltinModule('node:inspector').url() !== undefined,
};

const BEAT_MS = 25;
/** Without a beat for this long, µs, the event loop did not turn. */
const PAUSE_US = 100_000;
/** What came during a pause is read within this time, µs; the clock stands until then. */
const CATCH_UP_US = 20_000;

/**
 * Real time without the time in which this process stood still: at a breakpoint, by SIGSTOP or Ctrl-Z,
 * or because something else kept it from turning its event loop. A timer beats; where the beat has
 * stayed away, nobody could have acted on a packet either.
 *
 * The cause is not asked for. A collection of garbage takes less than a pause must last; a computation
 * that takes longer counts as one, which only makes our timers as late as our reading. A suspended
 * machine needs nothing: CLOCK_MONOTONIC stands, too.
 */
export class RunningTime {
  readonly #source: TimeSource;
  #seen: number;
  #last: number;
  #lost = 0;

  /** Continues `source.now()` from here on. */
  constructor(source: TimeSource) {
    this.#source = source;
    this.#seen = source.now();
    this.#last = this.#seen;
    source.setBeat(() => this.now(), BEAT_MS).unref();
  }

  now(): number {
    const real = this.#source.now();
    const unseen = real - this.#seen;
    this.#seen = real;
    // Right after a breakpoint, this may be asked in the same turn, before any beat could tell.
    if (unseen > PAUSE_US) this.#lost = real + CATCH_UP_US - this.#last;
    this.#last = Math.max(this.#last, real - this.#lost);
    return this.#last;
  }
}
