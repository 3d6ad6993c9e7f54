// Lines over the whole screen, to be paged through. Knows keys and rows; must not know what the lines say.

import { cutText } from '../trace/ladder-words.js';
import { rule } from './layout.js';
import type { Size } from './screen.js';

/** Rows that belong to the title and to what keys do. */
const FRAME = 2;

export class Pages {
  readonly #title: string;
  readonly #text: (columns: number) => readonly string[];
  #columns = 0;
  #lines: readonly string[] = [];
  #top = 0;

  /** @param text its lines, of at most so many letters */
  constructor(title: string, text: (columns: number) => readonly string[]) {
    this.#title = title;
    this.#text = text;
  }

  /** Moves, or stays. @returns whether they are still to be shown: any other key goes back */
  key(key: string, { columns, rows }: Size): boolean {
    this.#fit(columns);
    const page = rows - FRAME;
    const last = Math.max(this.#lines.length - page, 0);
    const moves: Readonly<Record<string, number>> = {
      up: -1,
      k: -1,
      down: 1,
      j: 1,
      enter: 1,
      pageup: -page,
      pagedown: page,
      ' ': page,
      home: -last,
      end: last,
    };
    // Whoever reads with the space bar comes back with it.
    const isMove = Object.hasOwn(moves, key) && !(key === ' ' && this.#top === last);
    if (isMove) this.#top = Math.min(Math.max(this.#top + moves[key]!, 0), last);
    return isMove || key === 'ctrl-l';
  }

  /** Exactly `rows` lines, at most `columns` letters wide. */
  draw({ columns, rows }: Size): string[] {
    this.#fit(columns);
    const page = rows - FRAME;
    const shown = this.#lines.slice(this.#top, this.#top + page);
    const left = this.#lines.length - this.#top - page;
    return [
      rule(this.#title, columns),
      ...Array.from({ length: page }, (_, i) => cutText(shown[i] ?? '', columns)),
      left > 0 ? ` ${left} more lines, space · any other key: back` : ' any key: back',
    ];
  }

  /** Somebody may have changed the size of the terminal. */
  #fit(columns: number): void {
    if (columns === this.#columns) return;
    this.#columns = columns;
    this.#lines = this.#text(columns);
    this.#top = Math.max(Math.min(this.#top, this.#lines.length - 1), 0);
  }
}
