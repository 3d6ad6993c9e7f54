// What a debugger tells about itself: its keys and words, as lines. Must not know terminals.

import { COMMANDS } from './command.js';
import { wrap } from './layout.js';

/** Column in which it says what a command does. */
const HELP_AT = 25;

const INTRODUCTION =
  'Segments of both directions wait at the gate: nothing moves until you say so.';
const KEYS = 'Keys act on the packet at ▶ (up, down choose); after ":" comes a whole command.';

/** Keys, words, and what they do; lines of at most `columns` letters, which are 40 or more. */
export function helpLines(columns: number): string[] {
  const entries = Object.values(COMMANDS);
  const keyWidth = Math.max(...entries.map(({ key }) => key.length));
  const lines = entries.flatMap(({ key, usage, help }) => {
    const head = ` ${key.padEnd(keyWidth)}  ${usage}`;
    const isShort = head.length <= HELP_AT - 2;
    const told = wrap(help, columns, HELP_AT, HELP_AT);
    return isShort
      ? [head.padEnd(HELP_AT) + told[0]!.trimStart(), ...told.slice(1)]
      : [head, ...told];
  });
  return [...wrap(INTRODUCTION, columns, 1), ...wrap(KEYS, columns, 1), '', ...lines];
}
