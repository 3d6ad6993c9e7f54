// What a terminal sends when keys are pressed, as names of keys. Knows escape sequences; must not know what
// keys do.

const ESCAPE = '\u001b';

const SEQUENCES: Readonly<Record<string, string>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  '[H': 'home',
  '[F': 'end',
  '[1~': 'home',
  '[4~': 'end',
  '[5~': 'pageup',
  '[6~': 'pagedown',
};

const CONTROL: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0003': 'ctrl-c',
  '\u0004': 'ctrl-d',
  '\u000c': 'ctrl-l',
  '\u0015': 'ctrl-u',
  '\u001a': 'ctrl-z',
};

/**
 * Keys in what was read, in order: a letter stands for itself, the others have names. `rest` is the
 * beginning of a sequence that may go on in the next piece; by itself it was the escape key.
 */
export function decodeKeys(text: string): { keys: string[]; rest: string } {
  const keys: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] !== ESCAPE) {
      const letter = String.fromCodePoint(text.codePointAt(at)!);
      const key = CONTROL[letter] ?? (letter >= ' ' ? letter : null);
      if (key !== null) keys.push(key);
      at += letter.length;
      continue;
    }
    const sequence = readSequence(text.slice(at + 1));
    if (sequence === null) return { keys, rest: text.slice(at) };
    if (Object.hasOwn(SEQUENCES, sequence)) keys.push(SEQUENCES[sequence]!);
    else if (sequence === '') keys.push('escape');
    at += 1 + sequence.length;
  }
  return { keys, rest: '' };
}

/** What follows an ESC and belongs to it; null when it may not be whole yet. */
function readSequence(text: string): string | null {
  if (text === '') return null;
  if (text[0] !== '[' && text[0] !== 'O') return '';
  // ECMA-48 §5.4: parameters and intermediate bytes, then one final byte.
  const match = /^(?:\[[\x20-\x3f]*[\x40-\x7e]|O[\x40-\x7e])/.exec(text);
  if (match !== null) return match[0];
  return text.length < 16 ? null : text[0];
}
