// Which states the connections of one end have been in, as a timeline tells. Must not know who saw them.

import type { End } from '../trace/event.js';
import type { Timeline } from '../trace/timeline.js';

export class StatePath {
  readonly #timeline: Timeline;
  readonly #end: End;
  /** Index of the first event that was not looked at. */
  #next = 0;
  readonly #states: string[] = [];
  readonly #current = new Map<string | null, string>();

  constructor(timeline: Timeline, end: End) {
    this.#timeline = timeline;
    this.#end = end;
  }

  /** All states so far, in order; of connections, not of listeners. */
  get states(): readonly string[] {
    this.#look();
    return this.#states;
  }

  /** How many connections are in this state. */
  countIn(state: string): number {
    this.#look();
    return [...this.#current.values()].filter((current) => current === state).length;
  }

  #look(): void {
    const { events } = this.#timeline;
    const first = events[0]?.index ?? this.#next;
    for (let i = Math.max(this.#next - first, 0); i < events.length; i++) {
      const event = events[i]!;
      this.#next = event.index + 1;
      if (event.kind !== 'state' || event.end !== this.#end || event.to === 'LISTEN') continue;
      this.#states.push(event.to);
      this.#current.set(event.connection, event.to);
    }
  }
}
