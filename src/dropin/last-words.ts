// The end of a process. A kernel closes its sockets then, and goes on speaking for them; for ours nobody will. Knows
// how processes end; must not know stacks.

import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { Signal } from './internals.js';

const DEADLY = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Has `speak` called when the process ends, also by a signal that the program does not handle: it must not
 * wait for anything. Listeners of `process` would tell the program that somebody handles these signals; so
 * they are watched below it. Only in the main thread do signals come, and end the process.
 */
export function beforeTheEnd(speak: () => void): void {
  process.on('exit', speak);
  if (!isMainThread) return;
  for (const name of DEADLY) {
    const watch = new Signal();
    watch.unref();
    watch.onsignal = () => {
      if (process.listenerCount(name) > 0) return;
      speak();
      watch.close();
      process.kill(process.pid, name);
    };
    watch.start(constants.signals[name]);
  }
}
