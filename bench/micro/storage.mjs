// Bytes into a ring and out of it, also over its end.

import { Arena } from '../../dist/storage/arena.js';
import { Ring } from '../../dist/storage/ring.js';

const KIB = 1024;
const source = new Uint8Array(64 * KIB).fill(85);
const target = new Uint8Array(64 * KIB);

function throughRing(length) {
  const ring = new Ring(new Arena(4 << 20));
  ring.ensure(64 * KIB);
  return () => {
    ring.place(ring.length, source, 0, length);
    ring.extend(length);
    ring.copyOut(0, target, 0, length);
    ring.consume(length);
  };
}

/** A block of the arena is taken and given back, as with each write to an idle connection. */
function block() {
  const arena = new Arena(4 << 20);
  const ring = new Ring(arena);
  return () => {
    ring.ensure(KIB);
    ring.release();
  };
}

export const storage = [
  ['64 bytes through a ring', throughRing(64)],
  ['1448 bytes through a ring', throughRing(1448)],
  ['60 KiB through a ring', throughRing(60 * KIB)],
  ['take a ring’s block and give it back', block()],
];
