// One connection of a stack, and a device that only counts: segments are prepared in the receive slots.
// Knows headers and slots; must not know what is timed.

import { StackCore } from '../../dist/stack/core.js';
import {
  RX_CHECKSUM_TRUSTED,
  RX_FLAGS,
  RX_GSO_SIZE,
  RX_LENGTH,
  RX_OFFSET,
  RX_STRIDE,
  TX_HEADER_OFFSET,
  TX_PIECE1_LENGTH,
  TX_PIECE2_LENGTH,
  TX_STRIDE,
} from '../../dist/stack/device.js';
import { IdleHandler } from '../../dist/tcp/connection.js';
import { IpAddress, Subnet } from '../../dist/wire/address.js';
import { ipv4BaseSum, writeIpv4 } from '../../dist/wire/ip.js';
import { ACK, SYN, writeSynOptions, writeTcp, writeTimestamps } from '../../dist/wire/tcp.js';

const LOCAL = IpAddress.parse('10.9.0.2');
const REMOTE = IpAddress.parse('10.9.0.1');
const IP_BYTES = 20;
const TCP_BYTES = 20;
const TIMESTAMPS_BYTES = 12;
const TCP = 6;
const WINDOW_SCALE = 7;
const SYN_ACK_SEQUENCE = 4;
const FLAGS = 13;

export const MSS = 1448;
/** As many segments as a super-segment stands for. */
export const SUPER_SEGMENTS = 44;

export class BenchConnection extends IdleHandler {
  name = 'bench';
  mtu = 1500;
  checksumOffload = true;
  counters = { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, txDropped: 0, rxDropped: 0 };
  /** The peer's numbers: what it sends next, and what it has seen of the stack. */
  next = 1000;
  seen = 0;
  now = 1_000_000;
  connection;
  #port;
  #view;
  #base = ipv4BaseSum(0, 64, TCP, REMOTE.w3, LOCAL.w3);

  /** @param maxSegmentBytes 65,535 for super-segments, 1500 without */
  constructor(maxSegmentBytes) {
    super();
    this.maxSegmentBytes = maxSegmentBytes;
    this.core = new StackCore({
      addresses: [new Subnet(LOCAL, 24)],
      device: this,
      memory: 64 << 20,
      random: (bytes) => bytes.fill(7),
      tcp: {
        receiveBuffer: 4 << 20,
        receiveBufferMax: 8 << 20,
        sendBuffer: 1 << 20,
        sendBufferMax: 1 << 20,
      },
    });
    this.core.listen({ port: 80, handler: { onConnection: (listener) => this.#accept(listener) } });
    this.receive(SYN, 0);
    this.next = (this.next + 1) | 0;
    this.receive(ACK, 0);
  }

  get slots() {
    return this.#port.rxSlots.length;
  }

  /** One segment of `length` bytes arrives, and what follows from it is sent. */
  receive(flags, length, gsoSize = 0) {
    this.prepare(0, flags, length, gsoSize);
    this.core.receive(1, this.now);
  }

  /** Puts a segment into a slot. */
  prepare(slot, flags, length, gsoSize = 0) {
    const at = this.#port.rxSlots[slot];
    const options = at + IP_BYTES + TCP_BYTES;
    const ms = Math.floor(this.now / 1000) | 0;
    let header = TCP_BYTES + TIMESTAMPS_BYTES;
    if (flags & SYN) {
      header =
        TCP_BYTES + writeSynOptions(this.#view, options, 1460, WINDOW_SCALE, true, true, ms, 0);
    } else {
      writeTimestamps(this.#view, options, ms, ms);
    }
    this.#finish(slot, flags, header, length, gsoSize);
    this.next = (this.next + length) | 0;
  }

  /** An ACK of `acknowledged` that also reports [start, end) (RFC 2018 §3). */
  prepareSack(slot, acknowledged, start, end) {
    const view = this.#view;
    const options = this.#port.rxSlots[slot] + IP_BYTES + TCP_BYTES;
    const ms = Math.floor(this.now / 1000) | 0;
    writeTimestamps(view, options, ms, ms);
    const sack = options + TIMESTAMPS_BYTES;
    view.setInt32(sack, 0x0101050a);
    view.setInt32(sack + 4, start);
    view.setInt32(sack + 8, end);
    const seen = this.seen;
    this.seen = acknowledged;
    this.#finish(slot, ACK, TCP_BYTES + 2 * TIMESTAMPS_BYTES, 0, 0);
    this.seen = seen;
  }

  #finish(slot, flags, header, length, gsoSize) {
    const { rx, rxSlots } = this.#port;
    const at = rxSlots[slot];
    const acknowledged = flags & ACK ? this.seen : 0;
    const tcp = at + IP_BYTES;
    writeTcp(this.#view, tcp, 4000, 80, this.next, acknowledged, header, flags, 0xffff, 0, 0);
    const total = IP_BYTES + header + length;
    writeIpv4(this.#view, at, this.#base, 0, total, 1, 64, TCP, REMOTE.w3, LOCAL.w3);
    const row = slot * RX_STRIDE;
    rx[row + RX_OFFSET] = at;
    rx[row + RX_LENGTH] = total;
    rx[row + RX_FLAGS] = RX_CHECKSUM_TRUSTED;
    rx[row + RX_GSO_SIZE] = gsoSize;
  }

  #accept(listener) {
    this.connection = listener.accept();
    this.connection.handler = this;
    this.connection.noDelay = true;
  }

  onReadable(connection) {
    connection.skip(connection.readable);
  }

  // ── The device ──

  attach(port) {
    this.#port = port;
    this.#view = new DataView(port.memory);
  }

  transmit(count) {
    const { tx } = this.#port;
    for (let i = 0; i < count; i++) {
      const at = i * TX_STRIDE;
      const tcp = tx[at + TX_HEADER_OFFSET] + IP_BYTES;
      const syn = (this.#view.getUint8(tcp + FLAGS) & SYN) >> 1;
      const length = tx[at + TX_PIECE1_LENGTH] + tx[at + TX_PIECE2_LENGTH] + syn;
      const end = (this.#view.getInt32(tcp + SYN_ACK_SEQUENCE) + length) | 0;
      if (((end - this.seen) | 0) > 0 || syn) this.seen = end;
    }
  }

  close() {}
  ref() {}
  unref() {}
}
