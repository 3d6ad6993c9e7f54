// Explanations as lines of text. A pure function; must not know terminals.

import { NOT_SEEN } from '../trace/event.js';
import { type Explanation, explain, type Way } from './explain.js';
import { paint, wrap } from './layout.js';

const WIDTH = 80;

type Of<Kind extends Explanation['kind']> = Extract<Explanation, { kind: Kind }>;
type Bold = (text: string) => string;

/** An explanation as lines of at most 80 letters, besides SGR sequences. */
export function formatExplanation(explanation: Explanation, colour: boolean): string[] {
  const bold: Bold = (text) => paint(text, colour, 'bold');
  switch (explanation.kind) {
    case 'state':
      return formatState(explanation, bold);
    case 'event':
      return [
        bold(` ${explanation.name}`),
        ...section('What it changes', explanation.ways, bold, ({ from, to }) => `${from} → ${to}`),
      ];
    case 'scenario':
      return formatScenario(explanation, bold);
  }
}

function formatState(state: Of<'state'>, bold: Bold): string[] {
  const { name, meaning, waitsFor, lasts, peer, mistake, reached, left, scenarios } = state;
  const told: [string, string][] = [
    ['Waits for', `${waitsFor ?? 'nobody'}.`],
    ['Lasts', lasts],
    ['The peer', peer],
    ['Mind', mistake],
  ];
  const seen = ['', bold(' To be seen in the scenarios')];
  return [
    bold(` ${name}`),
    ...wrap(meaning, WIDTH, 1),
    '',
    ...told.flatMap(([label, text]) => wrap(`${label.padEnd(10)} ${text}`, WIDTH, 12)),
    ...section('How it is reached', reached, bold, ({ from }) => `from ${from}`),
    ...section('How it is left', left, bold, ({ to }) => `to ${to}`),
    ...(scenarios.length === 0 ? [] : [...seen, ...wrap(`  ${scenarios.join(', ')}`, WIDTH, 3)]),
  ];
}

function formatScenario(scenario: Of<'scenario'>, bold: Bold): string[] {
  const { name, title, section: rule, why, ours, theirs } = scenario;
  return [
    bold(` ${name}: ${title}`),
    ...wrap(`${why} (${rule})`, WIDTH, 1),
    '',
    ...wrap(`ours    ${ours.join(' → ')}`, WIDTH, 9),
    ...wrap(`theirs  ${theirs.join(' → ')}`, WIDTH, 9),
    '',
    ...wrap(`finwait lab run ${name} --step`, WIDTH, 1),
  ];
}

function section(
  title: string,
  ways: readonly Way[],
  bold: Bold,
  where: (way: Way) => string,
): string[] {
  if (ways.length === 0) return [];
  return ['', bold(` ${title}`), ...ways.flatMap((way) => formatWay(way, where(way)))];
}

function formatWay({ event, sends, section: rule, why }: Way, where: string): string[] {
  const sent = sends === '' ? '' : `, ${sends} is sent`;
  return [
    ...wrap(`  ${where}: ${event}${sent}`, WIDTH, 5),
    ...wrap(`    ${why} (${rule})`, WIDTH, 5),
  ];
}

/** What a debugger shows: the word, or without one both states that there are now. */
export function explainLines(
  word: string | null,
  view: { ours: { state: string }; theirs: { state: string } },
): string[] {
  const words = word === null ? [...new Set([view.ours.state, view.theirs.state])] : [word];
  return words
    .filter((each) => word !== null || each !== NOT_SEEN)
    .flatMap((each, i) => [...(i === 0 ? [] : ['']), ...formatExplanation(explain(each), false)]);
}
