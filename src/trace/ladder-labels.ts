// What stands on the arrows of a ladder: numbers that count from the SYNs, and windows where they matter. Knows
// the segments of one ladder, in the order in which they are shown.

import type { Direction } from './event.js';
import type { SegmentRung } from './ladder.js';
import { Origins } from './origins.js';
import { describeSegment, hasFlag } from './segment.js';

export function writeLabels(segments: readonly SegmentRung[]): void {
  writeNumbers(segments);
  writeWindows(segments);
}

/**
 * Numbers count from the SYN of each side. Where somebody else has begun in its place, they count from its
 * own first SYN all the same, so that what is forged shows how far off it is.
 */
function writeNumbers(segments: readonly SegmentRung[]): void {
  const origins = new Origins();
  for (const direction of ['in', 'out'] as const) {
    const those = segments.filter((rung) => rung.direction === direction);
    const own = those.find(({ from, segment }) => from === 'end' && hasFlag(segment, 'SYN'));
    if (those[0]?.from === 'gate' && own !== undefined) origins.learn(own.segment);
  }
  for (const rung of segments) {
    origins.learn(rung.segment, rung.from === 'gate');
    rung.label = describeSegment(rung.segment, origins.relative(rung.segment));
  }
}

/**
 * A window of 0 is worth saying, and what opens it; any other one only makes a label longer. Where both SYNs
 * offer to, ends scale their windows (RFC 7323 §2.2), except for those of the SYNs themselves.
 */
function writeWindows(segments: readonly SegmentRung[]): void {
  const closed: Record<Direction, boolean> = { in: false, out: false };
  const scales: Record<Direction, number | null> = { in: null, out: null };
  for (const rung of segments) {
    const { segment, direction, from } = rung;
    if (from === 'gate' || hasFlag(segment, 'RST')) continue;
    const isSyn = hasFlag(segment, 'SYN');
    if (isSyn) {
      closed[direction] = false;
      scales[direction] = segment.options.windowScale ?? null;
    }
    if (segment.window > 0 && !closed[direction]) continue;
    const isScaled = !isSyn && scales.in !== null && scales.out !== null;
    rung.window = segment.window * 2 ** (isScaled ? scales[direction]! : 0);
    closed[direction] = segment.window === 0;
  }
}
