// The object `stack.net`, in the shape of node:net. Knows how sockets and servers get their stack.

import {
  BlockList,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  SocketAddress,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
} from 'node:net';
import { normalizeArguments } from './arguments.js';
import { clientSockets } from './diagnostics.js';
import type { Host } from './host.js';
import type { ConnectionListener, Server, ServerOptions } from './server.js';
import { Server as BaseServer } from './server.js';
import type { Socket } from './socket.js';
import { Socket as BaseSocket } from './socket.js';
import type { Accepted, SocketConnectOptions, SocketOptions } from './socket-options.js';

/** Makes a socket and connects it, in the forms of `net.connect`. */
export interface Connect {
  /**
   * @param listener once told of 'connect'
   * @throws TypeError, RangeError with the codes ERR_… of Node, for options that make no sense
   */
  (options: SocketConnectOptions, listener?: () => void): Socket;
  /** @param host address or name; default `localhost` */
  (port: number | string, host?: string, listener?: () => void): Socket;
  /** To `localhost`. */
  (port: number | string, listener?: () => void): Socket;
}

/** Makes a server, which does not listen yet, in the forms of `net.createServer`. */
export interface CreateServer {
  /**
   * @param listener told of each 'connection'
   * @throws TypeError ERR_INVALID_ARG_TYPE for options that make no sense
   */
  (options?: ServerOptions | null, listener?: ConnectionListener): Server;
  /** With the defaults. */
  (listener?: ConnectionListener): Server;
}

/** A class that, as those of `node:net`, makes an object without `new`, too; with its static members. */
type Callable<Args extends unknown[], Instance, Class> = Pick<Class, keyof Class> & {
  new (...args: Args): Instance;
  (...args: Args): Instance;
};

type SocketArguments = [options?: SocketOptions];
type ServerArguments = [
  options?: ServerOptions | ConnectionListener | null,
  listener?: ConnectionListener,
];
/** `stack.net.Socket`: the class, which also works without `new`. */
export type SocketClass = Callable<SocketArguments, Socket, typeof BaseSocket>;
/** `stack.net.Server`: the class, which also works without `new`. */
export type ServerClass = Callable<ServerArguments, Server, typeof BaseServer>;

/**
 * `node:net`, over one stack: see https://nodejs.org/docs/latest-v20.x/api/net.html, and
 * docs/net-compatibility.md for all that differs.
 */
export interface NetModule {
  /** The class of sockets of this stack. */
  readonly Socket: SocketClass;
  /** The same as `Socket`, under its old name. */
  readonly Stream: SocketClass;
  /** The class of servers of this stack. */
  readonly Server: ServerClass;
  /** Makes a socket and connects it. */
  readonly connect: Connect;
  /** The same as `connect`. */
  readonly createConnection: Connect;
  /** Makes a server; `listen` has it listen. */
  readonly createServer: CreateServer;
  /** 4 or 6 for an address, 0 for anything else. Node's own, as all that follows. */
  readonly isIP: typeof isIP;
  /** Whether a text is an IPv4 address. */
  readonly isIPv4: typeof isIPv4;
  /** Whether a text is an IPv6 address. */
  readonly isIPv6: typeof isIPv6;
  /** Addresses, ranges and subnets to check an address against: `list.check(socket.remoteAddress)`. */
  readonly BlockList: typeof BlockList;
  /** An address with its port, as a `BlockList` takes them. */
  readonly SocketAddress: typeof SocketAddress;
  /** The default of `autoSelectFamily`: true unless it was changed. */
  readonly getDefaultAutoSelectFamily: typeof getDefaultAutoSelectFamily;
  /** Changes that default, for all stacks and for Node. */
  readonly setDefaultAutoSelectFamily: typeof setDefaultAutoSelectFamily;
  /** The default of `autoSelectFamilyAttemptTimeout`, ms: 250 unless it was changed. */
  readonly getDefaultAutoSelectFamilyAttemptTimeout: typeof getDefaultAutoSelectFamilyAttemptTimeout;
  /** Changes that default, for all stacks and for Node; at least 10. */
  readonly setDefaultAutoSelectFamilyAttemptTimeout: typeof setDefaultAutoSelectFamilyAttemptTimeout;
}

/** What cannot be done: private fields cannot be given to an object that exists already. */
function withoutNew<Args extends unknown[], Instance, Class>(
  Class: new (...args: Args) => Instance,
): Callable<Args, Instance, Class> {
  const callable: Callable<Args, Instance, Class> = new Proxy(Class as never, {
    apply(_, self: unknown, args) {
      if (self instanceof Class) {
        throw new TypeError(`write "class extends net.${Class.name}" instead of calling it`);
      }
      return Reflect.construct(Class, args);
    },
  });
  Class.prototype.constructor = callable;
  return callable;
}

export function createNetModule(host: Host): NetModule {
  const makeSocket = (options: SocketOptions, accepted: Accepted) =>
    new StackSocket(options, accepted);
  const StackSocket = class Socket extends BaseSocket {
    constructor(options?: SocketOptions, accepted?: Accepted) {
      super(host, options, accepted);
    }
  };
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
    if (clientSockets.hasSubscribers) clientSockets.publish({ socket });
    if (options.timeout) socket.setTimeout(options.timeout);
    return callback === null ? socket.connect(options) : socket.connect(options, callback);
  };
  const createServer: CreateServer = (
    options?: ServerOptions | ConnectionListener | null,
    listener?: ConnectionListener,
  ) => new StackServer(options, listener);

  const Socket = withoutNew<SocketArguments, Socket, typeof BaseSocket>(StackSocket);
  return {
    Socket,
    Stream: Socket,
    Server: withoutNew<ServerArguments, Server, typeof BaseServer>(StackServer),
    connect,
    createConnection: connect,
    createServer,
    isIP,
    isIPv4,
    isIPv6,
    BlockList,
    SocketAddress,
    getDefaultAutoSelectFamily,
    setDefaultAutoSelectFamily,
    getDefaultAutoSelectFamilyAttemptTimeout,
    setDefaultAutoSelectFamilyAttemptTimeout,
  };
}
