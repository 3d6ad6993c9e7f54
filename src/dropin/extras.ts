// What sockets of Node's say about their connection besides, when it is one of ours. Knows sockets and our
// handles; must not know how a handle comes into a socket.

import { Socket } from 'node:net';
import { closeReasonOf } from '../net/endpoint-stream.js';
import { troubleOf } from '../net/trouble.js';
import type { CloseReason } from '../tcp/connection.js';
import type { TcpInfo } from '../tcp/info.js';
import { StackHandle } from './handle.js';
import type { SocketInside } from './internals.js';

/** What a socket of `node:net` or `node:tls` has more when its connection is one of a stack of ours. */
export interface RoutedSocket extends Socket {
  /** State of the connection, as in RFC 9293: `ESTABLISHED`; undefined for the kernel's connections. */
  readonly tcpState: string | undefined;
  /** How it ended, see `Socket.closeReason`; null until that is known, undefined for the kernel's. */
  readonly closeReason: CloseReason | null | undefined;
  /** What the connection measures and holds; null when there is none, or it is the kernel's. */
  tcpInfo(): TcpInfo | null;
}

type Inside = Socket &
  SocketInside & { _destroy(error: Error | null, done: (error?: Error | null) => void): void };

/** The handles of sockets that were destroyed: they have let go of them. */
const former = new WeakMap<Socket, StackHandle>();
const prototype = Socket.prototype as Inside;
const { _destroy } = prototype;

/** The handle of ours below a socket, TLS in between or not. */
function handleOf(socket: Socket): StackHandle | undefined {
  const handle = (socket as Inside)._handle as { _parent?: unknown } | null;
  if (handle instanceof StackHandle) return handle;
  if (handle?._parent instanceof StackHandle) return handle._parent;
  return former.get(socket);
}

function destroy(this: Inside, error: Error | null, done: (error?: Error | null) => void): void {
  const handle = handleOf(this);
  if (handle !== undefined) {
    former.set(this, handle);
    const { code, tcp } = (error ?? {}) as { code?: string; tcp?: unknown };
    // There is nothing to be said of those that are none of TCP's.
    const connection = handle.channel?.connection ?? null;
    const trouble =
      code === undefined || tcp !== undefined ? null : troubleOf(connection, code, handle.refusal);
    if (trouble?.hint) Object.assign(error!, { tcp: trouble });
  }
  _destroy.call(this, error, done);
}

const members: PropertyDescriptorMap & ThisType<Socket> = {
  tcpState: {
    configurable: true,
    get(): string | undefined {
      const handle = handleOf(this);
      return handle && (handle.channel?.connection.stateName ?? 'CLOSED');
    },
  },
  closeReason: {
    configurable: true,
    get(): CloseReason | null | undefined {
      const handle = handleOf(this);
      return handle && closeReasonOf(this, handle.channel?.reason ?? null);
    },
  },
  tcpInfo: {
    configurable: true,
    value(): TcpInfo | null {
      return handleOf(this)?.channel?.connection.info() ?? null;
    },
  },
};

export function addExtras(): void {
  Object.defineProperties(prototype, members);
  prototype._destroy = destroy;
}

export function removeExtras(): void {
  for (const name of Object.keys(members))
    delete (prototype as unknown as Record<string, unknown>)[name];
  prototype._destroy = _destroy;
}
