// What is shown of scenarios and of what came of them. Knows text; must not know how they are carried out.

import { styleText } from 'node:util';
import { wrap } from '../debug/layout.js';
import { processTerminal } from '../debug/terminal.js';
import type { Result } from '../lab/result.js';
import type { Run } from '../lab/run.js';
import type { Scenario } from '../lab/scenario.js';
import type { Finished } from '../lab/series.js';
import type { TraceEvent } from '../trace/event.js';
import { ladderMermaid } from '../trace/ladder-mermaid.js';
import { ladderSvg } from '../trace/ladder-svg.js';
import { ladderText } from '../trace/ladder-text.js';
import { reportStack, type SocketReport } from './report.js';
import { formatSockets, waitsForSomebody } from './ss.js';
import { formatTable } from './text.js';

const WIDTH = 80;
/** Column of names. */
const NAME = 30;
/** Columns below which no text is pressed. */
const LEAST_ROOM = 20;

/** What is kept of a run when its world is gone. */
export interface Kept {
  kind: 'kernel' | 'simulation';
  events: readonly TraceEvent[];
  /** As `finwait ss` would show them at the end. */
  sockets: readonly SocketReport[];
}

export function keep({ world }: Run): Kept {
  const { kind, timeline, core } = world;
  return {
    kind,
    events: [...timeline.events],
    sockets: reportStack(core, core.device).sockets,
  };
}

/** All scenarios, for people or as JSON. */
export function listing(scenarios: readonly Scenario[], json: boolean): string {
  if (json) {
    const entries = scenarios.map(({ name, title, section, why }) => ({
      ...{ name, title, section, why },
    }));
    return `${JSON.stringify(entries, null, 2)}\n`;
  }
  const columns = terminalColumns();
  const rows = scenarios.map(({ name, title }) => [
    `  ${name.padEnd(NAME)}`,
    hanging(title, NAME + 4, columns),
  ]);
  return `${formatTable(rows)}
See one: finwait lab run ${scenarios[0]!.name}
All of them, against the kernel or, in no time, in simulation: finwait lab run --all [--sim]
`;
}

/** The line about one of many; on a terminal of so many columns its title stays in its own. */
export function progress(
  { result, scenario, ms }: Finished<Kept>,
  columns = terminalColumns(),
): string {
  const word = result.passed ? 'passed' : 'FAILED';
  const mark = styleText(result.passed ? 'green' : 'red', word);
  const name = `  ${result.name.padEnd(NAME)}${`${(ms / 1000).toFixed(2)} s`.padStart(9)}  `;
  return `${mark}${name}${hanging(scenario.title, word.length + name.length, columns)}\n`;
}

/** Of a file or a pipe nobody knows, and each line stays one. */
function terminalColumns(): number {
  return process.stdout.columns ?? Number.POSITIVE_INFINITY;
}

/** A text behind `indent` letters, which goes on below itself. */
function hanging(text: string, indent: number, columns: number): string {
  const room = Math.max(columns - indent, LEAST_ROOM);
  return wrap(text, room, 0, 0).join(`\n${' '.repeat(indent)}`);
}

/** Heading, reason, ladder and verdict. */
export function report({ scenario, result, ms, view }: Finished<Kept>): string {
  const { colour } = processTerminal().style;
  const ladder = ladderText({ events: view.events }, { names: namesOf(view), colour });
  const waiting = view.sockets.filter(waitsForSomebody);
  const parts = [
    `${styleText('bold', `${scenario.name}: ${scenario.title}`)}\n${scenario.section}\n`,
    paragraph(scenario.why),
    ...deeds(scenario),
    ladder,
    ...(waiting.length === 0 ? [] : [`finwait ss would show:\n${formatSockets(waiting)}`]),
    verdict(result, ms, view),
  ];
  return parts.join('\n');
}

/** What the lab does to segments on their way, so that nobody takes it for the ends' own doing. */
function deeds({ faults = [] }: Scenario): string[] {
  const notes = new Set(faults.map(({ note }) => note));
  return notes.size === 0
    ? []
    : [paragraph(`What the lab does on the way: ${[...notes].join('; ')}.`)];
}

/** The same as a diagram, with the heading as a comment. */
export function diagram({ scenario, view }: Finished<Kept>): string {
  const heading = `%% ${scenario.name}: ${scenario.title}\n`;
  return heading + ladderMermaid({ events: view.events }, { names: namesOf(view) });
}

/** The same as a picture. */
export function picture({ view }: Finished<Kept>): string {
  return ladderSvg({ events: view.events }, { names: namesOf(view) });
}

function namesOf({ kind }: Kept): { ours: string; theirs: string } {
  return { ours: 'finwait', theirs: kind === 'kernel' ? 'kernel' : 'peer' };
}

function verdict({ passed, failures }: Result, ms: number, { kind }: Kept): string {
  const time = kind === 'kernel' ? '' : ' of virtual time';
  const seconds = `${(ms / 1000).toFixed(2)} s${time}`;
  if (passed) return `${styleText('green', 'passed')} in ${seconds}\n`;
  const reasons = failures.map((failure) => paragraph(failure, 2));
  return `${styleText('red', 'FAILED')} after ${seconds}\n${reasons.join('')}`;
}

export function summary(results: readonly Result[], simulated: boolean, ms: number): string {
  const failed = results.filter(({ passed }) => !passed).map(({ name }) => name);
  const where = simulated ? 'in simulation' : 'against the kernel';
  const passed = results.length - failed.length;
  const counts = `${passed} of ${results.length} scenarios passed ${where}`;
  const time = `${(ms / 1000).toFixed(1)} s`;
  return failed.length === 0
    ? `\n${counts}, in ${time}\n`
    : `\n${counts}, in ${time}; failed: ${failed.join(', ')}\n`;
}

function paragraph(text: string, indent = 0): string {
  return wrap(text, WIDTH, indent, indent)
    .map((line) => `${line}\n`)
    .join('');
}
