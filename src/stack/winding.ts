// Gives a stack its turns: when packets come, when a timer is due, when the application has called.
// Knows when each has its turn; must not know what is in a packet, or any particular device or clock.

import type { StackCore } from './core.js';
import type { Clock } from './device.js';

/**
 * Joins a stack with the clock that drives it, from now on.
 * @param statusChanged told when the device stops (`up` false, with why) or works again.
 */
export function wind(
  core: StackCore,
  clock: Clock,
  statusChanged: (up: boolean, error?: Error) => void = () => {},
): void {
  let alarmAt = Number.POSITIVE_INFINITY;
  const setAlarm = (): void => {
    const at = core.nextDeadline();
    if (at === alarmAt) return;
    alarmAt = at;
    if (at === Number.POSITIVE_INFINITY) clock.clearAlarm();
    else clock.setAlarm(at, alarm);
  };
  const advance = (): void => {
    core.advance(clock.now());
    setAlarm();
  };
  // After a pause of the process, packets that arrived in it are read before the timers that ran out:
  // the reading stands between timers and deferred calls in each round of the event loop.
  const alarm = (): void => {
    alarmAt = Number.POSITIVE_INFINITY;
    clock.defer(advance);
  };
  const flush = (): void => {
    core.flush(clock.now());
    setAlarm();
  };
  core.onDevice((count) => {
    core.receive(count, clock.now());
    setAlarm();
  }, statusChanged);
  core.onWork = () => clock.defer(flush);
}
