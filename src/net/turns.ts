// Gives each event to the program in a turn of its own. Knows the queues of Node; must not know sockets.

/** Something that has events for the program. Its two fields belong to `Turns`. */
export interface Source {
  queued: boolean;
  following: Source | null;
  /** Delivers one event; true when there are more. */
  deliver(): boolean;
}

const microtasks = Promise.resolve();

/**
 * A queue of sources. As after a callback from the system, `process.nextTick` and promises run
 * between one event and the next: so `await once(socket, 'connect')` goes on before the data that
 * came with it. A listener that throws ends its own turn only, as an uncaught exception; the stack,
 * which is not on the call stack, and all other sources go on.
 */
export class Turns {
  #first: Source | null = null;
  #last: Source | null = null;
  #scheduled = false;

  /** Has `source.deliver` called soon, after the sources that wait already. */
  add(source: Source): void {
    if (source.queued) return;
    source.queued = true;
    if (this.#last === null) this.#first = source;
    else this.#last.following = source;
    this.#last = source;
    if (!this.#scheduled) this.#schedule();
  }

  readonly #schedule = (): void => {
    this.#scheduled = true;
    process.nextTick(this.#run);
  };

  readonly #run = (): void => {
    const source = this.#first!;
    this.#first = source.following;
    if (this.#first === null) this.#last = null;
    source.following = null;
    source.queued = false;
    try {
      if (source.deliver()) this.add(source);
    } finally {
      if (this.#first === null) this.#scheduled = false;
      else void microtasks.then(this.#schedule);
    }
  };
}
