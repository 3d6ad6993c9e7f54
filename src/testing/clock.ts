// The time of peers: real time, without pauses of the process. Knows clocks; must not know stacks.

import { RunningTime, SYSTEM, type TimeSource } from '../device/process-time.js';
import { SystemClock } from '../device/system-clock.js';

let running: RunningTime | undefined;

/** One beat for all: it tells when the event loop has stood still. */
const source: TimeSource = {
  ...SYSTEM,
  now: () => {
    running ??= new RunningTime(SYSTEM);
    return running.now();
  },
};

/**
 * A clock that stands while the process does: so neither a breakpoint in a test nor a busy machine makes a
 * stack send again what was not lost.
 */
export function peerClock(): SystemClock {
  return new SystemClock({ source, discountPauses: false });
}
