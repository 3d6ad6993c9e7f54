// Sequence arithmetic against numbers that do not wrap.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seqGeq, seqGt, seqLeq, seqLt, seqMax, seqMin } from '../../src/wire/sequence.js';

const any32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const within = fc.oneof(
  fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31 - 1)),
  fc.integer({ min: -(2 ** 31 - 1), max: 2 ** 31 - 1 }),
);

describe('sequence numbers', () => {
  it('are compared by their difference, wherever they wrap (RFC 9293 §3.4)', () => {
    fc.assert(
      fc.property(any32, within, (a, distance) => {
        const b = (a + distance) | 0;
        expect(seqLt(a, b)).toBe(distance > 0);
        expect(seqLeq(a, b)).toBe(distance >= 0);
        expect(seqGt(a, b)).toBe(distance < 0);
        expect(seqGeq(a, b)).toBe(distance <= 0);
        expect(seqMax(a, b)).toBe(distance > 0 ? b : a);
        expect(seqMin(a, b)).toBe(distance < 0 ? b : a);
      }),
      { numRuns: 1000 },
    );
  });

  it('may be given as uint32 or int32', () => {
    fc.assert(
      fc.property(any32, within, (a, distance) => {
        const b = (a + distance) | 0;
        expect(seqLt(a >>> 0, b)).toBe(seqLt(a, b >>> 0));
        expect(seqGeq(a >>> 0, b >>> 0)).toBe(seqGeq(a, b));
        expect(seqMax(a >>> 0, b >>> 0)).toBe(seqMax(a, b));
        expect(seqMin(a >>> 0, b >>> 0)).toBe(seqMin(a, b));
      }),
    );
  });

  it('just below the wrap come before those just above it', () => {
    expect(seqLt(0xffffffff, 0)).toBe(true);
    expect(seqLt(0x7fffffff, 0x80000000)).toBe(true);
    expect(seqMax(0xfffffff0, 5)).toBe(5);
    expect(seqMin(0xfffffff0, 5)).toBe(-16);
  });
});
