// One connection of a stack, and a device that only counts: segments are prepared in the receive
// slots, and what is sent is looked at where it lies. Must make no garbage itself.

import { StackCore } from '../../../src/stack/core.js';
import {
  type Device,
  type DevicePort,
  RX_CHECKSUM_TRUSTED,
  RX_FLAGS,
  RX_GSO_SIZE,
  RX_LENGTH,
  RX_OFFSET,
  RX_STRIDE,
  TX_GSO_SIZE,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_PIECE1_LENGTH,
  TX_PIECE2_LENGTH,
  TX_STRIDE,
} from '../../../src/stack/device.js';
import type { TcpConfig } from '../../../src/tcp/config.js';
import { type Connection, IdleHandler } from '../../../src/tcp/connection.js';
import { IpAddress, Subnet } from '../../../src/wire/address.js';
import { complement, fold, pseudoHeaderSum, sumBytes } from '../../../src/wire/checksum.js';
import { ipv4BaseSum, writeIpv4, writeIpv6 } from '../../../src/wire/ip.js';
import {
  ACK,
  SYN,
  writeSackBlocks,
  writeSynOptions,
  writeTcp,
  writeTimestamps,
} from '../../../src/wire/tcp.js';

const STACK_PORT = 80;
const PEER_PORT = 4000;
const TCP = 6;
const TCP_BYTES = 20;
const TIMESTAMPS_BYTES = 12;
const ISS = 1000;

export const MSS = 1448;

export class Bench extends IdleHandler implements Device {
  readonly name = 'bench';
  readonly mtu = 1500;
  readonly checksumOffload = true;
  readonly maxSegmentBytes: number;
  readonly counters = {
    ...{ rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, txDropped: 0, rxDropped: 0 },
  };
  readonly core: StackCore;
  connection!: Connection;
  /** The peer's numbers: next to send, next that it expects. */
  nxt = ISS;
  expected = 0;
  /** Segments and payload bytes that the stack has sent; super-segments count as what they stand for. */
  segmentsSent = 0;
  bytesSent = 0;
  bytesRead = 0;
  now: number;
  private readonly edges = new Int32Array(2);
  private port!: DevicePort;
  private view!: DataView;
  private readonly ipBytes: number;
  private readonly local: IpAddress;
  private readonly remote: IpAddress;
  private readonly pseudo: number;
  private readonly base: number;

  constructor(options: {
    family: 4 | 6;
    superSegments: boolean;
    now: number;
    tcp: Partial<TcpConfig>;
  }) {
    super();
    const { family, superSegments, now, tcp } = options;
    this.maxSegmentBytes = superSegments ? 65_535 : 1500;
    this.now = now;
    this.ipBytes = family === 4 ? 20 : 40;
    this.local = IpAddress.parse(family === 4 ? '10.9.0.2' : 'fd09::2') as IpAddress;
    this.remote = IpAddress.parse(family === 4 ? '10.9.0.1' : 'fd09::1') as IpAddress;
    this.pseudo = pseudoHeaderSum(this.remote, this.local, TCP);
    this.base = ipv4BaseSum(0, 64, TCP, this.remote.w3, this.local.w3);
    this.core = new StackCore({
      addresses: [new Subnet(this.local, family === 4 ? 24 : 64)],
      device: this,
      memory: 64 << 20,
      random: (bytes) => bytes.fill(7),
      tcp,
    });
    this.open();
  }

  private open(): void {
    this.core.listen({
      port: STACK_PORT,
      handler: {
        onConnection: (listener) => {
          this.connection = listener.accept() as Connection;
          this.connection.handler = this;
          this.connection.noDelay = true;
        },
      },
    });
    this.prepare(0, SYN, 0, 0);
    this.core.receive(1, this.now);
    this.nxt = (this.nxt + 1) | 0;
    this.prepare(0, ACK, 0, 0);
    this.core.receive(1, this.now);
  }

  /** How many segments one call of `core.receive` takes. */
  get slots(): number {
    return this.port.rxSlots.length;
  }

  /** Puts a segment into a slot, its checksum vouched for; `length` bytes of payload lie there. */
  prepare(slot: number, flags: number, length: number, gsoSize: number): void {
    const { port, view } = this;
    const at = port.rxSlots[slot] as number;
    const tcp = at + this.ipBytes;
    const ms = Math.floor(this.now / 1000) | 0;
    let header = TCP_BYTES + TIMESTAMPS_BYTES;
    if ((flags & SYN) !== 0) {
      header = TCP_BYTES + writeSynOptions(view, tcp + TCP_BYTES, 1460, 7, true, true, ms, 0);
    } else {
      writeTimestamps(view, tcp + TCP_BYTES, ms, ms);
    }
    writeTcp(
      view,
      tcp,
      PEER_PORT,
      STACK_PORT,
      this.nxt,
      (flags & ACK) !== 0 ? this.expected : 0,
      header,
      flags,
      0xffff,
      0,
      0,
    );
    this.writeIp(at, header + length);
    const row = slot * RX_STRIDE;
    port.rx[row + RX_OFFSET] = at;
    port.rx[row + RX_LENGTH] = this.ipBytes + header + length;
    port.rx[row + RX_FLAGS] = RX_CHECKSUM_TRUSTED;
    port.rx[row + RX_GSO_SIZE] = gsoSize;
    this.nxt = (this.nxt + length) | 0;
  }

  /** The same without payload, for a peer that misses [ack, from) and has all behind it. */
  prepareSack(slot: number, ack: number, from: number): void {
    const { port, view } = this;
    const at = port.rxSlots[slot] as number;
    const tcp = at + this.ipBytes;
    const ms = Math.floor(this.now / 1000) | 0;
    this.edges[0] = from;
    this.edges[1] = this.expected;
    writeTimestamps(view, tcp + TCP_BYTES, ms, ms);
    const options = TIMESTAMPS_BYTES + writeSackBlocks(view, tcp + 32, this.edges, 1);
    const header = TCP_BYTES + options;
    writeTcp(view, tcp, PEER_PORT, STACK_PORT, this.nxt, ack, header, ACK, 0xffff, 0, 0);
    this.writeIp(at, header);
    const row = slot * RX_STRIDE;
    port.rx[row + RX_OFFSET] = at;
    port.rx[row + RX_LENGTH] = this.ipBytes + header;
    port.rx[row + RX_FLAGS] = RX_CHECKSUM_TRUSTED;
    port.rx[row + RX_GSO_SIZE] = 0;
  }

  private writeIp(at: number, length: number): void {
    if (this.ipBytes === 20) {
      const { base, remote, local } = this;
      writeIpv4(this.view, at, base, 0, 20 + length, 1, 64, TCP, remote.w3, local.w3);
    } else {
      writeIpv6(this.view, at, 0, length, 64, TCP, this.remote, this.local);
    }
  }

  /** Completes the checksum of the segment in a slot, and vouches for it no more. */
  complete(slot: number): void {
    const { port, view } = this;
    const at = port.rxSlots[slot] as number;
    const row = slot * RX_STRIDE;
    const tcp = at + this.ipBytes;
    const length = (port.rx[row + RX_LENGTH] as number) - this.ipBytes;
    const sum = sumBytes(view, tcp, length, fold(this.pseudo + length));
    view.setUint16(tcp + 16, complement(sum));
    port.rx[row + RX_FLAGS] = 0;
  }

  // ── The device ──

  attach(port: DevicePort): void {
    this.port = port;
    this.view = new DataView(port.memory);
  }

  transmit(count: number): void {
    const { tx } = this.port;
    for (let i = 0; i < count; i++) {
      const at = i * TX_STRIDE;
      const length = (tx[at + TX_PIECE1_LENGTH] as number) + (tx[at + TX_PIECE2_LENGTH] as number);
      const gsoSize = tx[at + TX_GSO_SIZE] as number;
      const tcp = (tx[at + TX_HEADER_OFFSET] as number) + this.ipBytes;
      const header = tx[at + TX_HEADER_LENGTH] as number;
      if (header < this.ipBytes + TCP_BYTES) throw new Error(`a header of ${header} bytes`);
      const flags = this.view.getUint8(tcp + 13);
      const end = (this.view.getInt32(tcp + 4) + length + ((flags & SYN) >> 1)) | 0;
      if ((flags & SYN) !== 0 || ((end - this.expected) | 0) > 0) this.expected = end;
      this.segmentsSent += gsoSize === 0 ? 1 : Math.ceil(length / gsoSize);
      this.bytesSent += length;
    }
  }

  close(): void {}
  ref(): void {}
  unref(): void {}

  // ── The application ──

  override onReadable(connection: Connection): void {
    const bytes = connection.readable;
    connection.skip(bytes);
    this.bytesRead += bytes;
  }
}
