// A view as the lines of a terminal. A pure function; must not know terminals, or how a view came about.

import type { End } from '../trace/event.js';
import { cutText } from '../trace/ladder-words.js';
import { paint, rule, type Style, toAscii, toWidth, wrap } from './layout.js';
import { changeLine, endName, packet, reason, remarks, seconds, timers } from './phrases.js';
import type { EndView, View } from './view.js';

export interface Size {
  columns: number;
  rows: number;
}

/** Fewer than these and nothing can be read. */
export const LEAST: Size = { columns: 60, rows: 20 };

const KEYS = ' space step  c continue  d drop  b back  e explain  : command  ? help  q quit';
/** Where there is no room for all of them. */
const FEWER_KEYS = ' space step  c continue  d drop  : command  ? help  q quit';

/** Lines that do not depend on how much there is to say: two of heading, four rules, keys. */
const FIXED = 7;

/** Exactly `rows` lines; lines may hold SGR sequences, and are at most `columns` letters wide. */
export function drawScreen(view: View, size: Size, style: Style, ladder: Ladder): string[] {
  const { columns, rows } = size;
  if (columns < LEAST.columns || rows < LEAST.rows) return tooSmall(size);
  const spare = rows - LEAST.rows;
  const remarkLines = remarks(view)
    .flatMap((each) => wrap(each, columns, 1))
    .slice(0, 3);
  const gate = gateLines(view, style, columns, 3 + Math.floor(spare / 8));
  const changes = changeLines(view, columns);
  const next = nextLines(view, columns);
  const rungs = ladder(view, columns);
  // What the ladder does not need is for reasons.
  const said = remarkLines.length + gate.length + changes.length + next.length;
  const free = rows - FIXED - said;
  const why = whyLines(view, columns, Math.max(3 + Math.floor(spare / 6), free - rungs.length));
  const height = Math.max(free - why.length, 1);
  const lines = [
    heading(view, columns, style),
    states(view, columns, style),
    paint(rule('', columns), style.colour, 'dim'),
    ...Array.from({ length: height }, (_, i) => rungs.slice(-height)[i] ?? ''),
    paint(rule(view.action === '' ? 'now' : view.action, columns), style.colour, 'dim'),
    ...changes,
    paint(rule(`waits at the gate: ${view.held.length}`, columns), style.colour, 'dim'),
    ...gate,
    paint(rule('why', columns), style.colour, 'dim'),
    ...why,
    ...next.map((line) => paint(line, style.colour, 'cyan')),
    ...remarkLines.map((line) => paint(line, style.colour, 'yellow')),
    paint(columns < KEYS.length ? FEWER_KEYS : KEYS, style.colour, 'dim'),
  ];
  return finish(lines, style).slice(0, rows);
}

/** The lines of a ladder, the newest at the end. */
export type Ladder = (view: View, columns: number) => readonly string[];

function finish(lines: readonly string[], style: Style): string[] {
  return style.unicode ? [...lines] : lines.map(toAscii);
}

function tooSmall({ columns, rows }: Size): string[] {
  const text = [
    `This terminal has ${columns}x${rows};`,
    `at least ${LEAST.columns}x${LEAST.rows} are needed.`,
    'q quits.',
  ];
  return Array.from({ length: rows }, (_, i) => (text[i] ?? '').slice(0, columns));
}

function heading(view: View, columns: number, { colour }: Style): string {
  const mode = view.kind === 'live' ? 'live' : view.kind;
  const step = view.recorded ? `step ${view.step} of ${view.steps}, recorded` : `step ${view.step}`;
  const right = `${step} · ${seconds(view.timeUs)} `;
  const left = ` finwait · ${view.title} · ${mode}`;
  return paint(toWidth(left, columns - right.length) + right, colour, 'inverse');
}

function states(view: View, columns: number, { colour }: Style): string {
  const half = Math.floor(columns / 2);
  const show = (end: End, width: number) => {
    const { endpoint, state } = view[end];
    const name = ` ${endName(end, view.kind)} ${endpoint ?? ''}`.trimEnd();
    const text = toWidth(`${name} `, Math.min(name.length + 1, width - state.length - 1));
    const changed = view.fresh.some((event) => event.kind === 'state' && event.end === end);
    const painted = paint(state, colour, 'bold', ...(changed ? (['green'] as const) : []));
    return text + painted + ' '.repeat(Math.max(width - text.length - state.length, 0));
  };
  return show('ours', half) + show('theirs', columns - half);
}

function changeLines(view: View, columns: number): string[] {
  const width = Math.max(
    ...(['ours', 'theirs'] as const).map((end) => endName(end, view.kind).length),
  );
  const line = (end: End, text: string) =>
    wrap(`${endName(end, view.kind).padEnd(width)}  ${text}`, columns, width + 3).slice(0, 2);
  const both = (tell: (end: EndView) => string) =>
    (['ours', 'theirs'] as const).map((end) => [end, tell(view[end])] as const);
  const changed = both(changeLine).flatMap(([end, text]) => (text === '' ? [] : line(end, text)));
  const running = both(timers)
    .map(([end, text]) => `${endName(end, view.kind)} ${text}`)
    .join(' · ');
  return [...changed, ...wrap(`timers: ${running}`, columns, 9).slice(0, 2)];
}

function gateLines(view: View, { colour }: Style, columns: number, most: number): string[] {
  const { held, chosen } = view;
  if (held.length === 0) return [' nothing'];
  const at = Math.max(
    held.findIndex(({ id }) => id === chosen),
    0,
  );
  // The window follows what is chosen.
  const from = Math.max(0, Math.min(at - most + 1, held.length - most));
  return held.slice(from, from + most).map((each) => {
    const mark = each.id === chosen ? '▶' : ' ';
    const line = cutText(` ${mark} ${packet(each, view.connection)}`, columns);
    return each.id === chosen ? paint(line, colour, 'bold') : line;
  });
}

function whyLines(view: View, columns: number, most: number): string[] {
  if (view.why.length === 0) {
    return [view.step === 0 ? ' nothing has happened yet' : ' only time has passed'];
  }
  const lines = view.why.flatMap((each) => wrap(reason(each, view.kind), columns));
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `${lines[most - 1]!.slice(0, columns - 2)} …`];
}

function nextLines({ next: { text, note } }: View, columns: number): string[] {
  const line = note === null ? `next: ${text}` : `next: ${text} (${note})`;
  return wrap(line, columns, 7).slice(0, 2);
}
