// Cuts super-segments and completes checksums for devices that can't; must not know TCP's state.
import {
  type Device,
  type DeviceCounters,
  type DevicePort,
  TX_CHECKSUM_START,
  TX_GSO_SIZE,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_PIECE1_LENGTH,
  TX_PIECE1_OFFSET,
  TX_PIECE2_LENGTH,
  TX_PIECE2_OFFSET,
  TX_STRIDE,
} from '../stack/device.js';
import { complement, sumBytes } from '../wire/checksum.js';
import { IPV6_HEADER } from '../wire/ip.js';
import { CWR, FIN, PSH } from '../wire/tcp.js';
import { DeviceFront, portBehind } from './front.js';

const MAX_PACKET = 65_535;
// Offsets in an IPv4 (RFC 791 §3.1), IPv6 (RFC 8200 §3) and TCP header (RFC 9293 §3.1).
const IPV4_TOTAL_LENGTH = 2;
const IPV4_IDENTIFICATION = 4;
const IPV4_CHECKSUM = 10;
const IPV6_PAYLOAD_LENGTH = 4;
const TCP_SEQ = 4;
const TCP_FLAGS = 13;
const TCP_CHECKSUM = 16;

/** Sent packets as the stack sees them, received ones as the device counts them. */
class OffloadCounters implements DeviceCounters {
  txPackets = 0;
  txBytes = 0;
  txDropped = 0;
  readonly #received: DeviceCounters;

  constructor(received: DeviceCounters) {
    this.#received = received;
  }
  get rxPackets(): number {
    return this.#received.rxPackets;
  }
  get rxBytes(): number {
    return this.#received.rxBytes;
  }
  get rxDropped(): number {
    return this.#received.rxDropped;
  }
}

/** The device itself, if it takes super-segments and partial checksums; else one that does. */
export function withSoftwareOffload(device: Device): Device {
  const able = device.checksumOffload && device.maxSegmentBytes > device.mtu;
  return able ? device : new SoftwareOffload(device);
}

/**
 * Takes super-segments and partial checksums on behalf of another device. Packets are not copied:
 * their headers are rewritten in place for one segment after another, and left so.
 */
export class SoftwareOffload extends DeviceFront {
  readonly #counters: OffloadCounters;
  /** The one descriptor that the other device sees. */
  readonly #out = new Int32Array(TX_STRIDE);
  #tx: Int32Array = new Int32Array(0);
  #view = new DataView(new ArrayBuffer(0));

  constructor(device: Device) {
    super(device);
    this.#counters = new OffloadCounters(device.counters);
  }

  override get checksumOffload(): boolean {
    return true;
  }

  override get maxSegmentBytes(): number {
    return MAX_PACKET;
  }

  override get counters(): DeviceCounters {
    return this.#counters;
  }

  override attach(port: DevicePort): void {
    this.#tx = port.tx;
    this.#view = new DataView(port.memory);
    this.device.attach(portBehind(port, { tx: this.#out }));
  }

  override transmit(count: number): void {
    const counters = this.#counters;
    const theirs = this.device.counters;
    for (let at = 0; at < count * TX_STRIDE; at += TX_STRIDE) {
      const before = theirs.txDropped;
      const payload = this.#tx[at + TX_PIECE1_LENGTH]! + this.#tx[at + TX_PIECE2_LENGTH]!;
      const gsoSize = this.#tx[at + TX_GSO_SIZE]!;
      if (gsoSize > 0) this.#sendSegments(at, payload, gsoSize);
      else this.#sendWhole(at);
      if (theirs.txDropped !== before) {
        counters.txDropped++;
        continue;
      }
      counters.txPackets++;
      counters.txBytes += this.#tx[at + TX_HEADER_LENGTH]! + payload;
    }
  }

  #sendWhole(at: number): void {
    const tx = this.#tx;
    const out = this.#out;
    for (let i = 0; i < TX_GSO_SIZE; i++) out[i] = tx[at + i]!;
    const start = tx[at + TX_CHECKSUM_START]!;
    // What is in the checksum field already is the sum of the pseudo-header.
    if (start > 0) this.#complete(start, 0);
    this.device.transmit(1);
  }

  #sendSegments(at: number, payload: number, gsoSize: number): void {
    const tx = this.#tx;
    const out = this.#out;
    const view = this.#view;
    const header = tx[at + TX_HEADER_OFFSET]!;
    const headerLength = tx[at + TX_HEADER_LENGTH]!;
    const start = tx[at + TX_CHECKSUM_START]!;
    const tcp = header + start;
    const ipv4 = view.getUint8(header) >> 4 === 4;
    const identification = ipv4 ? view.getUint16(header + IPV4_IDENTIFICATION) : 0;
    const seq = view.getInt32(tcp + TCP_SEQ);
    const flags = view.getUint8(tcp + TCP_FLAGS);
    // The sum of the pseudo-header but for the length, which is different for each segment.
    const whole = headerLength - start + payload;
    const pseudo = view.getUint16(tcp + TCP_CHECKSUM) + (~whole & 0xffff);
    out[TX_HEADER_OFFSET] = header;
    out[TX_HEADER_LENGTH] = headerLength;
    for (let from = 0, i = 0; from < payload; from += gsoSize, i++) {
      const length = Math.min(gsoSize, payload - from);
      const last = from + length === payload;
      if (ipv4) this.#writeIpv4(header, start, headerLength + length, identification + i);
      else view.setUint16(header + IPV6_PAYLOAD_LENGTH, headerLength - IPV6_HEADER + length);
      view.setInt32(tcp + TCP_SEQ, (seq + from) | 0);
      view.setUint8(tcp + TCP_FLAGS, flags & (last ? 255 : ~(FIN | PSH)) & (i === 0 ? 255 : ~CWR));
      view.setUint16(tcp + TCP_CHECKSUM, 0);
      this.#selectPayload(at, from, length);
      this.#complete(start, pseudo + headerLength - start + length);
      this.device.transmit(1);
    }
  }

  #writeIpv4(header: number, length: number, totalLength: number, identification: number): void {
    const view = this.#view;
    view.setUint16(header + IPV4_TOTAL_LENGTH, totalLength);
    view.setUint16(header + IPV4_IDENTIFICATION, identification);
    view.setUint16(header + IPV4_CHECKSUM, 0);
    view.setUint16(header + IPV4_CHECKSUM, complement(sumBytes(view, header, length)));
  }

  /** Describes `length` bytes of the payload from `from` on, which may lie in both pieces. */
  #selectPayload(at: number, from: number, length: number): void {
    const tx = this.#tx;
    const out = this.#out;
    const piece1 = tx[at + TX_PIECE1_LENGTH]!;
    const of1 = Math.min(Math.max(piece1 - from, 0), length);
    out[TX_PIECE1_OFFSET] = tx[at + TX_PIECE1_OFFSET]! + from;
    out[TX_PIECE1_LENGTH] = of1;
    out[TX_PIECE2_OFFSET] = tx[at + TX_PIECE2_OFFSET]! + Math.max(from - piece1, 0);
    out[TX_PIECE2_LENGTH] = length - of1;
  }

  /** Writes the TCP checksum of the packet that is described; `sum` is added to what is there. */
  #complete(start: number, sum: number): void {
    const view = this.#view;
    const out = this.#out;
    const tcp = out[TX_HEADER_OFFSET]! + start;
    const length1 = out[TX_PIECE1_LENGTH]!;
    let total = sumBytes(view, tcp, out[TX_HEADER_LENGTH]! - start, sum);
    total = sumBytes(view, out[TX_PIECE1_OFFSET]!, length1, total);
    let piece2 = sumBytes(view, out[TX_PIECE2_OFFSET]!, out[TX_PIECE2_LENGTH]!);
    // After an odd number of bytes high and low halves change places (RFC 1071 §2 B).
    if ((length1 & 1) !== 0) piece2 = ((piece2 & 0xff) << 8) | (piece2 >> 8);
    view.setUint16(tcp + TCP_CHECKSUM, complement(total + piece2));
  }
}
