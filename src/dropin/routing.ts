// Puts our handles into Node's sockets and servers, where an address is ours. Knows which calls of a TCP
// handle decide that, and how to take them back; must not know how a handle of ours works.

import { isIPv4, isIPv6, type Server } from 'node:net';
import type { Stack } from '../net/stack.js';
import { IpAddress } from '../wire/address.js';
import { plainAddress } from './ends.js';
import { addExtras, removeExtras } from './extras.js';
import { StackHandle } from './handle.js';
import {
  type ConnectRequest,
  errnoOf,
  isForServer,
  type SocketInside,
  TCP,
  type TcpHandle,
  tcpConstants,
  userBufferOf,
} from './internals.js';
import { guardPipes, isForWorkers, unguardPipes } from './other-processes.js';
import { forgetTls, moveTls, watchTls } from './secure.js';
import { ServerHandle } from './server-handle.js';
import { warn } from './warning.js';

/** Which connections and listeners belong to a stack; null leaves them to the kernel. */
export interface Routes {
  /**
   * @param address IPv4 or IPv6, after a name was looked up
   * @throws Error whose `code` is that of the error which the socket or server is to have
   */
  connect(address: string, port: number): Stack | null;
  /** @param address null: all addresses, of IPv4 or of both families */
  listen(address: string | null, port: number): Stack | null;
}

/** The latest come first. */
const installed: Routes[] = [];

/**
 * From now on the sockets and servers of `node:net`, and all that is built on them, use the stack that
 * `routes` name, and the kernel where they name none. Routes that were installed later are asked first.
 * Answers what takes them back; connections and listeners that exist stay as they are.
 */
export function installRoutes(routes: Routes): () => void {
  if (installed.length === 0) patch();
  installed.unshift(routes);
  return () => {
    const index = installed.indexOf(routes);
    if (index < 0) return;
    installed.splice(index, 1);
    if (installed.length === 0) restore();
  };
}

function stackFor(find: (routes: Routes) => Stack | null): Stack | null {
  for (const routes of installed) {
    const stack = asking(() => find(routes));
    if (stack !== null) return stack;
  }
  return null;
}

/** There is no stack where there should be one. */
class NoStack extends Error {
  constructor(readonly errno: number) {
    super();
  }
}

/** Whoever listens or connects hears of it by an event, as of other errors of the system. */
function asking(find: () => Stack | null): Stack | null {
  try {
    return find();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    warn(message);
    throw new NoStack(errnoOf(code));
  }
}

function orErrno(call: () => number): number {
  try {
    return call();
  } catch (error) {
    if (error instanceof NoStack) return error.errno;
    throw error;
  }
}

/** Where handles of sockets were bound to before they connect. */
const sources = new WeakMap<TcpHandle, { address: string; port: number }>();

/** Where the handle of a server is to listen: the kernel is told when it turns out to be the kernel's. */
interface Binding {
  stack: Stack;
  address: string;
  port: number;
  ipv6Only: boolean;
  inKernel(): number;
}

const bindings = new WeakMap<TcpHandle, Binding>();

const { bind, bind6, connect, connect6, listen } = TCP.prototype;
const native = { bind, bind6, connect, connect6, listen };

// All that Node offers over TCP comes through these methods of a native handle, with an address that was
// looked up: http, tls, http2 and fetch as well. So nothing else has to be replaced, and each class,
// function, event and error stays that of Node.
const patches = {
  bind(this: TcpHandle, address: string, port: number): number {
    const inKernel = () => bind.call(this, address, port);
    return orErrno(() => (isIPv4(address) ? bindHere(this, address, port, inKernel) : inKernel()));
  },
  bind6(this: TcpHandle, address: string, port: number, flags?: number): number {
    const inKernel = () => bind6.call(this, address, port, flags);
    return orErrno(() =>
      isIPv6(address) ? bindHere(this, address, port, inKernel, flags) : inKernel(),
    );
  },
  connect(this: TcpHandle, request: ConnectRequest, address: string, port: number): number {
    return orErrno(() => connectHere(this, request, address, port, connect));
  },
  connect6(this: TcpHandle, request: ConnectRequest, address: string, port: number): number {
    return orErrno(() => connectHere(this, request, address, port, connect6));
  },
  listen(this: TcpHandle, backlog: number): number {
    return listenHere(this, backlog);
  },
};

/** Handles that were asked whether they can be read natively: HTTP/2 does so before they are connected. */
const asked = new WeakSet<TcpHandle>();

function patch(): void {
  Object.assign(TCP.prototype, patches);
  Object.defineProperty(TCP.prototype, 'isStreamBase', {
    configurable: true,
    get(this: TcpHandle) {
      asked.add(this);
      return true;
    },
  });
  watchTls();
  guardPipes({
    isOurs: (handle) => handle instanceof StackHandle || handle instanceof ServerHandle,
    leave: bindInKernel,
  });
  addExtras();
}

function restore(): void {
  Object.assign(TCP.prototype, native);
  Reflect.deleteProperty(TCP.prototype, 'isStreamBase');
  forgetTls();
  unguardPipes();
  removeExtras();
}

function bindHere(
  handle: TcpHandle,
  text: string,
  port: number,
  inKernel: () => number,
  flags = 0,
): number {
  const { address, mapped } = plainAddress(text);
  const any = IpAddress.parse(address)?.isUnspecified === true;
  if (!isForServer(handle)) {
    // Without an address it says nothing of where the connection will go.
    sources.set(handle, { address, port });
    const stack = any ? null : stackFor((routes) => routes.listen(address, port));
    return (stack && replace(handle, stack, mapped)?.bind(address, port)) ?? inKernel();
  }
  const stack = stackFor((routes) => routes.listen(any ? null : address, port));
  if (stack === null) return inKernel();
  // Then lib/net.js tries 0.0.0.0 where it was told no address, as on a host without IPv6.
  if (any && text.includes(':') && !stack.hasIpv6) return errnoOf('EAFNOSUPPORT');
  const ipv6Only = (flags & tcpConstants.UV_TCP_IPV6ONLY) !== 0;
  bindings.set(handle, { stack, address: text, port, ipv6Only, inKernel });
  return 0;
}

function connectHere(
  handle: TcpHandle,
  request: ConnectRequest,
  text: string,
  port: number,
  inKernel: TcpHandle['connect'],
): number {
  const { address, mapped } = plainAddress(text);
  const stack = stackFor((routes) => routes.connect(address, port));
  const ours = stack && replace(handle, stack, mapped);
  if (!ours) return inKernel.call(handle, request, text, port);
  const source = sources.get(handle);
  if (source !== undefined) ours.bind(source.address, source.port);
  return ours.connect(request, address, port);
}

function listenHere(handle: TcpHandle, backlog: number): number {
  const binding = bindings.get(handle);
  const server = handle.owner as (Server & SocketInside) | undefined;
  if (binding === undefined || server === undefined || isForWorkers(server)) {
    return bindInKernel(handle) || listen.call(handle, backlog);
  }
  bindings.delete(handle);
  const ours = new ServerHandle(binding.stack, binding);
  ours.owner = server;
  ours.onconnection = handle.onconnection;
  server._handle = ours;
  handle.close();
  return ours.listen(backlog);
}

/** A server's handle that is the kernel's after all. Answers 0 or a negative errno. */
function bindInKernel(handle: object): number {
  const binding = bindings.get(handle as TcpHandle);
  bindings.delete(handle as TcpHandle);
  return binding === undefined ? 0 : binding.inKernel();
}

/** Gives the socket of a handle of Node's one of ours; null when it has no socket. */
function replace(handle: TcpHandle, stack: Stack, mapped: boolean): StackHandle | null {
  const socket = handle.owner as SocketInside | undefined;
  if (socket === undefined) return null;
  const ours = new StackHandle(stack, mapped);
  ours.owner = socket;
  if (!handle.hasRef()) ours.unref();
  // With TLS the socket has a handle of TLS's, with this one below it.
  if (socket._handle === handle) {
    ours.onread = handle.onread;
    const buffer = userBufferOf(socket);
    if (buffer !== null) ours.useUserBuffer(buffer);
    if (asked.has(handle)) ours.expectNativeReader();
    socket._handle = ours;
  }
  moveTls(handle, ours);
  handle.close();
  return ours;
}
