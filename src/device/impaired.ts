// A bad network in front of any device; must not know which device.
import {
  type Clock,
  CONTROL_WORDS,
  type Device,
  type DevicePort,
  RX_STRIDE,
  TX_STRIDE,
} from '../stack/device.js';
import { type Impairments, Path, Transit } from './impairment.js';
import { newCounters, type Packet, PacketPort } from './packet.js';

/** What `impair` does to packets. */
export interface ImpairOptions {
  /** What happens to packets that the device receives. Default: nothing. */
  in?: Partial<Impairments>;
  /** What happens to packets before they are sent. Default: nothing. */
  out?: Partial<Impairments>;
  /** The same seed makes the same decisions. Default 1. */
  seed?: number;
  /**
   * Take super-segments, where the device does, and impair each as the one packet that it is.
   * A damaged one can't be sent, since the kernel would give it a good checksum: it is dropped.
   * Default false: only packets up to the MTU, with complete checksums, are taken.
   */
  superSegments?: boolean;
}

/** Packets in each direction that are handed on at once. */
const BATCH = 16;
const SLOT = 65_536;

/** A device that loses, delays, repeats, reorders and damages packets of another. */
export class ImpairedDevice implements Device {
  readonly checksumOffload: boolean;
  readonly maxSegmentBytes: number;
  readonly counters = newCounters();
  /** Towards the stack; its `settings` may be changed at any time. */
  readonly in: Path;
  /** Towards the device; its `settings` may be changed at any time. */
  readonly out: Path;
  readonly #device: Device;
  readonly #clock: Clock;
  readonly #transit: Transit;
  /** Memory of its own, where packets wait for neither side. */
  readonly #memory = new ArrayBuffer(2 * BATCH * SLOT);
  /** Towards the stack, and towards the device. */
  #port: PacketPort | null = null;
  #inner: PacketPort | null = null;

  constructor(device: Device, options: ImpairOptions, clock: Clock) {
    const { seed = 1, superSegments = false } = options;
    this.#device = device;
    this.#clock = clock;
    this.checksumOffload = superSegments && device.checksumOffload;
    this.maxSegmentBytes = superSegments ? device.maxSegmentBytes : device.mtu;
    this.#transit = new Transit(clock);
    this.in = new Path(options.in ?? {}, seed, this.#transit, (packets) =>
      this.#port?.deliver(packets),
    );
    this.out = new Path(options.out ?? {}, ~seed, this.#transit, (packets) => this.#send(packets));
  }

  get name(): string {
    return this.#device.name;
  }

  get mtu(): number {
    return this.#device.mtu;
  }

  attach(port: DevicePort): void {
    const outer = new PacketPort(port, this.counters);
    const innerPort: DevicePort = {
      memory: this.#memory,
      rxSlots: Int32Array.from({ length: BATCH }, (_, i) => i * SLOT),
      rxSlotBytes: SLOT,
      rx: new Int32Array(BATCH * RX_STRIDE),
      control: new Int32Array(CONTROL_WORDS),
      tx: new Int32Array(BATCH * TX_STRIDE),
      receive: (count) => {
        for (let i = 0; i < count; i++) this.in.push(inner.received(i));
      },
      // What arrives is handed over later: the stack makes its own arrangements.
      settled: () => {},
      statusChanged: (up, error) => outer.statusChanged(up, error),
    };
    const inner = new PacketPort(innerPort, newCounters());
    this.#port = outer;
    this.#inner = inner;
    this.#device.attach(innerPort);
  }

  transmit(count: number): void {
    for (let i = 0; i < count; i++) {
      const packet = this.#port?.sent(i);
      if (packet === undefined || packet.bytes.length > this.maxSegmentBytes) {
        this.counters.txDropped++;
        continue;
      }
      this.counters.txPackets++;
      this.counters.txBytes += packet.bytes.length;
      this.out.push(packet);
    }
  }

  close(): void {
    this.#port?.close();
    this.#port = null;
    this.#transit.clear();
    this.#device.close();
  }

  ref(): void {
    this.#clock.ref();
    this.#device.ref();
  }

  unref(): void {
    this.#clock.unref();
    this.#device.unref();
  }

  #send(packets: readonly Packet[]): void {
    for (let from = 0; from < packets.length; from += BATCH) {
      const batch = packets.slice(from, from + BATCH);
      for (const [i, packet] of batch.entries()) {
        this.#inner?.describe(i, packet, (BATCH + i) * SLOT);
      }
      this.#device.transmit(batch.length);
    }
  }
}

/**
 * Puts a bad network in front of a device, which is closed with it. Packets are copied. `clock`
 * must be one of its own, such as `new SystemClock()`, which has a resolution of a millisecond.
 */
export function impair(device: Device, options: ImpairOptions, clock: Clock): ImpairedDevice {
  return new ImpairedDevice(device, options, clock);
}
