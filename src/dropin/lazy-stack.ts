// The routes of a whole process: a stack that is opened when something first needs it. Knows which addresses
// go there; must not know sockets.

import type { Stack } from '../net/stack.js';
import type { StackCore } from '../stack/core.js';
import { IpAddress, type Subnet } from '../wire/address.js';
import type { Routes } from './routing.js';

export interface LazyStackOptions {
  /** Whether all addresses go to the stack; otherwise those of its subnets. */
  readonly all: boolean;
  /** The stack's addresses, with prefixes. */
  readonly addresses: readonly Subnet[];
  /** Makes the stack; what it throws reaches the program from its `listen` or `connect`. */
  open(): Stack;
}

export function lazyRoutes({ all, addresses, open }: LazyStackOptions): Routes {
  let stack: Stack | null = null;
  const use = (): Stack => {
    stack ??= open();
    return stack;
  };
  const reaches = (text: string): boolean => {
    const address = IpAddress.parse(text);
    return all || (address !== null && addresses.some((subnet) => subnet.contains(address)));
  };
  return {
    connect: (address) => (reaches(address) ? use() : null),
    listen: (address) => (address === null || reaches(address) ? use() : null),
  };
}

/** How long the last bytes may take, and how long they may stand still, µs. */
const PATIENCE_US = 2_000_000;
const STANDSTILL_US = 300_000;
const LOOK_MS = 10;

/**
 * Closes all connections of a stack, and sends what can be sent of them while nothing else runs any more. Who
 * does not take it gets a RST then, rather than wait for ever.
 * @param receive waits for packets, ms; null: there is no device, and so nobody outside
 */
export function sayGoodbye({ core, now }: Stack, receive: ((ms: number) => void) | null): void {
  for (const connection of core.connections()) connection.close();
  core.flush(now());
  const end = now() + PATIENCE_US;
  let left = unsentBytes(core);
  for (let since = now(); receive !== null && left > 0 && now() < end; ) {
    receive(LOOK_MS);
    core.advance(now());
    const before = left;
    left = unsentBytes(core);
    if (left < before) since = now();
    else if (now() - since > STANDSTILL_US) break;
  }
  for (const connection of core.connections()) if (connection.unsent > 0) connection.abort();
  core.flush(now());
}

function unsentBytes(core: StackCore): number {
  let bytes = 0;
  for (const connection of core.connections()) bytes += connection.unsent;
  return bytes;
}
