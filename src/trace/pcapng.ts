// Packets as a pcapng file (draft-ietf-opsawg-pcapng): blocks of one section with one interface. Knows the
// format; must not know where packets come from, or where the bytes go.

import type { Direction } from './event.js';

/** Types of blocks, §4.1 to §4.6. */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const INTERFACE_STATISTICS = 5;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** LINKTYPE_RAW: packets begin with an IPv4 or IPv6 header. */
const LINKTYPE_RAW = 101;

/** Options of all blocks, and of some: codes mean something else in each of them. */
const COMMENT = 1;
const SHB_HARDWARE = 2;
const SHB_OS = 3;
const SHB_APPLICATION = 4;
const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_TSRESOL = 9;
const EPB_FLAGS = 2;
const EPB_DROPCOUNT = 4;
const ISB_IFRECV = 4;
const ISB_IFDROP = 5;

/** §4.3.1: the first two bits say whether a packet was inbound or outbound. */
const FLAGS: Readonly<Record<Direction, number>> = { in: 1, out: 2 };
/** §4.2: time counts in units of 10^-6 seconds. */
const MICROSECONDS = 6;

interface CaptureFacts {
  /** Of the interface. */
  name: string;
  description: string;
  application: string;
  os: string;
  hardware: string;
}

interface CapturedPacket {
  /** Microseconds since 1970, UTC. */
  timeUs: number;
  direction: Direction;
  /** From the IP header on, checksums complete. */
  bytes: Uint8Array;
  comments: readonly string[];
  /** Packets between the one before and this one that could not be kept. */
  lostBefore: number;
}

interface CaptureStatistics {
  timeUs: number;
  /** Packets that came by, and of those that could not be kept. */
  packets: number;
  lost: number;
  comments: readonly string[];
}

const text = new TextEncoder();
const LITTLE = true;

type Option = readonly [code: number, value: Uint8Array];

/** What a file begins with: the headers of section and interface. */
export function fileHeader(facts: CaptureFacts): Uint8Array {
  const section = new Uint8Array(16);
  const view = new DataView(section.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, LITTLE);
  view.setUint16(4, 1, LITTLE); // version 1.0
  view.setInt32(8, -1, LITTLE); // its length is not known
  view.setInt32(12, -1, LITTLE);
  const about = block(SECTION_HEADER, section, [
    option(SHB_HARDWARE, facts.hardware),
    option(SHB_OS, facts.os),
    option(SHB_APPLICATION, facts.application),
  ]);
  const link = new Uint8Array(8); // the last four: packets are whole
  new DataView(link.buffer).setUint16(0, LINKTYPE_RAW, LITTLE);
  const wire = block(INTERFACE_DESCRIPTION, link, [
    option(IF_NAME, facts.name),
    option(IF_DESCRIPTION, facts.description),
    [IF_TSRESOL, Uint8Array.of(MICROSECONDS)],
  ]);
  return Buffer.concat([about, wire]);
}

export function packetBlock(packet: CapturedPacket): Uint8Array {
  const { bytes, comments, lostBefore } = packet;
  const flags = new Uint8Array(4);
  new DataView(flags.buffer).setUint32(0, FLAGS[packet.direction], LITTLE);
  const options: Option[] = comments.map((comment) => option(COMMENT, comment));
  options.push([EPB_FLAGS, flags]);
  if (lostBefore > 0) options.push([EPB_DROPCOUNT, count(lostBefore)]);
  const body = new Uint8Array(20 + bytes.length);
  const view = new DataView(body.buffer);
  writeTime(view, packet.timeUs);
  view.setUint32(12, bytes.length, LITTLE);
  view.setUint32(16, bytes.length, LITTLE);
  body.set(bytes, 20);
  return block(ENHANCED_PACKET, body, options);
}

/** May stand anywhere; what counts is the last one. */
export function statisticsBlock(statistics: CaptureStatistics): Uint8Array {
  const body = new Uint8Array(12);
  writeTime(new DataView(body.buffer), statistics.timeUs);
  return block(INTERFACE_STATISTICS, body, [
    ...statistics.comments.map((comment) => option(COMMENT, comment)),
    [ISB_IFRECV, count(statistics.packets)],
    [ISB_IFDROP, count(statistics.lost)],
  ]);
}

/** Number of the interface, which is 0, and a time: upper and lower half of 64 bits. */
function writeTime(view: DataView, timeUs: number): void {
  view.setUint32(4, Math.floor(timeUs / 2 ** 32), LITTLE);
  view.setUint32(8, timeUs >>> 0, LITTLE);
}

/** Longer texts than the 16 bits of an option's length allow are cut. */
function option(code: number, value: string): Option {
  return [code, text.encode(value).subarray(0, 0xffff)];
}

/** 64 bits. */
function count(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), LITTLE);
  return bytes;
}

/** §3.1: type, length, body, options, and the length again; all in multiples of four bytes. */
function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
  const withValue = options.filter(([, value]) => value.length > 0);
  const optionBytes = withValue.reduce((sum, [, value]) => sum + 4 + padded(value.length), 4);
  const length = 12 + padded(body.length) + optionBytes;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, LITTLE);
  view.setUint32(4, length, LITTLE);
  bytes.set(body, 8);
  let at = 8 + padded(body.length);
  for (const [code, value] of withValue) {
    view.setUint16(at, code, LITTLE);
    view.setUint16(at + 2, value.length, LITTLE);
    bytes.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  view.setUint32(length - 4, length, LITTLE);
  return bytes;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
