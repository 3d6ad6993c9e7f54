// Commands as lines and as keys: all that the help lists can be typed, and nonsense is answered.

import { describe, expect, it } from 'vitest';
import { BreakpointError } from '../../src/debug/breakpoint.js';
import {
  COMMANDS,
  type Command,
  CommandError,
  KEYS,
  parseCommand,
} from '../../src/debug/command.js';
import { helpLines } from '../../src/debug/help.js';

describe('a line', () => {
  it.each<[string, Command | null]>([
    ['step', { name: 'step', times: 1 }],
    ['s 3', { name: 'step', times: 3 }],
    ['  continue  # to the end', { name: 'continue' }],
    ['drop', { name: 'drop', packet: null }],
    ['drop #4', { name: 'drop', packet: 4 }],
    ['swap 4', { name: 'swap', packet: 4 }],
    ['inject rst', { name: 'inject', what: 'rst', towards: 'ours' }],
    ['inject old to theirs', { name: 'inject', what: 'old', towards: 'theirs' }],
    ['inject fin to kernel', { name: 'inject', what: 'fin', towards: 'theirs' }],
    ['unbreak all', { name: 'unbreak', which: null }],
    ['break flag=FIN', { name: 'break', breakpoint: { end: null, on: 'flag', flag: 'FIN' } }],
    ['explain rcv FIN', { name: 'explain', word: 'rcv FIN' }],
    ['# only a comment', null],
    ['', null],
  ])('"%s"', (line, command) => {
    expect(parseCommand(line)).toEqual(command);
  });

  it.each([
    ['stpe', /no command "stpe"/, 'did you mean step?'],
    ['frobnicate', /no command/, 'see help'],
    ['step over', /"over" is no number/, 'write step [TIMES]'],
    ['step 0', /"0" is no number/, 'write step [TIMES]'],
    ['drop 1 2', /"2" is one word too many/, 'write drop [N]'],
    ['inject syn', /rst, fin or old/, /^write inject/],
    ['inject rst to moon', /"moon" is no side/, /^write inject/],
    ['break', /needs a condition/, 'break flag=FIN'],
    ['quit now', /"now" is one word too many/, 'write quit'],
  ])('"%s" is refused, with a way out', (line, message, fix) => {
    const error = refusal(line);
    expect(error.message).toMatch(message);
    expect((error as CommandError).fix).toMatch(fix);
  });

  it('hands on what is wrong with a breakpoint', () => {
    expect(refusal('break state=CLOSEDD')).toBeInstanceOf(BreakpointError);
  });
});

function refusal(line: string): Error {
  try {
    parseCommand(line);
  } catch (error) {
    if (error instanceof CommandError || error instanceof BreakpointError) return error;
    throw error;
  }
  throw new Error(`"${line}" is taken`);
}

describe('the help', () => {
  it.each([60, 80, 132])('names every command, whole, in lines of %i letters', (columns) => {
    const lines = helpLines(columns);
    const text = lines.map((line) => line.trim()).join(' ');
    for (const { usage, help } of Object.values(COMMANDS)) {
      expect(text).toContain(usage);
      expect(text.replaceAll(/ +/g, ' ')).toContain(help);
    }
    for (const line of lines) expect([line, line.length <= columns]).toEqual([line, true]);
  });

  it('promises keys that do what it says', () => {
    for (const [name, { key }] of Object.entries(COMMANDS)) {
      if (key === '' || key.startsWith(':')) continue;
      for (const each of key.split(' ')) {
        expect([name, KEYS[each === 'space' ? ' ' : each]?.name]).toEqual([name, name]);
      }
    }
  });
});
