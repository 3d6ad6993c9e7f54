// Writes docs/reference/state-diagram.md from the table of transitions; with --check, says whether it is up to
// date. Knows the table and Mermaid; must not know what the states mean.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { CLOSED, STATE_NAMES } from '../dist/tcp/state.js';
import { TRANSITIONS } from '../dist/tcp/transitions.js';

const FILE = new URL('../docs/reference/state-diagram.md', import.meta.url);

/** Events that end a connection in order; the others that lead to CLOSED have a diagram of their own. */
const ORDERLY_ENDS = ['CLOSE', 'rcv ACK of FIN', 'timeout 2MSL', 'rcv SYN in TIME-WAIT'];

const isOrderly = ({ to, event }) => to !== CLOSED || ORDERLY_ENDS.includes(event);

const text = `<!-- Written by \`npm run diagram\` from src/tcp/transitions.ts. -->

# The states of a connection

RFC 9293 §3.3.2, Figure 5, as this stack carries it out. An arrow says what happened, after the slash
what is sent because of it, and in brackets where the rule stands. Where no document is named, the
section is one of RFC 9293.

## Opening and closing

${diagram(TRANSITIONS.filter(isOrderly))}

## Ends that are not a close

${diagram(TRANSITIONS.filter((transition) => !isOrderly(transition)))}

## All transitions

${table(TRANSITIONS)}
`;

if (!process.argv.includes('--check')) {
  mkdirSync(new URL('.', FILE), { recursive: true });
  writeFileSync(FILE, text);
} else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== text) {
  console.error(
    'docs/reference/state-diagram.md is not what src/tcp/transitions.ts says: npm run diagram',
  );
  process.exit(1);
}

/** One arrow between two states, however many events lead from one to the other. */
function diagram(transitions) {
  const arrows = new Map();
  for (const { from, event, to, sends, section } of transitions) {
    const arrow = `${identifier(from)} --> ${identifier(to)}`;
    const sent = sends === '' ? '' : ` / ${sends}`;
    const label = `${event}${sent} (${section.replace('RFC 9293 ', '')})`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), label]);
  }
  const shown = STATE_NAMES.map((_, state) => state).filter((state) =>
    transitions.some(({ from, to }) => from === state || to === state),
  );
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...shown.map((state) => `  state "${STATE_NAMES[state]}" as ${identifier(state)}`),
    ...[...arrows].map(([arrow, labels]) => `  ${arrow} : ${labels.join('<br/>')}`),
    '```',
  ].join('\n');
}

/** Mermaid takes a hyphen for the beginning of an arrow. */
function identifier(state) {
  return STATE_NAMES[state].replaceAll('-', '_');
}

/** One row for all states that the same event ends in the same way. */
function table(transitions) {
  const rows = new Map();
  for (const { from, event, to, sends, section, why } of transitions) {
    const row = [event, STATE_NAMES[to], sends, section, why].join(' | ');
    rows.set(row, [...(rows.get(row) ?? []), STATE_NAMES[from]]);
  }
  return [
    '| from | event | to | sends | section | why |',
    '| --- | --- | --- | --- | --- | --- |',
    ...[...rows].map(([row, from]) => `| ${from.join(', ')} | ${row} |`),
  ].join('\n');
}
