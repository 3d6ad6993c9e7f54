// The ladder of a view: a line for each rung, between the states of both ends, with what still waits at the
// gate marked. Knows rungs and columns; must not know terminals.

import type { End, TraceEvent } from '../trace/event.js';
import { describeRun, type Rung, type SegmentRung } from '../trace/ladder.js';
import { buildLadders } from '../trace/ladder-builder.js';
import { cut } from './layout.js';
import type { View } from './view.js';

/** Columns of the time and of each state; names have at most 12 letters. */
const TIME = 9;
const STATE = 12;

/** All lines of a ladder of these events, oldest first; at most `columns` letters wide. */
export function ladderLines(
  view: Pick<View, 'connection' | 'held' | 'startUs'>,
  events: readonly TraceEvent[],
  columns: number,
): string[] {
  const { connection } = view;
  if (connection === null) return [];
  const [ladder] = buildLadders(events, { connection });
  if (ladder === undefined) return [];
  const waiting = new Set(waitingRungs(ladder.rungs, view.held));
  const middle = columns - TIME - 2 * STATE - 6;
  const sinceUs = view.startUs - events[0]!.timeUs;
  return ladder.rungs.flatMap((rung) => drawRung(rung, sinceUs, middle, waiting.has(rung)));
}

/** Segments of ours that were sent, but are still at the gate: the newest ones that look like them. */
function waitingRungs(rungs: readonly Rung[], held: View['held']): Rung[] {
  const sent = held.filter(({ direction, origin }) => direction === 'out' && origin === 'sent');
  const texts = sent.map(({ text }) => text);
  return rungs.toReversed().filter((rung) => {
    if (rung.kind !== 'segment' || rung.direction !== 'out' || rung.fate !== 'arrives')
      return false;
    const at = texts.lastIndexOf(rung.label);
    if (at >= 0) texts.splice(at, 1);
    return at >= 0;
  });
}

function drawRung(rung: Rung, sinceUs: number, width: number, waits: boolean): string[] {
  const line = (middle: string, ours = rung.ours, theirs = rung.theirs) => {
    const seconds = Math.max(rung.timeUs - sinceUs, 0) / 1e6;
    const time = seconds.toFixed(3).padStart(TIME - 2);
    const left = (ours ?? '').padStart(STATE);
    return `${time}  ${left} │${middle.padEnd(width)}│ ${theirs ?? ''}`.trimEnd();
  };
  switch (rung.kind) {
    case 'segment':
      return [line(drawSegment(rung, width, waits))];
    case 'run':
      return [line(drawArrow(rung.direction, describeRun(rung), width))];
    case 'crossing': {
      const { sentIn } = rung;
      return [
        line(drawSegment(rung.out, width, false, 'crosses'), sentIn.ours, rung.theirs),
        line(drawSegment(rung.in, width, false, 'crosses'), rung.ours, sentIn.theirs),
      ];
    }
    case 'state':
      return [line('')];
    default:
      return [line(drawNote(rung.kind === 'call' ? rung.text : `(${rung.text})`, rung.end, width))];
  }
}

function drawSegment(
  { direction, label, fate, from, remarks }: SegmentRung,
  width: number,
  waits: boolean,
  more?: string,
): string {
  const said = [
    ...(waits ? ['waits'] : []),
    ...remarks,
    ...(from === 'gate' ? ['forged'] : []),
    ...(more ? [more] : []),
  ];
  if (fate !== 'arrives') said.push(fate);
  const text = said.length === 0 ? label : `${label} · ${said.join(', ')}`;
  if (fate === 'lost' || waits) return drawHalf(direction, text, width, waits ? '┤' : '×');
  return drawArrow(direction, text, width);
}

/** An arrow over the whole width. */
function drawArrow(direction: 'in' | 'out', text: string, width: number): string {
  const label = ` ${cut(text, width - 6)} `;
  const shaft = width - 1 - label.length;
  const before = Math.floor(shaft / 2);
  const line = '─'.repeat(before) + label + '─'.repeat(shaft - before);
  return direction === 'out' ? `${line}▶` : `◀${line}`;
}

/** An arrow that ends on its way. */
function drawHalf(direction: 'in' | 'out', text: string, width: number, end: string): string {
  const label = ` ${cut(text, width - 8)} `;
  const line = direction === 'out' ? `──${label}──${end}` : `${end}──${label}──`;
  return direction === 'out' ? line : line.padStart(width);
}

function drawNote(text: string, end: End, width: number): string {
  const short = ` ${cut(text, width - 2)} `;
  return end === 'ours' ? short : short.padStart(width);
}
