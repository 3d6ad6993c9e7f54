// The Internet checksum (RFC 1071, 1624); must not know which header it is for.

import type { IpAddress } from './address.js';

// A running sum is a plain integer below 2^31 (room for 32,768 sixteen-bit words) that is folded
// when it is finished. Folding adds the carries back in, so nothing is lost by doing it late.

/** Bytes after which the two running sums of `sumBytes` are folded: far from int32 overflow. */
const FOLD_EVERY = 65_536;

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
 * Ones' complement sum of big-endian 16-bit words, folded to 16 bits (RFC 1071).
 * An odd last byte counts as the high half of a word. `initial` is a running sum to start from.
 */
export function sumBytes(view: DataView, offset: number, length: number, initial = 0): number {
  const end = (offset + length) | 0;
  let at = offset | 0;
  let low = fold(initial);
  let high = 0;
  while (((end - at) | 0) >= 16) {
    const stop = Math.min((end - 16) | 0, (at + FOLD_EVERY) | 0);
    for (; at <= stop; at = (at + 16) | 0) {
      const a = view.getInt32(at);
      const b = view.getInt32(at + 4);
      const c = view.getInt32(at + 8);
      const d = view.getInt32(at + 12);
      low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
      high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    }
    low = fold(low) + fold(high);
    high = 0;
  }
  for (; ((end - at) | 0) >= 2; at = (at + 2) | 0) low += view.getUint16(at);
  if (at < end) low += view.getUint8(at) << 8;
  return fold(low);
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
