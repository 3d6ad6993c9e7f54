// Which timer of a stack runs out first. Knows connections and records; must not know what happens then.

import type { StackCore } from '../stack/core.js';
import { NEVER, nextTimer, TIMER_NAMES } from '../tcp/timers.js';

/** The timer's name, and in how many milliseconds it is due; null when none runs. */
export function nextTimerOf(core: StackCore): { name: string; ms: number } | null {
  core.renewClock();
  const timers = core.timeWaits().map(({ remainingMs: ms }) => ({ name: '2MSL', ms }));
  for (const connection of core.connections()) {
    const timer = nextTimer(connection);
    if (timer === NEVER) continue;
    timers.push({ name: TIMER_NAMES[timer]!, ms: connection.untilNextTimer() });
  }
  return timers.sort((a, b) => a.ms - b.ms)[0] ?? null;
}
