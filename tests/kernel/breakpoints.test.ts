// A debugger stops the process in the middle of a close, for longer than any timer of TCP would wait, and
// lets it go on: with the kernel at the other end, which neither waits nor knows.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { STATE_NAMES } from '../../src/tcp/state.js';
import { kernelSockets } from '../../src/trace/kernel-sockets.js';
import { BUILD_MS, buildProgram, MAIN, Running } from '../cli/program.js';
import { Inspector, type Paused } from '../support/inspector.js';
import { canUseNamespaces } from '../support/namespace.js';

const SOURCE = 'src/tcp/close.ts';
const LAUNCHER = fileURLToPath(new URL('../../scripts/debug-close.mjs', import.meta.url));
const PAUSE_MS = 10_000;

interface Case {
  who: 'active' | 'passive';
  state: string;
  /** Of the function in which to stop, and the text of the line. */
  where: [name: string, line: string];
  /** The kernel's state meanwhile, and after the close. */
  theirs: [during: string, after: string];
}

const CASES: Case[] = [
  {
    who: 'active',
    state: 'FIN-WAIT-1',
    where: ['shutdown', 'tcb.host.schedule(tcb);'],
    theirs: ['ESTABLISHED', 'CLOSED'],
  },
  {
    who: 'passive',
    state: 'CLOSE-WAIT',
    where: ['finReached', 'return;'],
    theirs: ['FIN-WAIT-1', 'TIME-WAIT'],
  },
  {
    who: 'passive',
    state: 'LAST-ACK',
    where: ['shutdown', 'tcb.host.schedule(tcb);'],
    theirs: ['FIN-WAIT-2', 'TIME-WAIT'],
  },
];

/** The number of the first line with such a text in a function. */
function lineIn([name, text]: Case['where']): number {
  const lines = readFileSync(SOURCE, 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith(`export function ${name}(`));
  return lines.findIndex((line, i) => i > start && line.trim() === text) + 1;
}

/** A close that waits for a debugger, and the debugger. */
class Debugged {
  readonly program: Running;
  readonly inspector: Inspector;

  private constructor(program: Running, inspector: Inspector) {
    this.program = program;
    this.inspector = inspector;
  }

  /** @param args of Node, for a process that stops at the first line of `script` */
  static async start(args: readonly string[], script: string): Promise<Debugged> {
    const program = await Running.shown(spawn(process.execPath, args), 'For help, see');
    const url = /ws:\/\/\S+/.exec(program.stderr)![0];
    const inspector = await Inspector.attach(url);
    await inspector.call('Debugger.enable');
    await inspector.call('Runtime.runIfWaitingForDebugger');
    const first = await inspector.paused();
    expect(inspector.scriptOf(first!)).toContain(script);
    return new Debugged(program, inspector);
  }

  /** Lets it run to the next breakpoint. */
  async next(): Promise<Paused> {
    await this.inspector.call('Debugger.resume');
    const paused = await this.inspector.paused();
    if (paused === null) throw new Error(`It ended:\n${this.program.stdout}${this.program.stderr}`);
    return paused;
  }

  get kernelSide(): number {
    return Number(/of process (\d+)/.exec(this.program.stdout)![1]);
  }

  get kernelState(): string {
    const rows = kernelSockets(`/proc/${this.kernelSide}/net`);
    return rows.find(({ remotePort }) => remotePort === 7000)?.state ?? 'CLOSED';
  }

  /** tcpdump on the device. */
  watch(): Promise<Running> {
    const args = [
      '-t',
      String(this.kernelSide),
      '-n',
      'tcpdump',
      '--immediate-mode',
      '-lnSi',
      'fw0',
      'tcp',
    ];
    return Running.shown(spawn('nsenter', args), 'listening on');
  }

  async kill(): Promise<void> {
    this.inspector.close();
    if (this.program.child.exitCode === null) await this.program.stop('SIGTERM');
  }
}

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`breakpoints.test.ts is skipped: ${possible.why}`);

describe.skipIf(!possible.ok)('ten seconds at a breakpoint', { timeout: 60_000 }, () => {
  beforeAll(buildProgram, BUILD_MS);

  test.concurrent.each(CASES)('in $state', async ({ who, state, where, theirs }) => {
    const debugged = await Debugged.start([LAUNCHER, who, '--port', '0'], 'one-close.mjs');
    try {
      await debugged.inspector.breakAt(SOURCE, lineIn(where));
      const paused = await debugged.next();
      expect(paused.callFrames[0]!.functionName).toBe(where[0]);
      const number = await debugged.inspector.evaluate(paused, 'tcb.state');
      expect(STATE_NAMES[number as number]).toBe(state);

      const tcpdump = await debugged.watch();
      await sleep(PAUSE_MS);
      expect(debugged.kernelState).toBe(theirs[0]);
      await debugged.inspector.call('Debugger.resume');
      await debugged.program.shows('the kernel’s program: ');
      debugged.inspector.close(); // Node waits for that
      const { stdout } = await debugged.program.end();
      await tcpdump.stop();

      expect(stdout).toContain('the kernel’s program: closed in order');
      expect(stdout).toMatch(new RegExp(`-> CLOSED +the kernel’s ${theirs[1]}$`, 'm'));
      const outcome = /ours: closed in order, round trip (\d+) µs, (\d+) sent again/;
      const [, roundTrip, sentAgain] = outcome.exec(stdout)!;
      // The ACKs of the pause were read before any timer of ours could run out, and are not ten seconds old.
      expect(Number(sentAgain)).toBe(0);
      expect(Number(roundTrip)).toBeLessThan(500_000);
      expect(tcpdump.stdout).toMatch(/Flags \[F/);
      expect(tcpdump.stdout).not.toMatch(/Flags \[R/);
    } finally {
      await debugged.kill();
    }
  });

  test.concurrent('in the lab, whose patience does not run out', async () => {
    const loaded = new URL('../../dist/index.js', import.meta.url).href;
    const inspect = ['--inspect-brk=127.0.0.1:0', `--import=${loaded}`];
    const debugged = await Debugged.start([...inspect, MAIN, 'lab', 'run', 'active-close'], MAIN);
    try {
      await debugged.inspector.breakAt(SOURCE, lineIn(['shutdown', 'tcb.host.schedule(tcb);']));
      await debugged.next();
      await sleep(PAUSE_MS);
      await debugged.inspector.call('Debugger.resume');
      await debugged.program.shows('Waiting for the debugger to disconnect');
      debugged.inspector.close();
      const { code, stdout } = await debugged.program.end();
      expect([code, stdout]).toEqual([0, expect.stringMatching(/\npassed in \d\.\d\d s\n$/)]);
    } finally {
      await debugged.kill();
    }
  });
});
