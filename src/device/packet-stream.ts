// Makes a device of any stream of IP packets; must not know what is behind the stream.
import type { Duplex } from 'node:stream';
import type { Device, DevicePort } from '../stack/device.js';
import { newCounters, PacketPort } from './packet.js';

/** A Duplex, or whatever looks like one: each chunk is one IP packet. `Tun` of tuntap2 is one. */
export type PacketStream = Pick<Duplex, 'on' | 'off' | 'write' | 'destroy'> & {
  /** Name of the interface, where it has one. */
  readonly name?: string;
  /** Largest packet, bytes, where it knows. */
  readonly mtu?: number;
  /** Keeps the process alive. */
  ref?(): unknown;
  /** Undoes `ref`. */
  unref?(): unknown;
};

/** What a stream does not say of itself. */
export interface PacketStreamOptions {
  /** Default: the stream's own `name`, or `stream`. */
  name?: string;
  /** Largest packet, bytes. Default: the stream's own `mtu`, or 1500. */
  mtu?: number;
  /** Packets that wait while the stream is full; what comes on top is dropped. Default 256. */
  queueLength?: number;
}

/** A device that reads and writes a stream, without offload. Packets are copied. */
export class PacketStreamDevice implements Device {
  readonly name: string;
  readonly mtu: number;
  readonly checksumOffload = false;
  readonly maxSegmentBytes: number;
  readonly counters = newCounters();
  readonly #stream: PacketStream;
  readonly #queueLength: number;
  readonly #waiting: Uint8Array[] = [];
  #full = false;
  #port: PacketPort | null = null;

  constructor(stream: PacketStream, options: PacketStreamOptions = {}) {
    this.#stream = stream;
    this.name = options.name ?? stream.name ?? 'stream';
    this.mtu = options.mtu ?? stream.mtu ?? 1500;
    this.maxSegmentBytes = this.mtu;
    this.#queueLength = options.queueLength ?? 256;
  }

  attach(port: DevicePort): void {
    this.#port = new PacketPort(port, this.counters);
    this.#stream.on('data', this.#onData);
    this.#stream.on('drain', this.#onDrain);
    this.#stream.on('error', this.#onEnd);
    this.#stream.on('end', this.#onEnd);
    this.#stream.on('close', this.#onEnd);
  }

  transmit(count: number): void {
    for (let i = 0; i < count; i++) {
      const packet = this.#port?.sent(i);
      const room = !this.#full || this.#waiting.length < this.#queueLength;
      if (packet === undefined || packet.bytes.length > this.mtu || !room) {
        this.counters.txDropped++;
        continue;
      }
      if (this.#full) this.#waiting.push(packet.bytes);
      else this.#write(packet.bytes);
    }
  }

  close(): void {
    this.#detach();
    this.#stream.destroy();
  }

  ref(): void {
    this.#stream.ref?.();
  }

  unref(): void {
    this.#stream.unref?.();
  }

  #write(bytes: Uint8Array): void {
    this.counters.txPackets++;
    this.counters.txBytes += bytes.length;
    this.#full = !this.#stream.write(bytes);
  }

  #detach(): void {
    this.#port?.close();
    this.#port = null;
    this.counters.txDropped += this.#waiting.splice(0).length;
    this.#stream.off('data', this.#onData);
    this.#stream.off('drain', this.#onDrain);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('close', this.#onEnd);
    // The listener of 'error' stays: an error that comes late is nobody's, and must not be fatal.
  }

  readonly #onData = (chunk: unknown) => {
    if (chunk instanceof Uint8Array && chunk.length > 0) {
      this.#port?.deliver([{ bytes: chunk, gsoSize: 0, checksumStart: 0, trusted: false }]);
    } else {
      this.counters.rxDropped++;
    }
  };

  readonly #onDrain = () => {
    this.#full = false;
    while (!this.#full && this.#waiting.length > 0) this.#write(this.#waiting.shift()!);
  };

  readonly #onEnd = (error?: unknown) => {
    const port = this.#port;
    if (port === null) return;
    const reason = error instanceof Error ? error : new Error(`${this.name}: the stream has ended`);
    port.statusChanged(false, reason);
    this.#detach();
  };
}
