// What a debugger tells about itself, and about words of TCP, as lines for a screen or a pipe. Must not know
// terminals.

import { COMMANDS } from './command.js';

/** Keys, words, and what they do; as wide as it takes. */
export function helpLines(): string[] {
  const entries = Object.values(COMMANDS);
  const keyWidth = Math.max(...entries.map(({ key }) => key.length));
  const lines = entries.map(({ key, usage, help }) => {
    const head = ` ${key.padEnd(keyWidth)}  ${usage}`;
    return head.length <= HELP_AT - 2
      ? [`${head.padEnd(HELP_AT)}${help}`]
      : [head, `${' '.repeat(HELP_AT)}${help}`];
  });
  return [
    ' Segments of both directions wait at the gate: nothing moves until you say so.',
    ' Keys act on the packet at ▶ (up, down choose); after ":" comes a whole command.',
    '',
    ...lines.flat(),
  ];
}

const HELP_AT = 25;
