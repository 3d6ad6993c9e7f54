// Writes a repeated block to a stream as fast as it takes it. Knows back-pressure; must not know contents.

import type { Writable } from 'node:stream';

/**
 * Writes `count` bytes (may be Infinity) of `block`, repeated, then ends the stream. It stops by
 * itself where the stream is ended or destroyed by somebody else. `block` must be as large as the
 * stream's high-water mark, so that each write waits for its turn.
 */
export function pour(out: Writable, block: Buffer, count: number): void {
  let left = count;
  const writeMore = (): void => {
    while (left > 0) {
      if (out.writableEnded || out.destroyed) return;
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
