// A device for stacks that are driven by hand: what is sent is kept as plain packets. Knows how to
// put a packet together; must not know any clock or link.

import {
  TX_CHECKSUM_START,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_PIECE1_LENGTH,
  TX_PIECE1_OFFSET,
  TX_PIECE2_LENGTH,
  TX_PIECE2_OFFSET,
  TX_STRIDE,
} from '../storage/descriptors.js';
import { complement, sumBytes } from '../wire/checksum.js';
import type { Device, DeviceCounters, DevicePort } from './device.js';

/** Of the TCP header: where the checksum stands. */
const CHECKSUM_OFFSET = 16;

/** Keeps each packet that the stack sends, checksums complete, until `take` is called. */
export class HandDevice implements Device {
  readonly name = 'by-hand';
  readonly checksumOffload = true;
  readonly counters: DeviceCounters = {
    rxPackets: 0,
    rxBytes: 0,
    txPackets: 0,
    txBytes: 0,
    txDropped: 0,
    rxDropped: 0,
  };
  private port: DevicePort | null = null;
  private packets: Uint8Array[] = [];

  /** @param maxSegmentBytes more than the MTU lets super-segments through, whole. */
  constructor(
    readonly mtu = 1500,
    readonly maxSegmentBytes = mtu,
  ) {}

  attach(port: DevicePort): void {
    this.port = port;
  }

  transmit(count: number): void {
    for (let i = 0; i < count; i++) this.packets.push(this.assemble(i * TX_STRIDE));
  }

  /** All packets since the last call, in order. */
  take(): Uint8Array[] {
    const packets = this.packets;
    this.packets = [];
    return packets;
  }

  close(): void {
    this.port = null;
  }

  ref(): void {}
  unref(): void {}

  private assemble(at: number): Uint8Array {
    const { memory, tx } = this.port as DevicePort;
    const header = tx[at + TX_HEADER_LENGTH];
    const first = tx[at + TX_PIECE1_LENGTH];
    const second = tx[at + TX_PIECE2_LENGTH];
    const packet = new Uint8Array(header + first + second);
    packet.set(new Uint8Array(memory, tx[at + TX_HEADER_OFFSET], header));
    packet.set(new Uint8Array(memory, tx[at + TX_PIECE1_OFFSET], first), header);
    packet.set(new Uint8Array(memory, tx[at + TX_PIECE2_OFFSET], second), header + first);
    const start = tx[at + TX_CHECKSUM_START];
    if (start > 0) {
      // The field holds the sum of the pseudo-header, so that summing it in completes it.
      const view = new DataView(packet.buffer);
      const sum = sumBytes(view, start, packet.length - start);
      view.setUint16(start + CHECKSUM_OFFSET, complement(sum));
    }
    this.counters.txPackets += 1;
    this.counters.txBytes += packet.length;
    return packet;
  }
}
