// How the program says that something failed. Knows words and exit codes; must not know commands.

export const EXIT_OK = 0;
/** What was asked for did not work. */
export const EXIT_FAILED = 1;
/** The command line makes no sense. */
export const EXIT_USAGE = 2;
/** The machine does not allow it: device, permission, address, name. */
export const EXIT_ENVIRONMENT = 3;

export type ExitCode = 1 | 2 | 3;

/** A failure that a person can act on: what failed and why in one sentence, and one way to mend it. */
export class Failure extends Error {
  readonly exitCode: ExitCode;
  readonly fix: string;

  constructor(exitCode: ExitCode, message: string, fix: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'Failure';
    this.exitCode = exitCode;
    this.fix = fix;
  }
}

/** A mistake on the command line. */
export function usage(message: string, fix: string): Failure {
  return new Failure(EXIT_USAGE, message, fix);
}

/** A machine that does not allow it. */
export function environment(message: string, fix: string, cause?: unknown): Failure {
  return new Failure(EXIT_ENVIRONMENT, message, fix, cause);
}

/** The `code` of a system error, or '' where there is none. */
export function errorCode(error: unknown): string {
  return String((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** Any thrown thing as a failure. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  const fix = 'run the same command with --debug, and report what it prints';
  return new Failure(EXIT_FAILED, `this should not happen: ${message}`, fix, error);
}

/** The text for stderr: one message, its fix, and with `debug` the stack traces. */
export function formatFailure(program: string, failure: Failure, debug: boolean): string {
  const text = `${program}: ${failure.message}\n  fix: ${failure.fix}\n`;
  if (!debug) return text;
  const traces = [failure.stack];
  for (let cause = failure.cause; cause instanceof Error; cause = cause.cause) {
    traces.push(`caused by ${cause.stack}`);
  }
  return `${text}${traces.join('\n')}\n`;
}
