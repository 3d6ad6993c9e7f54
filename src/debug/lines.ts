// A session by lines: commands come in one by one, text goes out. For scripts, pipes and terminals without a
// screen. Must not know where lines come from.

import { BreakpointError, formatBreakpoint } from './breakpoint.js';
import { type Command, CommandError, parseCommand } from './command.js';
import { Refusal } from './debuggee.js';
import { UnknownWord } from './explain.js';
import { explainLines } from './explain-text.js';
import { helpLines } from './help.js';
import { ladderLines } from './ladder.js';
import { type Style, toAscii } from './layout.js';
import { formatView } from './report.js';
import type { Session } from './session.js';

/** As wide as text is where nobody knows the width. */
const COLUMNS = 80;

/** A line of a script that cannot be carried out. */
export class ScriptError extends Error {
  override name = 'ScriptError';
  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}

export interface LinesOptions {
  lines: AsyncIterable<string> | Iterable<string>;
  write: (text: string) => void;
  style: Style;
  /** Written before each line is read; null for a script, which ends at the first line that fails. */
  prompt: string | null;
  /** Named in failures: a file, or `standard input`. */
  source: string;
}

/** Carries out all lines. @throws ScriptError at the first one that cannot be, in a script */
export async function runLines(session: Session, options: LinesOptions): Promise<void> {
  const { lines, write, style, prompt, source } = options;
  const say = (text: string) => write(style.unicode ? text : toAscii(text));
  say(formatView(session.view, style));
  if (prompt !== null) say(prompt);
  let number = 0;
  for await (const line of lines) {
    number++;
    try {
      const command = parseCommand(line);
      if (command?.name === 'quit') return;
      if (command !== null) say(await runCommand(session, command, style));
    } catch (error) {
      const { message, fix } = asComplaint(error);
      if (prompt === null)
        throw new ScriptError(`${source}, line ${number}: ${message}`, fix || 'change that line');
      say(`  ${message}\n${fix === '' ? '' : `  ${fix}\n`}`);
    }
    if (prompt !== null) say(prompt);
  }
}

async function runCommand(
  session: Session,
  command: Exclude<Command, { name: 'quit' }>,
  style: Style,
): Promise<string> {
  switch (command.name) {
    case 'help':
      return text(helpLines(COLUMNS));
    case 'explain':
      return text(explainLines(command.word, session.view));
    case 'ladder':
      return text(ladderLines(session.view, session.events, COLUMNS));
    case 'breaks':
      return text(breakLines(session));
    default:
      return formatView(await session.run(command), style);
  }
}

const text = (lines: readonly string[]) => lines.map((line) => `${line.trimEnd()}\n`).join('');

export function breakLines({ breakpoints }: Session): string[] {
  if (breakpoints.length === 0) return [' no breakpoints; for example: break state=FIN-WAIT-2'];
  return breakpoints.map((breakpoint, i) => ` ${i + 1}  ${formatBreakpoint(breakpoint)}`);
}

/** What a person is told when a command does not work; other errors are defects. */
export function asComplaint(error: unknown): { message: string; fix: string } {
  if (error instanceof Refusal) return { message: error.message, fix: '' };
  if (error instanceof UnknownWord) {
    const { suggestion } = error;
    return {
      message: error.message,
      fix:
        suggestion === null
          ? '`finwait explain` lists what there is'
          : `did you mean ${suggestion}?`,
    };
  }
  if (error instanceof CommandError || error instanceof BreakpointError) return error;
  throw error;
}
