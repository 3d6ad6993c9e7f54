// Builds packets for device tests from plain bytes; must not use the code under test.

/** Ones' complement sum of 16-bit words, the straightforward way (RFC 1071 §4.1). */
export function plainChecksum(...parts: Uint8Array[]): number {
  const bytes = Buffer.concat([...parts, Buffer.alloc(1)]);
  let sum = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** The 4 or 16 bytes of an address; IPv6 with one `::`. */
export function addressBytes(text: string): Buffer {
  if (!text.includes(':')) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail = ''] = text.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const zeros = new Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  const all = [...groups(head), ...zeros, ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** An IP packet without options, checksummed. `identification` is for IPv4 only. */
export function ipPacket(
  from: string,
  to: string,
  protocol: number,
  payload: Uint8Array,
  identification = 0,
): Buffer {
  const [source, target] = [addressBytes(from), addressBytes(to)];
  if (source.length === 16) {
    const header = Buffer.from([0x60, 0, 0, 0, 0, 0, protocol, 64]);
    header.writeUInt16BE(payload.length, 4);
    return Buffer.concat([header, source, target, payload]);
  }
  const start = Buffer.from([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0]);
  start.writeUInt16BE(20 + payload.length, 2);
  start.writeUInt16BE(identification & 0xffff, 4);
  start.writeUInt16BE(plainChecksum(start, source, target), 10);
  return Buffer.concat([start, source, target, payload]);
}

/** The pseudo-header of RFC 9293 §3.1 and RFC 8200 §8.1. */
export function pseudoHeader(from: string, to: string, protocol: number, length: number): Buffer {
  const tail = Buffer.from([0, 0, 0, protocol, 0, 0, 0, 0]);
  tail.writeUInt32BE(length, 4);
  return Buffer.concat([addressBytes(from), addressBytes(to), tail]);
}

export function echoRequest(from: string, to: string, text: string): Buffer {
  const ipv6 = from.includes(':');
  const message = Buffer.concat([
    Buffer.from([ipv6 ? 128 : 8, 0, 0, 0, 0, 7, 0, 1]),
    Buffer.from(text),
  ]);
  const pseudo = ipv6 ? pseudoHeader(from, to, 58, message.length) : Buffer.alloc(0);
  message.writeUInt16BE(plainChecksum(pseudo, message), 2);
  return ipPacket(from, to, ipv6 ? 58 : 1, message);
}

export const IPV4_ECHO_REPLY = (bytes: Uint8Array) =>
  bytes[0] === 0x45 && bytes[9] === 1 && bytes[20] === 0;

export const IPV6_ECHO_REPLY = (bytes: Uint8Array) =>
  bytes[0]! >> 4 === 6 && bytes[6] === 58 && bytes[40] === 129;

export interface TcpFields {
  from: string;
  to: string;
  payload?: Uint8Array;
  seq?: number;
  identification?: number;
  flags?: number;
  /** Length a multiple of four. */
  options?: Uint8Array;
  /** Leave only the sum of the pseudo-header in the checksum field. */
  partial?: boolean;
}

/** A TCP segment from port 7 to port 7, ACK 1, in an IP packet. */
export function tcpPacket(fields: TcpFields): Buffer {
  const { from, to, payload = Buffer.alloc(0), seq = 0, flags = 0x10 } = fields;
  const { options = Buffer.alloc(0), partial = false } = fields;
  const header = Buffer.from([0, 7, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 0, flags, 0xff, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(seq >>> 0, 4);
  header[12] = (20 + options.length) << 2;
  const segment = Buffer.concat([header, options, payload]);
  const pseudo = pseudoHeader(from, to, 6, segment.length);
  const checksum = partial ? ~plainChecksum(pseudo) & 0xffff : plainChecksum(pseudo, segment);
  segment.writeUInt16BE(checksum, 16);
  return ipPacket(from, to, 6, segment, fields.identification);
}
