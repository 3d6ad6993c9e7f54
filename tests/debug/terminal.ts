// A real terminal of 80 by 24 in a namespace: a tmux that ends with the test. Knows how to type and to look;
// must not know what runs in it.

import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from '../cli/program.js';

const PATIENCE_MS = 15_000;
const LOOK_MS = 30;

export class RealTerminal {
  readonly #place: Place;
  readonly #server: ChildProcess;
  readonly #folder: string;

  private constructor(place: Place, server: ChildProcess, folder: string) {
    this.#place = place;
    this.#server = server;
    this.#folder = folder;
  }

  /** A shell with an empty screen. */
  static async open(place: Place, columns = 80, rows = 24): Promise<RealTerminal> {
    const folder = mkdtempSync(join(tmpdir(), 'finwait-tmux-'));
    // In the foreground, so that it cannot outlive us.
    const server = place.namespace.spawn(
      'tmux',
      ['-D', '-S', join(folder, 'socket'), '-f', '/dev/null'],
      { env: place.env, stdio: 'ignore' },
    );
    const terminal = new RealTerminal(place, server, folder);
    // Else the next command would start a server of its own.
    const isThere = () => Promise.resolve(existsSync(join(folder, 'socket')));
    await terminal.#whenever(isThere, () => 'tmux does not start');
    const size = ['-x', `${columns}`, '-y', `${rows}`];
    await terminal.#ask('new-session', '-d', ...size, "env LC_ALL=C.UTF-8 'PS1=$ ' sh");
    await terminal.shows('$');
    return terminal;
  }

  /** What can be seen now, without spaces at the ends of lines. */
  async screen(): Promise<string> {
    return (await this.#ask('capture-pane', '-p')).trimEnd();
  }

  /** The same with its SGR sequences. */
  colours(): Promise<string> {
    return this.#ask('capture-pane', '-p', '-e');
  }

  /** Presses keys, as tmux names them; letters stand for themselves. */
  async press(...keys: string[]): Promise<void> {
    await this.#ask('send-keys', ...keys);
  }

  /** Types a line. */
  async type(line: string): Promise<void> {
    await this.#ask('send-keys', '-l', line);
    await this.press('Enter');
  }

  /** Waits until the screen holds this; @returns the screen. */
  async shows(sign: string | RegExp): Promise<string> {
    let screen = '';
    const holds = () => (typeof sign === 'string' ? screen.includes(sign) : sign.test(screen));
    await this.#whenever(
      async () => {
        // A picture is whole when it stays.
        const before = screen;
        screen = await this.screen();
        return holds() && screen === before;
      },
      () => `${sign} does not appear:\n${screen}`,
    );
    return screen;
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#ask('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** Whether the alternate screen is on, and whether the cursor can be seen. */
  async modes(): Promise<{ alternate: boolean; cursor: boolean }> {
    const [alternate, cursor] = (
      await this.#ask('display-message', '-p', '#{alternate_on} #{cursor_flag}')
    )
      .trim()
      .split(' ');
    return { alternate: alternate === '1', cursor: cursor === '1' };
  }

  /** Whether lines are edited and echoed by the terminal, as a shell's programs expect. */
  async isCooked(): Promise<boolean> {
    await this.type(
      'clear; stty -a | tr ";" "\\n" | grep -o -w -e "-*icanon" -e "-*echo"; echo END',
    );
    const screen = await this.shows(/^END$/m);
    return /^icanon$/m.test(screen) && /^echo$/m.test(screen);
  }

  /** The process that runs in the foreground. */
  async foreground(): Promise<number> {
    const shell = (await this.#ask('display-message', '-p', '#{pane_pid}')).trim();
    const { stdout } = await this.#place.run('ps', ['-o', 'pid=', '--ppid', shell]);
    return Number(stdout.trim().split('\n').at(-1));
  }

  async close(): Promise<void> {
    await this.#run('kill-server');
    this.#server.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(...args: string[]) {
    return this.#place.run('tmux', ['-S', join(this.#folder, 'socket'), ...args]);
  }

  async #ask(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#run(...args);
    if (code !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`);
    return stdout;
  }

  async #whenever(holds: () => Promise<boolean>, complaint: () => string): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(complaint());
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
