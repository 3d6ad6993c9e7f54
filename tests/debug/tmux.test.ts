// The debugger as people meet it: keys and screens in a real terminal of 80 by 24, and the terminal as it was
// afterwards, however the debugger ends.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BUILD_MS, buildProgram, MAIN, Place } from '../cli/program.js';
import { canUseNamespaces } from '../support/namespace.js';
import { RealTerminal } from './terminal.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`tmux.test.ts is skipped: ${possible.why}`);

const FINWAIT = `${process.execPath} ${MAIN}`;
const READY = '? help  q quit';

describe.skipIf(!possible.ok)('the debugger in a terminal', () => {
  let place: Place;
  let terminal: RealTerminal;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
  }, BUILD_MS);

  afterAll(async () => {
    await place?.close();
  });

  beforeEach(async () => {
    terminal = await RealTerminal.open(place);
  });

  afterEach(async () => {
    await terminal?.close();
  });

  /** Starts it and waits for its first picture. */
  async function start(args: string, before = ''): Promise<void> {
    await terminal.type(`clear; ${before} ${FINWAIT} ${args}; echo "EXIT $?"`);
    await terminal.shows(READY);
  }

  async function isRestored(): Promise<void> {
    expect(await terminal.modes()).toEqual({ alternate: false, cursor: true });
    expect(await terminal.isCooked()).toBe(true);
  }

  describe('through a scenario in simulation', () => {
    it('steps with space, and shows everything at once in 24 lines', async () => {
      await start('lab run active-close --step --sim');
      for (let i = 0; i < 6; i++) await terminal.press('Space');
      const screen = await terminal.shows('step 6');
      expect(screen.split('\n').length).toBe(24);
      expect(screen).toContain('ours 10.9.0.2:');
      expect(screen).toMatch(/FIN-WAIT-1\s+theirs .* ESTABLISHED/);
      expect(screen).toMatch(/FIN-WAIT-1 +├── FIN,ACK seq 1 ack 1 \(waits\) ─+┊ +│/);
      expect(screen).toContain('SND.NXT 1 → 2, FIN none → sent');
      expect(screen).toContain('timers: ours retransmit in 200 ms');
      expect(screen).toContain('▶ #4 → FIN,ACK seq 1 ack 1');
      expect(screen).toContain('ESTABLISHED → FIN-WAIT-1, CLOSE.');
      expect(screen).toContain('(RFC 9293 §3.10.4)');
      expect(screen).toContain('next: FIN,ACK passes, to the peer');
      await terminal.press('q');
      expect(await terminal.shows('EXIT 1')).toContain(
        'active-close, step 6: ours FIN-WAIT-1, theirs ESTABLISHED; left before its end\nEXIT',
      );
      await isRestored();
    });

    it('goes to a breakpoint, does harm, goes back, and does something else', async () => {
      await start('lab run active-close --step --sim --break ours:flag=FIN --break state=CLOSING');
      await terminal.press('c');
      await terminal.shows('stopped at ours:flag=FIN');
      await terminal.press('d');
      await terminal.shows(/├── FIN,ACK seq 1 ack 1 ─+X +│/);
      await terminal.press('t');
      await terminal.shows('retransmit timer ran out');
      await terminal.press('b', 'b');
      await terminal.shows('step 6');
      await terminal.press('r');
      await terminal.shows('RST,ACK is forged');
      await terminal.press('p');
      await terminal.shows('FIN-WAIT-1 → CLOSED, rcv RST');
    });

    it('takes commands after a colon, and says what is wrong with them', async () => {
      await start('lab run active-close --step --sim');
      await terminal.press(':');
      await terminal.type('break theirs:state=close_wait');
      await terminal.press('c');
      await terminal.shows('stopped at theirs:state=CLOSE-WAIT');
      await terminal.press(':');
      await terminal.type('stpe');
      await terminal.shows('there is no command "stpe": did you mean step?');
      await terminal.press(':', 'x', 'x', 'Escape');
      await terminal.shows(READY);
      await terminal.press('/');
      await terminal.shows(':break');
      await terminal.press('C-u');
      await terminal.type('back 2');
      await terminal.shows('step 5');
    });

    it('shows help, explanations and the whole ladder, each in pages', async () => {
      await start('lab run active-close --step --sim');
      await terminal.press('?');
      expect(await terminal.shows('── help ─')).toContain('do what stands at "next"');
      await terminal.press('q');
      await terminal.shows(READY);
      await terminal.press('c');
      await terminal.shows('the end: the scenario went as it must');
      await terminal.press('v');
      expect(await terminal.shows('── ladder ─')).toContain('2MSL are over');
      await terminal.press('q', 'e');
      await terminal.shows('There is no connection');
      await terminal.resize(60, 20);
      const narrow = await terminal.shows('more lines');
      expect(narrow).toContain('There is no connection');
      expect(narrow).not.toContain('…');
      await terminal.press('q', ':');
      await terminal.type('explain elefant');
      await terminal.shows('nothing here is called "elefant"');
    });

    it('follows the size of the terminal', async () => {
      await start('lab run active-close --step --sim');
      await terminal.press('c');
      await terminal.shows('the end:');
      await terminal.resize(120, 40);
      const wide = await terminal.shows('connect()');
      expect(wide.split('\n').length).toBe(40);
      await terminal.resize(50, 10);
      await terminal.shows('This terminal has 50x10');
      await terminal.resize(80, 24);
      await terminal.shows(READY);
    });

    it('does what is typed ahead', async () => {
      await start('lab run active-close --step --sim');
      await terminal.press(...new Array(8).fill('Space'));
      await terminal.shows('step 8');
    });

    it('has colour, but not with NO_COLOR, and ASCII where the locale knows no more', async () => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: such a sequence begins with one
      const sequence = /\u001b\[(?!0?m)/;
      await start('lab run active-close --step --sim');
      expect(await terminal.colours()).toMatch(sequence);
      await terminal.press('q');
      await terminal.shows('EXIT 1');
      await start('lab run active-close --step --sim', 'NO_COLOR=1 LC_ALL=C');
      await terminal.press('Space', 'Space', 'Space');
      await terminal.shows('step 3');
      expect(await terminal.colours()).not.toMatch(sequence);
      expect(await terminal.screen()).toMatch(/^[ -~\n]*$/);
    });

    it('talks in lines where the terminal is dumb', async () => {
      await terminal.type(`clear; TERM=dumb ${FINWAIT} lab run active-close --step --sim`);
      await terminal.shows(/^> $|^>$/m);
      await terminal.type('step 2');
      await terminal.shows('SYN-SENT');
      await terminal.type('frop');
      await terminal.shows('did you mean drop?');
      await terminal.type('quit');
      await terminal.shows(/^\$$/m);
      expect(await terminal.modes()).toEqual({ alternate: false, cursor: true });
    });
  });

  describe('at the end', () => {
    it('restores the terminal after Ctrl-C', async () => {
      await start('lab run active-close --step --sim');
      await terminal.press('C-c');
      await terminal.shows('EXIT 1');
      await isRestored();
    });

    it('restores it after SIGTERM, and ends as the signal asks', async () => {
      await start('lab run active-close --step --sim');
      process.kill(await terminal.foreground(), 'SIGTERM');
      await terminal.shows('EXIT 143');
      await isRestored();
    });

    it('restores it when the program crashes, and says why where it can be read', async () => {
      const crash = 'setTimeout(() => { throw new Error("pulled the plug") }, 1500)';
      const folder = mkdtempSync(join(tmpdir(), 'finwait-crash-'));
      writeFileSync(join(folder, 'crash.mjs'), crash);
      await start('lab run active-close --step --sim', `NODE_OPTIONS=--import=${folder}/crash.mjs`);
      await terminal.shows('pulled the plug');
      await terminal.shows('EXIT 1');
      await isRestored();
      rmSync(folder, { recursive: true });
    });

    it('restores it while it is suspended, and goes on where it was', async () => {
      await terminal.type('set -m');
      await start('lab run active-close --step --sim');
      await terminal.press('Space', 'Space');
      await terminal.shows('step 2');
      await terminal.press('C-z');
      await terminal.shows(/Stopped|\$ *$/);
      expect((await terminal.modes()).alternate).toBe(false);
      await terminal.type('fg');
      await terminal.shows('step 2');
      await terminal.press('q');
      await terminal.shows(/EXIT|\$ *$/);
    });
  });

  describe('through a scenario against the kernel', () => {
    it('steps, says that the kernel’s clock runs, and branches into simulation', async () => {
      await start('lab run lost-final-ack --step --break theirs:state=LAST-ACK');
      await terminal.press('c');
      const screen = await terminal.shows('stopped at theirs:state=LAST-ACK');
      expect(screen).toMatch(/kernel 10\.9\.0\.1:\d+ LAST-ACK/);
      expect(screen).toMatch(/only the kernel’s clock runs: it sends again in [\d.]+ m?s/);
      // It does, while we look.
      await terminal.shows(/#\d+ ← FIN,ACK seq 1 ack 2 · again/);
      await terminal.shows('kernel: retransmit timer ran out. No ACK came in time');
      await terminal.press('b');
      await terminal.shows('recorded: no kernel can be rewound');
      await terminal.press('d');
      await terminal.shows('a recorded moment cannot be changed');
      await terminal.press('B');
      await terminal.shows(/lost-final-ack · simulation/);
      await terminal.press(':');
      await terminal.type('unbreak all');
      await terminal.press('c');
      await terminal.shows('the end: the scenario went as it must');
      await terminal.press('q');
      expect(await terminal.shows('EXIT 0')).toMatch(
        /^lost-final-ack, step \d+: ours CLOSED, theirs CLOSED; went as it must\n/m,
      );
      await isRestored();
    });
  });
});
