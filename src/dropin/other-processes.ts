// What Node hands to other processes: sockets and servers of the kernel's. Knows lib/internal/child_process.js
// and lib/internal/cluster; must not know routes.

import type { Server } from 'node:net';
import { errnoOf, Pipe, type PipeHandle, type Request } from './internals.js';
import { warn } from './warning.js';

/** What may not be handed over, and what the kernel has to be told first. */
export interface HandOver {
  /** Whether it is one of ours, which no other process could use. */
  isOurs(handle: object): boolean;
  /** It leaves us. Answers 0 or a negative errno. */
  leave(handle: object): number;
}

type Send = (this: PipeHandle, request: Request, data: unknown, handle?: object) => number;

/** Natively, a handle of ours would be taken for one of libuv's. */
export function guardPipes({ isOurs, leave }: HandOver): void {
  const guarded = (send: Send): Send =>
    function (request, data, handle) {
      if (!handle) return send.call(this, request, data, handle);
      if (!isOurs(handle)) return leave(handle) || send.call(this, request, data, handle);
      warn('a connection or server of its stack cannot be given to another process: ENOTSUP');
      return errnoOf('ENOTSUP');
    };
  const { writeUtf8String, writeBuffer } = Object.getPrototypeOf(Pipe.prototype) as PipeHandle;
  Object.assign(Pipe.prototype, {
    writeUtf8String: guarded(writeUtf8String),
    writeBuffer: guarded(writeBuffer),
  });
}

export function unguardPipes(): void {
  Reflect.deleteProperty(Pipe.prototype, 'writeUtf8String');
  Reflect.deleteProperty(Pipe.prototype, 'writeBuffer');
}

/**
 * Whether a server is the one by which the primary process of a cluster accepts for its workers: then its own
 * listener is an assertion that must never be called (lib/internal/cluster/round_robin_handle.js).
 */
export function isForWorkers(server: Server): boolean {
  const [listener] = server.listeners('connection');
  if (listener?.name !== 'fail') return false;
  warn(
    'the workers of a cluster share servers, which only the kernel can do: they listen there, as without finwait',
  );
  return true;
}
