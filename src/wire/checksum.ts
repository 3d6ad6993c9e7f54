// The Internet checksum (RFC 1071, 1624); must not know which header it is for.

import type { IpAddress } from './address.js';

// A running sum is a plain integer below 2^31 (room for 32,768 sixteen-bit words) that is folded
// when it is finished. Folding adds the carries back in, so nothing is lost by doing it late.

/** From so many bytes on the wide loop of `sumBytes` pays. */
const WIDE = 64;

/** Folds a sum below 2^32 to 16 bits; 0 only for 0. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The checksum field that goes with a sum: its folded ones' complement. */
export function complement(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/** Adds both halves of a 32-bit word to a running sum. */
export function sumWords32(sum: number, word: number): number {
  return (sum + (word >>> 16) + (word & 0xffff)) | 0;
}

/**
 * Ones' complement sum of big-endian 16-bit words, folded to 16 bits (RFC 1071); 0 only where all
 * is zero. An odd last byte counts as the high half of a word. At most 8 MiB. `initial` is a
 * running sum to start from.
 */
export function sumBytes(view: DataView, offset: number, length: number, initial = 0): number {
  const end = (offset + length) | 0;
  let at = offset | 0;
  let sum = fold(initial);
  if (length >= WIDE) {
    // 32-bit words are added up exactly in doubles, which hold 2^53; four sums, so that one
    // addition need not wait for the other. Measured against masking and shifting: a quarter faster.
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (const stop = (end - 32) | 0; at <= stop; at = (at + 32) | 0) {
      a += view.getUint32(at) + view.getUint32(at + 16);
      b += view.getUint32(at + 4) + view.getUint32(at + 20);
      c += view.getUint32(at + 8) + view.getUint32(at + 24);
      d += view.getUint32(at + 12) + view.getUint32(at + 28);
    }
    const wide = a + b + c + d;
    const high = (wide / 2 ** 32) | 0;
    sum += fold((wide - high * 2 ** 32) >>> 0) + fold(high);
  }
  for (; ((end - at) | 0) >= 4; at = (at + 4) | 0) sum = sumWords32(sum, view.getInt32(at));
  if (((end - at) | 0) >= 2) {
    sum += view.getUint16(at);
    at = (at + 2) | 0;
  }
  if (at < end) sum += view.getUint8(at) << 8;
  return fold(sum);
}

/**
 * The checksum field after one 16-bit word of what it covers has changed
 * (RFC 1624 equation 3: HC' = ~(~HC + ~m + m')).
 */
export function replaceWord(checksum: number, oldWord: number, newWord: number): number {
  return complement((~checksum & 0xffff) + (~oldWord & 0xffff) + (newWord & 0xffff));
}

/**
 * Folded sum of the pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1) without the upper-layer length,
 * which the caller adds.
 */
export function pseudoHeaderSum(src: IpAddress, dst: IpAddress, protocol: number): number {
  let sum = sumWords32(sumWords32(protocol, src.w3), dst.w3);
  if (src.family === 6) {
    sum = sumWords32(sumWords32(sumWords32(sum, src.w0), src.w1), src.w2);
    sum = sumWords32(sumWords32(sumWords32(sum, dst.w0), dst.w1), dst.w2);
  }
  return fold(sum);
}
