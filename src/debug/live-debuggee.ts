// A stack in another process as something to be stepped through. Knows what is said to it and what it says;
// must not know sockets.

import type { TraceEvent } from '../trace/event.js';
import { type Action, type Debuggee, type Look, Refusal } from './debuggee.js';
import type { LiveLook, LiveReply, LiveRequest } from './live-messages.js';

/** Events that are kept for the ladder. */
const KEPT = 100_000;

/** A way to the other process; lines without their ends. */
export interface Line {
  send(text: string): void;
  onLine: (text: string) => void;
  /** Rejects when the other process has gone. */
  readonly gone: Promise<never>;
  close(): void;
}

/** A stack that cannot be stepped through, and what to do about it. */
export class LiveError extends Error {
  override name = 'LiveError';
  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}

export class LiveDebuggee implements Debuggee {
  readonly kind = 'live';
  readonly title: string;
  onChange: (() => void) | null = null;
  readonly failed: Promise<never>;
  readonly #line: Line;
  readonly #asked = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  #look: LiveLook | null = null;
  #events: TraceEvent[] = [];
  #lastId = 0;
  #follows: string | null = null;
  readonly #first: Promise<void>;
  #seen!: () => void;
  #refused!: (error: Error) => void;

  /** Resolves when it has seen the stack for the first time. @throws LiveError where it cannot */
  static async open(title: string, line: Line): Promise<LiveDebuggee> {
    const debuggee = new LiveDebuggee(title, line);
    await Promise.race([debuggee.#first, debuggee.failed]);
    return debuggee;
  }

  private constructor(title: string, line: Line) {
    this.title = title;
    this.#line = line;
    const refused = new Promise<never>((_, reject) => {
      this.#refused = reject;
    });
    this.failed = Promise.race([line.gone, refused]);
    this.failed.catch(() => {}); // whoever steps looks at it
    this.#first = new Promise((resolve) => {
      this.#seen = resolve;
    });
    line.onLine = (text) => this.#told(JSON.parse(text) as LiveReply);
  }

  look(): Look {
    return { ...this.#look!, events: this.#events, verdict: null };
  }

  /** One connection after the other, then again the one that something happens to. */
  readonly follow = async (): Promise<string> => {
    const { connections } = this.#look!;
    if (connections.length === 0 && this.#follows === null) {
      throw new Refusal('there is no connection yet: the first one will be shown by itself');
    }
    this.#follows = connections[connections.indexOf(this.#follows ?? '') + 1] ?? null;
    await this.#ask({ follow: this.#follows });
    return this.#follows === null
      ? 'shown: whichever connection something happens to'
      : `shown: ${this.#follows}`;
  };

  act(action: Action): Promise<void> {
    return this.#ask({ action });
  }

  #ask(question: { action: Action } | { follow: string | null }): Promise<void> {
    const id = ++this.#lastId;
    const done = new Promise<void>((resolve, reject) => this.#asked.set(id, { resolve, reject }));
    this.#say({ id, ...question });
    return Promise.race([done, this.failed]);
  }

  /** Ends a step that waits for a packet. */
  readonly wake = (): void => this.#say({ wake: true });

  async close(): Promise<void> {
    this.#line.close();
  }

  #say(request: LiveRequest): void {
    this.#line.send(JSON.stringify(request));
  }

  #told(reply: LiveReply): void {
    if ('error' in reply) {
      const fix =
        reply.fix ?? 'start finwait serve of this version: nothing else can be stepped through';
      this.#refused(new LiveError(reply.error, fix));
      return;
    }
    if ('done' in reply) {
      const asked = this.#asked.get(reply.done);
      this.#asked.delete(reply.done);
      if (reply.refusal === null) asked?.resolve();
      else asked?.reject(new Refusal(reply.refusal));
      return;
    }
    this.#look = reply.look;
    this.#events.push(...reply.events);
    if (this.#events.length > 2 * KEPT) this.#events = this.#events.slice(-KEPT);
    this.#seen();
    this.onChange?.();
  }
}
