// Receive slots and descriptors: how packets come from a device into the stack. Knows memory; must
// not know what a packet means.

import type { Arena } from '../storage/arena.js';
import {
  CONTROL_WORDS,
  RX_CHECKSUM_TRUSTED,
  RX_DATA,
  RX_FLAGS,
  RX_GSO_SIZE,
  RX_LENGTH,
  RX_OFFSET,
  RX_STRIDE,
} from '../storage/descriptors.js';
import type { PacketBatch } from '../storage/packet-batch.js';
import type { DevicePort } from './device.js';
import type { Input } from './input.js';

/** Packets in one batch, and the largest packet: what IP's 16 bits of length can say. */
const RX_BATCH = 32;
const RX_SLOT_BYTES = 65_536;

export class Receiver implements DevicePort {
  readonly memory: ArrayBuffer;
  readonly rxSlots = new Int32Array(RX_BATCH);
  readonly rxSlotBytes = RX_SLOT_BYTES;
  readonly rx = new Int32Array(RX_BATCH * RX_STRIDE);
  readonly control = new Int32Array(new ArrayBuffer(CONTROL_WORDS * 4));
  readonly tx: Int32Array;
  /** Set by who drives the stack: a device has filled `count` descriptors. */
  onReceive: ((count: number) => void) | null = null;
  onStatus: ((up: boolean, error?: Error) => void) | null = null;

  constructor(
    private readonly arena: Arena,
    batch: PacketBatch,
    private readonly input: Input,
  ) {
    this.memory = arena.buffer;
    this.tx = batch.table;
    const slots = arena.reserve(RX_BATCH * RX_SLOT_BYTES);
    for (let i = 0; i < RX_BATCH; i++) this.rxSlots[i] = slots + i * RX_SLOT_BYTES;
  }

  receive(count: number): void {
    this.onReceive?.(count);
  }

  settled(): void {
    this.onReceive?.(0);
  }

  statusChanged(up: boolean, error?: Error): void {
    this.onStatus?.(up, error);
  }

  /** Copies a packet into the first slot; longer ones than IP allows are cut. */
  place(bytes: Uint8Array, gsoSize: number): void {
    const length = Math.min(bytes.length, RX_SLOT_BYTES);
    this.arena.bytes.set(bytes.subarray(0, length), this.rxSlots[0]);
    this.rx[RX_OFFSET] = this.rxSlots[0];
    this.rx[RX_LENGTH] = length;
    this.rx[RX_FLAGS] = 0;
    this.rx[RX_GSO_SIZE] = gsoSize;
    this.rx[RX_DATA] = 0;
  }

  process(count: number): void {
    const { rx, input } = this;
    for (let i = 0; i < count; i++) {
      const at = i * RX_STRIDE;
      const trusted = (rx[at + RX_FLAGS] & RX_CHECKSUM_TRUSTED) !== 0;
      input.packetArrives(
        rx[at + RX_OFFSET],
        rx[at + RX_LENGTH],
        trusted,
        rx[at + RX_GSO_SIZE],
        rx[at + RX_DATA],
      );
    }
  }
}
