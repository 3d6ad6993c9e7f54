// Loads the compiled addon and knows its functions; must not know what devices do with them.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { DeviceError } from './device-error.js';

/** Bits of `Opened.abilities`. */
export const ABLE_CHECKSUM = 2;
export const ABLE_TSO4 = 4;
export const ABLE_TSO6 = 8;
export const ABLE_STEERING = 16;

/** What `onStatus` says of an interface that was deleted (EBADFD); 0 means up, all else down. */
export const GONE = 77;

/** Indices of the counters that the addon keeps in a Float64Array. */
export const RX_PACKETS = 0;
export const RX_BYTES = 1;
export const TX_PACKETS = 2;
export const TX_BYTES = 3;
export const TX_DROPPED = 4;
export const RX_DROPPED = 5;
/** Packets whose data were read straight to where they were expected, and those that were others. */
export const RX_LANDED = 6;
export const RX_ASTRAY = 7;
/** How often the thread was woken to read. */
export const RX_WAKEUPS = 8;
export const COUNTERS = 9;

/** An open device; closed when it is collected as garbage without ever having been attached. */
export interface Handle {
  readonly handle: unique symbol;
}

export interface Opened {
  handle: Handle;
  name: string;
  abilities: number;
  /** Bit i: address i was left out, because IPv6 is disabled there. */
  skipped: number;
}

/** A route of the kernel; `device` is empty where it has none. Types and tables: rtnetlink(7). */
export interface Route {
  destination: string;
  prefix: number;
  type: number;
  table: number;
  device: string;
}

/** The functions of native/addon.c. A failed system call is thrown as an Error with `code`. */
export interface Native {
  open(
    name: string,
    netns: string,
    mtu: number,
    queueLength: number,
    offload: boolean,
    addresses: string[],
    queue: number,
    queues: number,
  ): Opened;
  /** The interface stays when its handle is closed. */
  persist(handle: Handle): void;
  /**
   * Runs a program in namespaces ('': ours, 'new', or a path) and blocks this thread until its end.
   * Without words in `argv` it is only tried whether a TUN device can be had there.
   * `descriptors` become 3, 4, ...; `lastSignal` is what it gets when we end.
   * @returns its exit code, or 128 and the signal that ended it
   */
  start(
    argv: readonly string[],
    environment: readonly string[],
    user: string,
    network: string,
    descriptors: Int32Array,
    lastSignal: number,
  ): number;
  /** From now on closing this socket resets its connection, whatever waits to be sent. */
  abort(descriptor: number): void;
  /** Makes a listening socket. @returns its descriptor */
  listen(address: string, port: number): number;
  /** Takes over a descriptor that gives and takes one bare IP packet per read and write. */
  adopt(fd: number): Handle;
  routes(netns: string): Route[];
  /**
   * `memory` must never be detached while the handle is attached. `spin`: µs, 0 to 1000, for which
   * the device may be asked again and again while packets follow each other closely.
   */
  attach(
    handle: Handle,
    memory: ArrayBuffer,
    rxSlots: Int32Array,
    rxSlotBytes: number,
    rx: Int32Array,
    tx: Int32Array,
    counters: Float64Array,
    control: Int32Array,
    onReceive: (count: number) => void,
    onSettled: () => void,
    onStatus: (errno: number) => void,
    spin: number,
  ): void;
  transmit(handle: Handle, count: number): void;
  /** Waits at most so many milliseconds for packets; those that come are received before it returns. */
  receive(handle: Handle, milliseconds: number): void;
  reference(handle: Handle, keepsAlive: boolean): void;
  close(handle: Handle): void;
}

let loaded: Native | undefined;

/** The addon, loaded at the first call. Throws `DeviceError` ERR_NATIVE_MISSING if it is not built. */
export function native(): Native {
  if (loaded) return loaded;
  const root = fileURLToPath(new URL('../..', import.meta.url));
  try {
    loaded = createRequire(import.meta.url)('node-gyp-build')(root) as Native;
  } catch (cause) {
    throw new DeviceError(
      'Cannot load the native part of finwait: it is not built for this system',
      'run `npm rebuild finwait` (it needs python3, make and a C compiler)',
      { code: 'ERR_NATIVE_MISSING', syscall: 'dlopen', cause },
    );
  }
  return loaded;
}
