// Steps through a scenario of the lab, or a stack that runs, at a terminal or by a script. Knows which way of
// talking a terminal allows; must not know command lines.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Run } from '../lab/run.js';
import type { Scenario } from '../lab/scenario.js';
import { SimulatedWorld } from '../lab/simulation.js';
import type { World } from '../lab/world.js';
import type { Breakpoint } from './breakpoint.js';
import { Interactive } from './interactive.js';
import { runLines } from './lines.js';
import { farewell } from './phrases.js';
import { RunDebuggee } from './run-debuggee.js';
import { Session, type SessionOptions } from './session.js';
import { FullScreen, type Terminal } from './terminal.js';

export interface DebugOptions {
  breakpoints: readonly Breakpoint[];
  /** A file with commands, one a line; null: from the terminal, or from standard input. */
  script: string | null;
}

export interface DebugRunOptions extends DebugOptions {
  /** Of the simulated world into which a run against the kernel branches; default as in the lab. */
  seed?: number | undefined;
}

/**
 * Lets somebody step through a scenario.
 * @param open makes a world at its beginning; in simulation the same one each time
 * @returns the exit code: 0 when the scenario came to its end and went as it must, else 1
 * @throws ScriptError for a line of a script that cannot be carried out
 */
export async function debugRun(
  open: () => Promise<World>,
  scenario: Scenario,
  terminal: Terminal,
  { breakpoints, script, seed }: DebugRunOptions,
): Promise<number> {
  const settings = seed === undefined ? {} : { seed };
  const view = await debug(
    {
      open: async () => new RunDebuggee(new Run(scenario, await open())),
      simulate: async () =>
        new RunDebuggee(new Run(scenario, SimulatedWorld.open(scenario, settings))),
      breakpoints,
    },
    terminal,
    script,
  );
  return view.verdict?.passed ? 0 : 1;
}

/** Opens a session, and lets somebody at the terminal or a script have it. @returns its newest moment */
export async function debug(
  options: SessionOptions,
  terminal: Terminal,
  script: string | null,
): Promise<Session['view']> {
  const session = await Session.open(options);
  const signals = new EndSignals();
  try {
    if (script === null && terminal.full) {
      const screen = new FullScreen(terminal);
      await new Interactive(session, screen, terminal.style).run(signals.next);
      terminal.output.write(`${farewell(session.last)}\n`);
    } else {
      await talk(session, terminal, script, signals.next);
    }
    return session.last;
  } finally {
    await session.close();
    signals.release();
  }
}

/** Signals that end a program: the debuggee is closed in order before they do. */
class EndSignals {
  readonly next: Promise<void>;
  readonly #names = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;
  #received: NodeJS.Signals | null = null;
  #handler!: (signal: NodeJS.Signals) => void;

  constructor() {
    this.next = new Promise((resolve) => {
      this.#handler = (signal) => {
        this.#received = signal;
        resolve();
      };
    });
    // A second one ends it at once.
    for (const name of this.#names) process.once(name, this.#handler);
  }

  /** Ends the program as the signal would have done. */
  release(): void {
    for (const name of this.#names) process.off(name, this.#handler);
    if (this.#received !== null) process.kill(process.pid, this.#received);
  }
}

/** Lines in, lines out, until they end, or `stopped` resolves; rejects when the debuggee cannot go on. */
async function talk(
  session: Session,
  terminal: Terminal,
  script: string | null,
  stopped: Promise<unknown>,
): Promise<void> {
  const { input, output, style } = terminal;
  const isPerson = script === null && input.isTTY === true;
  const lines = createInterface({ input: script === null ? input : createReadStream(script) });
  const said = runLines(session, {
    lines,
    style,
    write: (text) => void output.write(text),
    prompt: isPerson ? '> ' : null,
    source: script ?? 'standard input',
  });
  try {
    await Promise.race([said, stopped, session.failed]);
  } finally {
    lines.close();
    // A terminal or a pipe that is still open would keep the process.
    if (script === null) input.pause();
  }
}
