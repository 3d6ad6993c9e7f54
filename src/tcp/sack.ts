// The SACK option that we send: RFC 2018 §4 and, for duplicates, RFC 2883. Knows which blocks are
// worth reporting; must not know how data are kept.

import { seqGt } from '../wire/sequence.js';
import type { Tcb } from './tcb.js';

/** Blocks that fit beside timestamps, and without them (RFC 2018 §3). */
const BLOCKS_WITH_TIMESTAMPS = 3;
const BLOCKS = 4;

const edges = new Int32Array(2 * BLOCKS);

/** How many blocks the next segment carries. */
export function sackBlockCount(tcb: Tcb): number {
  const rcv = tcb.rcv;
  if (!tcb.sack) return 0;
  const ranges = rcv.outOfOrder === null ? 0 : rcv.outOfOrder.count;
  const duplicate = rcv.dsackStart !== rcv.dsackEnd ? 1 : 0;
  if (ranges + duplicate === 0) return 0;
  return Math.min(ranges + duplicate, tcb.timestamps ? BLOCKS_WITH_TIMESTAMPS : BLOCKS);
}

/**
 * The edges of these blocks, left and right in turn, in memory that the next call reuses: first the
 * duplicate (RFC 2883 §4), then the range with the newest segment, then the others.
 */
export function sackBlocks(tcb: Tcb): Int32Array {
  const rcv = tcb.rcv;
  let at = 0;
  if (rcv.dsackStart !== rcv.dsackEnd) {
    edges[at++] = rcv.dsackStart;
    edges[at++] = rcv.dsackEnd;
  }
  const ranges = rcv.outOfOrder;
  if (ranges === null) return edges;
  const newest = Math.min(rcv.newestRange, ranges.count - 1);
  for (let i = -1; i < ranges.count && at < edges.length; i++) {
    if (i === newest) continue;
    const range = i < 0 ? newest : i;
    if (range < 0) continue;
    edges[at++] = ranges.start(range);
    edges[at++] = ranges.end(range);
  }
  return edges;
}

/** Notes that [start, end) came twice; reported once, with the next ACK. */
export function noteDuplicate(tcb: Tcb, start: number, end: number): void {
  if (!tcb.sack || !seqGt(end, start)) return;
  tcb.rcv.dsackStart = start;
  tcb.rcv.dsackEnd = end;
}
