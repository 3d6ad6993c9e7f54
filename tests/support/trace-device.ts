// A device that takes and gives super-segments, for traces. Knows descriptors; completes partial
// checksums as a kernel behind a TUN device does.

import type { Device, DevicePort } from '../../src/stack/device.js';
import {
  RX_FLAGS,
  RX_GSO_SIZE,
  RX_LENGTH,
  RX_OFFSET,
  RX_STRIDE,
  TX_CHECKSUM_START,
  TX_GSO_SIZE,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_PIECE1_LENGTH,
  TX_PIECE1_OFFSET,
  TX_PIECE2_LENGTH,
  TX_PIECE2_OFFSET,
  TX_STRIDE,
} from '../../src/stack/device.js';
import { concat, internetChecksum } from './trace-packet.js';
import type { EmittedPacket } from './trace-run.js';

export class TraceDevice implements Device {
  readonly name = 'trace';
  readonly mtu: number;
  readonly checksumOffload = true;
  readonly maxSegmentBytes: number;
  readonly counters = {
    ...{ rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, txDropped: 0, rxDropped: 0 },
  };
  private port: DevicePort | null = null;
  private packets: EmittedPacket[] = [];

  constructor(mtu: number, maxSegmentBytes: number) {
    this.mtu = mtu;
    this.maxSegmentBytes = maxSegmentBytes;
  }

  attach(port: DevicePort): void {
    this.port = port;
  }

  /** Puts packets where the stack looks for them; answers how many. */
  place(packets: readonly EmittedPacket[]): number {
    const { memory, rx, rxSlots } = this.port!;
    packets.forEach(({ bytes, gsoSize }, i) => {
      const at = i * RX_STRIDE;
      new Uint8Array(memory).set(bytes, rxSlots[i]!);
      rx[at + RX_OFFSET] = rxSlots[i]!;
      rx[at + RX_LENGTH] = bytes.length;
      rx[at + RX_FLAGS] = 0;
      rx[at + RX_GSO_SIZE] = gsoSize;
    });
    return packets.length;
  }

  transmit(count: number): void {
    const { memory, tx } = this.port!;
    for (let i = 0; i < count; i++) {
      const at = i * TX_STRIDE;
      const piece = (offset: number, length: number) =>
        new Uint8Array(memory, tx[at + offset]!, tx[at + length]!);
      const bytes = concat(
        piece(TX_HEADER_OFFSET, TX_HEADER_LENGTH),
        piece(TX_PIECE1_OFFSET, TX_PIECE1_LENGTH),
        piece(TX_PIECE2_OFFSET, TX_PIECE2_LENGTH),
      );
      complete(bytes, tx[at + TX_CHECKSUM_START]!);
      this.packets.push({ bytes, gsoSize: tx[at + TX_GSO_SIZE]! });
    }
  }

  take(): EmittedPacket[] {
    const packets = this.packets;
    this.packets = [];
    return packets;
  }

  close(): void {}
  ref(): void {}
  unref(): void {}
}

/** The checksum field holds the sum of the pseudo-header; `start` 0 for a packet that is complete. */
function complete(packet: Uint8Array, start: number): void {
  if (start === 0) return;
  const sum = internetChecksum(packet.subarray(start));
  packet[start + 16] = sum >> 8;
  packet[start + 17] = sum & 0xff;
}
