// How command lines are read, and what is said about those that make no sense.

import { describe, expect, it } from 'vitest';
import { type Command, formatHelp, nearest, parseCommandLine } from '../../src/cli/command.js';
import { Failure } from '../../src/cli/failure.js';

const command: Command = {
  name: 'try',
  usage: ['try [options] THING'],
  description: 'Tries.',
  options: {
    name: { value: 'NAME', help: 'name of it', default: 'fw0' },
    count: { value: 'N', help: 'how many' },
    'no-offload': { help: 'do it here' },
    probe: { value: 'PORT|off', help: 'try it there', default: 'off', bare: '7' },
    listen: { short: 'l', help: 'listen' },
    verbose: { short: 'v', help: 'talk' },
  },
  maxArguments: 1,
  run: async () => 0,
};

function parse(...args: string[]) {
  return parseCommandLine(command, args);
}

function failureOf(...args: string[]): Failure {
  try {
    parse(...args).integer('count', 1, 10);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`${args.join(' ')} was accepted`);
}

describe('a command line', () => {
  it('is read into options with defaults, switches and arguments', () => {
    const input = parse('-lv', '--count=7', 'here', '--no-offload');
    expect(input.text('name')).toBe('fw0');
    expect(input.given('name')).toBe(false);
    expect(input.integer('count', 1, 10)).toBe(7);
    expect(['listen', 'verbose', 'no-offload'].every((name) => input.given(name))).toBe(true);
    expect(input.positionals).toEqual(['here']);
  });

  it.each([
    [[], 'off'],
    [['--probe'], '7'],
    [['--probe', '-v'], '7'],
    [['--probe', '--name', 'x'], '7'],
    [['--probe', '8'], '8'],
    [['--probe=9', 'here'], '9'],
    [['--probe', 'off'], 'off'],
    [['--', '--probe'], 'off'],
  ])('%j: a value that may be left out is %s', (args, value) => {
    expect(parse(...args).text('probe')).toBe(value);
  });

  it('takes what follows -- as arguments, and the last of repeated options', () => {
    const input = parse('--name', 'a', '--name', 'b', '--', '-x');
    expect(input.text('name')).toBe('b');
    expect(input.positionals).toEqual(['-x']);
  });

  it.each([
    [['--nmae', 'x'], 'unknown option --nmae', 'did you mean --name?'],
    [['--verb'], 'unknown option --verb', 'did you mean --verbose?'],
    [['--no-offlaod'], 'unknown option --no-offlaod', 'did you mean --no-offload?'],
    [['--constructor'], 'unknown option --constructor', 'see finwait try --help'],
    [['-x'], 'unknown option -x', 'see finwait try --help'],
    [['--name'], '--name needs a value', 'write --name NAME'],
    [['--name='], '--name needs a value', 'write --name NAME'],
    [['--name', '--listen'], '--name needs a value', 'write --name NAME'],
    [['--listen=yes'], '--listen takes no value', 'leave out "=yes"'],
    [['a', 'b'], '"b" is one argument too many', 'see finwait try --help'],
    [['--count', 'x'], '--count takes a whole number from 1 to 10, not "x"', 'range'],
    [['--count', '11'], '--count takes a whole number from 1 to 10, not "11"', 'range'],
    [['--count', '1.5'], '--count takes a whole number from 1 to 10, not "1.5"', 'range'],
    [['--count', '99999999999999999999'], '--count takes a whole number', 'range'],
  ])('%j is refused: %s', (args, message, fix) => {
    const failure = failureOf(...args);
    expect(failure.exitCode).toBe(2);
    expect(failure.message).toContain(message);
    expect(failure.fix).toContain(fix);
  });
});

describe('help', () => {
  it('lists every option with its value and default', () => {
    const help = formatHelp(command);
    expect(help).toContain('finwait try [options] THING');
    expect(help).toMatch(/ {6}--name NAME {9}name of it \(fw0\)\n/);
    expect(help).toMatch(/ {6}--probe \[PORT\|off\] {2}try it there \(off\)\n/);
    expect(help).toMatch(/ {2}-l, --listen {12}listen\n/);
    expect(help).toMatch(/ {2}-h, --help {14}show this help\n/);
  });
});

describe('nearest', () => {
  it.each([
    ['sevre', 'serve'],
    ['s', 'ss'],
    ['doc', 'doctor'],
    ['sss', 'ss'],
    ['netcat', null],
  ])('%s: %s', (word, expected) => {
    expect(nearest(word, ['serve', 'nc', 'ss', 'doctor'])).toBe(expected);
  });
});
