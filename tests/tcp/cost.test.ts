// What a segment and an idle connection cost: no garbage, and few bytes. Measured in processes of
// their own, on plain compiled code.

import { afterAll, describe, expect, it, vi } from 'vitest';
import { Compiled } from './compiled.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const compiled = new Compiled();
afterAll(() => compiled.remove());

interface Garbage {
  segments: number;
  /** Garbage collections of any kind while they were pumped. */
  collections: number;
  /** What the heap grew by, bytes. */
  bytes: number;
  ms: number;
  bytesRead: number;
  bytesSent: number;
  retransmits: number;
}

/** The young generation as Node 20 lets it grow to, but from the start, so that runs are alike. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=16', '--max-semi-space-size=16'];
const MSS = 1448;

describe('no garbage', () => {
  it.each([
    ['receive', 4, 1_000_000],
    ['receive', 6, 1_000_000],
    ['receive, checksums checked', 4, 300_000],
    ['receive super-segments', 4, 1_000_000],
    ['receive super-segments', 6, 1_000_000],
    ['send', 4, 1_000_000],
    ['send', 6, 1_000_000],
    ['send super-segments', 4, 1_000_000],
    ['send, now and then one is lost', 4, 100_000],
    ['send super-segments, now and then a segment is lost', 4, 100_000],
    ['both', 4, 1_000_000],
  ] as const)('%s (IPv%i): %i segments, no collection', async (what, family, count) => {
    const args = [what, String(family), String(count)];
    const result = await compiled.run<Garbage>('garbage', args, FLAGS);
    const { segments, collections, bytes, ms, bytesRead, bytesSent, retransmits } = result;
    const perSegment = bytes / segments;
    console.log(
      `${what} (IPv${family}): ${segments} segments in ${ms.toFixed(0)} ms, ` +
        `${perSegment.toFixed(1)} bytes of garbage each`,
    );
    expect(collections).toBe(0);
    // A boxed number takes 16: there is not even one of them for each segment. After losses windows are
    // small, and what a turn costs is not spread over many segments.
    expect(perSegment).toBeLessThan(what.includes('lost') ? 80 : 10);
    if (what.includes('lost')) expect(retransmits).toBeGreaterThan(count / 500);
    const moved = what.startsWith('send') ? bytesSent : bytesRead;
    const expected = what === 'both' ? count / 3 : count;
    expect(moved).toBeGreaterThanOrEqual(expected * MSS);
  });
});

describe('an idle connection', () => {
  it('takes at most 1.5 KiB on each side, and 2 KiB after it has been used', async () => {
    interface Weight {
      idle: number;
      used: number;
      connections: number;
      arena: number;
    }
    const { idle, used, connections, arena } = await compiled.run<Weight>(
      ...(['footprint', ['10000'], ['--expose-gc']] as const),
    );
    console.log(
      `an idle connection takes ${idle.toFixed(0)} bytes on each side, ` +
        `${used.toFixed(0)} after it was used`,
    );
    expect(connections).toBe(10_100);
    expect(arena).toBe(0);
    expect(idle).toBeLessThan(1537);
    expect(used).toBeLessThan(2049);
  });
});
