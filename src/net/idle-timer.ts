// Tells that a socket was idle for some time; must not know sockets.

/** The longest time that a timer of Node can wait, ms. */
const MAX_MS = 0x7fff_ffff;

/** Runs `fire` whenever it was not touched for the time that was set. Keeps no process alive. */
export class IdleTimer {
  #timer: NodeJS.Timeout | undefined;
  readonly #fire: () => void;

  constructor(fire: () => void) {
    this.#fire = fire;
  }

  /** @param ms milliseconds; 0: never */
  set(ms: number): void {
    this.stop();
    if (ms > 0) this.#timer = setTimeout(this.#fire, Math.min(ms, MAX_MS)).unref();
  }

  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
