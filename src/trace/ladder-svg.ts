// A ladder as a picture (SVG 1.1): legible on light and dark pages, with no font or script from elsewhere.
// Knows coordinates; must not know where the rungs come from.

import { NOT_SEEN, type TraceEvent } from './event.js';
import {
  type CrossingRung,
  DEFAULT_NAMES,
  type Ladder,
  type LadderOptions,
  type Rung,
  type RunRung,
  type SegmentRung,
} from './ladder.js';
import { buildLadders } from './ladder-builder.js';
import { describeRun, describeSegmentRung } from './ladder-words.js';

const WIDTH = 860;
/** The two lines of life, and the gate between them. */
const LEFT = 230;
const RIGHT = 630;
const GATE = 430;
const ROW = 30;
/** An arrow takes a while: its head is so much lower than its tail. */
const SLANT = 10;
const TOP = 64;
const MARGIN = 16;
/** The head of an arrow, and how much larger it is where the line is thick. */
const HEAD = 11;
const RUN_HEAD = 1.5;
/** Where texts stand beside the lines. */
const BESIDE = 14;

const STYLE = `
.page{fill:#fff}
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#1f2328}
.tip{fill:#1f2328}
.name{font-weight:bold}
.state{font-weight:bold;fill:#0550ae}
.faint{fill:#656d76}
.bad{fill:#cf222e}
.odd{fill:#9a6700}
.life{stroke:#afb8c1;stroke-width:2}
.arrow{stroke:#1f2328;stroke-width:1.5;fill:none}
.run{stroke-width:4}
.arrow.bad{stroke:#cf222e;fill:none}
.arrow.odd{stroke:#9a6700;fill:none}
@media (prefers-color-scheme:dark){
.page{fill:#0d1117}
text,.tip{fill:#e6edf3}
.state{fill:#79c0ff}
.faint{fill:#8d96a0}
.bad{fill:#ff7b72}
.odd{fill:#d29922}
.life{stroke:#484f58}
.arrow{stroke:#e6edf3}
.arrow.bad{stroke:#ff7b72}
.arrow.odd{stroke:#d29922}
}`;

type Mood = '' | ' bad' | ' odd';

/** All events of a timeline as one picture; each connection has a ladder of its own, one below the other. */
export function ladderSvg(
  { events }: { readonly events: readonly TraceEvent[] },
  options: LadderOptions = {},
): string {
  const names = options.names ?? DEFAULT_NAMES;
  const picture = new Picture();
  for (const ladder of buildLadders(events, options)) picture.draw(ladder, names);
  return picture.finish();
}

class Picture {
  readonly #parts: string[] = [];
  #y = 0;

  draw(ladder: Ladder, names: { readonly ours: string; readonly theirs: string }): void {
    const { ours, theirs, before, rungs } = ladder;
    const top = this.#y + TOP;
    this.#text(LEFT, this.#y + 28, `${names.ours} ${ours}`, 'name', 'middle');
    this.#text(RIGHT, this.#y + 28, `${names.theirs} ${theirs}`, 'name', 'middle');
    this.#y = top;
    const place = this.#parts.push('') - 1;
    this.#states(before.ours, before.theirs, this.#y);
    this.#y += ROW;
    for (const rung of rungs) this.#rung(rung);
    const life = (x: number) => line(x, top - 24, x, this.#y, 'life');
    this.#parts[place] = `${life(LEFT)}${life(RIGHT)}`;
  }

  finish(): string {
    const height = this.#y + MARGIN;
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" ` +
      `height="${height}" role="img" aria-label="Segments between two ends of a TCP connection">\n` +
      `<style>${STYLE}\n</style>\n` +
      `<rect class="page" width="${WIDTH}" height="${height}" rx="6"/>\n` +
      `${this.#parts.join('\n')}\n</svg>\n`
    );
  }

  #rung(rung: Rung): void {
    const y = this.#y;
    const crossing = rung.kind === 'crossing';
    this.#text(MARGIN, y + 4, formatTime(rung.timeUs), 'faint', 'start');
    switch (rung.kind) {
      case 'segment':
        this.#segment(rung, y);
        break;
      case 'run':
        this.#run(rung, y);
        break;
      case 'crossing':
        this.#crossing(rung, y);
        break;
      case 'call':
      case 'note': {
        const inner = rung.kind === 'note' || rung.text.length > 14;
        this.#beside(rung.end, y, rung.text, 'faint', inner);
      }
    }
    const lower = crossing ? ROW : 0;
    this.#states(rung.ours, rung.theirs, y + lower + (crossing ? SLANT : 0));
    this.#y += ROW + (crossing ? ROW + SLANT : 0);
  }

  #segment(rung: SegmentRung, y: number): void {
    const mood = moodOf(rung);
    const [from, to] = ends(rung);
    this.#arrow(from, y - SLANT / 2, to, y + SLANT / 2, mood, rung.fate);
    const text = describeSegmentRung(rung);
    if (rung.from === 'gate') {
      // Half as long as others, with a text that may be longer: that begins at the line, above the dot.
      this.#parts.push(circle(from, y - SLANT / 2, mood));
      const [x, anchor] =
        to < from ? ([to + BESIDE, 'start'] as const) : ([to - BESIDE, 'end'] as const);
      this.#text(x, y - 11, text, mood.trim(), anchor);
    } else {
      this.#text((from + to) / 2, y - 7, text, mood.trim(), 'middle');
    }
  }

  #run(rung: RunRung, y: number): void {
    const [from, to] = rung.direction === 'out' ? [LEFT, RIGHT] : [RIGHT, LEFT];
    // The thick line ends within the head, so that the head has a point.
    const size = RUN_HEAD * HEAD;
    const [x, top, end] = [to - Math.sign(to - from) * size * 0.8, y - SLANT / 2, y + SLANT / 2];
    this.#parts.push(line(from, top, x, end - (SLANT * size * 0.8) / (RIGHT - LEFT), 'arrow run'));
    this.#parts.push(tip(from, top, to, end, '', RUN_HEAD));
    this.#text((LEFT + RIGHT) / 2, y - 9, `… ${describeRun(rung)}`, '', 'middle');
  }

  /** Two arrows that begin at once; their texts stand near their tails. */
  #crossing({ out, in: incoming, sentIn }: CrossingRung, y: number): void {
    const end = y + ROW + SLANT;
    this.#states(sentIn.ours, sentIn.theirs, y);
    this.#arrow(LEFT, y, RIGHT, end, '', 'arrives');
    this.#arrow(RIGHT, y, LEFT, end, '', 'arrives');
    this.#text(LEFT + BESIDE, y - 5, describeSegmentRung(out), '', 'start');
    this.#text(RIGHT - BESIDE, y - 5, describeSegmentRung(incoming), '', 'end');
  }

  #states(ours: string | null, theirs: string | null, y: number): void {
    for (const [end, name] of [
      ['ours', ours],
      ['theirs', theirs],
    ] as const) {
      if (name === null) continue;
      const unseen = name === NOT_SEEN;
      this.#beside(end, y, unseen ? `(${NOT_SEEN})` : name, unseen ? 'faint' : 'state', false);
    }
  }

  /** Next to a line of life, outside of both or between them. */
  #beside(end: 'ours' | 'theirs', y: number, text: string, style: string, inner: boolean): void {
    const left = end === 'ours' ? !inner : inner;
    const x = (end === 'ours' ? LEFT : RIGHT) + (left ? -BESIDE : BESIDE);
    this.#text(x, y + 4, text, style, left ? 'end' : 'start');
  }

  #arrow(
    x1: number,
    y1: number,
    x2: number,
    y2: number,
    mood: Mood,
    fate: SegmentRung['fate'],
  ): void {
    this.#parts.push(line(x1, y1, x2, y2, `arrow${mood}`));
    if (fate === 'arrives') this.#parts.push(tip(x1, y1, x2, y2, mood));
    else if (fate === 'waits') this.#parts.push(line(x2, y2 - 8, x2, y2 + 8, `arrow${mood}`));
    else this.#parts.push(cross(x2, y2, mood));
  }

  #text(
    x: number,
    y: number,
    text: string,
    style: string,
    anchor: 'start' | 'middle' | 'end',
  ): void {
    const about = `x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"`;
    const look = style === '' ? '' : ` class="${style}"`;
    this.#parts.push(`<text ${about}${look}>${escapeXml(text)}</text>`);
  }
}

function moodOf({ fate, from, remarks }: SegmentRung): Mood {
  if (fate === 'lost' || fate === 'corrupted') return ' bad';
  if (fate === 'waits') return ' odd';
  return from === 'end' && remarks.length === 0 ? '' : ' odd';
}

function ends({ direction, from, fate }: SegmentRung): [from: number, to: number] {
  const [here, there] = direction === 'out' ? [LEFT, RIGHT] : [RIGHT, LEFT];
  // What is put in at the gate and still there is shown on the way from it.
  const toGate = from === 'gate' && fate === 'waits' ? (GATE + there) / 2 : GATE;
  const end = fate === 'waits' || fate === 'lost' ? toGate : there;
  return [from === 'gate' ? GATE : here, end];
}

function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  const ends = `x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"`;
  return `<line ${ends} class="${style}"/>`;
}

/** The head of an arrow. */
function tip(x1: number, y1: number, x2: number, y2: number, mood: Mood, scale = 1): string {
  const angle = round((Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI);
  const at = `translate(${round(x2)} ${round(y2)}) rotate(${angle})`;
  const [back, side] = [round(HEAD * scale), round((HEAD * scale) / 2.2)];
  return `<path d="M0 0 L-${back} -${side} L-${back} ${side} Z" class="tip${mood}" transform="${at}"/>`;
}

/** Where a segment ends that does not arrive. */
function cross(x: number, y: number, mood: Mood): string {
  const place = `transform="translate(${round(x)} ${round(y)})"`;
  return `<path d="M-6 -6 L6 6 M-6 6 L6 -6" class="arrow${mood}" ${place}/>`;
}

function circle(x: number, y: number, mood: Mood): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="4" class="tip${mood}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function formatTime(us: number): string {
  return `${(us / 1e6).toFixed(us < 100e6 ? 4 : 1)} s`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (character) => ENTITIES[character]!);
}
