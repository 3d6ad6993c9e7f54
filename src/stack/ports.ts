// Local ports: which are in use, and which one an outgoing connection gets (RFC 6056). Knows numbers
// of flows and listeners by port; must not know connections.

import { SipHash } from '../tcp/siphash.js';
import type { IpAddress } from '../wire/address.js';

/** Linux ip_local_port_range. */
export const EPHEMERAL_FIRST = 32_768;
export const EPHEMERAL_LAST = 60_999;

export class PortTable {
  /** Flows (TIME-WAIT included) by local port. */
  private readonly flows = new Int32Array(65_536);
  private readonly hash: SipHash;
  private readonly words = new Int32Array(5);
  private counter = 0;

  /**
   * @param secret 16 random bytes.
   * @param owns whether a flow is this stack's: see `StackCoreOptions`.
   */
  constructor(
    secret: Uint8Array,
    readonly owns: (localPort: number, remotePort: number) => boolean = () => true,
  ) {
    this.hash = new SipHash(secret);
  }

  flowAdded(port: number): void {
    this.flows[port] += 1;
  }

  flowRemoved(port: number): void {
    this.flows[port] -= 1;
  }

  hasFlows(port: number): boolean {
    return this.flows[port] > 0;
  }

  /**
   * RFC 6056 §3.3.3, algorithm 3: a walk through the range that begins at a keyed hash of where the
   * connection goes, so that ports look random to outsiders and are reused as late as can be.
   * @param isFree whether the port can be taken for this destination.
   * @returns a port, or -1 when all are taken.
   */
  ephemeral(remote: IpAddress, remotePort: number, isFree: (port: number) => boolean): number {
    const size = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
    const words = this.words;
    words[0] = remote.w0;
    words[1] = remote.w1;
    words[2] = remote.w2;
    words[3] = remote.w3;
    words[4] = remotePort;
    const offset = (this.hash.digest(words) >>> 0) % size;
    for (let tries = 0; tries < size; tries++) {
      const port = EPHEMERAL_FIRST + ((offset + this.counter) % size);
      this.counter = (this.counter + 1) % size;
      if (isFree(port)) return port;
    }
    return -1;
  }
}
