// Text in cells: cut, pad, wrap, and letters for terminals that know no others. Must not know what it says.

import { cutText } from '../trace/ladder-words.js';

/** How a terminal can show things. */
export interface Style {
  /** SGR sequences for bold and colour. */
  colour: boolean;
  /** Letters beyond ASCII. */
  unicode: boolean;
}

export type Paint = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'inverse';

const SGR: Readonly<Record<Paint, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
  inverse: [7, 27],
};

/** One letter for one, so that columns stay where they are. */
const ASCII: Readonly<Record<string, string>> = {
  '→': '>',
  '←': '<',
  '─': '-',
  '│': '|',
  '…': '~',
  '·': '-',
  '’': "'",
  '▶': '>',
  '◀': '<',
  '┤': '|',
  '├': '|',
  '╞': '|',
  '╡': '|',
  '┊': ':',
  '═': '=',
  '●': 'o',
  '§': 'S',
};

/** Replaces letters that a terminal without Unicode does not have. */
export function toAscii(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is not ASCII is looked for
  return text.replace(/[^\x00-\x7f]/gu, (letter) => ASCII[letter] ?? '?');
}

export function paint(text: string, colour: boolean, ...paints: readonly Paint[]): string {
  if (!colour) return text;
  return paints.reduce((inner, name) => {
    const [on, off] = SGR[name];
    return `\u001b[${on}m${inner}\u001b[${off}m`;
  }, text);
}

/** Exactly `width` letters. */
export function toWidth(text: string, width: number): string {
  return cutText(text, width).padEnd(width);
}

/** Lines of at most `width` letters, broken at spaces; the first one begins with `first` spaces. */
export function wrap(text: string, width: number, indent = 3, first = 1): string[] {
  const lines: string[] = [];
  let line = ' '.repeat(first);
  let isEmpty = true;
  for (const word of text.split(' ')) {
    const longer = isEmpty ? line + word : `${line} ${word}`;
    if (longer.length > width && !isEmpty) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else {
      line = longer;
    }
    isEmpty = false;
  }
  return [...lines, line].map((each) => cutText(each, width));
}

/** `── title ─────────` over the whole width. */
export function rule(title: string, width: number): string {
  const head = title === '' ? '' : `── ${title} `;
  return cutText(head + '─'.repeat(Math.max(width - head.length, 0)), width);
}
