// Packets as bytes and as fields, for the far side of a test: IPv4, IPv6, TCP and ICMP written down
// a second time from the RFCs. Must not use src/wire, so that each checks the other.

export const FLAG_LETTERS = 'FSRP.UEW';
export const TCP = 6;
export const ICMP = 1;
export const ICMPV6 = 58;

export type TcpOption =
  | { kind: 'mss'; value: number }
  | { kind: 'wscale'; value: number }
  | { kind: 'sackOK' }
  | { kind: 'nop' }
  | { kind: 'eol' }
  | { kind: 'TS'; val: number; ecr: number }
  | { kind: 'sack'; blocks: [number, number][] }
  | { kind: 'hex'; bytes: number[] };

export interface TcpFields {
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack: number;
  /** Letters of `FLAG_LETTERS`. */
  flags: string;
  window: number;
  urgent: number;
  options: TcpOption[];
  payload: Uint8Array;
  /** Overrides the data offset, in words. */
  dataOffset?: number;
  badChecksum?: boolean;
}

export interface IpFields {
  source: Uint8Array;
  destination: Uint8Array;
  protocol: number;
  trafficClass: number;
  hopLimit: number;
  payload: Uint8Array;
  /** IPv4 options, padded to words by the caller; for IPv6 a hop-by-hop header's options. */
  options?: number[];
}

/** The bytes of an address: dotted quad, or groups with at most one `::`. */
export function addressBytes(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.').map(Number));
  const [head, tail] = text.split('::') as [string, string | undefined];
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((g) => Number.parseInt(g, 16));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const middle = new Array<number>(8 - left.length - right.length).fill(0);
  return Uint8Array.from([...left, ...middle, ...right].flatMap((g) => [g >> 8, g & 0xff]));
}

export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16)).join(':');
}

/** RFC 1071, word by word: slow and plain. */
export function internetChecksum(...parts: Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) sum += (part[i]! << 8) | (part[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function pseudoHeader(ip: Pick<IpFields, 'source' | 'destination' | 'protocol'>, length: number) {
  const family4 = ip.source.length === 4;
  const tail = family4
    ? [0, ip.protocol, length >> 8, length & 0xff]
    : [0, length >> 16, (length >> 8) & 0xff, length & 0xff, 0, 0, 0, ip.protocol];
  return Uint8Array.from([...ip.source, ...ip.destination, ...tail]);
}

/** Checksum of an upper-layer message, as RFC 9293 §3.1 and RFC 8200 §8.1 say; 0 when it is right. */
export function upperChecksum(
  ip: Pick<IpFields, 'source' | 'destination' | 'protocol'>,
  message: Uint8Array,
): number {
  return internetChecksum(pseudoHeader(ip, message.length), message);
}

const word16 = (n: number) => [(n >>> 8) & 0xff, n & 0xff];
const word32 = (n: number) => [...word16(n >>> 16), ...word16(n)];

export function buildIp(ip: IpFields): Uint8Array {
  const options = ip.options ?? [];
  if (ip.source.length === 4) {
    const words = 5 + options.length / 4;
    const total = words * 4 + ip.payload.length;
    const head = Uint8Array.from([
      ...[0x40 | words, ip.trafficClass, ...word16(total), 0, 1, 0x40, 0],
      ...[ip.hopLimit, ip.protocol, 0, 0, ...ip.source, ...ip.destination, ...options],
    ]);
    head.set(word16(internetChecksum(head)), 10);
    return concat(head, ip.payload);
  }
  const next = options.length > 0 ? 0 : ip.protocol;
  const length = options.length + ip.payload.length;
  const head = Uint8Array.from([
    ...[0x60 | (ip.trafficClass >> 4), (ip.trafficClass & 15) << 4, 0, 0],
    ...[...word16(length), next, ip.hopLimit, ...ip.source, ...ip.destination, ...options],
  ]);
  return concat(head, ip.payload);
}

function optionBytes(option: TcpOption): number[] {
  switch (option.kind) {
    case 'mss':
      return [2, 4, ...word16(option.value)];
    case 'wscale':
      return [3, 3, option.value];
    case 'sackOK':
      return [4, 2];
    case 'nop':
      return [1];
    case 'eol':
      return [0];
    case 'TS':
      return [8, 10, ...word32(option.val), ...word32(option.ecr)];
    case 'sack':
      return [5, 2 + 8 * option.blocks.length, ...option.blocks.flat().flatMap(word32)];
    case 'hex':
      return option.bytes;
  }
}

function flagBits(flags: string): number {
  let bits = 0;
  for (const letter of flags) bits |= 1 << FLAG_LETTERS.indexOf(letter);
  return bits;
}

/** The segment as the payload of `ip`, with the checksum that belongs to it. */
export function buildTcp(ip: Pick<IpFields, 'source' | 'destination'>, tcp: TcpFields): Uint8Array {
  const options = tcp.options.flatMap(optionBytes);
  while (options.length % 4 !== 0) options.push(0);
  if (options.length > 40) throw new Error('more than 40 bytes of TCP options');
  const words = tcp.dataOffset ?? 5 + options.length / 4;
  const head = Uint8Array.from([
    ...[...word16(tcp.sourcePort), ...word16(tcp.destinationPort)],
    ...[...word32(tcp.seq), ...word32(tcp.ack), (words & 15) << 4, flagBits(tcp.flags)],
    ...[...word16(tcp.window), 0, 0, ...word16(tcp.urgent), ...options],
  ]);
  const segment = concat(head, tcp.payload);
  const sum = upperChecksum({ ...ip, protocol: TCP }, segment);
  segment.set(word16(tcp.badChecksum === true ? sum ^ 0x0101 : sum), 16);
  return segment;
}

/** An ICMP message of the family of `ip`; `rest` is the second word of its header. */
export function buildIcmp(
  ip: Pick<IpFields, 'source' | 'destination'>,
  type: number,
  code: number,
  rest: number,
  body: Uint8Array,
): Uint8Array {
  const message = concat(Uint8Array.from([type, code, 0, 0, ...word32(rest)]), body);
  const sum =
    ip.source.length === 4
      ? internetChecksum(message)
      : upperChecksum({ ...ip, protocol: ICMPV6 }, message);
  message.set(word16(sum), 2);
  return message;
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * The IP header of a packet that the stack under test sent, checked as a strict receiver would.
 * @throws Error with what is wrong.
 */
export function parseIp(packet: Uint8Array): IpFields {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const version = packet[0]! >> 4;
  if (version === 4) {
    const headerLength = (packet[0]! & 15) * 4;
    check(headerLength === 20, `an IPv4 header of ${headerLength} bytes`);
    check(view.getUint16(2) === packet.length, 'total length differs from the packet');
    check((packet[6]! & 0x40) !== 0, "the don't-fragment bit is not set");
    check((view.getUint16(6) & 0x3fff) === 0, 'a fragment');
    check(internetChecksum(packet.subarray(0, 20)) === 0, 'wrong IPv4 header checksum');
    return {
      source: packet.slice(12, 16),
      destination: packet.slice(16, 20),
      protocol: packet[9]!,
      trafficClass: packet[1]!,
      hopLimit: packet[8]!,
      payload: packet.slice(20),
    };
  }
  check(version === 6, `IP version ${version}`);
  check(view.getUint16(4) === packet.length - 40, 'payload length differs from the packet');
  return {
    source: packet.slice(8, 24),
    destination: packet.slice(24, 40),
    protocol: packet[6]!,
    trafficClass: (view.getUint16(0) >> 4) & 0xff,
    hopLimit: packet[7]!,
    payload: packet.slice(40),
  };
}

/** @throws Error with what is wrong, the checksum above all. */
export function parseTcp(ip: IpFields): TcpFields {
  const bytes = ip.payload;
  check(bytes.length >= 20, `a TCP header of ${bytes.length} bytes`);
  check(upperChecksum(ip, bytes) === 0, 'wrong TCP checksum');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const headerLength = (bytes[12]! >> 4) * 4;
  check(headerLength >= 20 && headerLength <= bytes.length, `data offset ${headerLength}`);
  check((bytes[12]! & 15) === 0, 'reserved bits are set');
  const flags = [...FLAG_LETTERS].filter((_, bit) => (bytes[13]! >> bit) & 1).join('');
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    seq: view.getUint32(4),
    ack: view.getUint32(8),
    flags,
    window: view.getUint16(14),
    urgent: view.getUint16(18),
    options: parseOptions(bytes.subarray(20, headerLength)),
    payload: bytes.slice(headerLength),
  };
}

/** MUST-68, MUST-69: each option with its length, padding of zeros only. */
function parseOptions(bytes: Uint8Array): TcpOption[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const options: TcpOption[] = [];
  let at = 0;
  while (at < bytes.length) {
    const kind = bytes[at]!;
    if (kind === 0) {
      const padding = bytes.subarray(at);
      check(padding.length < 4 && padding.every((byte) => byte === 0), 'padding is not zero');
      options.push({ kind: 'eol' });
      break;
    }
    if (kind === 1) {
      options.push({ kind: 'nop' });
      at += 1;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    check(length >= 2 && at + length <= bytes.length, `option ${kind} of length ${length}`);
    options.push(parseOption(kind, length, view, at));
    at += length;
  }
  return options;
}

function parseOption(kind: number, length: number, view: DataView, at: number): TcpOption {
  if (kind === 2 && length === 4) return { kind: 'mss', value: view.getUint16(at + 2) };
  if (kind === 3 && length === 3) return { kind: 'wscale', value: view.getUint8(at + 2) };
  if (kind === 4 && length === 2) return { kind: 'sackOK' };
  if (kind === 8 && length === 10) {
    return { kind: 'TS', val: view.getUint32(at + 2), ecr: view.getUint32(at + 6) };
  }
  if (kind === 5 && length >= 10 && (length - 2) % 8 === 0) {
    const blocks: [number, number][] = [];
    for (let i = at + 2; i < at + length; i += 8) {
      blocks.push([view.getUint32(i), view.getUint32(i + 4)]);
    }
    return { kind: 'sack', blocks };
  }
  const bytes = Array.from({ length }, (_, i) => view.getUint8(at + i));
  return { kind: 'hex', bytes };
}

export interface IcmpFields {
  type: number;
  code: number;
  rest: number;
  body: Uint8Array;
}

export function parseIcmp(ip: IpFields): IcmpFields {
  const sum = ip.protocol === ICMP ? internetChecksum(ip.payload) : upperChecksum(ip, ip.payload);
  check(sum === 0, 'wrong ICMP checksum');
  const view = new DataView(ip.payload.buffer, ip.payload.byteOffset);
  return {
    type: ip.payload[0]!,
    code: ip.payload[1]!,
    rest: view.getUint32(4),
    body: ip.payload.slice(8),
  };
}

function check(condition: boolean, complaint: string): void {
  if (!condition) throw new Error(complaint);
}
