// The stack's own addresses reached from within: packets that never see a device. Knows a queue of
// copies in the arena; must not know what they carry.

import { TX_GSO_SIZE, TX_STRIDE } from '../storage/descriptors.js';
import { gatherPacket, PacketBatch, packetLength } from '../storage/packet-batch.js';
import type { Path } from '../tcp/host.js';
import type { StackCore } from './core.js';

const BATCH = 64;
/** Packets that wait at most; more are lost, as on any link. */
const QUEUE = 8192;
const LOOPBACK_MTU = 65_535;

export class Loopback implements Path {
  readonly batch: PacketBatch;
  readonly mtu = LOOPBACK_MTU;
  readonly maxSegmentBytes = LOOPBACK_MTU;
  /** Offset, length and segment size of each waiting packet. */
  private readonly queue = new Int32Array(QUEUE * 3);
  private head = 0;
  private length = 0;

  constructor(private readonly core: StackCore) {
    this.batch = new PacketBatch(core.arena, BATCH, (count) => this.take(count));
  }

  get waiting(): number {
    return this.length;
  }

  /** Hands the packets that wait now to `arrive`; what they cause waits for the next call. */
  deliver(arrive: (offset: number, length: number, gsoSize: number) => void): void {
    for (let count = this.length; count > 0; count--) {
      const at = this.head * 3;
      const offset = this.queue[at];
      const length = this.queue[at + 1];
      const gsoSize = this.queue[at + 2];
      this.head = (this.head + 1) % QUEUE;
      this.length -= 1;
      arrive(offset, length, gsoSize);
      this.core.arena.free(offset, length);
    }
  }

  private take(count: number): void {
    for (let i = 0; i < count; i++) this.copyPacket(i);
  }

  private copyPacket(index: number): void {
    const { table } = this.batch;
    const { core } = this;
    const { bytes } = core.arena;
    const length = packetLength(table, index);
    const offset = this.length < QUEUE ? core.arena.allocate(length) : -1;
    if (offset < 0) {
      core.counters.loopbackDropped += 1;
      core.probe?.packetDropped(core, null, 'loopback queue full');
      return;
    }
    gatherPacket(table, index, bytes, bytes, offset);
    const slot = ((this.head + this.length) % QUEUE) * 3;
    this.queue[slot] = offset;
    this.queue[slot + 1] = length;
    this.queue[slot + 2] = table[index * TX_STRIDE + TX_GSO_SIZE];
    this.length += 1;
  }
}
