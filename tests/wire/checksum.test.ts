// The Internet checksum against a naive reference.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IpAddress } from '../../src/wire/address.js';
import {
  complement,
  fold,
  pseudoHeaderSum,
  replaceWord,
  sumBytes,
  sumWords32,
} from '../../src/wire/checksum.js';
import { exactView, naiveChecksum, naiveSum } from './reference.js';

const high = (word: number) => word >>> 8;
const low = (word: number) => word & 255;

/** Compares without the cost of an assertion per value. */
function firstDifference(actual: (word: number) => number, expected: (word: number) => number) {
  for (let word = 0; word < 65_536; word++) {
    if (actual(word) !== expected(word)) {
      return { word, actual: actual(word), expected: expected(word) };
    }
  }
  return null;
}

describe('sumBytes', () => {
  it('gives every 16-bit sum for one word, and for that word beside others', () => {
    const view = new DataView(new ArrayBuffer(128));
    for (let i = 0; i < 128; i++) view.setUint8(i, (i * 89 + 7) & 255);
    for (const [length, at] of [
      [2, 0],
      [6, 4],
      [20, 10],
      [75, 64],
      [128, 20],
    ] as const) {
      const bytes = new Uint8Array(view.buffer, 0, length);
      const rest = () => {
        view.setUint16(at, 0);
        return naiveSum(bytes);
      };
      const others = rest();
      const sum = (word: number) => {
        view.setUint16(at, word);
        return sumBytes(view, 0, length);
      };
      const expected = (word: number) => {
        const both = others + word;
        return both > 0xffff ? both - 0xffff : both;
      };
      expect(firstDifference(sum, expected), `length ${length}`).toBeNull();
    }
  });

  it('is right for all lengths, odd ones too, at all alignments', () => {
    const bytes = Uint8Array.from({ length: 1100 }, (_, i) => (i * 151 + (i >> 3)) & 255);
    const view = exactView(bytes);
    for (let offset = 0; offset < 9; offset++) {
      for (let length = 0; length <= 1100 - offset; length += length < 300 ? 1 : 37) {
        const expected = naiveSum(bytes.subarray(offset, offset + length));
        if (sumBytes(view, offset, length) !== expected) {
          expect.fail(`offset ${offset}, length ${length}`);
        }
      }
    }
  });

  it('does not lose a carry in long runs of ones, nor mistake them for zeros', () => {
    for (const length of [1, 2, 3, 63, 64, 65, 1460, 65_535, 65_536, 1 << 20]) {
      const ones = new Uint8Array(length).fill(255);
      const view = exactView(ones);
      expect(sumBytes(view, 0, length), `${length} ones`).toBe(naiveSum(ones));
      expect(sumBytes(exactView(new Uint8Array(length)), 0, length), `${length} zeros`).toBe(0);
    }
    const most = new Uint8Array(8 << 20).fill(255);
    expect(sumBytes(exactView(most), 0, most.length)).toBe(0xffff);
  });

  it('agrees with the reference on any bytes, from any initial sum', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.nat({ max: 2 ** 31 - 1 }),
        (bytes, initial) => {
          const start = naiveSum([initial >>> 24, (initial >>> 16) & 255, ...pair(initial)]);
          expect(sumBytes(exactView(bytes), 0, bytes.length, initial)).toBe(
            naiveSum([...pair(start), ...bytes]),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('can be taken in parts that begin on even bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: 200 }), (bytes, half) => {
        const cut = Math.min(2 * half, bytes.length & ~1);
        const view = exactView(bytes);
        const first = sumBytes(view, 0, cut);
        expect(sumBytes(view, cut, bytes.length - cut, first)).toBe(
          sumBytes(view, 0, bytes.length),
        );
      }),
    );
  });
});

function pair(value: number): [number, number] {
  return [(value >>> 8) & 255, value & 255];
}

describe('folding and complement', () => {
  it('add the carries of any sum below 2^32 back in', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), (sum) => {
        const expected = sum === 0 ? 0 : ((sum - 1) % 0xffff) + 1;
        expect(fold(sum)).toBe(expected);
        expect(complement(sum)).toBe(0xffff - expected);
      }),
    );
    expect([fold(0xffff), fold(0x10000), fold(0xffffffff), fold(0xffff0000)]).toEqual([
      0xffff, 1, 0xffff, 0xffff,
    ]);
  });

  it('give each of the 65,536 checksums, 0x0000 and 0xffff among them', () => {
    expect(firstDifference(complement, (word) => 0xffff - word)).toBeNull();
  });

  it('make the sum of data and checksum all ones, whatever the data sums to', () => {
    const view = new DataView(new ArrayBuffer(24));
    view.setInt32(0, 0x12345678);
    const verified = (word: number) => {
      view.setUint16(8, word);
      view.setUint16(16, 0);
      view.setUint16(16, complement(sumBytes(view, 0, 24)));
      return sumBytes(view, 0, 24);
    };
    expect(firstDifference(verified, () => 0xffff)).toBeNull();
  });
});

describe('sumWords32', () => {
  it('adds the two halves, of negative words too', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 30 }), fc.integer(), (sum, word) => {
        expect(sumWords32(sum, word)).toBe(sum + (word >>> 16) + (word & 0xffff));
      }),
    );
  });
});

describe('replaceWord', () => {
  it('is the checksum computed anew, for every new word (RFC 1624)', () => {
    const rests = [0, 1, 0x5555, 0x7fff, 0xfffe, 0xffff];
    for (const rest of rests) {
      for (const old of [0, 1, 0xff00, 0xfffe, 0xffff, 0xffff - rest]) {
        const sum = (word: number) => [high(rest), low(rest), high(word), low(word)];
        const before = naiveChecksum(sum(old));
        // Data that is all zero, which no header is, is the one case where the two may differ.
        const from = rest === 0 ? 1 : 0;
        const difference = firstDifference(
          (word) => (word < from ? 0 : replaceWord(before, old, word)),
          (word) => (word < from ? 0 : naiveChecksum(sum(word))),
        );
        if (rest + old > 0) expect(difference, `rest ${rest}, old ${old}`).toBeNull();
      }
    }
  });

  it('passes the example of RFC 1624 §4', () => {
    expect(replaceWord(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });
});

describe('pseudoHeaderSum', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const bytesOf = (...words: number[]) =>
    words.flatMap((w) => [w >>> 24, (w >>> 16) & 255, (w >>> 8) & 255, w & 255]);

  it('covers both IPv4 addresses and the protocol', () => {
    fc.assert(
      fc.property(word, word, fc.nat({ max: 255 }), (src, dst, protocol) => {
        expect(pseudoHeaderSum(IpAddress.v4(src), IpAddress.v4(dst), protocol)).toBe(
          naiveSum([...bytesOf(src, dst), 0, protocol]),
        );
      }),
    );
  });

  it('covers both IPv6 addresses and the next header', () => {
    const four = fc.tuple(fc.integer({ min: 1, max: 2 ** 31 - 1 }), word, word, word);
    fc.assert(
      fc.property(four, four, fc.nat({ max: 255 }), (src, dst, protocol) => {
        expect(pseudoHeaderSum(IpAddress.v6(...src), IpAddress.v6(...dst), protocol)).toBe(
          naiveSum([...bytesOf(...src, ...dst), 0, protocol]),
        );
      }),
    );
  });
});
