// Segments as fields and as one line of text. Knows headers; must not know connections or time.

import { formatEnd, IpAddress } from '../wire/address.js';
import { IP_OK, IpHeader, PROTOCOL_TCP, parseIp } from '../wire/ip.js';
import {
  ACK,
  CWR,
  ECE,
  FIN,
  PSH,
  parseTcp,
  RST,
  SYN,
  TCP_OK,
  TcpSegment,
  URG,
} from '../wire/tcp.js';
import type { Direction, SegmentFields } from './event.js';

/** A connection that has sent more counts from its origin anew; what is beyond is from before. */
const MOST_AHEAD = 3 * 2 ** 30;

/** The flag of the segment that tells the other end of a state that a call has led to. */
const ANNOUNCED_BY: Readonly<Record<string, string>> = {
  'SYN-SENT': 'SYN',
  'SYN-RECEIVED': 'SYN',
  'FIN-WAIT-1': 'FIN',
  'LAST-ACK': 'FIN',
  CLOSED: 'RST',
};

/** Bits and names of flags, in the order in which they are written. */
export const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [SYN, 'SYN'],
  [FIN, 'FIN'],
  [RST, 'RST'],
  [PSH, 'PSH'],
  [URG, 'URG'],
  [ECE, 'ECE'],
  [CWR, 'CWR'],
  [ACK, 'ACK'],
];

/** Texts of all combinations that were seen: there are few, and joining costs more than a look-up. */
const flagNames: string[] = [];

/** `FIN,ACK`; empty for none. */
export function nameFlags(flags: number): string {
  flagNames[flags] ??= FLAGS.filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join(',');
  return flagNames[flags]!;
}

/** Whether a text of flags such as `FIN,ACK` names one of them. */
export function hasFlag(segment: Pick<SegmentFields, 'flags'>, flag: string): boolean {
  // No name of a flag is a part of another one.
  return segment.flags.includes(flag);
}

/** SEG.LEN of RFC 9293: data, and one each for SYN and FIN. */
export function sequenceLength(segment: SegmentFields): number {
  return segment.length + Number(hasFlag(segment, 'SYN')) + Number(hasFlag(segment, 'FIN'));
}

/** Whether they are of one connection, and nothing tells them apart but options and windows. */
export function isSame(a: SegmentFields, b: SegmentFields): boolean {
  return (
    a.seq === b.seq &&
    a.ack === b.ack &&
    a.flags === b.flags &&
    a.length === b.length &&
    a.sourcePort === b.sourcePort
  );
}

/** Whether a segment is what a state is entered with; a FIN, for one, may wait behind data. */
export function announces(segment: SegmentFields, state: string): boolean {
  const flag = ANNOUNCED_BY[state];
  return flag === undefined || hasFlag(segment, flag);
}

/** Both ends as text; the sender first. */
export interface Addresses {
  source: string;
  destination: string;
}

/** The fields of a segment that was parsed. */
export function toFields(tcp: TcpSegment, { source, destination }: Addresses): SegmentFields {
  return {
    source,
    sourcePort: tcp.sourcePort,
    destination,
    destinationPort: tcp.destinationPort,
    flags: nameFlags(tcp.flags),
    seq: tcp.seq >>> 0,
    ack: tcp.ack >>> 0,
    window: tcp.window,
    length: tcp.dataLength,
    gsoSize: tcp.gsoSize,
    options: toOptions(tcp),
  };
}

function toOptions(tcp: TcpSegment): SegmentFields['options'] {
  const options: SegmentFields['options'] = {};
  if (tcp.mss > 0) options.mss = tcp.mss;
  if (tcp.windowScale >= 0) options.windowScale = tcp.windowScale;
  if (tcp.sackPermitted) options.sackPermitted = true;
  if (tcp.hasTimestamps) options.timestamps = [tcp.tsVal >>> 0, tcp.tsEcr >>> 0];
  if (tcp.sackCount > 0) {
    const edge = (i: number) => tcp.sackEdges[i]! >>> 0;
    options.sack = Array.from({ length: tcp.sackCount }, (_, i) => [edge(2 * i), edge(2 * i + 1)]);
  }
  return options;
}

/** Both ends as text, ours first, as `TraceEvent.connection` has them. */
export function connectionOfSegment(segment: SegmentFields, direction: Direction): string {
  const { source, sourcePort, destination, destinationPort } = segment;
  const [from, to] = [formatEnd(source, sourcePort), formatEnd(destination, destinationPort)];
  return direction === 'out' ? `${from} ${to}` : `${to} ${from}`;
}

const ip = new IpHeader();
const tcp = new TcpSegment();

/** Sender and receiver of the packet whose header was read. */
export function addressesOf(header: IpHeader): Addresses {
  if (header.family === 4) {
    return {
      source: IpAddress.v4(header.src3).toString(),
      destination: IpAddress.v4(header.dst3).toString(),
    };
  }
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = header;
  return {
    source: IpAddress.v6(src0, src1, src2, src3).toString(),
    destination: IpAddress.v6(dst0, dst1, dst2, dst3).toString(),
  };
}

/**
 * The TCP segment of a whole IP packet, its checksum not looked at; null where there is none: another
 * protocol, a fragment, or a header that cannot be read.
 * @param gsoSize data bytes of each segment that a super-segment stands for
 */
export function decodeSegment(bytes: Uint8Array, gsoSize = 0): SegmentFields | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (parseIp(view, 0, bytes.length, ip) !== IP_OK || ip.protocol !== PROTOCOL_TCP) return null;
  if (ip.moreFragments || ip.fragmentOffset !== 0) return null;
  if (parseTcp(view, ip.payloadOffset, ip.payloadLength, tcp) !== TCP_OK) return null;
  tcp.gsoSize = gsoSize;
  return toFields(tcp, addressesOf(ip));
}

/** What is subtracted from the numbers of a segment: initial ones of its sender and its receiver. */
export interface Relative {
  /** From its sequence number. */
  seq: number;
  /** From its acknowledgment number. */
  ack: number;
}

/** How far a number is behind another one; negative for what comes from another time. */
function distance(number: number, origin: number): number {
  const ahead = (number - origin) >>> 0;
  return ahead < MOST_AHEAD ? ahead : ahead - 2 ** 32;
}

/** `FIN,ACK seq 1001 ack 1`, `PSH,ACK seq 1 ack 1 len 100`; the numbers of the wire without `relative`. */
export function describeSegment(
  segment: Pick<SegmentFields, 'flags' | 'seq' | 'ack' | 'length'>,
  relative: Relative | null = null,
): string {
  const { flags, length } = segment;
  const seq = relative === null ? segment.seq : distance(segment.seq, relative.seq);
  const ack = relative === null ? segment.ack : distance(segment.ack, relative.ack);
  const words = [flags === '' ? 'no flags' : flags, `seq ${seq}`];
  if (hasFlag(segment, 'ACK')) words.push(`ack ${ack}`);
  if (length > 0) words.push(`len ${length}`);
  return words.join(' ');
}
