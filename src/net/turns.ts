// Gives each event to the program in a turn of its own. Knows the queues of Node; must not know sockets.

/** Something that has events for the program. Its two fields belong to `Turns`. */
export interface Source {
  queued: boolean;
  following: Source | null;
  /** Whether it goes before all that are not. */
  readonly urgent: boolean;
  /**
   * Delivers one event; true when there are more. After one that has thrown it is called once again, whether
   * there are or not.
   */
  deliver(): boolean;
}

const microtasks = Promise.resolve();

/** Sources in a row, without garbage. */
class Row {
  #first: Source | null = null;
  #last: Source | null = null;

  get isEmpty(): boolean {
    return this.#first === null;
  }

  push(source: Source): void {
    if (this.#last === null) this.#first = source;
    else this.#last.following = source;
    this.#last = source;
  }

  shift(): Source | null {
    const source = this.#first;
    if (source === null) return null;
    this.#first = source.following;
    if (this.#first === null) this.#last = null;
    source.following = null;
    return source;
  }
}

/**
 * A queue of sources. As after a callback from the system, `process.nextTick` and promises run
 * between one event and the next: so `await once(socket, 'connect')` goes on before the data that
 * came with it. A listener that throws ends its own turn only, as an uncaught exception; the stack,
 * which is not on the call stack, and all other sources go on.
 */
export class Turns {
  readonly #urgent = new Row();
  readonly #others = new Row();
  #scheduled = false;

  /** Has `source.deliver` called soon, after the sources of its kind that wait already. */
  add(source: Source): void {
    if (source.queued) return;
    source.queued = true;
    if (source.urgent) this.#urgent.push(source);
    else this.#others.push(source);
    if (!this.#scheduled) this.#schedule();
  }

  readonly #schedule = (): void => {
    this.#scheduled = true;
    process.nextTick(this.#run);
  };

  readonly #run = (): void => {
    const source = this.#urgent.shift() ?? this.#others.shift()!;
    source.queued = false;
    let more = true;
    try {
      more = source.deliver();
    } finally {
      if (more) this.add(source);
      if (this.#urgent.isEmpty && this.#others.isEmpty) this.#scheduled = false;
      else void microtasks.then(this.#schedule);
    }
  };
}
