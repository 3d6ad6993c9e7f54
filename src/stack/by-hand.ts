// A device for stacks that are driven by hand: what is sent is kept as plain packets. Knows how to
// put a packet together; must not know any clock or link.

import { TX_CHECKSUM_START, TX_STRIDE } from '../storage/descriptors.js';
import { gatherPacket, packetLength } from '../storage/packet-batch.js';
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
    for (let i = 0; i < count; i++) this.packets.push(this.assemble(i));
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

  private assemble(index: number): Uint8Array {
    const { memory, tx } = this.port as DevicePort;
    const packet = new Uint8Array(packetLength(tx, index));
    gatherPacket(tx, index, new Uint8Array(memory), packet, 0);
    const start = tx[index * TX_STRIDE + TX_CHECKSUM_START];
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
