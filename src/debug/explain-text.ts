// Explanations as lines of text. A pure function; must not know terminals.

import { NOT_SEEN } from '../trace/event.js';
import { type Explanation, explain, type Way } from './explain.js';
import { paint, wrap } from './layout.js';

/** Longer lines are tiring to read. */
const WIDEST = 80;
/** Names of events may have commas in them. */
const SEPARATOR = ' · ';

type Of<Kind extends Explanation['kind']> = Extract<Explanation, { kind: Kind }>;

/** How lines are written: at most `width` letters, besides SGR sequences, and what is a title. */
interface Pen {
  width: number;
  bold: (text: string) => string;
}

/** What a word stands for, as lines of at most `columns` letters, besides SGR sequences. */
export function formatExplanations(
  explanations: readonly Explanation[],
  colour: boolean,
  columns = WIDEST,
): string[] {
  const width = Math.min(columns, WIDEST);
  const pen: Pen = { width, bold: (text) => paint(text, colour, 'bold') };
  return explanations.flatMap((each, i) => [...(i === 0 ? [] : ['']), ...format(each, pen)]);
}

function format(explanation: Explanation, pen: Pen): string[] {
  switch (explanation.kind) {
    case 'state':
      return formatState(explanation, pen);
    case 'event':
      return [
        pen.bold(` ${explanation.name}`),
        ...section('What it changes', explanation.ways, pen, ({ from, to }) => `${from} → ${to}`),
      ];
    case 'word':
      return formatWord(explanation, pen);
    case 'scenario':
      return formatScenario(explanation, pen);
  }
}

function formatState(state: Of<'state'>, pen: Pen): string[] {
  const { name, meaning, waitsFor, lasts, peer, mistake, reached, left, scenarios } = state;
  const told: [string, string][] = [
    ['Waits for', `${waitsFor ?? 'nobody'}.`],
    ['Lasts', lasts],
    ['The peer', peer],
    ['Mind', mistake],
  ];
  return [
    pen.bold(` ${name}`),
    ...wrap(meaning, pen.width, 1),
    '',
    ...told.flatMap(([label, text]) => wrap(`${label.padEnd(10)} ${text}`, pen.width, 12)),
    ...section('How it is reached', reached, pen, ({ from }) => `from ${from}`),
    ...section('How it is left', left, pen, ({ to }) => `to ${to}`),
    ...names('To be seen in the scenarios', scenarios, pen),
  ];
}

function formatWord(word: Of<'word'>, pen: Pen): string[] {
  const { name, meaning, section: rule, states, events, scenarios } = word;
  return [
    pen.bold(` ${name}`),
    ...wrap(`${meaning} (${rule})`, pen.width, 1),
    ...names('States that belong to it', states, pen),
    ...names('Events', events, pen),
    ...names('To be seen in the scenarios', scenarios, pen),
  ];
}

function formatScenario(scenario: Of<'scenario'>, { width, bold }: Pen): string[] {
  const { name, title, section: rule, why, ours, theirs } = scenario;
  return [
    ...wrap(`${name}: ${title}`, width, 1).map(bold),
    ...wrap(`${why} (${rule})`, width, 1),
    '',
    ...wrap(`ours    ${ours.join(' → ')}`, width, 9),
    ...wrap(`theirs  ${theirs.join(' → ')}`, width, 9),
    '',
    ...wrap(`finwait lab run ${name} --step`, width, 1),
  ];
}

function names(title: string, all: readonly string[], { width, bold }: Pen): string[] {
  return all.length === 0
    ? []
    : ['', bold(` ${title}`), ...wrap(`  ${all.join(SEPARATOR)}`, width, 3)];
}

function section(
  title: string,
  ways: readonly Way[],
  pen: Pen,
  where: (way: Way) => string,
): string[] {
  if (ways.length === 0) return [];
  return ['', pen.bold(` ${title}`), ...ways.flatMap((way) => formatWay(way, where(way), pen))];
}

function formatWay(way: Way, where: string, { width }: Pen): string[] {
  const { event, sends, section: rule, why } = way;
  const sent = sends === '' ? '' : `, ${sends} is sent`;
  return [
    ...wrap(`  ${where}: ${event}${sent}`, width, 5),
    ...wrap(`    ${why} (${rule})`, width, 5),
  ];
}

/** What a debugger shows: the word, or without one both states that there are now. */
export function explainLines(
  word: string | null,
  view: { ours: { state: string }; theirs: { state: string } },
  columns?: number,
): string[] {
  if (word !== null) return formatExplanations(explain(word), false, columns);
  const states = [...new Set([view.ours.state, view.theirs.state])];
  const known = states.filter((each) => each !== NOT_SEEN);
  return formatExplanations(known.flatMap(explain), false, columns);
}
