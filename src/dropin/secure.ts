// TLS over a handle of ours. Node builds it around a handle of the kernel's before it knows the address: so it
// has to be built again. Knows lib/_tls_wrap.js; must not know routes.

import { TLSSocket } from 'node:tls';
import { StackHandle } from './handle.js';
import {
  type NativeStream,
  ownerSymbol,
  type SocketInside,
  type TcpHandle,
  userBufferOf,
} from './internals.js';

/** The native half of TLS, a stream over the stream `_parent`. */
interface TlsWrap extends NativeStream {
  _parent: object;
  [ownerSymbol]: unknown;
  getServername(): string | false | null;
  getSession(): Buffer | undefined;
  destroySSL(): void;
  enableSessionCallbacks(): void;
}

type SecureSocket = Omit<TLSSocket, 'ssl'> &
  SocketInside & {
    _handle: TlsWrap;
    ssl: TlsWrap;
    _init(): void;
    setSession(session: Buffer): void;
    setServername(name: string): void;
    _wrapHandle(socket: object | null, handle: object | null, busy: boolean): TlsWrap;
  };

/** What was built around a handle of Node's. */
interface Layer {
  tls: SecureSocket;
  /** The socket below, where TLS was given one. */
  socket: object | null;
  busy: boolean;
}

const layers = new WeakMap<object, Layer>();
const prototype = TLSSocket.prototype as unknown as SecureSocket;
const wrapHandle = prototype._wrapHandle;

/** Keeps account of what TLS is built around. */
function wrapAndRemember(
  this: SecureSocket,
  socket: object | null,
  handle: object | null,
  busy: boolean,
): TlsWrap {
  const wrap = wrapHandle.call(this, socket, handle, busy);
  const below = wrap._parent;
  if (below instanceof StackHandle) below.reader = wrap;
  else layers.set(below, { tls: this, socket, busy });
  return wrap;
}

export function watchTls(): void {
  prototype._wrapHandle = wrapAndRemember;
}

export function forgetTls(): void {
  prototype._wrapHandle = wrapHandle;
}

/**
 * Has TLS that stands on `handle` stand on `ours`. Node's own way to do this, when one of several addresses
 * did not answer, forgets an `end()` that came before the connection.
 */
export function moveTls(handle: TcpHandle, ours: StackHandle): void {
  const layer = layers.get(handle);
  if (layer === undefined) return;
  const { tls, socket, busy } = layer;
  const old = tls._handle;
  const wrap = tls._wrapHandle(socket, ours, busy);
  wrap[ownerSymbol] = tls;
  wrap.onread = old.onread;
  const buffer = userBufferOf(tls);
  if (buffer !== null) wrap.useUserBuffer(buffer);
  tls._handle = wrap;
  tls.ssl = wrap;
  tls._init();
  // What was set, or listened for, since the socket was made.
  const session = old.getSession();
  if (session) tls.setSession(session);
  const servername = old.getServername();
  if (servername)
    (tls as unknown as { setServername(name: string): void }).setServername(servername);
  if (tls.listenerCount('session') > 0) wrap.enableSessionCallbacks();
  old.destroySSL();
}
