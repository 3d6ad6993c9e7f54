// Whether the sockets of a program read: when they may not, the window closes, whatever the program itself
// does. Knows streams; must not know who decides it, or why.

import type { Host } from '../net/host.js';
import { Socket } from '../net/socket.js';
import type { Accepted, SocketOptions } from '../net/socket-options.js';

export class Reading {
  #allowed = true;
  /** What sockets would have done meanwhile, in order. */
  readonly #withheld: (() => void)[] = [];

  get allowed(): boolean {
    return this.#allowed;
  }

  pause(): void {
    this.#allowed = false;
  }

  goOn(): void {
    this.#allowed = true;
    for (const act of this.#withheld.splice(0)) act();
  }

  withhold(act: () => void): void {
    this.#withheld.push(act);
  }
}

/** Makes sockets that read only while `reading` allows it. */
export function readingSockets(
  host: Host,
  reading: Reading,
): new (
  options: SocketOptions,
  accepted: Accepted,
) => Socket {
  // The constructor of a socket reads already, when fields of a descendant do not exist yet.
  return class PeerSocket extends Socket {
    constructor(options: SocketOptions, accepted: Accepted) {
      super(host, options, accepted);
    }

    override _read(size: number): void {
      if (reading.allowed) super._read(size);
      else reading.withhold(() => super._read(size));
    }

    /** What was on its way up waits, and nothing follows it: false stops the reading. */
    override push(chunk: Buffer | null): boolean {
      if (reading.allowed) return super.push(chunk);
      reading.withhold(() => super.push(chunk));
      return false;
    }
  };
}
