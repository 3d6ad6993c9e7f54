// Writes a repeated block to a stream as fast as it takes it. Knows back-pressure; must not know contents.

import type { Writable } from 'node:stream';

/**
 * Writes `count` bytes (may be Infinity) of `block`, repeated, then ends the stream. `block` must be
 * as large as the stream's high-water mark, so that each write waits for 'drain'; where somebody
 * else ends or destroys the stream none comes, and nothing more is written.
 */
export function pour(out: Writable, block: Buffer, count: number): void {
  let left = count;
  const writeMore = (): void => {
    while (left > 0) {
      const piece = left >= block.length ? block : block.subarray(0, left);
      left -= piece.length;
      if (!out.write(piece)) {
        out.once('drain', writeMore);
        return;
      }
    }
    out.end();
  };
  writeMore();
}
