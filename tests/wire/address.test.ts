// Addresses and subnets against the parsers that Node.js has.

import { BlockList, isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IpAddress, Subnet } from '../../src/wire/address.js';

const word = fc.oneof(
  fc.constantFrom(0, 0, 0, 1, 0xffff, 0x10000, -1),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);
const anyV4 = word.map((w) => IpAddress.v4(w));
const anyV6 = fc
  .tuple(word, word, word, word)
  .map((words) => IpAddress.v6(...words))
  .filter((address) => address.family === 6);
const parse = (text: string) => {
  const address = IpAddress.parse(text);
  if (address === null) throw new Error(`not an address: ${text}`);
  return address;
};

describe('IpAddress.parse', () => {
  const group = fc.oneof(
    fc.nat({ max: 0xffff }).map((n) => n.toString(16)),
    fc.constantFrom('0', '00a0', 'FFFF', '10000', '', '1.2.3.4', 'g', '::', '-1', ' 1'),
  );
  const texts = fc.oneof(
    fc.array(group, { minLength: 1, maxLength: 9 }).map((groups) => groups.join(':')),
    fc
      .tuple(fc.array(group, { maxLength: 8 }), fc.array(group, { maxLength: 8 }))
      .map(([a, b]) => `${a.join(':')}::${b.join(':')}`),
    fc
      .array(fc.oneof(fc.nat({ max: 300 }).map(String), fc.constantFrom('01', '', '0x1', '1 ')), {
        minLength: 3,
        maxLength: 5,
      })
      .map((parts) => parts.join('.')),
    fc.string(),
  );

  it('takes what Node.js takes for an address, and nothing else', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const known = (isIPv4(text) || isIPv6(text)) && !text.includes('%');
        expect(IpAddress.parse(text) !== null, JSON.stringify(text)).toBe(known);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    'fe80::1%eth0',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1:2',
    ':::',
    '::1::',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '',
    ' ::1',
    '10.9.0.1/24',
  ])('refuses %j', (text) => {
    expect(IpAddress.parse(text)).toBeNull();
  });

  it('reads back what toString writes', () => {
    fc.assert(
      fc.property(fc.oneof(anyV4, anyV6), (address) => {
        const again = parse(address.toString());
        expect(again.equals(address)).toBe(true);
        expect(again).toEqual(address);
      }),
      { numRuns: 1000 },
    );
  });

  it('makes an IPv4-mapped address an IPv4 address', () => {
    const mapped = parse('::ffff:1.2.3.4');
    expect(mapped.family).toBe(4);
    expect(mapped.equals(parse('1.2.3.4'))).toBe(true);
    expect(`${mapped}`).toBe('1.2.3.4');
    expect(parse('::1.2.3.4').family).toBe(6);
  });
});

describe('IpAddress.toString', () => {
  it('writes IPv6 as the URL standard does, which follows RFC 5952', () => {
    fc.assert(
      fc.property(anyV6, (address) => {
        const text = address.toString();
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['255.255.255.255', '255.255.255.255'],
    ['0.0.0.0', '0.0.0.0'],
  ])('%s is %s', (text, canonical) => {
    expect(`${parse(text)}`).toBe(canonical);
  });
});

describe('kinds of addresses', () => {
  const kinds = [
    'isUnspecified',
    'isLoopback',
    'isMulticast',
    'isBroadcast',
    'isLinkLocal',
  ] as const;
  it.each([
    ['0.0.0.0', 'isUnspecified'],
    ['::', 'isUnspecified'],
    ['127.0.0.1', 'isLoopback'],
    ['127.255.255.255', 'isLoopback'],
    ['::1', 'isLoopback'],
    ['224.0.0.1', 'isMulticast'],
    ['239.255.255.255', 'isMulticast'],
    ['ff02::1', 'isMulticast'],
    ['255.255.255.255', 'isBroadcast'],
    ['169.254.0.1', 'isLinkLocal'],
    ['fe80::1', 'isLinkLocal'],
    ['febf:ffff::', 'isLinkLocal'],
    ['0.0.0.1', ''],
    ['126.255.255.255', ''],
    ['128.0.0.1', ''],
    ['223.255.255.255', ''],
    ['240.0.0.0', ''],
    ['169.253.255.255', ''],
    ['255.255.255.254', ''],
    ['10.9.0.2', ''],
    ['::2', ''],
    ['1::', ''],
    ['1::1', ''],
    ['fec0::1', ''],
    ['fe7f::1', ''],
    ['feff::1', ''],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'isMulticast'],
  ])('%s: %s', (text, kind) => {
    const address = parse(text);
    expect(kinds.filter((name) => address[name])).toEqual(kind === '' ? [] : [kind]);
  });

  it('any address has a constant', () => {
    expect([`${IpAddress.v4Any}`, `${IpAddress.v6Any}`]).toEqual(['0.0.0.0', '::']);
    expect(IpAddress.v4Any.equals(IpAddress.v6Any)).toBe(false);
  });
});

describe('Subnet', () => {
  it('contains what BlockList of Node.js says, in both families', () => {
    const flips = fc.array(fc.nat({ max: 127 }), { maxLength: 3 });
    fc.assert(
      fc.property(fc.oneof(anyV4, anyV6), fc.nat({ max: 128 }), flips, (own, length, bits) => {
        const prefix = own.family === 4 ? Math.min(length, 32) : length;
        const words = [own.w0, own.w1, own.w2, own.w3] as [number, number, number, number];
        for (const bit of bits) {
          const at = own.family === 4 ? 96 + (bit & 31) : bit;
          words[at >> 5]! ^= 1 << (31 - (at & 31));
        }
        const other = IpAddress.v6(...words);
        if (other.family !== own.family) return;
        const family = own.family === 4 ? 'ipv4' : 'ipv6';
        const list = new BlockList();
        list.addSubnet(`${own}`, prefix, family);
        expect(new Subnet(own, prefix).contains(other), `${own}/${prefix} ${other}`).toBe(
          list.check(`${other}`, family),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('does not mix families', () => {
    expect(Subnet.parse('0.0.0.0/0')!.contains(parse('::1'))).toBe(false);
    expect(Subnet.parse('::/0')!.contains(parse('1.2.3.4'))).toBe(false);
    expect(Subnet.parse('::/0')!.contains(parse('fd09::2'))).toBe(true);
  });

  it.each([
    ['10.9.0.1/24', '10.9.0.255'],
    ['10.9.0.1/0', '255.255.255.255'],
    ['10.9.0.1/30', '10.9.0.3'],
    ['10.9.0.1/31', null],
    ['10.9.0.1/32', null],
    ['fd09::1/64', null],
  ])('the broadcast address of %s is %s', (text, broadcast) => {
    const subnet = Subnet.parse(text)!;
    expect(`${subnet}`).toBe(text);
    expect(subnet.broadcast?.toString() ?? null).toBe(broadcast);
  });

  it.each([
    '10.9.0.1',
    '10.9.0.1/',
    '10.9.0.1/33',
    '10.9.0.1/-1',
    '10.9.0.1/1e1',
    '10.9.0.1/024',
    '10.9.0.1/ 8',
    'fd09::1/129',
    '/24',
    '10.9.0.1/24/24',
    'x/8',
  ])('refuses %j', (text) => {
    expect(Subnet.parse(text)).toBeNull();
  });

  it('cannot be made with a prefix that the family does not have', () => {
    for (const prefix of [-1, 33, 1.5, Number.NaN]) {
      expect(() => new Subnet(IpAddress.v4Any, prefix)).toThrow(RangeError);
    }
    expect(() => new Subnet(IpAddress.v6Any, 129)).toThrow(RangeError);
  });
});
