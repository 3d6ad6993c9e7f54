// The program: finds the command, runs it, and says what failed. Must not know what commands do.

import { styleText } from 'node:util';
import { type Command, formatHelp, nearest, parseCommandLine } from './command.js';
import { asFailure, EXIT_OK, environment, errorCode, formatFailure, usage } from './failure.js';
import { formatTable } from './text.js';
import { readVersion } from './version.js';

interface Entry {
  summary: string;
  /** Loaded when asked for: help and `doctor` work where the addon does not. */
  load(): Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  serve: {
    summary: 'bring up a TUN device with http, echo, discard and chargen behind it',
    load: async () => (await import('./serve.js')).serveCommand,
  },
  run: {
    summary: 'run a Node program whose sockets and servers use our own TCP, unchanged',
    load: async () => (await import('./run.js')).runCommand,
  },
  nc: {
    summary: 'netcat over our own TCP: connect or listen, and copy stdin and stdout',
    load: async () => (await import('./nc.js')).ncCommand,
  },
  shell: {
    summary: 'open a network of your own, without root, and a shell or a command in it',
    load: async () => (await import('./shell.js')).shellCommand,
  },
  debug: {
    summary: 'step through what a running stack does: its segments wait until you let them pass',
    load: async () => (await import('./debug.js')).debugCommand,
  },
  ss: {
    summary: 'show the connections, listeners and TIME-WAIT records of a running stack',
    load: async () => (await import('./ss.js')).ssCommand,
  },
  lab: {
    summary: 'see every way in which a connection opens and closes, against this kernel',
    load: async () => (await import('./lab.js')).labCommand,
  },
  explain: {
    summary: 'say what a state, an event or a scenario means, and which rule says so',
    load: async () => (await import('./explain.js')).explainCommand,
  },
  doctor: {
    summary: 'check whether this machine lets finwait work, and say what mends it',
    load: async () => (await import('./doctor.js')).doctorCommand,
  },
};

function overview(): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => [`  ${name}`, summary]);
  return `finwait: a TCP in user space that speaks with this machine's kernel over a TUN device

${styleText('bold', 'Usage')}
  finwait COMMAND [options]
  finwait COMMAND --help
  finwait --version

${styleText('bold', 'Commands')}
${formatTable(rows)}`;
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || first === '--help' || first === '-h') {
    process.stdout.write(overview());
    return EXIT_OK;
  }
  if (first === '--version' || first === '-V') {
    process.stdout.write(`finwait ${readVersion()}\n`);
    return EXIT_OK;
  }
  if (first === 'help') return dispatch(rest.length === 0 ? [] : [rest[0]!, '--help']);
  if (!Object.hasOwn(COMMANDS, first)) throw unknownCommand(first);
  const command = await COMMANDS[first]!.load();
  const input = parseCommandLine(command, rest);
  if (input.given('help')) {
    process.stdout.write(formatHelp(command));
    return EXIT_OK;
  }
  return command.run(input);
}

function unknownCommand(word: string): Error {
  const near = nearest(word, Object.keys(COMMANDS));
  const kind = word.startsWith('-') ? 'option' : 'command';
  return usage(
    `unknown ${kind} ${word}`,
    near === null || kind === 'option' ? 'see finwait --help' : `did you mean finwait ${near}?`,
  );
}

/** Runs a command line (without `node` and the script); resolves to the exit code, never rejects. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const name = Object.hasOwn(COMMANDS, args[0] ?? '') ? `finwait ${args[0]}` : 'finwait';
  const debug = args.includes('--debug');
  const report = (error: unknown): number => {
    const failure = asFailure(error);
    process.stderr.write(formatFailure(name, failure, debug));
    return failure.exitCode;
  };
  process.on('uncaughtException', (error) => process.exit(report(error)));
  // Whoever reads our output may stop (`finwait ss -a | head -1`), a terminal may be closed: neither
  // is a failure, nor a reason to leave connections behind.
  process.stdout.on('error', (error) => {
    if (/^(EPIPE|EIO)$/.test(errorCode(error))) return;
    const what = `standard output cannot be written: ${error.message}`;
    process.exit(report(environment(what, 'make room there, or write elsewhere', error)));
  });
  try {
    return await dispatch(args);
  } catch (error) {
    return report(error);
  }
}
