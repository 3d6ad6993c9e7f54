// The terminal that somebody sits at: its screen, its keys, and that it is as before at the end, however the
// end comes. Must not know what is shown.

import type { ReadStream, WriteStream } from 'node:tty';
import { decodeKeys } from './keyboard.js';
import type { Style } from './layout.js';
import type { Size } from './screen.js';

/** Where a debugger reads and writes. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly style: Style;
  /** A screen with keys; else lines of text go in and out. */
  readonly full: boolean;
}

/** After so long a lone ESC was the key, not the beginning of a sequence. */
const ESCAPE_MS = 50;
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[H\u001b[2J';
const LEAVE = '\u001b[?25h\u001b[?1049l';
/** Terminals that know it show what is between them at once; the others do not mind. */
const BEGIN_PICTURE = '\u001b[?2026h';
const END_PICTURE = '\u001b[?2026l';
const CTRL_Z = 'ctrl-z';

/** The terminal of this process; lines only where it is none, or one that is `dumb`. */
export function processTerminal(): Terminal {
  const { env, stdin, stdout } = process;
  const dumb = env.TERM === 'dumb' || env.TERM === undefined || env.TERM === '';
  const full = stdin.isTTY === true && stdout.isTTY === true && !dumb;
  return {
    input: stdin,
    output: stdout,
    full,
    style: {
      colour: stdout.isTTY === true && !dumb && (env.NO_COLOR ?? '') === '',
      unicode: knowsUnicode(env),
    },
  };
}

/** locale(7): the first of these that is set says which letters there are. Pipes take all of them. */
function knowsUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  if (/utf-?8/i.test(locale)) return true;
  return locale === '' && process.stdout.isTTY !== true;
}

/** The alternate screen and raw keys, from `enter` to `leave`. */
export class FullScreen {
  onKey: (key: string) => void = () => {};
  onResize: () => void = () => {};
  /** Nobody can press a key any more. */
  onEnd: () => void = () => {};
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  #entered = false;
  #rest = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(terminal: Terminal) {
    this.#input = terminal.input as ReadStream;
    this.#output = terminal.output as WriteStream;
  }

  get size(): Size {
    // A pseudo-terminal that nobody has given a size has none.
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 };
  }

  enter(): void {
    this.#entered = true;
    this.#output.write(ENTER);
    this.#input.setRawMode(true);
    this.#input.setEncoding('utf8').on('data', this.#read).on('end', this.#ended).resume();
    // EIO: the terminal was closed.
    this.#input.on('error', this.#ended);
    this.#output.on('resize', this.#resized);
    process.on('exit', this.leave);
    // Before the failure is reported: on the alternate screen nobody would see it.
    process.prependListener('uncaughtException', this.leave);
    process.on('SIGCONT', this.#continued);
  }

  /** The terminal as it was; idempotent. */
  readonly leave = (): void => {
    if (!this.#entered) return;
    this.#entered = false;
    clearTimeout(this.#timer);
    process.off('exit', this.leave);
    process.off('uncaughtException', this.leave);
    process.off('SIGCONT', this.#continued);
    this.#output.off('resize', this.#resized);
    this.#input.off('data', this.#read).off('end', this.#ended).pause();
    this.#restore();
  };

  /** All lines at once, each from its beginning to its end: nothing flickers. */
  draw(lines: readonly string[]): void {
    if (!this.#entered) return;
    const picture = lines.map((line) => `${line}\u001b[K`).join('\r\n');
    this.#output.write(`${BEGIN_PICTURE}\u001b[H${picture}\u001b[J${END_PICTURE}`);
  }

  #restore(): void {
    try {
      this.#input.setRawMode(false);
    } catch {
      // The terminal is gone: there is nothing to be restored.
    }
    this.#output.write(LEAVE);
  }

  readonly #ended = (): void => this.onEnd();

  readonly #resized = (): void => this.onResize();

  readonly #read = (piece: string | Buffer): void => {
    clearTimeout(this.#timer);
    const { keys, rest } = decodeKeys(this.#rest + String(piece));
    this.#rest = rest;
    if (rest !== '') this.#timer = setTimeout(this.#escape, ESCAPE_MS);
    for (const key of keys) {
      if (key === CTRL_Z) this.#suspend();
      else this.onKey(key);
    }
  };

  readonly #escape = (): void => {
    this.#rest = '';
    this.onKey('escape');
  };

  /** As every program does on Ctrl-Z; it goes on with SIGCONT. */
  #suspend(): void {
    this.#restore();
    process.kill(process.pid, 'SIGSTOP');
  }

  readonly #continued = (): void => {
    this.#output.write(ENTER);
    this.#input.setRawMode(true);
    this.onResize();
  };
}
