// Ctrl-C and its kin. Knows signals; must not know what is to be stopped.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** npm hands Ctrl-C on to a program that the terminal has sent it to already: that is no second one. */
const SAME_PRESS_MS = 300;

/** The signals that ask the program to end, one after another; none is lost. */
export class StopSignals {
  private readonly pending: NodeJS.Signals[] = [];
  private wake: (() => void) | null = null;
  private last = Number.NEGATIVE_INFINITY;
  private readonly handler = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (now - this.last < SAME_PRESS_MS) return;
    this.last = now;
    this.pending.push(signal);
    this.wake?.();
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.handler);
  }

  /** The next signal that was not yet asked for. */
  async next(): Promise<NodeJS.Signals> {
    if (this.pending.length === 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.pending.shift()!;
  }

  /** From now on signals end the program as ever. */
  release(): void {
    for (const signal of SIGNALS) process.off(signal, this.handler);
  }
}
