// The reproducible bytes of `/bytes/N`. Knows one block of them and its digest; must not know sockets.

import { createHash } from 'node:crypto';

/**
 * Bytes after which the stream repeats: the largest prime below 2^20, so that a piece that lands a
 * power of two too early or too late (the way rings and windows go wrong) never looks right.
 */
export const BYTES_PERIOD = 1_048_573;

/** Most bytes that `/bytes/N` sends: up to here a double counts without a gap. */
export const BYTES_LIMIT = 2 ** 53;

/**
 * One period of the stream: byte i is the top byte of the i-th state of the generator
 * `x = 1664525 * x + 1013904223 mod 2^32` (Numerical Recipes), whose state before byte 0 is 0.
 */
export function bytesBlock(): Buffer {
  const block = Buffer.allocUnsafeSlow(BYTES_PERIOD);
  let x = 0;
  for (let i = 0; i < BYTES_PERIOD; i++) {
    x = (Math.imul(1664525, x) + 1013904223) | 0;
    block[i] = x >>> 24;
  }
  return block;
}

/** SHA-256, in hexadecimal, of the first `count` bytes of the stream. */
export function bytesDigest(count: number): string {
  const block = bytesBlock();
  const hash = createHash('sha256');
  let left = count;
  for (; left > BYTES_PERIOD; left -= BYTES_PERIOD) hash.update(block);
  return hash.update(block.subarray(0, left)).digest('hex');
}
