// The places that are compared: the kernel's loopback, a stack that talks to itself, and two stacks
// over a link. Must not know what is exchanged.

import { once } from 'node:events';
import net from 'node:net';
import { MemoryLink } from '../../src/device/link.js';
import { SystemClock } from '../../src/device/system-clock.js';
import type { Server } from '../../src/net/server.js';
import type { Socket } from '../../src/net/socket.js';
import type { SocketConnectOptions } from '../../src/net/socket-options.js';
import { Stack } from '../../src/net/stack.js';
import type { Place } from './trial.js';

const MEMORY = 64 * 1024 * 1024;

export function kernel(): Place {
  return {
    name: 'node:net',
    net,
    clientNet: net,
    host: '127.0.0.1',
    clientHost: '127.0.0.1',
    otherHost: '127.0.9.1',
    close: async () => {},
  };
}

export function within(): Place & { stack: Stack } {
  const stack = new Stack({
    clock: new SystemClock(),
    addresses: ['10.9.0.2/24', 'fd09::2/64', '10.9.0.3/24'],
    memory: MEMORY,
  });
  return {
    stack,
    name: 'one stack, with itself',
    net: stack.net,
    clientNet: stack.net,
    host: '10.9.0.2',
    clientHost: '10.9.0.2',
    otherHost: '10.9.0.3',
    close: () => stack.close(100),
  };
}

/** Two stacks on a link, for tests that need their insides. */
export function linkedStacks(options: ConstructorParameters<typeof MemoryLink>[1] = {}) {
  const link = new MemoryLink(new SystemClock(), options);
  const make = (device: MemoryLink['a'], ...addresses: string[]) =>
    new Stack({ clock: new SystemClock(), device, addresses, memory: MEMORY });
  const a = make(link.a, '10.9.0.1/24', 'fd09::1/64');
  const b = make(link.b, '10.9.0.2/24', 'fd09::2/64', '10.9.0.3/24');
  return { link, a, b, close: () => Promise.all([a.close(100), b.close(100)]) };
}

/** Has a server listen. @returns its port */
export async function listening(server: Server, host = '10.9.0.2'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  return server.address()!.port;
}

/** A connection from the first stack to the second one, both ends of it. */
export async function connectedPair(
  { a, b }: ReturnType<typeof linkedStacks>,
  options: Partial<SocketConnectOptions> = {},
  allowHalfOpen = false,
) {
  const server = b.net.createServer({ allowHalfOpen });
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const port = await listening(server);
  const client = a.net.connect({ host: '10.9.0.2', port, ...options });
  await once(client, 'connect');
  const [served] = await accepted;
  return { client, served, server, port };
}

export function linked(): Place {
  const { a, b, close } = linkedStacks();
  return {
    name: 'two stacks on a link',
    net: b.net,
    clientNet: a.net,
    host: '10.9.0.2',
    clientHost: '10.9.0.1',
    otherHost: '10.9.0.3',
    close: async () => void (await close()),
  };
}
