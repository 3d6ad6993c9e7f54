// A timeline as JSON Lines, event by event. Knows lines; must not know where they go.

import type { TraceEvent } from './event.js';

/** What stands in a file of lines besides events. */
export type TraceMark =
  /** First: when, in both clocks, and of which interface. */
  | { kind: 'start'; at: string; timeUs: number; interface: string }
  /** So many events are missing here. */
  | { kind: 'lost'; events: number }
  /** Last, where the program ended in order. */
  | { kind: 'end'; events: number; lost: number };

export class TraceLines {
  /** Events that came by, and of those that could not be kept. */
  events = 0;
  lost = 0;
  readonly #write: (line: Uint8Array) => boolean;
  #lostBefore = 0;

  /** @param write takes a line; false when it is lost, for now or for ever */
  constructor(write: (line: Uint8Array) => boolean) {
    this.#write = write;
  }

  start(at: Date, timeUs: number, name: string): void {
    this.#mark({ kind: 'start', at: at.toISOString(), timeUs, interface: name });
  }

  add(event: TraceEvent): void {
    this.events += 1;
    const gapIsTold =
      this.#lostBefore === 0 || this.#mark({ kind: 'lost', events: this.#lostBefore });
    if (gapIsTold) this.#lostBefore = 0;
    if (gapIsTold && this.#write(toLine(event))) return;
    this.lost += 1;
    this.#lostBefore += 1;
  }

  finish(): void {
    if (this.#lostBefore > 0) this.#mark({ kind: 'lost', events: this.#lostBefore });
    this.#mark({ kind: 'end', events: this.events, lost: this.lost });
  }

  #mark(mark: TraceMark): boolean {
    return this.#write(toLine(mark));
  }
}

function toLine(what: TraceEvent | TraceMark): Uint8Array {
  return Buffer.from(`${JSON.stringify(what)}\n`);
}
