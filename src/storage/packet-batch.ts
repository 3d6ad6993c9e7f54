// Packets on their way out, as descriptors in a shared table. Knows header slots and pieces of
// payload in the arena; must not know what a header says.

import type { Arena } from './arena.js';
import {
  TX_CHECKSUM_START,
  TX_GSO_SIZE,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_PIECE1_LENGTH,
  TX_PIECE1_OFFSET,
  TX_PIECE2_LENGTH,
  TX_PIECE2_OFFSET,
  TX_STRIDE,
} from './descriptors.js';

/** Bytes of a header slot: IPv6 and TCP with all options (100), or an ICMP error with its quote. */
export const HEADER_SLOT_BYTES = 128;

/**
 * A batch of packets. The producer asks for a header slot, writes the headers into it, and pushes
 * a descriptor; the consumer (`flushTo`) reads the table and must be done with it when it returns.
 */
export class PacketBatch {
  /** The descriptors, `TX_STRIDE` words each. */
  readonly table: Int32Array;
  /** How many are filled. */
  count = 0;
  private readonly slots: number;

  /**
   * @param size packets in a batch; the one that fills it causes a flush.
   * @param flushTo called with the number of packets in the table; afterwards the batch is empty.
   */
  constructor(
    arena: Arena,
    readonly size: number,
    private readonly flushTo: (count: number) => void,
  ) {
    this.table = new Int32Array(size * TX_STRIDE);
    this.slots = arena.reserve(size * HEADER_SLOT_BYTES);
  }

  /** Arena offset of the header slot that the next push uses. */
  header(): number {
    return this.slots + this.count * HEADER_SLOT_BYTES;
  }

  /** Appends the packet whose header was written to `header()`; payload in up to two pieces. */
  push(
    headerLength: number,
    offset1: number,
    length1: number,
    offset2: number,
    length2: number,
    gsoSize: number,
    checksumStart: number,
  ): void {
    const table = this.table;
    const at = this.count * TX_STRIDE;
    table[at + TX_HEADER_OFFSET] = this.header();
    table[at + TX_HEADER_LENGTH] = headerLength;
    table[at + TX_PIECE1_OFFSET] = offset1;
    table[at + TX_PIECE1_LENGTH] = length1;
    table[at + TX_PIECE2_OFFSET] = offset2;
    table[at + TX_PIECE2_LENGTH] = length2;
    table[at + TX_GSO_SIZE] = gsoSize;
    table[at + TX_CHECKSUM_START] = checksumStart;
    this.count += 1;
    if (this.count === this.size) this.flush();
  }

  /** Hands over what has gathered. */
  flush(): void {
    const count = this.count;
    if (count === 0) return;
    this.count = 0;
    this.flushTo(count);
  }
}

/** Bytes of the packet that descriptor `index` of a table describes. */
export function packetLength(table: Int32Array, index: number): number {
  const at = index * TX_STRIDE;
  return table[at + TX_HEADER_LENGTH] + table[at + TX_PIECE1_LENGTH] + table[at + TX_PIECE2_LENGTH];
}

/**
 * Copies a packet, header and pieces in their order, from the memory that descriptor `index` points
 * into to `target`, from `to` on. For whoever keeps packets; a device that can gather does not need it.
 */
export function gatherPacket(
  table: Int32Array,
  index: number,
  memory: Uint8Array,
  target: Uint8Array,
  to: number,
): void {
  const at = index * TX_STRIDE;
  let next = to;
  for (let word = at + TX_HEADER_OFFSET; word <= at + TX_PIECE2_OFFSET; word += 2) {
    const offset = table[word];
    const length = table[word + 1];
    target.set(memory.subarray(offset, offset + length), next);
    next += length;
  }
}
