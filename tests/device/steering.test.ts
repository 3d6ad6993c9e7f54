// Which of several stacks a packet is for: all that belongs to a flow goes the same way.

import { describe, expect, test } from 'vitest';
import { EVERYBODY, ownerOfPorts, Steering } from '../../src/device/steering.js';
import { echoRequest, ipPacket } from './packets.js';

const COUNT = 5;
const OTHERWISE = 3;
const ICMP = 1;
const ICMPV6 = 58;
const TCP = 6;
const UDP = 17;

const FAMILIES = [
  { family: 'IPv4', here: '10.9.0.2', there: '10.9.0.1', icmp: ICMP, unreachable: 3, error: 3 },
  { family: 'IPv6', here: 'fd09::2', there: 'fd09::1', icmp: ICMPV6, unreachable: 1, error: 2 },
];

const owner = ownerOfPorts(40_000, 80, COUNT);

/** TCP's ports and nothing that matters behind them; fragments have multiples of 8 bytes. */
const SEGMENT = Buffer.alloc(24);
SEGMENT.writeUInt16BE(40_000, 0);
SEGMENT.writeUInt16BE(80, 2);
SEGMENT[12] = 0x50;

function ownerOf(packet: Uint8Array): number {
  const memory = new ArrayBuffer(2000);
  new Uint8Array(memory).set(packet, 100);
  return new Steering(COUNT, memory).ownerOf(100, packet.length, OTHERWISE);
}

describe('the owner of ports', () => {
  test('is the same in both directions', () => {
    for (let port = 1; port < 65_536; port += 37) {
      expect(ownerOfPorts(port, 80, 7)).toBe(ownerOfPorts(80, port, 7));
    }
  });

  // The kernel's own connections use every second port.
  test.each([2, 3, 4, 8])('spreads the ports that a kernel uses over %i', (count) => {
    const seen = new Array<number>(count).fill(0);
    for (let port = 32_768; port < 61_000; port += 2) seen[ownerOfPorts(port, 80, count)]! += 1;
    const fair = 28_232 / 2 / count;
    for (const each of seen) expect(Math.abs(each / fair - 1)).toBeLessThan(0.05);
  });
});

describe.each(FAMILIES)('$family', ({ here, there, icmp, unreachable, error }) => {
  const segment = ipPacket(there, here, TCP, SEGMENT);

  test('TCP: by its ports', () => {
    expect(ownerOf(segment)).toBe(owner);
  });

  test('TCP behind options or extension headers: the same', () => {
    expect(ownerOf(withOptions(segment))).toBe(owner);
  });

  test('a TCP segment that ends before its ports: nobody in particular', () => {
    expect(ownerOf(segment.subarray(0, segment.length - 21))).toBe(OTHERWISE);
  });

  test('a fragment of TCP: everybody', () => {
    expect(ownerOf(fragment(segment, TCP))).toBe(EVERYBODY);
  });

  test('a fragment of something else: always the same one', () => {
    expect(ownerOf(fragment(ipPacket(there, here, UDP, Buffer.alloc(16)), UDP))).toBe(0);
  });

  test('an echo request: whoever got it', () => {
    expect(ownerOf(echoRequest(there, here, 'hello'))).toBe(OTHERWISE);
  });

  test('an ICMP error: as the segment that it quotes', () => {
    const quoted = ipPacket(here, there, TCP, SEGMENT);
    for (const type of [unreachable, error]) {
      const header = Buffer.from([type, 0, 0, 0, 0, 0, 0, 0]);
      const whole = ipPacket(there, here, icmp, Buffer.concat([header, quoted]));
      expect(ownerOf(whole)).toBe(owner);
      const short = quoted.subarray(0, quoted.length - 16);
      expect(ownerOf(ipPacket(there, here, icmp, Buffer.concat([header, short])))).toBe(owner);
      const nothing = ipPacket(there, here, icmp, header);
      expect(ownerOf(nothing)).toBe(OTHERWISE);
    }
  });

  test('rubbish: whoever got it', () => {
    expect(ownerOf(Buffer.alloc(60, 0xff))).toBe(OTHERWISE);
    expect(ownerOf(segment.subarray(0, 10))).toBe(OTHERWISE);
  });
});

/** IPv4: four bytes of options; IPv6: an empty destination options header. */
function withOptions(packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  if (copy[0]! >> 4 === 6) {
    copy[6] = 60;
    copy.writeUInt16BE(copy.readUInt16BE(4) + 8, 4);
    const header = Buffer.from([TCP, 0, 1, 4, 0, 0, 0, 0]);
    return Buffer.concat([copy.subarray(0, 40), header, copy.subarray(40)]);
  }
  const longer = Buffer.concat([
    copy.subarray(0, 20),
    Buffer.from([1, 1, 1, 0]),
    copy.subarray(20),
  ]);
  longer[0] = 0x46;
  longer.writeUInt16BE(longer.length, 2);
  return withSum(longer);
}

/** The first of several fragments. */
function fragment(packet: Buffer, protocol: number): Buffer {
  const copy = Buffer.from(packet);
  if (copy[0]! >> 4 === 6) {
    copy[6] = 44;
    copy.writeUInt16BE(copy.readUInt16BE(4) + 8, 4);
    const header = Buffer.from([protocol, 0, 0, 1, 0, 0, 0, 9]);
    return Buffer.concat([copy.subarray(0, 40), header, copy.subarray(40)]);
  }
  copy.writeUInt16BE(0x2000, 6);
  return withSum(copy);
}

function withSum(packet: Buffer): Buffer {
  const length = (packet[0]! & 15) * 4;
  packet.writeUInt16BE(0, 10);
  let sum = 0;
  for (let i = 0; i < length; i += 2) sum += packet.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet.writeUInt16BE(~sum & 0xffff, 10);
  return packet;
}
