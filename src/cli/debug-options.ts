// The options of whatever can be stepped through, and how its failures are told. Must not know what is
// stepped through.

import { accessSync, constants } from 'node:fs';
import { type Breakpoint, BreakpointError, parseBreakpoint } from '../debug/breakpoint.js';
import type { DebugOptions } from '../debug/debug-run.js';
import { Refusal } from '../debug/debuggee.js';
import { ScriptError } from '../debug/lines.js';
import type { Input, OptionSpec } from './command.js';
import { EXIT_FAILED, Failure, usage } from './failure.js';

export const DEBUG_OPTIONS = {
  break: {
    value: 'CONDITION',
    several: true,
    help: 'stop at state=FIN-WAIT-2, flag=FIN, timer=retransmit or segment=12; several',
  },
  script: { value: 'FILE', help: 'commands, one a line, instead of keys; see the help there (?)' },
} satisfies Record<string, OptionSpec>;

/** Reads the options of `DEBUG_OPTIONS`; throws usage failures. */
export function readDebugOptions(input: Input): DebugOptions {
  const script = input.text('script') ?? null;
  if (script !== null) checkReadable(script);
  const conditions = input.text('break')?.split(',') ?? [];
  return { breakpoints: conditions.map(readBreakpoint), script };
}

function readBreakpoint(text: string): Breakpoint {
  try {
    return parseBreakpoint(text);
  } catch (error) {
    if (error instanceof BreakpointError) throw usage(`--break: ${error.message}`, error.fix);
    throw error;
  }
}

function checkReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw usage(`--script: ${(error as Error).message}`, 'give a file that can be read');
  }
}

/** Runs a debugger; a script that fails, or a breakpoint that makes no sense there, fails the command. */
export async function debugging<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ScriptError)
      throw new Failure(EXIT_FAILED, error.message, error.fix, error);
    if (error instanceof Refusal) throw usage(`--break: ${error.message}`, 'leave it out');
    throw error;
  }
}
