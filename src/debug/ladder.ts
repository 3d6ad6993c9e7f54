// The ladder of a view: a line for each rung, between the states of both ends, with what still waits at the
// gate marked. Knows rungs and columns; must not know terminals.

import type { TraceEvent } from '../trace/event.js';
import type { Rung, SegmentRung } from '../trace/ladder.js';
import { drawArrow, drawNote, drawRun } from '../trace/ladder-arrows.js';
import { buildLadders } from '../trace/ladder-builder.js';
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
      return [line(drawArrow(rung, width, SHORT))];
    case 'run':
      return [line(drawRun(rung, width))];
    case 'crossing': {
      const { sentIn } = rung;
      const crosses = (segment: SegmentRung) => ({
        ...segment,
        remarks: [...segment.remarks, 'crosses'],
      });
      return [
        line(drawArrow(crosses(rung.out), width, SHORT), sentIn.ours, rung.theirs),
        line(drawArrow(crosses(rung.in), width, SHORT), rung.ours, sentIn.theirs),
      ];
    }
    case 'state':
      return [line(bare)];
    default: {
      const { kind, end, text } = rung;
      if (kind === 'note' || text.length > STATE) return [line(`│${drawNote(end, text, width)}│`)];
      return [end === 'ours' ? line(bare, text, null) : line(bare, null, text)];
    }
  }
}
