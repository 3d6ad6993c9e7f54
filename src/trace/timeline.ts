// All events of a run in their order, as many as there is room for. Must not know where they come from.

import type { NewEvent, TraceEvent } from './event.js';

/** A bounded list of events; the oldest are forgotten first. */
export class Timeline {
  /** Called with each event, after it was added; default null. */
  onEvent: ((event: TraceEvent) => void) | null = null;
  /** Events that were forgotten. */
  forgotten = 0;
  readonly #capacity: number;
  #events: TraceEvent[] = [];
  #added = 0;

  /** @param capacity events that are kept, default 100,000 */
  constructor(capacity = 100_000) {
    this.#capacity = capacity;
  }

  /** The events that are kept, oldest first. */
  get events(): readonly TraceEvent[] {
    return this.#events;
  }

  /** Adds an event, with its index. */
  add(event: NewEvent): TraceEvent {
    const placed = { index: this.#added++, ...event } as TraceEvent;
    this.#events.push(placed);
    // Half at once, so that each event is moved at most once on average.
    if (this.#events.length >= 2 * this.#capacity) {
      this.forgotten += this.#capacity;
      this.#events = this.#events.slice(this.#capacity);
    }
    this.onEvent?.(placed);
    return placed;
  }
}
