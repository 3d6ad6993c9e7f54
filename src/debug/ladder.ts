// The ladder of a view: a line for each rung, between the states of both ends, with what still waits at the
// gate marked. Knows rungs and columns; must not know terminals.

import type { End, TraceEvent } from '../trace/event.js';
import type { Rung, RunRung, SegmentRung } from '../trace/ladder.js';
import { buildLadders } from '../trace/ladder-builder.js';
import { describeRun, describeSegmentRung, fitSegmentRung } from '../trace/ladder-words.js';
import { cut } from './layout.js';
import type { View } from './view.js';

/** Columns of the time and of each state; names have at most 12 letters. */
const TIME = 9;
const STATE = 12;
/** How much shorter arrows are that end at the gate, or begin there. */
const SHORT = 9;

/** All lines of a ladder of these events, oldest first; at most `columns` letters wide. */
export function ladderLines(
  view: Pick<View, 'connection' | 'held' | 'startUs'>,
  events: readonly TraceEvent[],
  columns: number,
): string[] {
  const { connection } = view;
  if (connection === null) return [];
  const waiting = view.held.flatMap(({ segment, ...held }) =>
    segment === null ? [] : [{ ...held, segment }],
  );
  const [ladder] = buildLadders(events, { connection, waiting });
  if (ladder === undefined) return [];
  const middle = columns - TIME - 2 * STATE - 4;
  const sinceUs = events.length === 0 ? 0 : view.startUs - events[0]!.timeUs;
  return ladder.rungs.flatMap((rung) => drawRung(rung, sinceUs, middle));
}

function drawRung(rung: Rung, sinceUs: number, width: number): string[] {
  const bare = `│${' '.repeat(width)}│`;
  const line = (middle: string, ours = rung.ours, theirs = rung.theirs) => {
    const seconds = Math.max(rung.timeUs - sinceUs, 0) / 1e6;
    const time = seconds.toFixed(3).padStart(TIME - 1);
    return `${time} ${(ours ?? '').padEnd(STATE)} ${middle} ${theirs ?? ''}`.trimEnd();
  };
  switch (rung.kind) {
    case 'segment':
      return [line(drawSegment(rung, width))];
    case 'run':
      return [line(drawRun(rung, width))];
    case 'crossing': {
      const { sentIn } = rung;
      const crosses = (segment: SegmentRung) => ({
        ...segment,
        remarks: [...segment.remarks, 'crosses'],
      });
      return [
        line(drawSegment(crosses(rung.out), width), sentIn.ours, rung.theirs),
        line(drawSegment(crosses(rung.in), width), rung.ours, sentIn.theirs),
      ];
    }
    case 'state':
      return [line(bare)];
    default: {
      const { kind, end, text } = rung;
      if (kind === 'note' || text.length > STATE) return [line(drawNote(text, end, width))];
      return [end === 'ours' ? line(bare, text, null) : line(bare, null, text)];
    }
  }
}

/** As the lab draws it; what waits ends at the gate, which is a dotted line. */
function drawSegment(rung: SegmentRung, width: number): string {
  const { direction, fate, from } = rung;
  const tail = from === 'gate' ? '●' : '';
  const text = describeSegmentRung(rung);
  const isHalf = fate === 'waits' || fate === 'lost' || from === 'gate';
  const needed = text.length + 6 + tail.length;
  const length = isHalf ? Math.max(width - SHORT, Math.min(needed, width - 2)) : width;
  const arrives = direction === 'out' ? '▶' : '◀';
  const tip = { arrives, lost: 'X', corrupted: 'X', waits: '┊' }[fate];
  const room = length - 1 - tail.length;
  const shaft = `── ${fitSegmentRung(rung, room - 5)} `.padEnd(room, '─');
  const space = ' '.repeat(width - length);
  if (direction === 'out') {
    const arrow = `${tail}${shaft}${tip}`;
    return tail === '' ? `├${arrow}${space}│` : `│${space}${arrow}│`;
  }
  const arrow = `${tip}${shaft}${tail}`;
  return tail === '' ? `│${space}${arrow}┤` : `│${arrow}${space}│`;
}

/** A double line stands for many. */
function drawRun(rung: RunRung, width: number): string {
  const text = ` … ${describeRun(rung)} `;
  const room = width - 1;
  const fitted = cut(text.length <= room ? text : ` … ${describeRun({ ...rung, acks: 0 })} `, room);
  const line = fitted.padStart(Math.floor((room + fitted.length) / 2), '═').padEnd(room, '═');
  return rung.direction === 'out' ? `╞${line}▶│` : `│◀${line}╡`;
}

function drawNote(text: string, end: End, width: number): string {
  const short = cut(text, width - 2);
  return end === 'ours'
    ? `│ ${short}`.padEnd(width + 1).concat('│')
    : `│${short.padStart(width - 1)} │`;
}
