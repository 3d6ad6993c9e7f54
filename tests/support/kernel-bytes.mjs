// Streams of bytes that do not repeat, from a seed: what is sent, and the digest that must come out.
import { createCipheriv, createHash } from 'node:crypto';

const ZEROS = Buffer.alloc(1 << 18);

/** `count` bytes, the same for the same seed, in pieces of up to 256 KiB. */
export function* byteStream(seed, count) {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  for (let left = count; left > 0; left -= ZEROS.length) {
    yield cipher.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  }
}

/** SHA-256, in hexadecimal, of the whole stream. */
export function digestOf(seed, count) {
  const hash = createHash('sha256');
  for (const piece of byteStream(seed, count)) hash.update(piece);
  return hash.digest('hex');
}
