// What a person may ask of the debugger, as words, keys and data. Knows spelling; must not know what a
// command does.

import type { End } from '../trace/event.js';
import { type Breakpoint, parseBreakpoint } from './breakpoint.js';
import type { Deed, Forgery } from './debuggee.js';
import { endNamed, suggestion } from './words.js';

export type Command =
  | { name: 'step'; times: number }
  | { name: 'continue' }
  | { name: 'break'; breakpoint: Breakpoint }
  | { name: 'breaks' }
  /** `which` counts from 1; null: all. */
  | { name: 'unbreak'; which: number | null }
  /** `packet` null: the one that is chosen, or the oldest. */
  | { name: Deed; packet: number | null }
  | { name: 'choose'; by: 1 | -1 }
  | { name: 'inject'; what: Forgery; towards: End }
  | { name: 'skip' }
  | { name: 'follow' }
  | { name: 'back'; times: number }
  | { name: 'branch' }
  | { name: 'explain'; word: string | null }
  | { name: 'ladder' }
  | { name: 'help' }
  | { name: 'quit' };

/** A line that is no command; the message says why, `fix` what would be one. */
export class CommandError extends Error {
  override name = 'CommandError';
  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}

interface Entry {
  /** How it is written. */
  usage: string;
  /** The key that does it at once; empty where only the word does. */
  key: string;
  help: string;
  parse(words: readonly string[]): Command;
}

const plain =
  <Name extends 'continue' | 'breaks' | 'skip' | 'follow' | 'branch' | 'ladder' | 'help' | 'quit'>(
    name: Name,
  ) =>
  (words: readonly string[]): Command => {
    none(words);
    return { name };
  };

const deed = (name: Deed) => (words: readonly string[]) => {
  none(words.slice(1));
  return { name, packet: words[0] === undefined ? null : number(words[0].replace(/^#/, '')) };
};

/** All commands, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  step: {
    usage: 'step [TIMES]',
    key: 'space',
    help: 'do what stands at "next"',
    parse: (words) => ({ name: 'step', times: times(words) }),
  },
  continue: {
    usage: 'continue',
    key: 'c',
    help: 'step until a breakpoint, or the end; any key stops it',
    parse: plain('continue'),
  },
  break: {
    usage: 'break CONDITION',
    key: '',
    help: 'stop at state=CLOSED, flag=FIN, timer=…, ours:segment=9',
    parse: (words) => {
      if (words.length === 0) throw new CommandError('break needs a condition', 'break flag=FIN');
      none(words.slice(1));
      return { name: 'break', breakpoint: parseBreakpoint(words[0]!) };
    },
  },
  breaks: { usage: 'breaks', key: '', help: 'list breakpoints', parse: plain('breaks') },
  unbreak: {
    usage: 'unbreak N|all',
    key: '',
    help: 'remove a breakpoint',
    parse: (words) => {
      none(words.slice(1));
      return { name: 'unbreak', which: words[0] === 'all' ? null : number(words[0] ?? '') };
    },
  },
  pass: { usage: 'pass [N]', key: 'p', help: 'let this one go first', parse: deed('pass') },
  drop: { usage: 'drop [N]', key: 'd', help: 'lose it', parse: deed('drop') },
  delay: {
    usage: 'delay [N]',
    key: 'l',
    help: 'later: behind all that waits',
    parse: deed('delay'),
  },
  duplicate: {
    usage: 'duplicate [N]',
    key: 'u',
    help: 'a copy right behind it',
    parse: deed('duplicate'),
  },
  swap: {
    usage: 'swap [N]',
    key: 'w',
    help: 'change places with the next of its direction',
    parse: deed('swap'),
  },
  corrupt: {
    usage: 'corrupt [N]',
    key: 'x',
    help: 'spoil its checksum',
    parse: deed('corrupt'),
  },
  inject: {
    usage: 'inject rst|fin|old [to ours|theirs]',
    key: 'r f o',
    help: 'forge a segment towards us (R F O: towards the peer)',
    parse: parseInject,
  },
  skip: {
    usage: 'skip',
    key: 't',
    help: 'let time pass to the next timer (simulation)',
    parse: plain('skip'),
  },
  back: {
    usage: 'back [TIMES]',
    key: 'b',
    help: 'one step back',
    parse: (words) => ({ name: 'back', times: times(words) }),
  },
  branch: {
    usage: 'branch',
    key: 'B',
    help: 'go on from here in simulation',
    parse: plain('branch'),
  },
  follow: {
    usage: 'follow',
    key: 'tab',
    help: 'show the next connection (of a running stack)',
    parse: plain('follow'),
  },
  explain: {
    usage: 'explain [WORD]',
    key: 'e',
    help: 'what both states mean, or a word such as RST or CLOSE',
    parse: (words) => ({ name: 'explain', word: words.length === 0 ? null : words.join(' ') }),
  },
  ladder: { usage: 'ladder', key: 'v', help: 'view the whole ladder', parse: plain('ladder') },
  help: { usage: 'help', key: '?', help: 'this list', parse: plain('help') },
  quit: { usage: 'quit', key: 'q', help: 'end', parse: plain('quit') },
};

const SHORT: Readonly<Record<string, string>> = {
  s: 'step',
  n: 'step',
  c: 'continue',
  b: 'break',
  h: 'help',
  '?': 'help',
  q: 'quit',
  exit: 'quit',
};

/**
 * Reads a line of a script or of the prompt; null for an empty one or a `# comment`.
 * @throws CommandError or BreakpointError with a suggestion
 */
export function parseCommand(line: string): Command | null {
  const [word, ...words] = line
    .replace(/#(?!\d).*/, '')
    .split(/\s+/)
    .filter(Boolean);
  if (word === undefined) return null;
  const name = SHORT[word] ?? word.toLowerCase();
  if (Object.hasOwn(COMMANDS, name)) {
    try {
      return COMMANDS[name]!.parse(words);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new CommandError(error.message, `write ${COMMANDS[name]!.usage}`);
    }
  }
  const near = suggestion(name, Object.keys(COMMANDS));
  throw new CommandError(
    `there is no command "${word}"`,
    near === null ? 'see help' : `did you mean ${near}?`,
  );
}

/** Commands that a key gives at once; keys as `keyboard.ts` names them. */
export const KEYS: Readonly<Record<string, Command>> = {
  ' ': { name: 'step', times: 1 },
  enter: { name: 'step', times: 1 },
  s: { name: 'step', times: 1 },
  right: { name: 'step', times: 1 },
  c: { name: 'continue' },
  p: { name: 'pass', packet: null },
  d: { name: 'drop', packet: null },
  l: { name: 'delay', packet: null },
  u: { name: 'duplicate', packet: null },
  w: { name: 'swap', packet: null },
  x: { name: 'corrupt', packet: null },
  down: { name: 'choose', by: 1 },
  j: { name: 'choose', by: 1 },
  up: { name: 'choose', by: -1 },
  k: { name: 'choose', by: -1 },
  r: { name: 'inject', what: 'rst', towards: 'ours' },
  f: { name: 'inject', what: 'fin', towards: 'ours' },
  o: { name: 'inject', what: 'old', towards: 'ours' },
  R: { name: 'inject', what: 'rst', towards: 'theirs' },
  F: { name: 'inject', what: 'fin', towards: 'theirs' },
  O: { name: 'inject', what: 'old', towards: 'theirs' },
  t: { name: 'skip' },
  tab: { name: 'follow' },
  b: { name: 'back', times: 1 },
  left: { name: 'back', times: 1 },
  B: { name: 'branch' },
  e: { name: 'explain', word: null },
  v: { name: 'ladder' },
  '?': { name: 'help' },
  h: { name: 'help' },
  q: { name: 'quit' },
};

function parseInject(words: readonly string[]): Command {
  const [what, ...rest] = words.filter((word) => word !== 'to');
  none(rest.slice(1));
  const towards = endNamed(rest[0] ?? 'ours');
  if (what !== 'rst' && what !== 'fin' && what !== 'old') {
    throw new SyntaxError('rst, fin or old can be injected');
  }
  if (towards === null) throw new SyntaxError(`"${rest[0]}" is no side`);
  return { name: 'inject', what, towards };
}

function none(words: readonly string[]): void {
  if (words.length > 0) throw new SyntaxError(`"${words[0]}" is one word too many`);
}

function times(words: readonly string[]): number {
  none(words.slice(1));
  return words[0] === undefined ? 1 : number(words[0]);
}

function number(word: string): number {
  if (/^[1-9]\d{0,5}$/.test(word)) return Number(word);
  throw new SyntaxError(`"${word}" is no number from 1 on`);
}
