// Who listens where. Knows ports and addresses; must not know connections.

import type { IpAddress } from '../wire/address.js';
import type { IpHeader } from '../wire/ip.js';
import type { Listener } from './listener.js';

/** MUST-42: several listeners may share a port on different addresses. */
export class Listeners {
  private readonly byPort = new Map<number, Listener[]>();

  *all(): Iterable<Listener> {
    for (const listeners of this.byPort.values()) yield* listeners;
  }

  add(listener: Listener): void {
    const others = this.byPort.get(listener.port);
    if (others === undefined) this.byPort.set(listener.port, [listener]);
    else others.push(listener);
  }

  remove(listener: Listener): void {
    const left = (this.byPort.get(listener.port) ?? []).filter((other) => other !== listener);
    if (left.length === 0) this.byPort.delete(listener.port);
    else this.byPort.set(listener.port, left);
  }

  /** Who answers a packet: one bound to its destination before one for any address. */
  find(port: number, ip: IpHeader): Listener | null {
    const listeners = this.byPort.get(port);
    if (listeners === undefined) return null;
    let any: Listener | null = null;
    for (const listener of listeners) {
      if (listener.address === null) any = listener;
      else if (listener.address.isUnspecified) {
        if (ip.family === listener.address.family) any = listener;
      } else if (isDestination(listener.address, ip)) return listener;
    }
    return any;
  }

  /** Whether a new listener could be reached by a packet that another one is there for. */
  isTaken(port: number, address: IpAddress | null): boolean {
    const listeners = this.byPort.get(port) ?? [];
    return listeners.some((other) => overlap(other.address, address));
  }
}

/** null stands for all addresses of both families, an unspecified one for all of its family. */
function overlap(a: IpAddress | null, b: IpAddress | null): boolean {
  if (a === null || b === null) return true;
  return a.family === b.family && (a.isUnspecified || b.isUnspecified || a.equals(b));
}

function isDestination(address: IpAddress, ip: IpHeader): boolean {
  return (
    address.w3 === ip.dst3 &&
    address.w2 === ip.dst2 &&
    address.w1 === ip.dst1 &&
    address.w0 === ip.dst0
  );
}
