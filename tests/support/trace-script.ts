// The notation of traces: text to lines, segments to text. Knows grammar; must not know any stack.
//
//   line     := time [flow ':'] [action] [two spaces, state] ['#' comment]
//   time     := '0' | '1.5' (from the start) | '+0.01' | '+2MSL' | '+2MSL-0.001' (from the line before)
//   action   := '<' segment | '>' segment | '<' icmp | '>' icmp | step (';' step)*
//   segment  := flags seq ':' end '(' length ')' ['ack' n] ['win' n] ['urg' n] ['<' options '>'] extra*
//   options  := 'mss' n | 'wscale' n | 'sackOK' | 'nop' | 'eol' | 'TS' val ecr | 'sack' (a ':' b)+
//               | 'hex' digits, with commas between; '<*>' expects any options
//   extra    := 'gso' n | 'tos' n | 'ttl' n | 'badsum' | 'doff' n | 'from' address | 'to' address
//               | 'ipopt' digits | 'more' (the next segment arrives in the same turn)
//   icmp     := 'icmp' kind [word] ['mtu' n] '[' seq ':' end '(' length ')' ']' | 'icmp' echo n
//   step     := call '(' arguments ')' ['=' result] | event | 'no' event   (calls: see CALLS)
//
// `<` goes to the stack under test, `>` comes from it. Sequence and acknowledgment numbers count
// from the SYN; `win` is the 16 bits of the header, not scaled; TSvals of the stack under test count
// from its first one, `*` expects any.

import type { TcpOption } from './trace-packet.js';

export type Timestamp = number | '*';
export type OptionSpec =
  | Exclude<TcpOption, { kind: 'TS' }>
  | { kind: 'TS'; val: Timestamp; ecr: Timestamp };

export interface SegmentSpec {
  flags: string;
  seq: number;
  length: number;
  ack: number | null;
  win: number | null;
  urg: number | null;
  options: OptionSpec[] | '*';
  gso: number | null;
  tos: number | null;
  ttl: number | null;
  badsum: boolean;
  doff: number | null;
  from: string | null;
  to: string | null;
  ipopt: number[] | null;
  more: boolean;
}

export interface IcmpSpec {
  kind: string;
  code: string | null;
  mtu: number | null;
  quote: { seq: number; length: number } | null;
  /** Payload bytes of an echo. */
  bytes: number;
}

export type Step =
  | { call: string; args: string[]; result: string | null }
  | { event: string; absent: boolean };

export type Action =
  | { kind: 'in' | 'out'; segment: SegmentSpec }
  | { kind: 'in-icmp' | 'out-icmp'; icmp: IcmpSpec }
  | { kind: 'steps'; steps: Step[] }
  | { kind: 'wait' };

export interface Line {
  number: number;
  text: string;
  /** Microseconds: after the line before, or from the start. */
  time: { relative: boolean; us: number; msls: number };
  flow: number;
  action: Action;
  state: string | null;
}

/** Calls that a trace can make: how many arguments, at least and at most. */
export const CALLS: Readonly<Record<string, readonly [number, number]>> = {
  connect: [0, 0],
  listen: [0, 1],
  unlisten: [0, 0],
  accept: [0, 0],
  write: [1, 1],
  read: [1, 1],
  skip: [1, 1],
  sendUrgent: [1, 1],
  shutdown: [0, 0],
  close: [0, 1],
  abort: [0, 0],
  noDelay: [1, 1],
  keepAlive: [1, 4],
  userTimeout: [1, 1],
  /** Traffic class and hop limit. */
  headerFields: [2, 2],
  readable: [0, 0],
  writable: [0, 0],
  unsent: [0, 0],
  unacknowledged: [0, 0],
  ended: [0, 0],
  passive: [0, 0],
  urgentRemaining: [0, 0],
  info: [1, 1],
  counter: [1, 1],
  halfOpen: [0, 0],
  waiting: [0, 0],
  timeWaits: [0, 0],
  connections: [0, 0],
  /** The states that the application was told of since it was asked last: `FIN-WAIT-1>TIME-WAIT`. */
  states: [0, 0],
  /** Bytes of the arena in use. */
  memory: [0, 0],
  /** The process is held up: seconds pass in which neither packets are read nor timers run. */
  stall: [1, 1],
};

const EVENT =
  /^(established|readable|writable|end|urgent|connection|closed\(\w+(?:, ?\w+)?\)|closed|advice\(\w+\)|advice)$/;
const STATES =
  /^(CLOSED|LISTEN|SYN-SENT|SYN-RECEIVED|ESTABLISHED|CLOSE-WAIT|FIN-WAIT-[12]|CLOSING|LAST-ACK|TIME-WAIT)$/;
const TIME = /^(\+?)(?:(\d*)(MSL)|(\d+(?:\.\d+)?))(-\d+(?:\.\d+)?)?(?:\s+|$)/;
const FLAG_ORDER = 'SFRPUEW.';

/** A mistake in the notation. */
export class ScriptError extends Error {
  constructor(line: number, text: string, complaint: string) {
    super(`line ${line}: ${complaint}\n  ${text.trim()}`);
    this.name = 'ScriptError';
  }
}

/** @throws ScriptError with the number of the line, counted from 1 in `script`. */
export function parseScript(script: string): Line[] {
  const lines: Line[] = [];
  script.split('\n').forEach((text, index) => {
    const bare = text.replace(/(^|\s)#.*$/, '').trimEnd();
    if (bare.trim() === '') return;
    const cursor = new Cursor(bare.trim(), index + 1, text);
    lines.push(parseLine(cursor, text));
  });
  return lines;
}

function parseLine(cursor: Cursor, text: string): Line {
  const [, plus, msls, msl, seconds, less] = cursor.expect(TIME, 'a time');
  const us = Math.round((Number(seconds ?? 0) + Number(less ?? 0)) * 1e6);
  const time = {
    relative: plus === '+',
    us,
    msls: msl === undefined ? 0 : Number(msls === '' ? 1 : msls),
  };
  const flow = Number(cursor.optional(/^(\d+):\s+/)?.[1] ?? 1);
  const state = cursor.cutRight(/(?:^|\s{2,})([A-Z][A-Z0-9-]+)$/);
  if (state !== null && !STATES.test(state)) cursor.fail(`no state has the name ${state}`);
  const action = parseAction(cursor);
  if (action.kind === 'wait' && !time.relative && state === null) cursor.fail('nothing to do');
  return { number: cursor.line, text: text.trim(), time, flow, action, state };
}

function parseAction(cursor: Cursor): Action {
  if (cursor.done) return { kind: 'wait' };
  const direction = cursor.optional(/^([<>])\s*/)?.[1];
  if (direction === undefined) return { kind: 'steps', steps: parseSteps(cursor) };
  const inward = direction === '<';
  if (cursor.optional(/^icmp\s+/) !== null) {
    return { kind: inward ? 'in-icmp' : 'out-icmp', icmp: parseIcmpSpec(cursor) };
  }
  const segment = parseSegment(cursor);
  if (inward && segment.options === '*') cursor.fail('a segment to send needs its options');
  return { kind: inward ? 'in' : 'out', segment };
}

function parseRange(cursor: Cursor): { seq: number; length: number } {
  const [, from, to, size] = cursor.expect(
    /^(-?\d+):(-?\d+)\((\d+)\)\s*/,
    'sequence numbers, such as 1:11(10)',
  );
  const length = Number(size);
  if (Number(to) - Number(from) !== length) cursor.fail(`${from}:${to} is not ${length} bytes`);
  return { seq: Number(from), length };
}

function parseSegment(cursor: Cursor): SegmentSpec {
  const letters = cursor.expect(/^([SFRPUEW]*\.?|-)\s+/, 'flags, such as FP.')[1]!;
  const flags = letters === '-' ? '' : canonicalFlags(letters);
  if (flags.length !== letters.replace('-', '').length) cursor.fail(`flags ${letters} twice`);
  const { seq, length } = parseRange(cursor);
  const ack = cursor.number(/^ack\s+(-?\d+)\s*/);
  const win = cursor.number(/^win\s+(\d+)\s*/);
  const urg = cursor.number(/^urg\s+(\d+)\s*/);
  if ((ack !== null) !== flags.includes('.')) cursor.fail('the flag . and "ack n" go together');
  if ((urg !== null) !== flags.includes('U')) cursor.fail('the flag U and "urg n" go together');
  const list = cursor.optional(/^<([^>]*)>\s*/)?.[1]?.trim();
  const options = list === '*' ? ('*' as const) : parseOptions(cursor, list);
  const spec: SegmentSpec = {
    ...{ flags, seq, length, ack, win, urg, options },
    ...{ gso: null, tos: null, ttl: null, badsum: false, doff: null },
    ...{ from: null, to: null, ipopt: null, more: false },
  };
  while (!cursor.done) parseExtra(cursor, spec);
  return spec;
}

function parseExtra(cursor: Cursor, spec: SegmentSpec): void {
  const word = cursor.expect(/^(\w+)\s*/, 'the end of the segment')[1]!;
  const argument = (pattern: RegExp) => cursor.expect(pattern, `what follows ${word}`)[1]!;
  if (word === 'gso' || word === 'tos' || word === 'ttl' || word === 'doff') {
    spec[word] = Number(argument(/^(\d+)\s*/));
  } else if (word === 'badsum' || word === 'more') spec[word] = true;
  else if (word === 'from' || word === 'to') spec[word] = argument(/^([\da-f.:]+)\s*/);
  else if (word === 'ipopt') spec.ipopt = hexBytes(argument(/^((?:[\da-f]{2})+)\s*/));
  else cursor.fail(`"${word}" is no part of a segment`);
}

function parseOptions(cursor: Cursor, list: string | undefined): OptionSpec[] {
  if (list === undefined) return [];
  return list.split(',').map((item) => {
    const option = parseOption(item.trim());
    return option ?? cursor.fail(`no option is written "${item.trim()}"`);
  });
}

function parseOption(text: string): OptionSpec | null {
  const [name, ...words] = text.split(' ');
  const fits = (...patterns: RegExp[]) =>
    words.length === patterns.length && patterns.every((p, i) => p.test(words[i]!));
  if ((name === 'nop' || name === 'eol' || name === 'sackOK') && fits()) return { kind: name };
  if ((name === 'mss' || name === 'wscale') && fits(/^\d+$/)) {
    return { kind: name, value: Number(words[0]) };
  }
  if (name === 'hex' && fits(/^([\da-f]{2})+$/)) return { kind: 'hex', bytes: hexBytes(words[0]!) };
  if (name === 'TS' && fits(/^(\d+|\*)$/, /^(\d+|\*)$/)) {
    const value = (digits: string): Timestamp => (digits === '*' ? '*' : Number(digits));
    return { kind: 'TS', val: value(words[0]!), ecr: value(words[1]!) };
  }
  if (name === 'sack' && words.length > 0 && words.every((word) => /^-?\d+:-?\d+$/.test(word))) {
    return { kind: 'sack', blocks: words.map((w) => w.split(':').map(Number) as [number, number]) };
  }
  return null;
}

function parseIcmpSpec(cursor: Cursor): IcmpSpec {
  const kinds = /^(unreachable|too-big|time-exceeded|parameter-problem|source-quench)(?:\s+|$)/;
  const echo = cursor.optional(/^(echo-request|echo-reply)\s+(\d+)$/);
  const none = { code: null, mtu: null, quote: null, bytes: 0 };
  if (echo !== null) return { ...none, kind: echo[1]!, bytes: Number(echo[2]) };
  const kind = cursor.expect(kinds, 'a kind of ICMP message')[1]!;
  const code = cursor.optional(/^(net|host|protocol|port|admin|frag)\s+/)?.[1] ?? null;
  if ((kind === 'unreachable') !== (code !== null))
    cursor.fail('unreachable, and only it, says what');
  const mtu = cursor.number(/^mtu\s+(\d+)\s+/);
  cursor.expect(/^\[/, 'the quoted segment, such as [1:11(10)]');
  const quote = parseRange(cursor);
  cursor.expect(/^\]$/, 'the end of the quoted segment');
  return { ...none, kind, code, mtu, quote };
}

function parseSteps(cursor: Cursor): Step[] {
  return cursor.rest.split(';').map((part) => {
    const text = part.trim();
    const absent = /^no\s+(.*)$/.exec(text);
    if (absent !== null && EVENT.test(absent[1]!)) return { event: absent[1]!, absent: true };
    if (EVENT.test(text)) return { event: text, absent: false };
    const found = /^(\w+)\(([^()]*)\)(?:\s*=\s*([\w.>-]+))?$/.exec(text);
    if (found === null) return cursor.fail(`neither a call nor an event: "${text}"`);
    const [, call, list, result] = found as unknown as [string, string, string, string?];
    const arity = Object.hasOwn(CALLS, call) ? CALLS[call] : undefined;
    if (arity === undefined) return cursor.fail(`there is no call ${call}()`);
    const args = list.trim() === '' ? [] : list.split(',').map((arg) => arg.trim());
    if (args.length < arity[0] || args.length > arity[1]) {
      return cursor.fail(`${call}() does not take ${args.length} arguments`);
    }
    return { call, args, result: result ?? null };
  });
}

function hexBytes(digits: string): number[] {
  return digits.match(/../g)!.map((pair) => Number.parseInt(pair, 16));
}

export function canonicalFlags(letters: string): string {
  return [...FLAG_ORDER].filter((letter) => letters.includes(letter)).join('');
}

/** A segment in the notation in which it is read. */
export function formatSegment(spec: SegmentSpec): string {
  const words = [spec.flags || '-', formatRange(spec.seq, spec.length)];
  if (spec.ack !== null) words.push(`ack ${spec.ack}`);
  if (spec.win !== null) words.push(`win ${spec.win}`);
  if (spec.urg !== null) words.push(`urg ${spec.urg}`);
  if (spec.options === '*') words.push('<*>');
  else if (spec.options.length > 0) words.push(`<${spec.options.map(formatOption).join(',')}>`);
  if (spec.gso !== null) words.push(`gso ${spec.gso}`);
  if (spec.tos !== null) words.push(`tos ${spec.tos}`);
  if (spec.ttl !== null) words.push(`ttl ${spec.ttl}`);
  return words.join(' ');
}

export function formatRange(seq: number, length: number): string {
  return `${seq}:${seq + length}(${length})`;
}

export function formatOption(option: OptionSpec): string {
  switch (option.kind) {
    case 'mss':
    case 'wscale':
      return `${option.kind} ${option.value}`;
    case 'TS':
      return `TS ${option.val} ${option.ecr}`;
    case 'sack':
      return `sack ${option.blocks.map(([a, b]) => `${a}:${b}`).join(' ')}`;
    case 'hex':
      return `hex ${option.bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
    default:
      return option.kind;
  }
}

/** The unread part of a line. */
class Cursor {
  rest: string;
  readonly line: number;
  private readonly text: string;

  constructor(rest: string, line: number, text: string) {
    this.rest = rest;
    this.line = line;
    this.text = text;
  }

  get done(): boolean {
    return this.rest === '';
  }

  fail(complaint: string): never {
    throw new ScriptError(this.line, this.text, complaint);
  }

  optional(pattern: RegExp): RegExpExecArray | null {
    const found = pattern.exec(this.rest);
    if (found !== null) this.rest = this.rest.slice(found[0].length);
    return found;
  }

  expect(pattern: RegExp, what: string): RegExpExecArray {
    return this.optional(pattern) ?? this.fail(`expected ${what}, found "${this.rest}"`);
  }

  number(pattern: RegExp): number | null {
    const found = this.optional(pattern);
    return found === null ? null : Number(found[1]);
  }

  /** Takes a match away from the end; its first group, or null. */
  cutRight(pattern: RegExp): string | null {
    const found = pattern.exec(this.rest);
    if (found === null) return null;
    this.rest = this.rest.slice(0, found.index);
    return found[1]!;
  }
}
