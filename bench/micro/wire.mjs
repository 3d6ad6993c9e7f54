// Headers read and written, and the checksum, also against a naive loop and the package ip-packet.

import ipPacket from 'ip-packet';
import { complement, sumBytes } from '../../dist/wire/checksum.js';
import { IpHeader, ipv4BaseSum, parseIp, writeIpv4 } from '../../dist/wire/ip.js';
import { ACK, parseTcp, TcpSegment, writeTcp, writeTimestamps } from '../../dist/wire/tcp.js';

const PAYLOAD = 1448;
const memory = Buffer.alloc(4096);
const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
const ip = new IpHeader();
const segment = new TcpSegment();
const base = ipv4BaseSum(0, 64, 6, 0x0a090001, 0x0a090002);

function writeHeaders() {
  writeIpv4(view, 0, base, 0, 52 + PAYLOAD, 7, 64, 6, 0x0a090001, 0x0a090002);
  writeTcp(view, 20, 4000, 80, 1, 2, 32, ACK, 512, 0, 0);
  writeTimestamps(view, 40, 3, 4);
}

function naiveSum() {
  let sum = 0;
  for (let i = 52; i < 52 + PAYLOAD; i += 2) sum += (memory[i] << 8) | memory[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

writeHeaders();
const packet = memory.subarray(0, 52 + PAYLOAD);

export const wire = [
  ['write IPv4 and TCP header', writeHeaders],
  ['parse IPv4 header', () => parseIp(view, 0, packet.length, ip)],
  [
    'parse IPv4 header (ip-packet)',
    () => ipPacket.decode({ buffer: packet, start: 0, end: packet.length }),
  ],
  ['parse TCP header', () => parseTcp(view, 20, 32 + PAYLOAD, segment)],
  ['checksum of 1448 bytes', () => complement(sumBytes(view, 52, PAYLOAD))],
  ['checksum of 1448 bytes (naive)', naiveSum],
  ['checksum of an IPv4 header', () => complement(sumBytes(view, 0, 20))],
  ['checksum of an IPv4 header (ip-packet)', () => ipPacket.checksum(packet)],
];
