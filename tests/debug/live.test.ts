// `finwait debug` on a running serve: its packets wait, and go on when the debugger does, however it goes.

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BUILD_MS, buildProgram, MAIN, Place, type Running } from '../cli/program.js';
import { canUseNamespaces, type Finished } from '../support/namespace.js';
import { RealTerminal } from './terminal.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`live.test.ts is skipped: ${possible.why}`);

const FINWAIT = `${process.execPath} ${MAIN}`;
const URL = 'http://10.9.0.2/';

describe.skipIf(!possible.ok)('finwait debug', () => {
  let place: Place;
  let serve: Running;
  let folder: string;
  let terminal: RealTerminal | null = null;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
    serve = await place.start('serve', 'Ctrl-C ends it.');
    folder = mkdtempSync(join(tmpdir(), 'finwait-script-'));
  }, BUILD_MS);

  afterEach(async () => {
    await terminal?.close();
    terminal = null;
  });

  afterAll(async () => {
    await place?.close();
    rmSync(folder, { recursive: true });
  });

  const curl = (...args: string[]): Promise<Finished> =>
    place.run('curl', ['-sS', '--max-time', '25', ...args, URL]);

  /** A debugger at a terminal, before anything waits. */
  async function attach(args = ''): Promise<RealTerminal> {
    terminal = await RealTerminal.open(place);
    await terminal.type(`clear; ${FINWAIT} debug ${args}; echo "EXIT $?"`);
    await terminal.shows('? help  q quit');
    return terminal;
  }

  it('lets a request wait at the gate, and shows both ends of it', async () => {
    const screen = await attach();
    const answer = curl();
    await screen.shows('▶ #1 ← SYN seq 0');
    const first = await screen.shows('only the kernel’s clock runs: it sends again in');
    expect(first).toMatch(/serve on fw0 .*\n ours 10\.9\.0\.2:80 LISTEN/);
    expect(first).toMatch(/┊── SYN seq 0 \(waits\) ─+┤ SYN-SENT/);
    await screen.press('Space');
    await screen.shows(/ours 10\.9\.0\.2:80 SYN-RECEIVED\s+kernel 10\.9\.0\.1:\d+ SYN-SENT/);
    await screen.press(':');
    await screen.type('break ours:state=CLOSE-WAIT');
    await screen.press('c');
    await screen.shows('stopped at ours:state=CLOSE-WAIT');
    expect((await answer).code).toBe(0);
    await screen.press('q');
    const left = await screen.shows('EXIT 0');
    expect(left).toMatch(/^serve on fw0, step \d+: ours [A-Z].*, kernel [A-Z]/m);
  });

  it('says so where Tab has nothing to show', async () => {
    const screen = await attach();
    await screen.press('Tab');
    await screen.shows('there is no connection yet');
  });

  it('opens the gate when the debugger is killed, and nothing is lost', async () => {
    const screen = await attach();
    const answer = curl();
    await screen.shows('▶ #1 ← SYN seq 0');
    process.kill(await screen.foreground(), 'SIGKILL');
    const { code, stdout } = await answer;
    expect(code).toBe(0);
    expect(stdout).toContain('here        10.9.0.2:80');
    expect((await curl()).code).toBe(0);
  });

  it('injects what the kernel believes', async () => {
    const screen = await attach('--break ours:state=ESTABLISHED');
    const answer = curl();
    await screen.press('c');
    await screen.shows('stopped at ours:state=ESTABLISHED');
    await screen.press('R');
    await screen.shows(/→ RST,ACK seq 1 .*forged/);
    await screen.press('p');
    const { code, stderr } = await answer;
    expect([code, stderr]).toEqual([56, expect.stringContaining('reset by peer')]);
    await screen.press('t');
    await screen.shows('a kernel’s clock cannot be moved');
    await screen.press('B');
    await screen.shows('no scenario can repeat');
  });

  it('steps by a script, and says where it fails', async () => {
    const script = join(folder, 'talk');
    writeFileSync(script, '# a comment\nstep\nbreak ours:flag=FIN\ncontinue\nladder\n');
    const stepping = await place.start(`debug --script ${script}`, '[0]');
    const answer = curl();
    const { code, stdout } = await stepping.end();
    expect(stdout).toMatch(/^\[1\] .* wait for a packet$/m);
    expect(stdout).toContain('stopped at ours:flag=FIN');
    expect(stdout).toMatch(/│◀── SYN seq 0 ─+┤/);
    expect(code).toBe(0);
    expect((await answer).code).toBe(0);

    writeFileSync(script, 'help\nfrop 2\n');
    const failed = await place.finwait(`debug --script ${script}`);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain(`${script}, line 2: there is no command "frop"`);
    expect(failed.stderr).toContain('did you mean drop?');
    expect((await curl()).code).toBe(0);
  });

  it('shows one connection after the other, also those that are idle', async () => {
    const talks = [1, 2].map(() => place.namespace.spawn('nc', ['10.9.0.2', '9']));
    for (let open = 0; open < 2; ) {
      const { stdout } = await place.finwait('ss');
      open = stdout.match(/ESTABLISHED/g)?.length ?? 0;
    }
    const screen = await attach();
    const ports: string[] = [];
    for (let i = 0; i < 2; i++) {
      await screen.press('Tab');
      const shown = /ours 10\.9\.0\.2:9 ESTABLISHED +kernel 10\.9\.0\.1:(\d+) ESTABLISHED/;
      const next = new RegExp(shown.source.replace('(\\d+)', `(?!${ports[0] ?? 'x'})(\\d+)`));
      ports.push(next.exec(await screen.shows(next))![1]!);
    }
    expect(new Set(ports).size).toBe(2);
    await screen.press('Tab');
    await screen.shows(/ours CLOSED/);
    for (const talk of talks) talk.kill();
    // What waits and is of another connection says so.
    await screen.shows(/#2 ← FIN,ACK .* · of 10\.9\.0\.2:9 10\.9\.0\.1:\d+/);
  });

  it('lets only one debugger hold the gate', async () => {
    await attach();
    const { code, stderr } = await place.finwait('debug', '');
    expect(code).toBe(1);
    expect(stderr).toContain('another debugger holds its gate already');
    expect(stderr).toContain('fix: end that one first');
  });

  it.each(['{"id":1}', '{"id":1,"action":{"do":"jump"}}', '5', 'nonsense'])(
    'does not mind nonsense: %s',
    async (line) => {
      const path = join(place.env.FINWAIT_RUNTIME_DIR!, place.sockets[0]!);
      const socket = net.connect(path);
      socket.write(`{"command":"debug"}\n${line}\n`);
      let told = '';
      socket
        .on('error', () => {})
        .on('data', (piece) => {
          told += piece;
          if (/"error"|"refusal":"/.test(told)) socket.destroy();
        });
      await once(socket, 'close');
      expect((await curl()).code).toBe(0);
    },
  );

  it('says when the stack ends, which closes its connections in order all the same', async () => {
    const other = await place.start(
      'serve --name fw9 --address 10.8.0.2 --peer 10.8.0.1/24',
      'Ctrl-C ends it.',
    );
    const { code: several, stderr } = await place.finwait('debug', '');
    expect([several, stderr]).toEqual([1, expect.stringMatching(/several stacks run: fw0.*fw9/)]);
    const screen = await attach('--name fw9');
    const { stdout, code } = await other.stop();
    expect(stdout).toContain('fw9 is gone');
    expect(code).toBe(0);
    await screen.shows('the stack has ended');
    await screen.shows('EXIT 1');
    expect(await screen.modes()).toEqual({ alternate: false, cursor: true });
  });

  it('says that several workers cannot be stepped through', async () => {
    const crew = await place.start(
      'serve --workers 2 --name fw9 --address 10.8.0.2 --peer 10.8.0.1/24',
      'Ctrl-C ends it.',
    );
    const { code, stderr } = await place.finwait('debug --name fw9', '');
    expect(code).toBe(1);
    expect(stderr).toContain(
      'it serves with several workers, whose packets cannot wait at one gate',
    );
    expect(stderr).toContain('without --workers');
    await crew.stop();
  });

  it('leaves serve as it was', async () => {
    expect((await curl()).code).toBe(0);
    expect(serve.stderr).toBe('');
  });
});
