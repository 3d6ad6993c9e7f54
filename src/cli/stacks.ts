// Which stacks of this user run, as they say themselves. Must not know what is asked of them besides.

import { ask, controlSockets, runtimeDirectories } from './control.js';
import { EXIT_FAILED, Failure } from './failure.js';
import type { StackReport } from './report.js';

export interface RunningStack {
  /** Of its control socket. */
  path: string;
  report: StackReport;
}

/**
 * All, or those on the interface of this name; a failure where there is none.
 * @param command who asks, for advice
 */
export async function runningStacks(
  name: string | undefined,
  command: string,
): Promise<RunningStack[]> {
  const paths = controlSockets();
  const answers = await Promise.all(paths.map((path) => ask(path, { command: 'sockets' })));
  const all = answers.flatMap((report, i) =>
    report === null ? [] : [{ path: paths[i]!, report: report as StackReport }],
  );
  const chosen = all.filter(({ report }) => name === undefined || report.name === name);
  if (chosen.length > 0) return chosen;
  if (all.length > 0) {
    const names = [...new Set(all.map(({ report }) => report.name))].join(', ');
    throw new Failure(EXIT_FAILED, `no stack runs on ${name}`, `choose one of ${names}`);
  }
  const elsewhere =
    process.getuid!() === 0 ? '' : `; one that root started: sudo finwait ${command}`;
  throw new Failure(
    EXIT_FAILED,
    `no finwait stack of this user is running (none in ${runtimeDirectories().join(', ')})`,
    `start one with finwait serve${elsewhere}`,
  );
}
