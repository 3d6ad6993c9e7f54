// A session on a screen: keys in, pictures out. Knows what a key does where; must not know how a terminal
// is driven, or how a picture is drawn.

import { cutText } from '../trace/ladder-words.js';
import { type Command, KEYS, parseCommand } from './command.js';
import { explainLines } from './explain-text.js';
import { helpLines } from './help.js';
import { ladderLines } from './ladder.js';
import { paint, type Style, toAscii, toWidth } from './layout.js';
import { asComplaint, breakLines } from './lines.js';
import { Pages } from './pages.js';
import { drawScreen } from './screen.js';
import type { Session } from './session.js';
import type { FullScreen } from './terminal.js';
import type { View } from './view.js';

/** How often the clock of a kernel is shown again. */
const REFRESH_MS = 500;
/** Longest that one picture follows another in a long command. */
const PROGRESS_MS = 50;
/** An action that takes longer says that it does. */
const PATIENCE_MS = 300;

/** One person at one screen, until they quit. */
export class Interactive {
  readonly #session: Session;
  readonly #screen: FullScreen;
  readonly #style: Style;
  #pages: Pages | null = null;
  /** The command line that is being typed; null when keys act at once. */
  #prompt: string | null = null;
  #lastPrompt = '';
  #complaint: string | null = null;
  #busy = false;
  #waiting = false;
  /** What is being done, for whoever waits. */
  #doing = '';
  #interrupted = false;
  /** A command of many steps, which any key ends. */
  #isLong = false;
  /** Keys that came while a step was being done. */
  readonly #queue: string[] = [];
  #drawnMs = 0;
  #quit: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(session: Session, screen: FullScreen, style: Style) {
    this.#session = session;
    this.#screen = screen;
    this.#style = style;
  }

  /**
   * Resolves when somebody quits, or `stopped` does; rejects when the debuggee cannot go on.
   * @param stopped somebody ends the program from outside
   */
  async run(stopped: Promise<unknown>): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#quit = resolve;
      this.#fail = reject;
    });
    const timer = setInterval(() => this.#refresh(), REFRESH_MS);
    this.#session.onProgress = () => {
      if (performance.now() - this.#drawnMs >= PROGRESS_MS) this.#draw();
    };
    this.#session.debuggee.onChange = () => {
      if (!this.#busy && performance.now() - this.#drawnMs >= PROGRESS_MS) this.#refresh();
    };
    this.#screen.onResize = () => this.#draw();
    this.#screen.onKey = (key) => this.#key(key);
    this.#screen.onEnd = () => this.#quit();
    this.#screen.enter();
    try {
      this.#draw();
      await Promise.race([ended, stopped, this.#session.failed]);
    } finally {
      clearInterval(timer);
      this.#screen.leave();
    }
  }

  /** Time and packets of a kernel come by themselves. */
  #refresh(): void {
    if (this.#busy) {
      if (this.#waiting) this.#draw();
      return;
    }
    if (this.#session.view.kind === 'simulation') return;
    this.#session.refresh();
    if (this.#pages === null) this.#draw();
  }

  // ── Keys ──

  #key(key: string): void {
    if (key === 'ctrl-c' || (key === 'ctrl-d' && this.#prompt === null)) this.#quit();
    else if (this.#busy) this.#keyWhileBusy(key);
    else if (this.#prompt !== null) this.#promptKey(key);
    else if (this.#pages !== null) this.#pagesKey(this.#pages, key);
    else this.#viewKey(key);
  }

  /** What takes long can be left; what was typed ahead of a short step is done after it. */
  #keyWhileBusy(key: string): void {
    const { wake } = this.#session.debuggee;
    if (key === 'q' && this.#waiting) this.#quit();
    else if (this.#isLong || (this.#waiting && wake !== null)) {
      this.#interrupted = true;
      wake?.();
    } else this.#queue.push(key);
  }

  #viewKey(key: string): void {
    this.#complaint = null;
    if (key === ':' || key === '/') {
      this.#prompt = key === ':' ? '' : 'break ';
      this.#draw();
    } else if (Object.hasOwn(KEYS, key)) {
      this.#start(KEYS[key]!);
    } else {
      this.#draw();
    }
  }

  #promptKey(key: string): void {
    const text = this.#prompt ?? '';
    if (key === 'enter') {
      this.#prompt = null;
      this.#typed(text);
      return;
    }
    if (key === 'escape' || (key === 'backspace' && text === '')) this.#prompt = null;
    else if (key === 'backspace') this.#prompt = text.slice(0, -1);
    else if (key === 'ctrl-u') this.#prompt = '';
    else if (key === 'up') this.#prompt = this.#lastPrompt;
    else if ([...key].length === 1) this.#prompt = text + key;
    this.#draw();
  }

  #typed(text: string): void {
    this.#lastPrompt = text;
    this.#complaint = null;
    let command: Command | null = null;
    try {
      command = parseCommand(text);
    } catch (error) {
      this.#complain(error);
    }
    if (command === null) this.#draw();
    else this.#start(command);
  }

  #pagesKey(pages: Pages, key: string): void {
    if (!pages.key(key, this.#screen.size)) this.#pages = null;
    this.#draw();
  }

  // ── Commands ──

  #start(command: Command): void {
    switch (command.name) {
      case 'quit':
        this.#quit();
        return;
      case 'help':
        this.#show('help', helpLines);
        return;
      case 'breaks':
        this.#show('breakpoints', () => breakLines(this.#session));
        return;
      case 'ladder':
        this.#showLadder();
        return;
      case 'explain':
        this.#explain(command.word);
        return;
      default:
        this.#carryOut(command).catch(this.#fail);
    }
  }

  async #carryOut(command: Parameters<Session['run']>[0]): Promise<void> {
    this.#busy = true;
    this.#interrupted = false;
    this.#isLong = command.name === 'continue' || (command.name === 'step' && command.times > 1);
    this.#doing = doing(command.name, this.#session.view);
    const patience = setTimeout(() => {
      this.#waiting = true;
      this.#draw();
    }, PATIENCE_MS);
    try {
      await this.#session.run(command, () => this.#interrupted);
    } catch (error) {
      this.#complain(error);
    } finally {
      clearTimeout(patience);
      this.#busy = false;
      this.#waiting = false;
    }
    this.#draw();
    for (let key = this.#queue.shift(); key !== undefined; key = this.#queue.shift()) {
      this.#key(key);
      if (this.#busy) return; // that one goes on with what is left
    }
  }

  #complain(error: unknown): void {
    const { message, fix } = asComplaint(error);
    this.#complaint = fix === '' ? message : `${message}: ${fix}`;
  }

  #explain(word: string | null): void {
    const { view } = this.#session;
    const text = (columns: number) => explainLines(word, view, columns);
    try {
      text(this.#screen.size.columns); // an unknown word is told where the command was typed
      this.#show('explain', text);
    } catch (error) {
      this.#complain(error);
      this.#draw();
    }
  }

  #showLadder(): void {
    const { view, events } = this.#session;
    this.#pages = new Pages('ladder', (columns) => ladderLines(view, events, columns));
    this.#pagesKey(this.#pages, 'end');
  }

  #show(title: string, text: (columns: number) => readonly string[]): void {
    this.#pages = new Pages(title, text);
    this.#draw();
  }

  // ── Pictures ──

  #draw(): void {
    this.#drawnMs = performance.now();
    const { size } = this.#screen;
    const lines = this.#pages?.draw(size) ?? this.#drawView();
    this.#screen.draw(this.#style.unicode ? lines : lines.map(toAscii));
  }

  #drawView(): string[] {
    const { size } = this.#screen;
    const { columns, rows } = size;
    const lines = drawScreen(this.#session.view, size, this.#style, (view, width) =>
      ladderLines(view, this.#session.events, width),
    );
    const last = rows - 1;
    if (this.#prompt !== null) {
      lines[last] = toWidth(`:${this.#prompt.slice(-(columns - 2))}█`, columns);
    } else if (this.#complaint !== null) {
      lines[last] = paint(cutText(` ${this.#complaint}`, columns), this.#style.colour, 'red');
    } else if (this.#waiting) {
      lines[last] = paint(
        cutText(` ${this.#waitingLine()}`, columns),
        this.#style.colour,
        'yellow',
      );
    }
    return lines;
  }

  #waitingLine(): string {
    const { debuggee } = this.#session;
    return `${this.#doing} … (${this.#isLong || debuggee.wake ? 'any key stops, ' : ''}q quits)`;
  }
}

function doing(command: Command['name'], { kind, next }: View): string {
  if (command === 'back') return 'going back';
  if (command === 'branch') return 'repeating it in simulation';
  return kind === 'live' && next.packet === null ? 'waiting for a packet' : next.text;
}
