// A thread that carries what comes to published ports to the stack, and back. Knows sockets of the kernel;
// must not know who has opened the ports or what runs on the stack.

import net from 'node:net';
import { workerData } from 'node:worker_threads';
import { native } from '../device/native.js';
import type { ForwarderData } from './publications.js';

const { listeners, host } = workerData as ForwarderData;

/** Both hold back what they cannot pass on: whoever sends too fast has to wait. */
function forward(client: net.Socket, port: number): void {
  const stack = net.connect({ host, port, allowHalfOpen: true, noDelay: true });
  client.setNoDelay(true);
  carry(client, stack);
  carry(stack, client);
}

/** The end of what one side sends is a FIN to the other, and a failure of one side a reset. */
function carry(from: net.Socket, to: net.Socket): void {
  from.pipe(to);
  from.on('error', () => reset(to));
  // Gone though it was still to be read or written, without an error: nobody waits any more.
  from.on('close', () => {
    if (!to.writableEnded) reset(to);
  });
}

/**
 * At once, whatever waits to be sent. Node's resetAndDestroy() sends that first, and a socket that fails
 * meanwhile is never closed (uv_tcp_close_reset(3): EINVAL while a shutdown is pending).
 */
function reset(socket: net.Socket): void {
  const { fd } = (socket as { _handle?: { fd: number } | null })._handle ?? { fd: -1 };
  if (fd >= 0) native().abort(fd);
  socket.destroy();
}

for (const { descriptor, target } of listeners) {
  const server = net.createServer({ allowHalfOpen: true }, (client) => forward(client, target));
  server.listen({ fd: descriptor });
}
