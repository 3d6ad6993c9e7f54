// ICMP messages of both families: what they say, what they quote, and any bytes.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IpAddress } from '../../src/wire/address.js';
import { pseudoHeaderSum, sumBytes } from '../../src/wire/checksum.js';
import * as icmp from '../../src/wire/icmp.js';
import { ipv4BaseSum, writeIpv4, writeIpv6 } from '../../src/wire/ip.js';
import { writeTcp } from '../../src/wire/tcp.js';
import { exactView, hex, naiveChecksum } from './reference.js';

const { IcmpMessage, IcmpQuote, parseIcmp, parseQuote } = icmp;

const here = { 4: IpAddress.v4(0x0a090002), 6: IpAddress.v6(0xfd090000, 0, 0, 2) };
const there = { 4: IpAddress.v4(0x0a090001), 6: IpAddress.v6(0xfd090000, 0, 0, 1) };

function parse(family: 4 | 6, bytes: ArrayLike<number>) {
  const message = new IcmpMessage();
  expect(parseIcmp(exactView(bytes), family, 0, bytes.length, message)).toBe(icmp.ICMP_OK);
  return message;
}

/** A TCP segment of ours from port 8080 to 50000, as an IP packet. */
function ourPacket(family: 4 | 6, seq: number): Uint8Array {
  const at = family === 4 ? 20 : 40;
  const bytes = new Uint8Array(at + 20);
  const view = new DataView(bytes.buffer);
  if (family === 4) {
    const [src, dst] = [here[4].w3, there[4].w3];
    writeIpv4(view, 0, ipv4BaseSum(0, 64, 6, src, dst), 0, 1500, 7, 64, 6, src, dst);
  } else {
    writeIpv6(view, 0, 0, 1460, 64, 6, here[6], there[6]);
  }
  writeTcp(view, at, 8080, 50000, seq, 1, 20, 16, 0, 0, 0);
  return bytes;
}

/** An error message that quotes `packet`. */
function errorMessage(type: number, code: number, parameter: number, packet: Uint8Array) {
  const bytes = new Uint8Array(8 + packet.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint8(1, code);
  view.setInt32(4, parameter);
  bytes.set(packet, 8);
  return bytes;
}

describe('parseIcmp', () => {
  it.each<[4 | 6, number, number, number]>([
    [4, 0, 0, icmp.ICMP_ECHO_REPLY],
    [4, 8, 0, icmp.ICMP_ECHO_REQUEST],
    [4, 3, 0, icmp.ICMP_UNREACHABLE],
    [4, 3, 3, icmp.ICMP_UNREACHABLE],
    [4, 3, 4, icmp.ICMP_TOO_BIG],
    [4, 4, 0, icmp.ICMP_SOURCE_QUENCH],
    [4, 11, 0, icmp.ICMP_TIME_EXCEEDED],
    [4, 12, 0, icmp.ICMP_PARAMETER_PROBLEM],
    [4, 13, 0, icmp.ICMP_OTHER],
    [4, 128, 0, icmp.ICMP_OTHER],
    [6, 1, 4, icmp.ICMP_UNREACHABLE],
    [6, 2, 0, icmp.ICMP_TOO_BIG],
    [6, 3, 0, icmp.ICMP_TIME_EXCEEDED],
    [6, 4, 1, icmp.ICMP_PARAMETER_PROBLEM],
    [6, 128, 0, icmp.ICMP_ECHO_REQUEST],
    [6, 129, 0, icmp.ICMP_ECHO_REPLY],
    [6, 135, 0, icmp.ICMP_OTHER],
    [6, 8, 0, icmp.ICMP_OTHER],
  ])('IPv%i type %i code %i is of kind %i', (family, type, code, kind) => {
    expect(parse(family, [type, code, 0, 0, 0, 0, 0, 0])).toMatchObject({ kind, type, code });
  });

  it('says how big a packet may be, in the place that each family has for it', () => {
    expect(parse(4, hex('0304 0000 ffff 0578')).mtu).toBe(1400);
    expect(parse(4, hex('0304 0000 ffff 0000')).mtu).toBe(0);
    expect(parse(6, hex('0200 0000 0000 0500')).mtu).toBe(1280);
    expect(parse(6, hex('0200 0000 ffff ffff')).mtu).toBe(0x7fffffff);
    expect(parse(4, hex('0303 0000 0000 0578')).mtu).toBe(0);
  });

  it('needs eight bytes', () => {
    const message = new IcmpMessage();
    for (let length = 0; length < 8; length++) {
      const view = exactView(new Uint8Array(length));
      expect(parseIcmp(view, 4, 0, length, message)).toBe(icmp.ICMP_TRUNCATED);
    }
    expect(parse(4, new Uint8Array(8))).toMatchObject({ quoteOffset: 8, quoteLength: 0 });
  });
});

describe('parseQuote', () => {
  const seqs = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

  it.each([4, 6] as const)(
    'finds our segment in an IPv%i error, eight bytes are enough',
    (family) => {
      fc.assert(
        fc.property(seqs, fc.nat({ max: 12 }), (seq, more) => {
          const packet = ourPacket(family, seq);
          const shown = packet.subarray(0, packet.length - 12 + more);
          const bytes = errorMessage(family === 4 ? 3 : 1, 1, 0, shown);
          const quote = new IcmpQuote();
          expect(parseQuote(exactView(bytes), parse(family, bytes), quote)).toBe(true);
          expect(quote).toMatchObject({ sourcePort: 8080, destinationPort: 50000, seq });
          const { ip } = quote;
          expect(ip).toMatchObject({ family, protocol: 6 });
          expect(IpAddress.v6(ip.src0, ip.src1, ip.src2, ip.src3)).toEqual(here[family]);
          expect(IpAddress.v6(ip.dst0, ip.dst1, ip.dst2, ip.dst3)).toEqual(there[family]);
        }),
      );
    },
  );

  it.each([4, 6] as const)('finds nothing in less of an IPv%i packet', (family) => {
    const packet = ourPacket(family, 1);
    const quote = new IcmpQuote();
    for (let length = 0; length < packet.length - 12; length++) {
      const bytes = errorMessage(3, 1, 0, packet.subarray(0, length));
      expect(parseQuote(exactView(bytes), parse(family, bytes), quote), `${length}`).toBe(false);
    }
  });

  it('finds nothing in a later fragment, which has no ports', () => {
    const packet = ourPacket(4, 1);
    packet[7] = 1;
    const bytes = errorMessage(3, 1, 0, packet);
    expect(parseQuote(exactView(bytes), parse(4, bytes), new IcmpQuote())).toBe(false);
  });
});

describe('writeIcmp', () => {
  it.each([4, 6] as const)('writes a message with a right checksum (IPv%i)', (family) => {
    const words = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.nat({ max: 255 }), words, fc.uint8Array(), (...f) => {
        const [type, code, parameter, body] = f;
        const bytes = new Uint8Array(8 + body.length).fill(0xee, 0, 8);
        bytes.set(body, 8);
        const view = new DataView(bytes.buffer);
        const pseudo = family === 4 ? 0 : pseudoHeaderSum(here[6], there[6], 58) + 8 + body.length;
        icmp.writeIcmp(view, 0, type, code, parameter, body.length, pseudo);
        expect([bytes[0], bytes[1], view.getInt32(4)]).toEqual([type, code, parameter]);
        expect(bytes.subarray(8)).toEqual(body);
        const sum = sumBytes(view, 0, bytes.length, pseudo);
        // Type, code, parameter and body may all be zero; then the field is all ones.
        expect(sum).toBe(0xffff);
      }),
    );
  });

  it('writes what ping would', () => {
    const bytes = new Uint8Array(12);
    bytes.set([1, 2, 3, 4], 8);
    icmp.writeIcmp(new DataView(bytes.buffer), 0, 8, 0, 0x12340001, 4, 0);
    const plain = hex('0800 0000 1234 0001 01020304');
    const sum = naiveChecksum(plain);
    plain.set([sum >>> 8, sum & 255], 2);
    expect(bytes).toEqual(plain);
  });
});

describe('turnEchoIntoReply', () => {
  it.each([4, 6] as const)('makes the reply that would be written anew (IPv%i)', (family) => {
    fc.assert(
      fc.property(fc.integer(), fc.uint8Array({ maxLength: 80 }), (parameter, body) => {
        const message = (type: number) => {
          const bytes = new Uint8Array(8 + body.length);
          bytes.set(body, 8);
          const pseudo = family === 4 ? 0 : pseudoHeaderSum(here[6], there[6], 58) + bytes.length;
          icmp.writeIcmp(new DataView(bytes.buffer), 0, type, 0, parameter, body.length, pseudo);
          return bytes;
        };
        const turned = message(family === 4 ? 8 : 128);
        icmp.turnEchoIntoReply(new DataView(turned.buffer), 0, family);
        const anew = message(family === 4 ? 0 : 129);
        // Ones' complement has two zeros, and both are right where other words than this are not 0.
        for (const { buffer } of [turned, anew]) {
          const view = new DataView(buffer);
          if (view.getUint16(2) === 0) view.setUint16(2, 0xffff);
        }
        expect(turned).toEqual(anew);
      }),
    );
  });

  it('leaves a damaged request damaged', () => {
    const bytes = hex('0800 1111 1234 0001 01020304');
    const view = new DataView(bytes.buffer);
    const before = sumBytes(view, 0, bytes.length);
    icmp.turnEchoIntoReply(view, 0, 4);
    expect(sumBytes(view, 0, bytes.length)).toBe(before);
  });
});

describe('any bytes', () => {
  it('are read without an exception, and never beyond their end', () => {
    const quoting = fc
      .tuple(
        fc.constantFrom<4 | 6>(4, 6),
        fc.constantFrom(1, 2, 3, 4, 11, 12),
        fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 })), { maxLength: 5 }),
        fc.nat({ max: 70 }),
      )
      .map(([family, type, changes, length]) => {
        const bytes = errorMessage(type, 0, 0, ourPacket(family, 5)).slice(0, length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes;
      });
    const any = fc.oneof(fc.uint8Array({ maxLength: 100 }), quoting);
    fc.assert(
      fc.property(fc.constantFrom(4, 6), any, (family, bytes) => {
        const view = exactView(bytes);
        const message = new IcmpMessage();
        const verdict = parseIcmp(view, family, 0, bytes.length, message);
        expect(verdict).toBe(bytes.length < 8 ? icmp.ICMP_TRUNCATED : icmp.ICMP_OK);
        if (verdict !== icmp.ICMP_OK) return;
        expect(message.quoteOffset + message.quoteLength).toBe(bytes.length);
        parseQuote(view, message, new IcmpQuote());
      }),
      { numRuns: 5000 },
    );
  });
});
