// A view as lines of text, for scripts, pipes and terminals without a screen. A pure function; must not know
// who reads it.

import type { End } from '../trace/event.js';
import { paint, type Style, toAscii, toWidth } from './layout.js';
import { changeLine, endName, packet, reason, remarks, seconds, timers } from './phrases.js';
import type { View } from './view.js';

/** Columns of the labels on the left. */
const LABEL = 9;

/** Lines that end with a newline: what happened, what is, what comes next, and why. */
export function formatView(view: View, style: Style): string {
  const { kind, step, action, timeUs, fresh, held, next } = view;
  const lines: string[] = [
    paint(
      `[${step}] ${seconds(timeUs)}  ${action === '' ? view.title : action}`,
      style.colour,
      'bold',
    ),
  ];
  const say = (label: string, text: string) =>
    lines.push(`${toWidth(`  ${label}`, LABEL)} ${text}`);
  for (const end of ['ours', 'theirs'] as const) {
    say(endName(end, kind), endLine(view, end));
    const changed = changeLine(view[end]);
    if (changed !== '' && changed !== 'no change') say('', changed);
    const running = timers(view[end]);
    if (running !== 'none') say('', `timers: ${running}`);
  }
  held.forEach((each, i) => {
    say(i === 0 ? 'waits' : '', packet(each, view.connection));
  });
  if (held.length === 0) say('waits', 'nothing');
  view.why.forEach((each, i) => {
    say(i === 0 ? 'why' : '', reason(each, kind));
  });
  if (fresh.length > 0 && view.why.length === 0) say('why', 'only time has passed');
  say('next', next.note === null ? next.text : `${next.text} (${next.note})`);
  for (const remark of remarks(view)) say('note', remark);
  const text = lines.map((line) => `${line.trimEnd()}\n`).join('');
  return style.unicode ? text : toAscii(text);
}

function endLine(view: View, end: End): string {
  const { endpoint, state } = view[end];
  const changes = view.fresh.filter((event) => event.kind === 'state' && event.end === end);
  const first = changes[0];
  const before = first?.kind === 'state' && first.from !== state ? `${first.from} → ` : '';
  return `${before}${state}${endpoint === null ? '' : `  ${endpoint}`}`;
}
