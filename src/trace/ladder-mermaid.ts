// A ladder as a sequence diagram in the language of Mermaid, states as notes. Knows its grammar; must not
// know where the rungs come from.

import { type End, NOT_SEEN, type TraceEvent } from './event.js';
import {
  type CrossingRung,
  DEFAULT_NAMES,
  type Ladder,
  type LadderOptions,
  type Rung,
  type SegmentRung,
} from './ladder.js';
import { buildLadders } from './ladder-builder.js';
import { describeRun, describeSegmentRung } from './ladder-words.js';

/** The ends of one ladder, as the diagram calls them. */
interface Names {
  ours: string;
  theirs: string;
}

/** All events of a timeline as one diagram; lines end with `\n`. Each connection has columns of its own. */
export function ladderMermaid(
  { events }: { readonly events: readonly TraceEvent[] },
  options: LadderOptions = {},
): string {
  const ladders = buildLadders(events, options);
  const titles = options.names ?? DEFAULT_NAMES;
  const named = ladders.map((ladder, i) => ({ ladder, names: columns(i, ladders.length) }));
  const lines = [
    'sequenceDiagram',
    ...named.flatMap(({ ladder, names }) => [
      `participant ${names.ours} as ${safe(`${titles.ours} ${ladder.ours}`)}`,
      `participant ${names.theirs} as ${safe(`${titles.theirs} ${ladder.theirs}`)}`,
    ]),
    ...named.flatMap(({ ladder, names }) => drawLadder(ladder, names)),
  ];
  return `${lines[0]}\n${lines
    .slice(1)
    .map((line) => `    ${line}\n`)
    .join('')}`;
}

function columns(i: number, count: number): Names {
  const suffix = count === 1 ? '' : String(i + 1);
  return { ours: `ours${suffix}`, theirs: `theirs${suffix}` };
}

function drawLadder({ before, rungs }: Ladder, names: Names): string[] {
  return [
    ...state(names, 'ours', before.ours),
    ...state(names, 'theirs', before.theirs),
    ...rungs.flatMap((rung) => drawRung(rung, names)),
  ];
}

/** The sender's state stands before the arrow, the receiver's after it. */
function drawRung(rung: Rung, names: Names): string[] {
  const ours = state(names, 'ours', rung.ours);
  const theirs = state(names, 'theirs', rung.theirs);
  switch (rung.kind) {
    case 'segment': {
      const [before, after] = rung.direction === 'out' ? [ours, theirs] : [theirs, ours];
      return [...before, drawSegment(rung, names), ...after];
    }
    case 'run': {
      const [from, to] = directed(rung.direction, names);
      return [`${from}->>${to}: ${safe(`… ${describeRun(rung)}`)}`];
    }
    case 'crossing':
      return [...drawCrossing(rung, names), ...ours, ...theirs];
    case 'state':
      return [...ours, ...theirs];
    default:
      return [note(names, rung.end, rung.text), ...ours, ...theirs];
  }
}

/** Between sending and receiving of the one stands the other: `-)` is an arrow that does not wait. */
function drawCrossing({ out, in: incoming, sentIn }: CrossingRung, names: Names): string[] {
  return [
    ...state(names, 'ours', sentIn.ours),
    ...state(names, 'theirs', sentIn.theirs),
    `Note over ${names.ours},${names.theirs}: the next two segments cross`,
    drawSegment(out, names, '-)'),
    drawSegment(incoming, names, '-)'),
  ];
}

/** `->>` arrives, `-x` does not. */
function drawSegment(rung: SegmentRung, names: Names, arrow = '->>'): string {
  const [from, to] = directed(rung.direction, names);
  return `${from}${rung.fate === 'arrives' ? arrow : '-x'}${to}: ${safe(describeSegmentRung(rung))}`;
}

function directed(direction: 'in' | 'out', { ours, theirs }: Names): [from: string, to: string] {
  return direction === 'out' ? [ours, theirs] : [theirs, ours];
}

function state(names: Names, end: End, name: string | null): string[] {
  if (name === null) return [];
  return [note(names, end, name === NOT_SEEN ? `(${NOT_SEEN})` : name)];
}

function note(names: Names, end: End, text: string): string {
  return `Note ${end === 'ours' ? 'left' : 'right'} of ${names[end]}: ${safe(text)}`;
}

/** Two characters end a text: `;` a statement, and `#` begins the code of a character, or a comment. */
function safe(text: string): string {
  return text
    .replace(/#/g, '#35;')
    .replace(/(?<!#35);/g, '#59;')
    .replace(/[\r\n]+/g, ' ');
}
