// What a debugger tells about itself: its keys and words, as lines. Must not know terminals.

import { COMMANDS } from './command.js';

/** Column in which it says what a command does. */
const HELP_AT = 25;

/** Keys, words, and what they do; as wide as it takes. */
export function helpLines(): string[] {
  const entries = Object.values(COMMANDS);
  const keyWidth = Math.max(...entries.map(({ key }) => key.length));
  const lines = entries.flatMap(({ key, usage, help }) => {
    const head = ` ${key.padEnd(keyWidth)}  ${usage}`;
    return head.length <= HELP_AT - 2
      ? [`${head.padEnd(HELP_AT)}${help}`]
      : [head, `${' '.repeat(HELP_AT)}${help}`];
  });
  return [
    ' Segments of both directions wait at the gate: nothing moves until you say so.',
    ' Keys act on the packet at ▶ (up, down choose); after ":" comes a whole command.',
    '',
    ...lines,
  ];
}
