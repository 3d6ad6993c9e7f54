// `finwait explain`: what a state, an event, a scenario or another word means. Knows words; must not know rules.

import { styleText } from 'node:util';
import { type Explanation, explain, explainable, UnknownWord } from '../debug/explain.js';
import { formatExplanations } from '../debug/explain-text.js';
import { wrap } from '../debug/layout.js';
import type { Command, Input } from './command.js';
import { EXIT_OK, usage } from './failure.js';

const WIDTH = 80;

export const explainCommand: Command = {
  name: 'explain',
  usage: ['explain [WORD] [--json]'],
  description:
    'Says what a state of TCP means, how it is reached and left, and which rule of the RFCs says so;\n' +
    'or what an event does to each state, or what a scenario of the lab shows; or what is meant by RST,\n' +
    '2MSL, EPIPE and other words. FIN-WAIT-2 may be written fin-wait-2, FIN_WAIT_2 or FINWAIT2.\n' +
    'Without a word: all there is.',
  options: { json: { help: 'as JSON: an array, since a word may stand for several things' } },
  maxArguments: 4,
  run: runExplain,
};

async function runExplain(input: Input): Promise<number> {
  const word = input.positionals.join(' ');
  const json = input.given('json');
  if (word === '') {
    process.stdout.write(json ? `${JSON.stringify(explainable(), null, 2)}\n` : overview());
    return EXIT_OK;
  }
  const found = find(word);
  process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : format(found));
  return EXIT_OK;
}

function find(word: string): Explanation[] {
  try {
    return explain(word);
  } catch (error) {
    if (!(error instanceof UnknownWord)) throw error;
    const { suggestion } = error;
    const fix =
      suggestion === null
        ? 'see what there is: finwait explain'
        : `did you mean finwait explain ${suggestion}?`;
    throw usage(error.message, fix);
  }
}

/** Colour is what node:util thinks of this output: NO_COLOR and pipes have none. */
const hasColour = () => styleText('bold', '', { stream: process.stdout }) !== '';

function format(explanations: readonly Explanation[]): string {
  return formatExplanations(explanations, hasColour())
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function overview(): string {
  const { states, events, words, scenarios } = explainable();
  const list = (title: string, all: readonly string[]) =>
    `${styleText('bold', title)}\n${wrap(all.join(', '), WIDTH, 1).join('\n')}\n`;
  return [
    list('States', states),
    list('Events', events),
    list('Words', words),
    list('Scenarios', scenarios),
  ].join('\n');
}
