// The routes of a whole process: a stack that is opened when something first needs it. Knows which addresses
// go there; must not know sockets.

import type { Stack } from '../net/stack.js';
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

/** Closes all connections of a stack, and sends what follows from that at once. */
export function sayGoodbye({ core, now }: Stack): void {
  for (const connection of core.connections()) connection.close();
  core.flush(now());
}
