// A network of two ends in memory, for tests and simulations; must not know who is at the ends.
import type { Clock, Device, DevicePort } from '../stack/device.js';
import { type Impairments, Path, Transit } from './impairment.js';
import { newCounters, type Packet, PacketPort } from './packet.js';

/** What a memory link is like. */
export interface LinkOptions {
  /** What the network does to packets on their way from `a` to `b`. Default: nothing. */
  aToB?: Partial<Impairments>;
  /** The same on their way from `b` to `a`. Default: nothing. */
  bToA?: Partial<Impairments>;
  /** The same seed makes the same run. Default 1. */
  seed?: number;
  /** Largest IP packet, bytes. Default 1500. */
  mtu?: number;
  /** Whether the ends take partial checksums. Default true. */
  checksumOffload?: boolean;
  /** Larger than the MTU: super-segments travel whole, up to so many bytes. Default 65,535. */
  maxSegmentBytes?: number;
}

interface Owner {
  referenced(end: LinkEnd, yes: boolean): void;
  closed(end: LinkEnd): void;
}

/** One end of a memory link. */
class LinkEnd implements Device {
  readonly name: string;
  readonly mtu: number;
  readonly checksumOffload: boolean;
  readonly maxSegmentBytes: number;
  readonly counters = newCounters();
  readonly #owner: Owner;
  #port: PacketPort | null = null;
  #path: Path | null = null;

  constructor(
    name: string,
    { mtu = 1500, checksumOffload = true, maxSegmentBytes = 65_535 }: LinkOptions,
    owner: Owner,
  ) {
    this.name = name;
    this.mtu = mtu;
    this.checksumOffload = checksumOffload;
    this.maxSegmentBytes = Math.max(mtu, maxSegmentBytes);
    this.#owner = owner;
  }

  /** Says where packets go that are sent here. */
  connect(path: Path): void {
    this.#path = path;
  }

  attach(port: DevicePort): void {
    this.#port = new PacketPort(port, this.counters);
  }

  transmit(count: number): void {
    for (let i = 0; i < count; i++) {
      const packet = this.#port?.sent(i);
      if (packet === undefined || !this.#takes(packet)) {
        this.counters.txDropped++;
        continue;
      }
      this.counters.txPackets++;
      this.counters.txBytes += packet.bytes.length;
      this.#path?.push(packet);
    }
  }

  /** Takes packets that come from the other end. */
  arrive(packets: Packet[]): void {
    if (this.#port === null) this.counters.rxDropped += packets.length;
    else this.#port.deliver(packets);
  }

  close(): void {
    this.#port?.close();
    this.#port = null;
    this.#owner.closed(this);
  }

  ref(): void {
    this.#owner.referenced(this, true);
  }

  unref(): void {
    this.#owner.referenced(this, false);
  }

  #takes({ bytes, gsoSize, checksumStart }: Packet): boolean {
    if (checksumStart !== 0 && !this.checksumOffload) return false;
    return bytes.length <= (gsoSize === 0 ? this.mtu : this.maxSegmentBytes);
  }
}

/**
 * Two devices, `a` and `b`; what one sends the other receives, by way of a network that may be as
 * bad as one likes. It copies packets, and needs the alarm of `clock` for itself.
 */
export class MemoryLink {
  /** One end. */
  readonly a: Device;
  /** The other end. */
  readonly b: Device;
  /** The way from `a` to `b`; its `settings` may be changed at any time. */
  readonly aToB: Path;
  /** The way from `b` to `a`; its `settings` may be changed at any time. */
  readonly bToA: Path;

  constructor(clock: Clock, options: LinkOptions = {}) {
    const { seed = 1 } = options;
    const transit = new Transit(clock);
    const referenced = new Set<LinkEnd>();
    const open = new Set<LinkEnd>();
    const owner: Owner = {
      referenced(end, yes) {
        if (yes) referenced.add(end);
        else referenced.delete(end);
        if (referenced.size > 0) clock.ref();
        else clock.unref();
      },
      closed(end) {
        this.referenced(end, false);
        open.delete(end);
        if (open.size === 0) transit.clear();
      },
    };
    const a = new LinkEnd('a', options, owner);
    const b = new LinkEnd('b', options, owner);
    open.add(a).add(b);
    this.aToB = new Path(options.aToB ?? {}, seed, transit, (packets) => b.arrive(packets));
    this.bToA = new Path(options.bToA ?? {}, ~seed, transit, (packets) => a.arrive(packets));
    a.connect(this.aToB);
    b.connect(this.bToA);
    this.a = a;
    this.b = b;
  }
}
