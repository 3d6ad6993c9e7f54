// Discard, RFC 863: throws away what it gets. Knows one connection; must not know whose TCP carries it.

import type { Service, ServiceSocket } from './service.js';

/** Nothing is sent; the peer's FIN is answered by ours. */
export const discardService: Service = {
  name: 'discard',
  port: 9,
  allowHalfOpen: false,
  onConnection(socket: ServiceSocket): void {
    socket.resume();
  },
  endConnection(socket: ServiceSocket): void {
    socket.end();
  },
};
