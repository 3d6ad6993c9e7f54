// `finwait debug`: steps through what a running stack does. Knows how to reach it; must not know how one
// steps.

import net from 'node:net';
import { createInterface } from 'node:readline';
import { debug } from '../debug/debug-run.js';
import { type Line, LiveDebuggee, LiveError } from '../debug/live-debuggee.js';
import { processTerminal } from '../debug/terminal.js';
import type { Command, Input } from './command.js';
import { DEBUG_OPTIONS, debugging, readDebugOptions } from './debug-options.js';
import { EXIT_FAILED, EXIT_OK, Failure } from './failure.js';
import { type RunningStack, runningStacks } from './stacks.js';

export const debugCommand: Command = {
  name: 'debug',
  usage: ['debug [--name NAME] [--break CONDITION] [--script FILE]'],
  description:
    'Steps through what a running finwait serve does. Its segments wait at a gate, in both directions,\n' +
    'until you let them pass, or do them harm; when you quit, all that waits goes on.\n' +
    'To step through a close from its beginning: finwait lab run NAME --step',
  options: {
    name: { value: 'NAME', help: 'the stack on the interface of this name, where several run' },
    ...DEBUG_OPTIONS,
  },
  maxArguments: 0,
  run: runDebug,
};

async function runDebug(input: Input): Promise<number> {
  const { breakpoints, script } = readDebugOptions(input);
  const { path, report } = theOne(await runningStacks(input.text('name'), 'debug'));
  const open = async () => {
    const line = connect(path);
    try {
      return await LiveDebuggee.open(`serve on ${report.name}`, line);
    } catch (error) {
      line.close();
      if (!(error instanceof LiveError)) throw error;
      const message = `the stack on ${report.name} cannot be stepped through: ${error.message}`;
      throw new Failure(EXIT_FAILED, message, error.fix, error);
    }
  };
  await debugging(() => debug({ open, simulate: null, breakpoints }, processTerminal(), script));
  return EXIT_OK;
}

function theOne(stacks: readonly RunningStack[]): RunningStack {
  if (stacks.length === 1) return stacks[0]!;
  const names = stacks.map(({ report }) => `${report.name} (pid ${report.pid})`).join(', ');
  throw new Failure(EXIT_FAILED, `several stacks run: ${names}`, 'choose one with --name');
}

/** A conversation with the stack behind a socket; it notices when we are gone, however we go. */
function connect(path: string): Line {
  const socket = net.connect(path);
  let closing = false;
  const gone = new Promise<never>((_, reject) => {
    socket.on('error', () => {}); // `close` follows
    socket.on('close', () => {
      if (closing) return;
      reject(new Failure(EXIT_FAILED, 'the stack has ended', 'start finwait serve again'));
    });
  });
  gone.catch(() => {}); // whoever steps looks at it
  const line: Line = {
    send: (text) => void socket.write(`${text}\n`),
    onLine: () => {},
    gone,
    close: () => {
      closing = true;
      socket.destroy();
    },
  };
  createInterface({ input: socket }).on('line', (text) => line.onLine(text));
  line.send('{"command":"debug"}');
  return line;
}
