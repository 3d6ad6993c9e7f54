// Echo, RFC 862: sends back what it gets. Knows one connection; must not know whose TCP carries it.

import type { Service, ServiceSocket } from './service.js';

/** Everything comes back; the peer's FIN is answered by ours when all has been sent back. */
export const echoService: Service = {
  name: 'echo',
  port: 7,
  allowHalfOpen: true,
  onConnection(socket: ServiceSocket): void {
    socket.pipe(socket);
  },
  endConnection(socket: ServiceSocket): void {
    socket.unpipe(socket);
    socket.resume();
    socket.end();
  },
};
