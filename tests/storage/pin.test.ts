// Memory that a device may write into at any time: a block that is pinned, and bytes that stand in their
// place already. With a device: tests/kernel/bulk.test.ts.

import { describe, expect, test } from 'vitest';
import { Arena } from '../../src/storage/arena.js';
import { Ring } from '../../src/storage/ring.js';

describe('a pinned block', () => {
  test('that is given back is handed out again only when it is no longer pinned', () => {
    const arena = new Arena(1 << 16);
    const block = arena.allocate(2048);
    arena.pin(block);
    arena.free(block, 2048);
    const others = new Set<number>();
    for (let at = arena.allocate(2048); at >= 0; at = arena.allocate(2048)) others.add(at);
    expect(others.has(block)).toBe(false);
    arena.pin(-1);
    expect(arena.allocate(2048)).toBe(block);
  });

  test('is free once, whoever unpins it', () => {
    const arena = new Arena(1 << 16);
    const block = arena.allocate(4096);
    const used = arena.used;
    arena.pin(block);
    arena.free(block, 4096);
    arena.pin(-1);
    arena.pin(-1);
    expect(arena.used).toBe(used - 4096);
  });
});

test('bytes that landed in their place are not copied, others are', () => {
  const arena = new Arena(1 << 16);
  const ring = new Ring(arena);
  ring.ensure(2048);
  const inbox = arena.allocate(2048);
  arena.bytes.fill(7, ring.pieceOffset(0), ring.pieceOffset(0) + 100);
  ring.placeFromArena(0, ring.pieceOffset(0), 100);
  ring.extend(100);
  arena.bytes.fill(9, inbox, inbox + 50);
  ring.placeFromArena(100, inbox, 50);
  ring.extend(50);
  const out = new Uint8Array(150);
  ring.copyOut(0, out, 0, 150);
  expect([out[0], out[99], out[100], out[149]]).toEqual([7, 7, 9, 9]);
});
