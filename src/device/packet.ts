// Packets that are kept outside of the arena, and how they get out and in; must not know why.
import {
  type DeviceCounters,
  type DevicePort,
  RX_CHECKSUM_TRUSTED,
  RX_DATA,
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
  TX_STRIDE,
} from '../stack/device.js';
import { gatherPacket, packetLength } from '../storage/packet-batch.js';
import { complement, sumBytes, sumWords32 } from '../wire/checksum.js';
import { IP_OK, IPV6_HEADER, IpHeader, PROTOCOL_TCP, parseIp } from '../wire/ip.js';

/** A packet with memory of its own. */
export interface Packet {
  bytes: Uint8Array;
  /** Payload bytes of each segment of a TCP super-segment; 0 for an ordinary packet. */
  gsoSize: number;
  /** Offset of the TCP header whose checksum is partial; 0 when complete or unknown. */
  checksumStart: number;
  /** Whether the receiver need not verify the transport checksum. */
  trusted: boolean;
}

export function newCounters(): DeviceCounters {
  return { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, txDropped: 0, rxDropped: 0 };
}

/** A port for devices that copy: takes packets out of its memory and puts packets in. */
export class PacketPort {
  readonly #port: DevicePort;
  readonly #bytes: Uint8Array;
  readonly #counters: DeviceCounters;
  #open = true;

  constructor(port: DevicePort, counters: DeviceCounters) {
    this.#port = port;
    this.#bytes = new Uint8Array(port.memory);
    this.#counters = counters;
  }

  /** A copy of what transmit descriptor `index` describes. */
  sent(index: number): Packet {
    const { tx } = this.#port;
    const at = index * TX_STRIDE;
    const bytes = new Uint8Array(packetLength(tx, index));
    gatherPacket(tx, index, this.#bytes, bytes, 0);
    const checksumStart = tx[at + TX_CHECKSUM_START]!;
    return { bytes, gsoSize: tx[at + TX_GSO_SIZE]!, checksumStart, trusted: checksumStart !== 0 };
  }

  /** Describes a packet by transmit descriptor `index`, with `offset` as the place for its bytes. */
  describe(index: number, { bytes, gsoSize, checksumStart }: Packet, offset: number): void {
    const { tx } = this.#port;
    // Whoever cuts or completes the packet has to know where its header ends.
    const header = checksumStart > 0 ? headerBytes(bytes) : bytes.length;
    this.#bytes.set(bytes, offset);
    const at = index * TX_STRIDE;
    tx[at + TX_HEADER_OFFSET] = offset;
    tx[at + TX_HEADER_LENGTH] = header;
    tx[at + TX_PIECE1_OFFSET] = offset + header;
    tx[at + TX_PIECE1_LENGTH] = bytes.length - header;
    tx[at + TX_PIECE2_LENGTH] = 0;
    tx[at + TX_GSO_SIZE] = gsoSize;
    tx[at + TX_CHECKSUM_START] = checksumStart;
  }

  /** A copy of what receive descriptor `index` describes, from wherever its parts have landed. */
  received(index: number): Packet {
    const { rx } = this.#port;
    const at = index * RX_STRIDE;
    const bytes = new Uint8Array(rx[at + RX_LENGTH]!);
    const apart = rx[at + RX_DATA]!;
    this.#copy(bytes, 0, rx[at + RX_OFFSET]!, bytes.length);
    if (apart !== 0) {
      const header = headerBytes(bytes);
      this.#copy(bytes, header, apart, bytes.length - header);
    }
    const trusted = (rx[at + RX_FLAGS]! & RX_CHECKSUM_TRUSTED) !== 0;
    return { bytes, gsoSize: rx[at + RX_GSO_SIZE]!, checksumStart: 0, trusted };
  }

  /** Hands packets over by way of the receive slots, in as many batches as it takes. */
  deliver(packets: readonly Packet[]): void {
    const { rxSlots } = this.#port;
    let count = 0;
    for (const packet of packets) {
      if (!this.#open) return;
      if (this.#fill(count, packet)) count++;
      if (count < rxSlots.length) continue;
      this.#port.receive(count);
      count = 0;
    }
    if (count > 0) this.#port.receive(count);
  }

  statusChanged(up: boolean, error?: Error): void {
    if (this.#open) this.#port.statusChanged(up, error);
  }

  /** Nothing is handed over any more. */
  close(): void {
    this.#open = false;
  }

  #copy(target: Uint8Array, at: number, offset: number, length: number): void {
    if (length > 0) target.set(this.#bytes.subarray(offset, offset + length), at);
  }

  #fill(index: number, { bytes, gsoSize, trusted }: Packet): boolean {
    const { rx, rxSlots, rxSlotBytes } = this.#port;
    if (bytes.length > rxSlotBytes) {
      this.#counters.rxDropped++;
      return false;
    }
    const offset = rxSlots[index]!;
    this.#bytes.set(bytes, offset);
    const at = index * RX_STRIDE;
    rx[at + RX_OFFSET] = offset;
    rx[at + RX_LENGTH] = bytes.length;
    rx[at + RX_FLAGS] = trusted ? RX_CHECKSUM_TRUSTED : 0;
    rx[at + RX_GSO_SIZE] = gsoSize;
    rx[at + RX_DATA] = 0;
    this.#counters.rxPackets++;
    this.#counters.rxBytes += bytes.length;
    return true;
  }
}

const ip = new IpHeader();
/** Offset of the checksum in a TCP header. */
export const TCP_CHECKSUM = 16;
const TCP_OFFSET = 12;

const PROTOCOL_UDP = 17;
/** Offsets of the checksums that a kernel may leave to its device, by protocol. */
const PARTIAL_CHECKSUMS: Readonly<Record<number, number>> = {
  [PROTOCOL_TCP]: TCP_CHECKSUM,
  [PROTOCOL_UDP]: 6,
};

/** Computes the checksum of TCP or UDP in full, so that damage shows; others are always complete. */
export function completeChecksum(packet: Packet): void {
  const { bytes } = packet;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  packet.trusted = false;
  packet.checksumStart = 0;
  const offset =
    parseIp(view, 0, bytes.length, ip) === IP_OK ? PARTIAL_CHECKSUMS[ip.protocol] : undefined;
  if (offset === undefined || ip.moreFragments || ip.fragmentOffset !== 0) return;
  if (ip.payloadLength < offset + 2) return;
  let sum = ip.payloadLength + ip.protocol;
  for (const word of [ip.src0, ip.src1, ip.src2, ip.src3, ip.dst0, ip.dst1, ip.dst2, ip.dst3]) {
    sum = sumWords32(sum, word);
  }
  // The words of an IPv4 address are mapped: ::ffff:a.b.c.d adds 0xffff, which is zero, twice.
  view.setUint16(ip.payloadOffset + offset, 0);
  sum = sumBytes(view, ip.payloadOffset, ip.payloadLength, sum);
  const checksum = complement(sum);
  // RFC 768: zero would say that there is none.
  const isNone = checksum === 0 && ip.protocol === PROTOCOL_UDP;
  view.setUint16(ip.payloadOffset + offset, isNone ? 0xffff : checksum);
}

/** Length of the IP header, without extension headers: where the TCP header begins. */
export function ipHeaderBytes(bytes: Uint8Array): number {
  return bytes[0]! >> 4 === 4 ? (bytes[0]! & 15) * 4 : IPV6_HEADER;
}

/** Length of the IP header, without extension headers, and the TCP header of a TCP packet. */
export function headerBytes(bytes: Uint8Array): number {
  const ipLength = ipHeaderBytes(bytes);
  return ipLength + (bytes[ipLength + TCP_OFFSET]! >> 4) * 4;
}

/** Length of the largest packet that goes over the wire: a super-segment goes in pieces. */
export function wireBytes({ bytes, gsoSize }: Packet): number {
  return gsoSize === 0 ? bytes.length : Math.min(bytes.length, headerBytes(bytes) + gsoSize);
}
