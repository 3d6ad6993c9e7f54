// IP headers against the package ip-packet, against what the RFCs forbid, and against any bytes.

import fc from 'fast-check';
import { checksum, decode, encode } from 'ip-packet';
import { describe, expect, it } from 'vitest';
import { IpAddress } from '../../src/wire/address.js';
import { complement, pseudoHeaderSum, sumBytes } from '../../src/wire/checksum.js';
import * as ip from '../../src/wire/ip.js';
import { exactView, hex, naiveChecksum } from './reference.js';

const { IpHeader, parseIp, parseQuotedIp } = ip;

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const byte = fc.nat({ max: 255 });
const short = fc.nat({ max: 0xffff });
const v6Words = fc.tuple(fc.integer({ min: 1, max: 2 ** 31 - 1 }), word, word, word);

function parse(bytes: ArrayLike<number>) {
  const header = new IpHeader();
  const verdict = parseIp(exactView(bytes), 0, bytes.length, header);
  return { verdict: ip.IP_VERDICT_NAMES[verdict], header };
}

const source = (h: ip.IpHeader) => `${IpAddress.v6(h.src0, h.src1, h.src2, h.src3)}`;
const destination = (h: ip.IpHeader) => `${IpAddress.v6(h.dst0, h.dst1, h.dst2, h.dst3)}`;

/** An IPv4 packet with these options (padded here), its checksum right. */
function v4(options: number[], payload: number[], change: (bytes: Uint8Array) => void = () => {}) {
  const words = Math.ceil(options.length / 4);
  const bytes = new Uint8Array(20 + 4 * words + payload.length);
  bytes.set(hex('45000000 12340000 40060000 0a090001 0a090002'));
  bytes[0] = 0x45 + words;
  bytes[2] = bytes.length >>> 8;
  bytes[3] = bytes.length & 255;
  bytes.set(options, 20);
  bytes.set(payload, 20 + 4 * words);
  change(bytes);
  const sum = naiveChecksum(bytes.subarray(0, (bytes[0]! & 15) * 4));
  bytes[10] = sum >>> 8;
  bytes[11] = sum & 255;
  return bytes;
}

/** An IPv6 packet whose fixed header names `next`; `body` is all that follows. */
function v6(next: number, body: ArrayLike<number>) {
  const bytes = new Uint8Array(40 + body.length);
  bytes.set(hex('60000000 0000 0040 fd090000000000000000000000000001'));
  bytes.set(hex('fd090000000000000000000000000002'), 24);
  bytes[4] = body.length >>> 8;
  bytes[5] = body.length & 255;
  bytes[6] = next;
  bytes.set(Uint8Array.from(body), 40);
  return bytes;
}

describe('IPv4', () => {
  it('is written as ip-packet reads it', () => {
    fc.assert(
      fc.property(byte, short, byte, byte, word, word, fc.uint8Array({ maxLength: 64 }), (...f) => {
        const [trafficClass, identification, ttl, protocol, src, dst, payload] = f;
        const bytes = Buffer.alloc(20 + payload.length);
        bytes.set(payload, 20);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const base = ip.ipv4BaseSum(trafficClass, ttl, protocol, src, dst);
        const total = bytes.length;
        ip.writeIpv4(view, 0, base, trafficClass, total, identification, ttl, protocol, src, dst);
        const read = decode({ buffer: bytes, start: 0, end: total });
        expect(read).toMatchObject({
          version: 4,
          ihl: 5,
          dscp: trafficClass >>> 2,
          ecn: trafficClass & 3,
          length: total,
          identification,
          flags: 2,
          fragmentOffset: 0,
          ttl,
          protocol,
          sourceIp: `${IpAddress.v4(src)}`,
          destinationIp: `${IpAddress.v4(dst)}`,
        });
        expect([...read.data]).toEqual([...payload]);
        expect(read.checksum).toBe(checksum(Buffer.from(bytes)));
      }),
    );
  });

  it('is read as ip-packet writes it', () => {
    const flags = fc.constantFrom(0, 2);
    fc.assert(
      fc.property(byte, short, flags, byte, byte, word, word, fc.uint8Array(), (...f) => {
        const [trafficClass, identification, flag, ttl, protocol, src, dst, payload] = f;
        const bytes = Buffer.alloc(20 + payload.length);
        encode(
          { buffer: bytes, start: 0, end: bytes.length },
          {
            version: 4,
            dscp: trafficClass >>> 2,
            ecn: trafficClass & 3,
            identification,
            flags: flag,
            fragmentOffset: 0,
            ttl,
            protocol,
            sourceIp: `${IpAddress.v4(src)}`,
            destinationIp: `${IpAddress.v4(dst)}`,
            data: Buffer.from(payload),
          },
        );
        checksum(bytes);
        const { verdict, header } = parse(bytes);
        expect(verdict).toBe('ok');
        expect(header).toEqual({
          ...new IpHeader(),
          family: 4,
          headerLength: 20,
          payloadOffset: 20,
          payloadLength: payload.length,
          protocol,
          src2: 0xffff,
          src3: src,
          dst2: 0xffff,
          dst3: dst,
          ttl,
          trafficClass,
          identification,
        });
      }),
    );
  });

  it('may lie anywhere in memory, with more bytes behind it', () => {
    const packet = v4([], [1, 2, 3]);
    const memory = new Uint8Array(100).fill(0xee);
    memory.set(packet, 13);
    const header = new IpHeader();
    expect(parseIp(new DataView(memory.buffer), 13, 87, header)).toBe(ip.IP_OK);
    expect(header).toMatchObject({ payloadOffset: 33, payloadLength: 3, headerLength: 20 });
  });

  it('reads fragments, offset in bytes', () => {
    const { verdict, header } = parse(
      v4([], new Array<number>(16).fill(0), (bytes) => {
        bytes[6] = 0x20 | 3;
        bytes[7] = 0x05;
      }),
    );
    expect(verdict).toBe('ok');
    expect(header).toMatchObject({ fragmentOffset: 0x305 * 8, moreFragments: true });
  });

  it('MUST-50: passes over IP options that it does not know', () => {
    const recordRoute = [7, 7, 4, 0, 0, 0, 0];
    for (const options of [
      [1],
      [0],
      [0, 255, 255, 255],
      recordRoute,
      [1, 200, 3, 9],
      [200, 2],
      [148, 4, 0, 0],
    ]) {
      const { verdict, header } = parse(v4(options, [9, 9]));
      expect(verdict, `${options}`).toBe('ok');
      expect(header.payloadLength).toBe(2);
      expect(header.payloadOffset).toBe(header.headerLength);
      expect(header.headerLength).toBe(20 + 4 * Math.ceil(options.length / 4));
    }
  });

  it.each<[string, Uint8Array]>([
    ['truncated', v4([], []).subarray(0, 19)],
    ['truncated', v4([], [1, 2]).subarray(0, 21)],
    ['truncated', new Uint8Array(0)],
    ['badVersion', v4([], [], (b) => (b[0] = 0x55))],
    ['badHeaderLength', v4([], [], (b) => (b[0] = 0x44))],
    ['badHeaderLength', v4([], [], (b) => (b[0] = 0x40))],
    ['badLength', v4([], [], (b) => (b[3] = 19))],
    ['badLength', v4([1, 1, 1, 1], [], (b) => (b[3] = 23))],
    ['badOption', v4([7, 0, 0, 0], [])],
    ['badOption', v4([7, 1, 0, 0], [])],
    ['badOption', v4([7, 5, 0, 0], [])],
    ['badOption', v4([1, 1, 1, 7], [])],
    ['sourceRouted', v4([131, 7, 4, 1, 2, 3, 4], [])],
    ['sourceRouted', v4([1, 137, 7, 8, 1, 2, 3, 4], [])],
    ['badFragment', v4([], [1, 2, 3], (b) => (b[6] = 0x20))],
    [
      'badFragment',
      v4([], new Array<number>(8).fill(0), (b) => b.fill(0xff, 6, 8).fill(0x1f, 6, 7)),
    ],
  ])('says %s of what is not a sound packet (%#)', (verdict, bytes) => {
    expect(parse(bytes).verdict).toBe(verdict);
  });

  it('notices every flipped bit of a header, with and without options', () => {
    for (const packet of [v4([], []), v4([7, 7, 4, 0, 0, 0, 0], [])]) {
      for (let bit = 0; bit < packet.length * 8; bit++) {
        const flipped = Uint8Array.from(packet);
        flipped[bit >> 3]! ^= 0x80 >> (bit & 7);
        expect(parse(flipped).verdict, `bit ${bit}`).not.toBe('ok');
      }
    }
  });
});

describe('IPv6', () => {
  it('reads what it writes', () => {
    const sizes = fc.nat({ max: 64 });
    fc.assert(
      fc.property(byte, sizes, byte, v6Words, v6Words, fc.nat({ max: 0xfffff }), (...f) => {
        const [trafficClass, length, hopLimit, src, dst, flowLabel] = f;
        const view = new DataView(new ArrayBuffer(40 + length));
        ip.writeIpv6(
          view,
          0,
          trafficClass,
          length,
          hopLimit,
          6,
          IpAddress.v6(...src),
          IpAddress.v6(...dst),
          flowLabel,
        );
        expect(view.getUint32(0) & 0xfffff).toBe(flowLabel);
        const { verdict, header } = parse(new Uint8Array(view.buffer));
        expect(verdict).toBe('ok');
        const [src0, src1, src2, src3] = src;
        const [dst0, dst1, dst2, dst3] = dst;
        expect(header).toEqual({
          ...new IpHeader(),
          ...{ src0, src1, src2, src3, dst0, dst1, dst2, dst3 },
          family: 6,
          headerLength: 40,
          payloadOffset: 40,
          payloadLength: length,
          protocol: 6,
          ttl: hopLimit,
          trafficClass,
        });
      }),
    );
  });

  it('reads a packet taken from a wire', () => {
    // ping -6: an echo request from fe80::1 to ff02::1, hop limit 255.
    const { verdict, header } = parse(
      hex(`6000000000083aff fe800000000000000000000000000001 ff020000000000000000000000000001
           80000000 00010002`),
    );
    expect(verdict).toBe('ok');
    expect([source(header), destination(header)]).toEqual(['fe80::1', 'ff02::1']);
    expect(header).toMatchObject({ protocol: 58, ttl: 255, payloadLength: 8, payloadOffset: 40 });
  });

  it.each<[string, number, number, string]>([
    ['hop-by-hop options', 0, 8, '06 00 01 04 00000000'],
    ['padding of single bytes', 60, 8, '06 00 00 00 00 00 00 00'],
    ['an unknown option that may be passed over', 60, 16, '06 01 1e 0c 00000000 00000000 00000000'],
    ['an option without data at the very end', 60, 8, '06 00 01 02 00 00 1e 00'],
    ['a routing header that has been used up', 43, 8, '06 00 02 00 00000000'],
    ['an atomic fragment (RFC 6946)', 44, 8, '06 00 0000 deadbeef'],
    [
      'several',
      0,
      32,
      '2b 00 01 04 00000000  3c 00 02 00 00000000  2c 00 01 04 00000000  06 00 0000 00000001',
    ],
  ])('passes over %s', (_, next, size, extensions) => {
    const body = [...hex(extensions), 1, 2, 3];
    const { verdict, header } = parse(v6(next, body));
    expect(verdict).toBe('ok');
    expect(header).toMatchObject({
      protocol: 6,
      headerLength: 40 + size,
      payloadOffset: 40 + size,
      payloadLength: 3,
      fragmentOffset: 0,
      moreFragments: false,
    });
  });

  it('stops at a fragment, whose payload is not its to interpret', () => {
    const { verdict, header } = parse(v6(44, hex('3c 00 0009 deadbeef 0600010400000000')));
    expect(verdict).toBe('ok');
    expect(header).toMatchObject({
      protocol: 60,
      fragmentOffset: 8,
      moreFragments: true,
      identification: 0xdeadbeef | 0,
      payloadOffset: 48,
      payloadLength: 8,
    });
    const last = parse(v6(44, hex('00 00 0010 deadbeef 00')));
    expect(last.verdict).toBe('ok');
    expect(last.header).toMatchObject({ protocol: 0, fragmentOffset: 16, moreFragments: false });
  });

  const eight = 'ff00010400000000';
  it.each<[string, Uint8Array]>([
    ['truncated', v6(6, []).subarray(0, 39)],
    ['truncated', v6(6, [1, 2]).subarray(0, 41)],
    ['truncated', v6(0, [])],
    ['truncated', v6(0, hex('06000104000000'))],
    ['truncated', v6(60, hex('0601010400000000'))],
    ['truncated', v6(44, hex('06000000'))],
    ['badExtension', v6(60, hex('0000010400000000 0600010400000000'))],
    ['badExtension', v6(60, hex('0600 4000 00000000'))],
    ['badExtension', v6(0, hex('0600 c204 00010000'))],
    ['badExtension', v6(60, hex('0600 0105 00000000'))],
    ['badExtension', v6(60, hex('0600 0103 000000 01'))],
    ['badExtension', v6(60, hex(`${eight.replace('ff', '3c').repeat(9)}`))],
    ['sourceRouted', v6(43, hex('0602 0001 00000000 00000000 00000000 00000000 00000001'))],
    ['badFragment', v6(44, hex('0600 0001 00000001 010203'))],
    ['badFragment', v6(44, hex('0600 fff8 00000001 0000000000000000'))],
  ])('says %s of what is not a sound packet (%#)', (verdict, bytes) => {
    expect(parse(bytes).verdict).toBe(verdict);
  });

  it('refuses IPv4-mapped addresses, which would pass for IPv4', () => {
    for (const at of [8, 24]) {
      const packet = v6(6, []);
      packet.set(hex('00000000 00000000 0000ffff 0a090001'), at);
      expect(parse(packet).verdict).toBe('mappedAddress');
      for (const other of [
        '00000001 00000000 0000ffff',
        '00000000 00000001 0000ffff',
        '00000000 00000000 ffff0000',
      ]) {
        packet.set(hex(other), at);
        expect(parse(packet).verdict).toBe('ok');
      }
    }
  });
});

describe('a fragment', () => {
  it('may end at byte 65,535 of its datagram, and no further', () => {
    const last = (length: number) => {
      const payload = new Array<number>(length).fill(0);
      const four = v4([], payload, (bytes) => bytes.set([0x1f, 0xfd], 6));
      const six = v6(44, [...hex('0600 fff8 00000001'), ...payload]);
      return [parse(four).verdict, parse(six).verdict];
    };
    // Offset 65,512 and a header of 20 bytes; offset 65,528 and, in IPv6, none that counts.
    expect(last(3)).toEqual(['ok', 'ok']);
    expect(last(4)).toEqual(['badFragment', 'ok']);
    expect(last(7)).toEqual(['badFragment', 'ok']);
    expect(last(8)).toEqual(['badFragment', 'badFragment']);
  });
});

describe('quoted headers', () => {
  it('may lack their end, and their checksum may be wrong', () => {
    const packet = v4([1, 1, 1, 1], new Array<number>(100).fill(7), (b) => (b[1] = 3));
    packet[8] = 1;
    const header = new IpHeader();
    expect(parseQuotedIp(exactView(packet.subarray(0, 32)), 0, 32, header)).toBe(ip.IP_OK);
    expect(header).toMatchObject({ family: 4, payloadOffset: 24, payloadLength: 8, protocol: 6 });
    const six = v6(60, [...hex('0600010400000000'), ...new Array<number>(100).fill(7)]);
    expect(parseQuotedIp(exactView(six.subarray(0, 56)), 0, 56, header)).toBe(ip.IP_OK);
    expect(header).toMatchObject({ family: 6, payloadOffset: 48, payloadLength: 8, protocol: 6 });
  });

  it('are refused where even the header is not whole', () => {
    const header = new IpHeader();
    const verdict = (bytes: Uint8Array) =>
      ip.IP_VERDICT_NAMES[parseQuotedIp(exactView(bytes), 0, bytes.length, header)];
    expect(verdict(v4([], []).subarray(0, 19))).toBe('truncated');
    expect(verdict(v4([1, 1, 1, 1], []).subarray(0, 23))).toBe('truncated');
    expect(verdict(v4([], [], (b) => (b[0] = 0x42)))).toBe('badHeaderLength');
    expect(verdict(v4([], [], (b) => (b[0] = 0x75)))).toBe('badVersion');
    expect(verdict(v6(6, []).subarray(0, 39))).toBe('truncated');
    expect(verdict(v6(60, hex('06000104')))).toBe('truncated');
  });
});

describe('verifyTransportChecksum', () => {
  const payloads = fc.uint8Array({ minLength: 20, maxLength: 120 });
  const addresses = fc.oneof(
    fc.tuple(word, word).map(([a, b]) => [IpAddress.v4(a), IpAddress.v4(b)] as const),
    fc.tuple(v6Words, v6Words).map(([a, b]) => [IpAddress.v6(...a), IpAddress.v6(...b)] as const),
  );

  it('MUST-2, MUST-3: accepts the checksum that a sender computes, and sees every flipped bit', () => {
    fc.assert(
      fc.property(addresses, payloads, fc.nat(), ([src, dst], payload, flip) => {
        const at = src.family === 4 ? 20 : 40;
        const view = new DataView(new ArrayBuffer(at + payload.length));
        const bytes = new Uint8Array(view.buffer);
        if (src.family === 4) {
          const base = ip.ipv4BaseSum(0, 64, 6, src.w3, dst.w3);
          ip.writeIpv4(view, 0, base, 0, at + payload.length, 1, 64, 6, src.w3, dst.w3);
        } else {
          ip.writeIpv6(view, 0, 0, payload.length, 64, 6, src, dst);
        }
        bytes.set(payload, at);
        view.setUint16(at + 16, 0);
        const pseudo = pseudoHeaderSum(src, dst, 6) + payload.length;
        view.setUint16(at + 16, complement(sumBytes(view, at, payload.length, pseudo)));
        const header = new IpHeader();
        expect(parseIp(view, 0, bytes.length, header)).toBe(ip.IP_OK);
        expect(ip.verifyTransportChecksum(view, header)).toBe(true);
        bytes[at + (flip % payload.length)]! ^= 1 << (flip & 7);
        expect(ip.verifyTransportChecksum(view, header)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('takes in the addresses, the protocol and the length', () => {
    const packet = v4([], [...hex('0001 0002 00000000 00000000 5000 0000 0000 0000')]);
    const view = exactView(packet);
    const header = new IpHeader();
    parseIp(view, 0, packet.length, header);
    view.setUint16(
      36,
      naiveChecksum([...packet.subarray(12, 20), 0, 6, 0, 20, ...packet.subarray(20)]),
    );
    expect(ip.verifyTransportChecksum(view, header)).toBe(true);
    for (const field of ['src3', 'dst3', 'protocol', 'payloadLength'] as const) {
      const other = Object.assign(new IpHeader(), header);
      other[field] -= 2;
      expect(ip.verifyTransportChecksum(view, other), field).toBe(false);
    }
  });
});

describe('any bytes', () => {
  const sound = fc.constantFrom(
    v4([], [1, 2, 3, 4]),
    v4([7, 7, 4, 0, 0, 0, 0], [1, 2, 3]),
    v6(6, [1, 2, 3, 4]),
    v6(0, hex('2b00010400000000 3c00020000000000 2c00010400000000 0600000000000001 01020304')),
  );
  const mutated = fc
    .tuple(sound, fc.array(fc.tuple(fc.nat(), byte), { maxLength: 4 }), fc.nat({ max: 90 }))
    .map(([packet, changes, cut]) => {
      const bytes = Uint8Array.from(
        packet.subarray(0, Math.max(0, packet.length - Math.max(0, cut - 45))),
      );
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
      return bytes;
    });
  const versions = fc.tuple(
    fc.constantFrom(0x45, 0x46, 0x4f, 0x60),
    fc.uint8Array({ maxLength: 120 }),
  );

  it('are read without an exception, and never beyond their end', () => {
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      versions.map(([v, b]) => [v, ...b]),
      mutated,
    );
    fc.assert(
      fc.property(any, (bytes) => {
        const view = exactView(bytes);
        for (const read of [parseIp, parseQuotedIp]) {
          const header = new IpHeader();
          const verdict = read(view, 0, bytes.length, header);
          expect(ip.IP_VERDICT_NAMES[verdict]).toBeTypeOf('string');
          if (verdict !== ip.IP_OK) continue;
          expect(header.payloadOffset).toBe(header.headerLength);
          expect(header.payloadLength).toBeGreaterThanOrEqual(0);
          expect(header.payloadOffset + header.payloadLength).toBeLessThanOrEqual(bytes.length);
          ip.verifyTransportChecksum(view, header);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('have a verdict with a name each', () => {
    const verdicts = Object.entries(ip).filter(([name]) =>
      /^IP_(OK|TRUNCATED|BAD|SOURCE|MAPPED)/.test(name),
    );
    expect(verdicts.map(([, value]) => value).sort((a, b) => Number(a) - Number(b))).toEqual(
      ip.IP_VERDICT_NAMES.map((_, i) => i),
    );
    expect(new Set(ip.IP_VERDICT_NAMES).size).toBe(verdicts.length);
  });
});
