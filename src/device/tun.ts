// A Linux TUN device: options, errors and counters; must not know how packets are moved.
import type { Device, DeviceCounters, DevicePort } from '../stack/device.js';
import { Subnet } from '../wire/address.js';
import { findAddressClash } from './address-clash.js';
import { DeviceError, explainSystemError, type SystemError } from './device-error.js';
import * as addon from './native.js';

/** What `TunDevice.open` may be told; nothing is required. */
export interface TunOptions {
  /**
   * Interface name, 1 to 15 bytes; one `%d` lets the kernel choose a number. A persistent interface
   * of that name (`ip tuntap add`) is attached to. Default `fw0`.
   */
  name?: string;
  /** Path of the network namespace to make it in, `/run/netns/NAME` or `/proc/PID/ns/net`. */
  netns?: string;
  /**
   * Address and prefix of the kernel's side, one or several: `'10.9.0.1/24'`.
   * Default `['10.9.0.1/24', 'fd09::1/64']`.
   */
  address?: string | Subnet | readonly (string | Subnet)[];
  /** Largest IP packet on the wire, bytes, 68 to 65,535. Default 1500. */
  mtu?: number;
  /** Ask the kernel for partial checksums and super-segments. Default true. */
  offload?: boolean;
  /** Packets that the kernel holds for us before it drops (`txqueuelen`). Default 500. */
  queueLength?: number;
  /**
   * Microseconds for which the device is asked again and again, instead of sleeping, while packets
   * follow each other about that closely; 0 to 1000, 0 for never. It takes up to one core while there
   * is such traffic, nothing otherwise. Default 50.
   */
  spin?: number;
  /**
   * Several queues (IFF_MULTI_QUEUE), each a device of its own, in a thread of its own: this is number
   * `index` of `count`, 2 to 64. Open them in this order: the first one makes the interface, the
   * others, with the same options and the `name` of the first, attach to it. Then wrap each in a
   * `SharedDevice`. Default: one queue.
   */
  queue?: {
    /** Which one, from 0. */
    readonly index: number;
    /** How many there are. */
    readonly count: number;
  };
}

const DEFAULT_ADDRESSES = ['10.9.0.1/24', 'fd09::1/64'];
export const DEFAULT_SPIN_US = 50;
export const MAX_SPIN_US = 1000;
const MAX_PACKET = 65_535;
/** RFC 8200 §5: links with less carry no IPv6; RFC 791 §3.1: every link carries 68 bytes. */
const MIN_MTU_IPV6 = 1280;
const MIN_MTU = 68;
const MAX_QUEUES = 64;
const ONE_QUEUE = { index: 0, count: 1 };

function invalid(what: string, hint: string): DeviceError {
  return new DeviceError(what, hint, { code: 'EINVAL', syscall: 'open' });
}

function checkName(name: string): void {
  // The kernel's own rule (dev_valid_name), and room for NUL.
  const valid = /^[^\s/:%]+(%d)?[^\s/:%]*$|^%d$/.test(name) && name !== '.' && name !== '..';
  if (valid && new TextEncoder().encode(name).length <= 15) return;
  throw invalid(
    `'${name}' cannot be the name of a network interface`,
    'use 1 to 15 bytes without spaces, slashes and colons, such as fw0',
  );
}

function checkNumber(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw invalid(`${what} is ${value}`, `use a whole number from ${least} to ${most}`);
}

function parseSubnets(given: NonNullable<TunOptions['address']>): Subnet[] {
  const list = typeof given === 'string' || given instanceof Subnet ? [given] : given;
  return list.map((entry) => {
    const subnet = typeof entry === 'string' ? Subnet.parse(entry) : entry;
    if (subnet) return subnet;
    throw invalid(`'${entry}' is not an address with a prefix`, 'write it as 10.9.0.1/24');
  });
}

/** The addon's counters under their names; those that no other device has say how well it reads. */
export class TunCounters implements DeviceCounters {
  readonly #words: Float64Array;

  constructor(words: Float64Array) {
    this.#words = words;
  }
  get rxPackets(): number {
    return this.#words[addon.RX_PACKETS]!;
  }
  get rxBytes(): number {
    return this.#words[addon.RX_BYTES]!;
  }
  get txPackets(): number {
    return this.#words[addon.TX_PACKETS]!;
  }
  get txBytes(): number {
    return this.#words[addon.TX_BYTES]!;
  }
  get txDropped(): number {
    return this.#words[addon.TX_DROPPED]!;
  }
  get rxDropped(): number {
    return this.#words[addon.RX_DROPPED]!;
  }
  /** Packets whose data the kernel copied straight into the connection's buffer. */
  get rxLanded(): number {
    return this.#words[addon.RX_LANDED]!;
  }
  /** Packets that came where another one was expected, so that their data were copied once more. */
  get rxAstray(): number {
    return this.#words[addon.RX_ASTRAY]!;
  }
  /** How often the thread was woken to read. */
  get rxWakeups(): number {
    return this.#words[addon.RX_WAKEUPS]!;
  }
}

/** A network interface whose wire ends in this process (Linux, `/dev/net/tun`). */
export class TunDevice implements Device {
  readonly name: string;
  readonly mtu: number;
  readonly checksumOffload: boolean;
  readonly maxSegmentBytes: number;
  readonly counters: TunCounters;
  /** What the kernel does for us; less than asked for where it refused. */
  readonly offload: {
    /** Completes TCP checksums. */
    readonly checksum: boolean;
    /** Takes and makes super-segments over IPv4. */
    readonly tso4: boolean;
    /** The same over IPv6. */
    readonly tso6: boolean;
  };
  /** The kernel's addresses on this interface. */
  readonly addresses: readonly Subnet[];
  /** What was left out or deserves attention, one sentence each. */
  readonly warnings: readonly string[];
  /** Told, after the stack, when the interface goes down, is deleted, or comes back up. */
  onstatus: ((up: boolean, error?: Error) => void) | null = null;
  readonly #handle: addon.Handle;
  readonly #spin: number;
  readonly #counterWords = new Float64Array(addon.COUNTERS);

  /**
   * Makes the interface, or attaches to a persistent one, gives it its addresses and sets it up.
   * Throws `DeviceError`, and leaves nothing behind, where any of that is impossible.
   */
  static open(options: TunOptions = {}): TunDevice {
    const { name = 'fw0', netns = '', mtu = 1500, queueLength = 500, offload = true } = options;
    const { spin = DEFAULT_SPIN_US } = options;
    checkName(name);
    checkNumber('The MTU', mtu, MIN_MTU, MAX_PACKET);
    checkNumber('The queue length', queueLength, 1, 65_535);
    checkNumber('The time to spin', spin, 0, MAX_SPIN_US);
    const { index, count } = options.queue ?? ONE_QUEUE;
    if (options.queue !== undefined) {
      checkNumber('The number of queues', count, 2, MAX_QUEUES);
      checkNumber('The number of the queue', index, 0, count - 1);
    }
    const warnings: string[] = [];
    let subnets = parseSubnets(options.address ?? DEFAULT_ADDRESSES);
    if (mtu < MIN_MTU_IPV6 && subnets.some((subnet) => subnet.address.family === 6)) {
      warnings.push(`No IPv6: it needs an MTU of at least ${MIN_MTU_IPV6} bytes`);
      subnets = subnets.filter((subnet) => subnet.address.family === 4);
    }
    try {
      for (const clash of findAddressClash(subnets, netns, name)) {
        if (clash.harmless) warnings.push(clash.message);
        else throw clash.toError();
      }
      const addresses = subnets.map(String);
      const open = addon.native().open;
      const opened = open(name, netns, mtu, queueLength, offload, addresses, index, count);
      if (index === 0 && count > 1 && (opened.abilities & addon.ABLE_STEERING) === 0) {
        warnings.push('Slower: the kernel lets no program (BPF) say which queue gets a packet');
      }
      return new TunDevice(opened, { mtu, offload, spin }, subnets, warnings);
    } catch (error) {
      if (error instanceof Error && 'subject' in error) {
        throw explainSystemError(error as SystemError, name, count);
      }
      throw error;
    }
  }

  private constructor(
    opened: addon.Opened,
    { mtu, offload, spin }: Required<Pick<TunOptions, 'mtu' | 'offload' | 'spin'>>,
    subnets: Subnet[],
    warnings: string[],
  ) {
    const able = (bit: number) => (opened.abilities & bit) !== 0;
    const left = (i: number) => (opened.skipped & (1 << i)) !== 0;
    this.#handle = opened.handle;
    this.#spin = spin;
    this.name = opened.name;
    this.mtu = mtu;
    this.offload = {
      checksum: able(addon.ABLE_CHECKSUM),
      tso4: able(addon.ABLE_TSO4),
      tso6: able(addon.ABLE_TSO6),
    };
    this.checksumOffload = this.offload.checksum;
    this.maxSegmentBytes = this.offload.tso4 && this.offload.tso6 ? MAX_PACKET : mtu;
    this.addresses = subnets.filter((_, i) => !left(i));
    for (const subnet of subnets.filter((_, i) => left(i))) {
      warnings.push(`No ${subnet}: IPv6 is disabled in this kernel or namespace`);
    }
    if (offload && this.maxSegmentBytes === mtu) {
      warnings.push('Slower: the kernel refused super-segments on this interface');
    }
    this.warnings = warnings;
    this.counters = new TunCounters(this.#counterWords);
  }

  attach(port: DevicePort): void {
    addon.native().attach(
      this.#handle,
      port.memory,
      port.rxSlots,
      port.rxSlotBytes,
      port.rx,
      port.tx,
      this.#counterWords,
      port.control,
      (count) => port.receive(count),
      () => port.settled(),
      (errno) => this.#statusChanged(port, errno),
      this.#spin,
    );
  }

  transmit(count: number): void {
    addon.native().transmit(this.#handle, count);
  }

  /**
   * Waits for packets by itself, where the event loop does not come back: at the end of a process. Those that come
   * are received before it returns.
   * @param milliseconds at most
   */
  receive(milliseconds: number): void {
    addon.native().receive(this.#handle, milliseconds);
  }

  /** Lets the interface outlive this device: it stays, without a carrier, for whoever opens its name next. */
  persist(): void {
    addon.native().persist(this.#handle);
  }

  close(): void {
    addon.native().close(this.#handle);
  }

  ref(): void {
    addon.native().reference(this.#handle, true);
  }

  unref(): void {
    addon.native().reference(this.#handle, false);
  }

  #statusChanged(port: DevicePort, errno: number): void {
    const up = errno === 0;
    const error = up ? undefined : this.#downError(errno);
    port.statusChanged(up, error);
    this.onstatus?.(up, error);
  }

  #downError(errno: number): DeviceError {
    const gone = errno === addon.GONE;
    return new DeviceError(
      `The network interface ${this.name} ${gone ? 'was deleted' : 'is down'}`,
      gone ? 'open it again' : `set it up with \`ip link set ${this.name} up\``,
      { code: gone ? 'EBADFD' : 'ENETDOWN', syscall: 'poll' },
    );
  }
}
