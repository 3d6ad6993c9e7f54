// The report of a trace that failed: what passed, what was expected, what came. Knows text only.

import type { Line } from './trace-script.js';

export class TraceFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TraceFailure';
  }
}

const ACTION_COLUMN = 64;

export class Ladder {
  private readonly name: string;
  private readonly rungs: string[] = [];
  private part = '';

  constructor(name: string) {
    this.name = name;
  }

  /** What follows belongs to `part`: the fixture or the trace itself. */
  begin(part: string): void {
    this.part = part;
    this.rungs.push(`   --- ${part}`);
  }

  passed(time: string, line: Line): void {
    this.rungs.push(`   ${rung(time, line)}`);
  }

  /** @param came what the stack sent and no line has claimed, first the segment in question. */
  failure(line: Line, error: Error, time: string, came: string[], state: string): TraceFailure {
    const out = [`${this.name}\n${this.part}, line ${line.number}: ${error.message}\n`];
    out.push(...this.rungs);
    const last = this.rungs.at(-1);
    if (last !== `   ${rung(time, line)}`) out.push(` - ${rung(time, line)}`);
    if (came.length === 0) out.push(` + ${'(nothing was sent)'.padStart(26)}`);
    for (const text of came) out.push(` + ${text.padStart(text.length + 8 - text.indexOf('  '))}`);
    out.push(`   state now: ${state}`);
    const failure = new TraceFailure(out.join('\n'));
    if (error.name !== 'Error') failure.stack = `${failure.message}\n${error.stack}`;
    return failure;
  }
}

function rung(time: string, line: Line): string {
  const bare = line.text.replace(/(^|\s)#.*$/, '').trimEnd();
  const action = bare.replace(/^\S+\s*/, '');
  const state = line.state ?? '';
  const body = state === '' ? action : action.slice(0, action.length - state.length).trimEnd();
  return `${time.padStart(8)}  ${body.padEnd(ACTION_COLUMN)}  ${state}`.trimEnd();
}
