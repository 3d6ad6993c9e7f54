// A port that keeps what a device hands over; must not know which device.
import { COUNTERS, type Handle, native } from '../../src/device/native.js';
import {
  CONTROL_WORDS,
  type Device,
  type DevicePort,
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

const SLOT_BYTES = 65_536;
const HEADER_ROOM = 128;
const TX_ROOM = 128 * 1024;

export interface Received {
  bytes: Uint8Array;
  flags: number;
  gsoSize: number;
}

export interface Outgoing {
  bytes: Uint8Array;
  /** Bytes that go into the header part; the rest is payload. Default: all. */
  headerLength?: number;
  /** Bytes of payload in the first piece; the rest goes into the second. Default: all. */
  firstPiece?: number;
  gsoSize?: number;
  checksumStart?: number;
}

/** As `TunDevice` does it, for a handle without a device; answers the counters. */
export function attachNative(handle: Handle, port: TestPort): Float64Array {
  const { memory, rxSlots, rxSlotBytes, rx, tx, control } = port;
  const counters = new Float64Array(COUNTERS);
  const ignore = () => {};
  native().attach(
    handle,
    memory,
    rxSlots,
    rxSlotBytes,
    rx,
    tx,
    counters,
    control,
    ignore,
    ignore,
    ignore,
    0,
  );
  return counters;
}

/** Memory with `slots` receive slots and a transmit area; received packets are copied out. */
export class TestPort implements DevicePort {
  readonly memory: ArrayBuffer;
  readonly rxSlots: Int32Array;
  readonly rxSlotBytes: number;
  readonly rx: Int32Array;
  readonly control = new Int32Array(CONTROL_WORDS);
  readonly tx: Int32Array;
  readonly packets: Received[] = [];
  readonly batches: number[] = [];
  readonly statuses: { up: boolean; code?: string }[] = [];
  onReceive: (() => void) | null = null;
  readonly #bytes: Uint8Array;
  readonly #txAt: number;

  constructor(slots = 16, slotBytes = SLOT_BYTES, txCount = 64) {
    this.#txAt = slots * slotBytes;
    this.memory = new ArrayBuffer(this.#txAt + txCount * TX_ROOM);
    this.#bytes = new Uint8Array(this.memory);
    this.rxSlots = Int32Array.from({ length: slots }, (_, i) => i * slotBytes);
    this.rxSlotBytes = slotBytes;
    this.rx = new Int32Array(slots * RX_STRIDE);
    this.tx = new Int32Array(txCount * TX_STRIDE);
  }

  settled(): void {}

  receive(count: number): void {
    this.batches.push(count);
    for (let at = 0; at < count * RX_STRIDE; at += RX_STRIDE) {
      const from = this.rx[at + RX_OFFSET]!;
      this.packets.push({
        bytes: this.#bytes.slice(from, from + this.rx[at + RX_LENGTH]!),
        flags: this.rx[at + RX_FLAGS]!,
        gsoSize: this.rx[at + RX_GSO_SIZE]!,
      });
    }
    this.onReceive?.();
  }

  statusChanged(up: boolean, error?: Error): void {
    const { code } = (error ?? {}) as NodeJS.ErrnoException;
    this.statuses.push(code === undefined ? { up } : { up, code });
  }

  /** Writes packets into memory, describes them and has the device send them, all in one call. */
  send(device: Device, ...packets: (Uint8Array | Outgoing)[]): void {
    for (const [i, packet] of packets.entries()) {
      this.describe(i, packet instanceof Uint8Array ? { bytes: packet } : packet);
    }
    device.transmit(packets.length);
  }

  /** The pieces are laid out backwards and apart, so that a wrong offset shows. */
  describe(index: number, packet: Outgoing): void {
    const { bytes, headerLength = bytes.length } = packet;
    const firstPiece = packet.firstPiece ?? bytes.length - headerLength;
    const area = this.#txAt + index * TX_ROOM;
    const secondAt = headerLength + firstPiece;
    const pieces = [
      [area + TX_ROOM - HEADER_ROOM - bytes.length, bytes.subarray(0, headerLength)],
      [area + TX_ROOM / 2 - firstPiece, bytes.subarray(headerLength, secondAt)],
      [area, bytes.subarray(secondAt)],
    ] as const;
    for (const [at, part] of pieces) this.#bytes.set(part, at);
    const at = index * TX_STRIDE;
    this.tx[at + TX_HEADER_OFFSET] = pieces[0][0];
    this.tx[at + TX_HEADER_LENGTH] = pieces[0][1].length;
    this.tx[at + TX_PIECE1_OFFSET] = pieces[1][0];
    this.tx[at + TX_PIECE1_LENGTH] = pieces[1][1].length;
    this.tx[at + TX_PIECE2_OFFSET] = pieces[2][0];
    this.tx[at + TX_PIECE2_LENGTH] = pieces[2][1].length;
    this.tx[at + TX_GSO_SIZE] = packet.gsoSize ?? 0;
    this.tx[at + TX_CHECKSUM_START] = packet.checksumStart ?? 0;
  }
}
