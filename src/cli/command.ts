// What a command is, how its command line is read and its help is written. Must not know any command.

import { parseArgs, styleText } from 'node:util';
import { nearest } from '../debug/nearest.js';
import { usage } from './failure.js';
import { formatTable } from './text.js';

export { nearest };

/** An option: a switch, or one that takes a value named `value` in the help. */
export interface OptionSpec {
  help: string;
  value?: string;
  /** What it stands for without a value: then it may be left out. */
  bare?: string;
  short?: string;
  default?: string;
  /** May be given several times; the values are then joined with commas. */
  several?: boolean;
}

export interface Command {
  readonly name: string;
  /** Ways to call it, without the program's name. */
  readonly usage: readonly string[];
  readonly description: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Most arguments that it takes besides options. */
  readonly maxArguments: number;
  /** Whether all that follows the first argument belongs to that one, options included. */
  readonly passesOn?: true;
  /** What to do instead with an option that it does not know; default: to see its help. */
  readonly otherOptions?: string;
  /** Runs it; resolves to the exit code. Failures are thrown. */
  run(input: Input): Promise<number>;
}

/** Options that every command has. */
const COMMON: Record<string, OptionSpec> = {
  debug: { help: 'show a stack trace with a failure' },
  help: { short: 'h', help: 'show this help' },
};

/** A command line that has been read. */
export class Input {
  readonly values: ReadonlyMap<string, string | true>;
  private readonly specs: Readonly<Record<string, OptionSpec>>;
  readonly positionals: readonly string[];

  constructor(
    values: ReadonlyMap<string, string | true>,
    specs: Readonly<Record<string, OptionSpec>>,
    positionals: readonly string[],
  ) {
    this.values = values;
    this.specs = specs;
    this.positionals = positionals;
  }

  /** Whether the option is on the command line. */
  given(name: string): boolean {
    return this.values.has(name);
  }

  /** The value of an option, or its default. */
  text(name: string): string | undefined {
    const value = this.values.get(name);
    return typeof value === 'string' ? value : this.specs[name]?.default;
  }

  /** The value of an option as a whole number within bounds. */
  integer(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parseInteger(`--${name}`, text, least, most);
  }
}

/** A whole number within bounds, or a usage failure that says what `what` takes. */
export function parseInteger(what: string, text: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usage(
    `${what} takes a whole number from ${least} to ${most}, not "${text}"`,
    'give a number in that range',
  );
}

/** Reads a command line; throws a usage failure with a suggestion where it makes no sense. */
export function parseCommandLine(command: Command, args: readonly string[]): Input {
  const specs: Record<string, OptionSpec> = { ...command.options, ...COMMON };
  const { tokens } = parseArgs({
    args: command.passesOn ? withFirstEnd(specs, args) : fillBareOptions(specs, args),
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(specs).map(([name, { value, short }]) => [
        name,
        { type: value === undefined ? 'boolean' : 'string', ...(short && { short }) } as const,
      ]),
    ),
  });
  const values = new Map<string, string | true>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const value = readOption(command, specs, token);
    const before = specs[token.name]?.several ? values.get(token.name) : undefined;
    values.set(token.name, before === undefined ? value : `${before},${value}`);
  }
  const surplus = positionals[command.maxArguments];
  if (surplus !== undefined && !values.has('help')) {
    throw usage(`"${surplus}" is one argument too many`, helpHint(command));
  }
  return new Input(values, specs, positionals);
}

/** `--name` becomes `--name=BARE`, and `--name VALUE` `--name=VALUE`, where a value may be left out. */
function fillBareOptions(
  specs: Readonly<Record<string, OptionSpec>>,
  args: readonly string[],
): string[] {
  const filled: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (word === '--') return [...filled, ...args.slice(i)];
    const name = word.slice(2);
    const bare =
      word.startsWith('--') && Object.hasOwn(specs, name) ? specs[name]?.bare : undefined;
    const next = args[i + 1];
    if (bare === undefined) filled.push(word);
    else if (next === undefined || next.startsWith('-')) filled.push(`${word}=${bare}`);
    else filled.push(`${word}=${args[++i]}`);
  }
  return filled;
}

/** Puts `--` before the first argument, so that what follows is taken as it stands. */
function withFirstEnd(
  specs: Readonly<Record<string, OptionSpec>>,
  args: readonly string[],
): readonly string[] {
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (word === '--') return args;
    if (!word.startsWith('-')) return [...args.slice(0, i), '--', ...args.slice(i)];
    const name = word.slice(2);
    if (Object.hasOwn(specs, name) && specs[name]!.value !== undefined) i += 1;
  }
  return args;
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function readOption(
  command: Command,
  specs: Readonly<Record<string, OptionSpec>>,
  token: OptionToken,
): string | true {
  const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
  if (spec === undefined) {
    const near = token.rawName.startsWith('--') ? nearest(token.name, Object.keys(specs)) : null;
    throw usage(
      `unknown option ${token.rawName}`,
      near === null ? (command.otherOptions ?? helpHint(command)) : `did you mean --${near}?`,
    );
  }
  if (spec.value === undefined) {
    if (token.value === undefined) return true;
    throw usage(`${token.rawName} takes no value`, `leave out "=${token.value}"`);
  }
  // A number below zero is a value, and may then be refused as one.
  const swallowed = token.inlineValue === false && /^-[^\d]/.test(token.value ?? '');
  if (token.value === undefined || token.value === '' || swallowed) {
    throw usage(`${token.rawName} needs a value`, `write ${token.rawName} ${spec.value}`);
  }
  return token.value;
}

/** One line that points to a command's help. */
export function helpHint(command: Command): string {
  return `see finwait ${command.name} --help`;
}

/** The help of a command, as text. */
export function formatHelp(command: Command): string {
  const calls = command.usage.map((call) => `  finwait ${call}\n`).join('');
  const rows = Object.entries({ ...command.options, ...COMMON }).map(([name, spec]) => [
    `  ${spec.short === undefined ? '   ' : `-${spec.short},`} --${name}${formatValue(spec)}`,
    spec.help + (spec.default === undefined ? '' : ` (${spec.default})`),
  ]);
  const heading = (text: string) => styleText('bold', text);
  return `${command.description}\n\n${heading('Usage')}\n${calls}\n${heading('Options')}\n${formatTable(rows)}`;
}

function formatValue({ value, bare }: OptionSpec): string {
  if (value === undefined) return '';
  return bare === undefined ? ` ${value}` : ` [${value}]`;
}
