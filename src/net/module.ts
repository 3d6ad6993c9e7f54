// The object `stack.net`, in the shape of node:net. Knows how sockets and servers get their stack.

import { isIP, isIPv4, isIPv6 } from 'node:net';
import { normalizeArguments } from './arguments.js';
import type { Host } from './host.js';
import type { ConnectionListener, Server, ServerOptions } from './server.js';
import { Server as BaseServer } from './server.js';
import type { Socket } from './socket.js';
import { Socket as BaseSocket } from './socket.js';
import type { Accepted, SocketConnectOptions, SocketOptions } from './socket-options.js';

interface Connect {
  (options: SocketConnectOptions, listener?: () => void): Socket;
  (port: number | string, host: string, listener?: () => void): Socket;
  (port: number | string, listener?: () => void): Socket;
}

interface CreateServer {
  (options?: ServerOptions | null, listener?: ConnectionListener): Server;
  (listener?: ConnectionListener): Server;
}

/** `node:net`, over one stack: see https://nodejs.org/docs/latest-v20.x/api/net.html */
export interface NetModule {
  readonly Socket: new (options?: SocketOptions) => Socket;
  readonly Server: new (
    options?: ServerOptions | ConnectionListener | null,
    listener?: ConnectionListener,
  ) => Server;
  /** Makes a socket and connects it. */
  readonly connect: Connect;
  /** The same as `connect`. */
  readonly createConnection: Connect;
  readonly createServer: CreateServer;
  readonly isIP: typeof isIP;
  readonly isIPv4: typeof isIPv4;
  readonly isIPv6: typeof isIPv6;
}

export function createNetModule(host: Host): NetModule {
  const StackSocket = class Socket extends BaseSocket {
    constructor(options?: SocketOptions, accepted?: Accepted) {
      super(host, options, accepted);
    }
  };
  const makeSocket = (options: SocketOptions, accepted: Accepted) =>
    new StackSocket(options, accepted);
  const StackServer = class Server extends BaseServer {
    constructor(
      options?: ServerOptions | ConnectionListener | null,
      listener?: ConnectionListener,
    ) {
      super(host, makeSocket, options, listener);
    }
  };

  const connect: Connect = (...args: unknown[]) => {
    const { options, callback } = normalizeArguments<SocketConnectOptions>(args);
    const socket = new StackSocket(options);
    if (options.timeout) socket.setTimeout(options.timeout);
    return callback === null ? socket.connect(options) : socket.connect(options, callback);
  };
  const createServer: CreateServer = (
    options?: ServerOptions | ConnectionListener | null,
    listener?: ConnectionListener,
  ) => new StackServer(options, listener);

  return {
    Socket: StackSocket,
    Server: StackServer,
    connect,
    createConnection: connect,
    createServer,
    isIP,
    isIPv4,
    isIPv6,
  };
}
