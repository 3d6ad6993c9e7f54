// The end of a process. A kernel closes its sockets then, and goes on speaking for them; for ours nobody will. Knows
// how processes end; must not know stacks.

import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { Signal } from './internals.js';

const DEADLY = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Signals whose listener went away in this turn of the event loop: `process.once` has just called it. */
const handled = new Set<string>();

/**
 * Has `speak` called when the process ends, also by a signal that the program does not handle: it must not
 * wait for anything. Listeners of `process` would tell the program that somebody handles these signals; so
 * they are watched below it. Only in the main thread do signals come, and end the process.
 */
export function beforeTheEnd(speak: () => void): void {
  process.on('exit', speak);
  if (!isMainThread) return;
  process.on('removeListener', (event) => {
    if (!DEADLY.some((name) => name === event)) return;
    handled.add(event);
    setImmediate(() => handled.delete(event)).unref();
  });
  for (const name of DEADLY) watch(name, speak);
}

function watch(name: (typeof DEADLY)[number], speak: () => void): void {
  const signal = new Signal();
  signal.unref();
  signal.onsignal = () => {
    if (process.listenerCount(name) > 0 || handled.has(name)) return;
    speak();
    signal.close();
    process.kill(process.pid, name);
  };
  signal.start(constants.signals[name]);
}
