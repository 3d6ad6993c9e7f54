// The middle of a rung, between the lines of both ends, in letters: arrows, runs of data, notes. Knows widths
// and letters; must not know columns beside it, or colours.

import type { End } from './event.js';
import type { RunRung, SegmentRung } from './ladder.js';
import { cutText, describeRun, describeSegmentRung, fitSegmentRung } from './ladder-words.js';

const TIPS = { lost: 'X', corrupted: 'X', waits: '┊' } as const;

/**
 * An arrow from side to side, or from or to the gate between them; its end is an X where it fails.
 * @param width letters between both lines
 * @param short by how much an arrow is shorter that ends or begins at the gate, where its text leaves room
 */
export function drawArrow(rung: SegmentRung, width: number, short: number): string {
  const { direction, fate } = rung;
  const tail = rung.from === 'gate' ? '●' : '';
  const length = reachesBoth(rung) ? width : shortLength(rung, width, short);
  const line = labelled(rung, length - 1 - tail.length);
  const space = ' '.repeat(width - length);
  if (direction === 'out') {
    const arrow = `${tail}${line}${fate === 'arrives' ? '▶' : TIPS[fate]}`;
    return tail === '' ? `├${arrow}${space}│` : `│${space}${arrow}│`;
  }
  const arrow = `${fate === 'arrives' ? '◀' : TIPS[fate]}${line}${tail}`;
  return tail === '' ? `│${space}${arrow}┤` : `│${arrow}${space}│`;
}

function reachesBoth({ from, fate }: SegmentRung): boolean {
  return from !== 'gate' && fate !== 'lost' && fate !== 'waits';
}

function shortLength(rung: SegmentRung, width: number, short: number): number {
  const needed = describeSegmentRung(rung).length + 6 + (rung.from === 'gate' ? 1 : 0);
  return Math.min(Math.max(width - short, needed), width - 2);
}

/** A line with the text of a segment on it, near its beginning. */
export function labelled(rung: SegmentRung, width: number): string {
  return `── ${fitSegmentRung(rung, width - 5)} `.padEnd(width, '─');
}

/** A double line stands for many segments. */
export function drawRun(rung: RunRung, width: number): string {
  const whole = ` … ${describeRun(rung)} `;
  const room = width - 1;
  const text = whole.length <= room ? whole : ` … ${describeRun({ ...rung, acks: 0 })} `;
  const line = centre(cutText(text, room), room, '═');
  return rung.direction === 'out' ? `╞${line}▶│` : `│◀${line}╡`;
}

function centre(text: string, width: number, fill: string): string {
  return text.padStart(Math.floor((width + text.length) / 2), fill).padEnd(width, fill);
}

/** What an end does or says, at its side; without the lines, so that it can be coloured. */
export function drawNote(end: End, text: string, width: number): string {
  const fitted = cutText(text, width - 2);
  return end === 'ours' ? ` ${fitted}`.padEnd(width) : `${fitted} `.padStart(width);
}
