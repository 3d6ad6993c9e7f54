// What is used of Node's inside: the native classes that its lib/net.js and lib/_tls_wrap.js work with.
// Knows their shapes; no behaviour of ours.

// Completes the classes below.
import 'node:net';
import { constants } from 'node:os';

/** Of lib/internal/stream_base_commons.js: a request of a write, or of a shutdown. */
export interface Request {
  oncomplete?: (this: Request, status: number, handle: object, error?: unknown) => void;
}

/** Of lib/net.js: the request of an attempt to connect. */
export interface ConnectRequest {
  oncomplete?: (
    status: number,
    handle: object,
    request: ConnectRequest,
    readable: boolean,
    writable: boolean,
  ) => void;
}

/** What the native side of a JSStream asks of the JavaScript side: lib/internal/js_stream_socket.js. */
export interface StreamOwner {
  isClosing(): boolean;
  onreadstart(): number;
  onreadstop(): number;
  onwrite(request: object, chunks: Uint8Array[]): number;
  onshutdown(request: object): number;
}

/** A stream of bytes that TLS, HTTP/2 and the HTTP parser can sit on natively (class StreamBase). */
export interface NativeStream {
  onread: ((data?: ArrayBuffer) => unknown) | undefined;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readBuffer(bytes: Uint8Array): void;
  emitEOF(): void;
  finishWrite(request: object, status: number): void;
  finishShutdown(request: object, status: number): void;
  useUserBuffer(buffer: Uint8Array): void;
}

/** A TCP handle; all of its methods answer 0 or a negative errno. */
export interface TcpHandle {
  /** The socket or server that it belongs to (lib/net.js: "legacy alias" of a symbol). */
  owner: unknown;
  onread: NativeStream['onread'];
  onconnection: ((status: number, client: object) => void) | undefined;
  bind(address: string, port: number): number;
  bind6(address: string, port: number, flags?: number): number;
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
  listen(backlog: number): number;
  close(closed?: () => void): void;
  hasRef(): boolean;
  getProviderType(): number;
}

/** What a socket of Node's keeps inside. */
export interface SocketInside {
  _handle: unknown;
}

interface StreamWrap {
  /** Results of the latest call of a stream, by the indexes below. */
  streamBaseState: Int32Array;
  kReadBytesOrError: number;
  kArrayBufferOffset: number;
  kBytesWritten: number;
  kLastWriteWasAsync: number;
}

/**
 * Node has no other way to these classes. It calls it deprecated (DEP0111), which users of ours cannot mend.
 * @throws Error where this Node has no such thing inside
 */
function binding<Inside extends object>(name: string): Inside {
  const quiet = process.noDeprecation;
  process.noDeprecation = true;
  try {
    return existing((process as unknown as { binding(name: string): Inside }).binding(name));
  } finally {
    process.noDeprecation = quiet as boolean;
  }
}

/** What is missing is told by its name as soon as it is asked for, not by what comes of it much later. */
function existing<Inside extends object>(inside: Inside): Inside {
  return new Proxy(inside, {
    get(from, member) {
      if (member in from) return Reflect.get(from, member);
      const node = `Node ${process.versions.node}`;
      throw new Error(`${node} has no ${String(member)} inside, which finwait/register needs`);
    },
  });
}

export const { JSStream } = binding<{ JSStream: new () => NativeStream }>('js_stream');

export const { TCP, constants: tcpConstants } = binding<{
  TCP: { new (type: number): TcpHandle; prototype: TcpHandle };
  constants: { SOCKET: number; SERVER: number; UV_TCP_IPV6ONLY: number };
}>('tcp_wrap');

export const {
  streamBaseState,
  kReadBytesOrError,
  kArrayBufferOffset,
  kBytesWritten,
  kLastWriteWasAsync,
} = binding<StreamWrap>('stream_wrap');

/** A pipe to another process; its writing methods take a handle to be sent along. */
export interface PipeHandle {
  writeUtf8String(request: Request, text: unknown, handle?: object): number;
  writeBuffer(request: Request, data: unknown, handle?: object): number;
}

export const { Pipe } = binding<{ Pipe: { prototype: PipeHandle } }>('pipe_wrap');

/** Watches one signal, besides whoever listens on `process`. */
export const { Signal } = binding<{
  Signal: new () => {
    onsignal: () => void;
    start(signal: number): number;
    unref(): void;
    close(): void;
  };
}>('signal_wrap');

const SERVER_TYPE = typeOf(tcpConstants.SERVER);

function typeOf(kind: number): number {
  const handle = new TCP(kind);
  handle.close();
  return handle.getProviderType();
}

/** Whether a handle of Node's was made to listen. */
export function isForServer(handle: TcpHandle): boolean {
  return handle.getProviderType() === SERVER_TYPE;
}

/** The symbol under which a handle knows its socket; that of TCP handles has a name besides. */
export const ownerSymbol: unique symbol = symbolOfOwner() as never;

function symbolOfOwner(): symbol {
  const handle = new TCP(tcpConstants.SOCKET);
  handle.owner = null;
  handle.close();
  return Object.getOwnPropertySymbols(handle)[0]!;
}

/** The negative errno of a code; libuv has the same numbers. */
export function errnoOf(code: string): number {
  return -((constants.errno as Record<string, number>)[code] ?? constants.errno.EIO);
}

/** The caller's buffer of a socket with `onread`, which lib/net.js keeps under a symbol. */
export function userBufferOf(socket: SocketInside): Uint8Array | null {
  const buffer = ownSymbol(socket, 'kBuffer');
  return buffer instanceof Uint8Array ? buffer : null;
}

function ownSymbol(object: object, name: string): unknown {
  const symbol = Object.getOwnPropertySymbols(object).find((s) => s.description === name);
  return symbol && (object as Record<symbol, unknown>)[symbol];
}
