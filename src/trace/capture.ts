// A device in between that writes all packets into a pcapng file. Knows packets and where they go; must
// not change what happens to them.

import { arch, release, type } from 'node:os';
import { DeviceFront, portBehind } from '../device/front.js';
import { completeChecksum, ipHeaderBytes, type Packet, PacketPort } from '../device/packet.js';
import type { Device, DevicePort } from '../stack/device.js';
import { TCP_HEADER } from '../wire/tcp.js';
import type { Direction } from './event.js';
import { fileHeader, packetBlock, statisticsBlock } from './pcapng.js';
import { connectionOfSegment, decodeSegment } from './segment.js';
import { type SegmentKey, StateComments } from './state-comments.js';

/** With so many changes of state for which no packet comes, a block of statistics is written for them. */
const MOST_WAITING = 1000;

/** Where a capture goes. */
export interface CaptureOptions {
  /** Takes blocks of the file; false when one is lost, for now or for ever. */
  write: (block: Uint8Array) => boolean;
  /** Microseconds since 1970. */
  now: () => number;
  /** Who writes the file; default `finwait`. */
  application?: string;
}

/** A packet that the stack has not looked at yet. */
interface Arriving {
  readonly packet: Packet;
  readonly timeUs: number;
  readonly comments: string[];
}

/**
 * Put between a device and whatever it would be attached to. All packets of both directions go into the file,
 * a super-segment as one packet, with the changes of state as comments where `comments` looks at the stack.
 */
export class Capture extends DeviceFront {
  /** The probe that the stack is to have. */
  readonly comments: StateComments;
  /** Packets that came by. */
  packets = 0;
  /** Those of them that could not be kept. */
  lost = 0;
  readonly #write: (block: Uint8Array) => boolean;
  readonly #now: () => number;
  #port: PacketPort | null = null;
  #lostBefore = 0;
  /** A batch that is being processed, and the first of its packets that may come next. */
  #arriving: Arriving[] = [];
  #next = 0;

  constructor(device: Device, { write, now, application = 'finwait' }: CaptureOptions) {
    super(device);
    this.#write = write;
    this.#now = now;
    this.comments = new StateComments(now);
    this.comments.arrives = (key) => this.#takenUp(key);
    const system = { os: `${type()} ${release()}`, hardware: arch() };
    const description = 'packets as finwait sends and gets them';
    write(fileHeader({ name: device.name, description, application, ...system }));
  }

  /** Starts reading; what arrives is written. */
  override attach(port: DevicePort): void {
    this.#port = new PacketPort(port, this.counters);
    const receive = (count: number): void => {
      this.#copyBatch(count);
      port.receive(count);
      this.#writeBatch();
    };
    this.device.attach(portBehind(port, { receive }));
  }

  /** Sends, and writes what was sent. */
  override transmit(count: number): void {
    // What the stack sends now was sent after it has looked at what came.
    this.#writeBatch();
    const timeUs = this.#now();
    for (let i = 0; i < count; i++) {
      const packet = this.#port!.sent(i);
      if (packet.checksumStart > 0) completeChecksum(packet);
      this.#keep(
        'out',
        packet,
        timeUs,
        this.comments.take(() => connectionOf(packet.bytes, 'out')),
      );
    }
    this.device.transmit(count);
  }

  /** The end of the file: counts, and changes of state for which no packet came. */
  finish(): void {
    this.#writeStatistics();
  }

  /** Before the stack sees them: it may free or use their memory. */
  #copyBatch(count: number): void {
    const timeUs = this.#now();
    for (let i = 0; i < count; i++) {
      const packet = this.#port!.received(i);
      // The kernel may have left the sum to us, whoever vouches for it.
      if (packet.trusted) completeChecksum(packet);
      const comments = this.comments.take(() => connectionOf(packet.bytes, 'in'));
      this.#arriving.push({ packet, timeUs, comments });
    }
    this.#next = 0;
  }

  #writeBatch(): void {
    if (this.#arriving.length === 0) return;
    for (const { packet, timeUs, comments } of this.#arriving) {
      this.#keep('in', packet, timeUs, comments);
    }
    this.#arriving = [];
  }

  #keep(direction: Direction, packet: Packet, timeUs: number, comments: readonly string[]): void {
    this.packets += 1;
    const { bytes } = packet;
    const lostBefore = this.#lostBefore;
    if (this.#write(packetBlock({ timeUs, direction, bytes, comments, lostBefore }))) {
      this.#lostBefore = 0;
    } else {
      this.lost += 1;
      this.#lostBefore += 1;
    }
    if (this.comments.waiting > MOST_WAITING) this.#writeStatistics();
  }

  #writeStatistics(): void {
    const { packets, lost } = this;
    const timeUs = this.#now();
    this.#write(statisticsBlock({ timeUs, packets, lost, comments: this.comments.takeAll() }));
  }

  /** The stack takes up packets in their order; some of them it passes over, or puts together. */
  #takenUp(key: SegmentKey): string[] | null {
    for (let i = this.#next; i < this.#arriving.length; i++) {
      const { packet, comments } = this.#arriving[i]!;
      if (!isSegment(packet.bytes, key)) continue;
      this.#next = i + 1;
      return comments;
    }
    return null;
  }
}

function isSegment(bytes: Uint8Array, { ports, seq, flags }: SegmentKey): boolean {
  const at = ipHeaderBytes(bytes);
  if (bytes.length < at + TCP_HEADER) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, TCP_HEADER);
  return view.getInt32(0) === ports && view.getInt32(4) === seq && view.getUint8(13) === flags;
}

/** Both ends of a TCP packet, ours first; null for other packets. */
function connectionOf(bytes: Uint8Array, direction: Direction): string | null {
  const segment = decodeSegment(bytes);
  return segment && connectionOfSegment(segment, direction);
}
