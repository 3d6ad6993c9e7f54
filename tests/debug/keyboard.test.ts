// What terminals send for keys: letters, names, and sequences that come in pieces.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeKeys } from '../../src/debug/keyboard.js';

describe('keys', () => {
  it.each<[string, string[]]>([
    ['cq', ['c', 'q']],
    [' \r\n', [' ', 'enter', 'enter']],
    ['\u001b[A\u001b[B\u001bOC\u001b[D', ['up', 'down', 'right', 'left']],
    ['\u001b[5~\u001b[6~\u001b[H\u001b[4~', ['pageup', 'pagedown', 'home', 'end']],
    ['\u0003\u0004\u001a\u007f\u0015', ['ctrl-c', 'ctrl-d', 'ctrl-z', 'backspace', 'ctrl-u']],
    ['\u001b[1;5C\u001b[200~x', ['x']],
    ['\u001bq', ['escape', 'q']],
    ['é😀', ['é', '😀']],
    ['\u0001\u0002', []],
  ])('%j', (text, keys) => {
    expect(decodeKeys(text)).toEqual({ keys, rest: '' });
  });

  it('waits for the rest of what may go on', () => {
    expect(decodeKeys('a\u001b')).toEqual({ keys: ['a'], rest: '\u001b' });
    expect(decodeKeys('\u001b[')).toEqual({ keys: [], rest: '\u001b[' });
    expect(decodeKeys('\u001b[1;5')).toEqual({ keys: [], rest: '\u001b[1;5' });
  });

  it('are the same however the bytes are cut into pieces', () => {
    const pieces = fc.constantFrom('a', ' ', '\r', '\u001b[A', '\u001bOB', '\u001b[5~', '\u0003');
    fc.assert(
      fc.property(fc.array(pieces), fc.nat(), (keys, at) => {
        const text = keys.join('');
        const cut = at % (text.length + 1);
        const first = decodeKeys(text.slice(0, cut));
        const second = decodeKeys(first.rest + text.slice(cut));
        expect([...first.keys, ...second.keys]).toEqual(decodeKeys(text).keys);
      }),
    );
  });
});
