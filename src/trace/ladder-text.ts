// A ladder as text, 80 columns wide, like the flow graph of tshark with the states at both sides. Knows
// columns and characters; must not know where the rungs come from.

import { NOT_SEEN, type TraceEvent } from './event.js';
import {
  type CrossingRung,
  DEFAULT_NAMES,
  type Ladder,
  type LadderOptions,
  type Rung,
  type SegmentRung,
} from './ladder.js';
import { drawArrow, drawNote, drawRun, labelled } from './ladder-arrows.js';
import { buildLadders } from './ladder-builder.js';

/** What a text shows, and how. */
export interface LadderTextOptions extends LadderOptions {
  /** With SGR sequences for terminals; default false. */
  colour?: boolean;
}

const TIME = 10;
/** The longest names of states: SYN-RECEIVED. */
const SIDE = 12;
/** Between both lines. */
const INNER = 40;
/** How much shorter an arrow is that is lost, and one that begins between the ends. */
const TO_GATE = 10;
const FROM_GATE = 6;
/** Columns before the place where segments cross. */
const BEFORE_CROSSING = 28;

/** Codes of SGR, ECMA-48 §8.3.117: how it begins and how it ends. */
const BOLD = [1, 22] as const;
const DIM = [2, 22] as const;
const RED = [31, 39] as const;
const YELLOW = [33, 39] as const;

type Paint = (style: readonly [number, number], text: string) => string;

const coloured: Paint = ([on, off], text) =>
  text.trim() === '' ? text : `\u001b[${on}m${text}\u001b[${off}m`;
const plain: Paint = (_, text) => text;

/** All events of a timeline as text; lines end with `\n`. Empty where nothing was sent. */
export function ladderText(
  { events }: { readonly events: readonly TraceEvent[] },
  options: LadderTextOptions = {},
): string {
  const drawing = new Drawing(options.colour === true ? coloured : plain);
  const names = options.names ?? DEFAULT_NAMES;
  return buildLadders(events, options)
    .map((ladder) => drawing.draw(ladder, names))
    .join('\n');
}

class Drawing {
  readonly #paint: Paint;

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  draw(ladder: Ladder, names: { readonly ours: string; readonly theirs: string }): string {
    const { ours, theirs, before, rungs } = ladder;
    const lines = [
      ...this.#heading([`${names.ours} ${ours}`, `${names.theirs} ${theirs}`]),
      this.#line('', before.ours, `│${' '.repeat(INNER)}│`, before.theirs),
      ...rungs.flatMap((rung) => this.#rung(rung)),
    ];
    return `${lines.join('\n')}\n`;
  }

  /** Both names on one line, or on two where they are long (IPv6). */
  #heading([left, right]: [string, string]): string[] {
    const width = TIME + SIDE + INNER + SIDE + 5;
    const room = width - TIME - 1;
    const bold = (text: string) => this.#paint(BOLD, text);
    if (left.length + right.length + 2 <= room) {
      const gap = ' '.repeat(room - left.length - right.length);
      return [`${' '.repeat(TIME + 1)}${bold(left)}${gap}${bold(right)}`];
    }
    return [`${' '.repeat(TIME + 1)}${bold(left)}`, bold(right.padStart(width))];
  }

  #line(time: string, left: string | null, middle: string, right: string | null): string {
    const state = (name: string | null) => {
      const text = (name === NOT_SEEN ? `(${NOT_SEEN})` : (name ?? '')).padEnd(SIDE);
      return this.#paint(name === NOT_SEEN || name?.endsWith(')') ? DIM : BOLD, text);
    };
    const text = `${this.#paint(DIM, time.padStart(TIME))} ${state(left)} ${middle} ${state(right)}`;
    return text.trimEnd();
  }

  #rung(rung: Rung): string[] {
    const time = formatTime(rung.timeUs);
    const { ours, theirs } = rung;
    const bare = `│${' '.repeat(INNER)}│`;
    switch (rung.kind) {
      case 'segment':
        return [this.#line(time, ours, this.#segment(rung), theirs)];
      case 'run':
        return [this.#line(time, ours, drawRun(rung, INNER), theirs)];
      case 'crossing':
        return this.#crossing(rung, rung);
      case 'state':
        return [this.#line(time, ours, bare, theirs)];
      default: {
        const { kind, end, text } = rung;
        if (kind === 'note' || text.length > SIDE) {
          return [this.#line(time, ours, this.#note(end, text), theirs)];
        }
        const [left, right] = end === 'ours' ? [text, null] : [null, text];
        return [this.#line(time, left, bare, right)];
      }
    }
  }

  #note(end: 'ours' | 'theirs', text: string): string {
    return `│${this.#paint(DIM, drawNote(end, text, INNER))}│`;
  }

  #segment(rung: SegmentRung): string {
    const arrow = drawArrow(rung, INNER, rung.from === 'gate' ? FROM_GATE : TO_GATE);
    if (rung.fate !== 'arrives') return this.#paint(RED, arrow);
    const ordinary = rung.from === 'end' && rung.remarks.length === 0;
    return ordinary ? arrow : this.#paint(YELLOW, arrow);
  }

  /** Three lines: both leave, they pass each other, both arrive. */
  #crossing(rung: Rung, { out, in: incoming, sentIn }: CrossingRung): string[] {
    const middle = BEFORE_CROSSING;
    const rest = INNER - middle - 3;
    const left = labelled(out, middle);
    const last = labelled(incoming, middle - 1);
    const leaving = `├${left}╮ ╭${'─'.repeat(rest)}┤`;
    const passing = `│${' '.repeat(middle + 1)}╳${' '.repeat(rest + 1)}│`;
    const arriving = `│◀${last}╯ ╰${'─'.repeat(rest - 1)}▶│`;
    return [
      this.#line(formatTime(rung.timeUs), sentIn.ours, leaving, sentIn.theirs),
      this.#line('', null, passing, null),
      this.#line('', rung.ours, arriving, rung.theirs),
    ];
  }
}

/** Seconds. */
function formatTime(us: number): string {
  return (us / 1e6).toFixed(us < 100e6 ? 6 : 3);
}
