// The SACK option that we send: RFC 2018 §4 and, for duplicates, RFC 2883. Knows which blocks are
// worth reporting; must not know how data are kept.

import type { Ranges } from '../storage/ranges.js';
import { seqGeq, seqGt } from '../wire/sequence.js';
import { NO_NUMBERS, type Tcb } from './tcb.js';

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
  // They may take half of a segment at most: on a tiny MTU data come first.
  const room = Math.max(((tcb.snd.mss >> 1) - 4) >> 3, 0);
  return Math.min(ranges + duplicate, room, tcb.timestamps ? BLOCKS_WITH_TIMESTAMPS : BLOCKS);
}

/**
 * The edges of these blocks, left and right in turn, in memory that the next call reuses: first the
 * duplicate (RFC 2883 §4), then the ranges of the segments that came last, newest first, so that each
 * is reported several times (RFC 2018 §4), then the others.
 */
export function sackBlocks(tcb: Tcb): Int32Array {
  const { outOfOrder, recent, dsackStart, dsackEnd } = tcb.rcv;
  let count = 0;
  if (dsackStart !== dsackEnd) {
    edges[0] = dsackStart;
    edges[1] = dsackEnd;
    count = 1;
  }
  if (outOfOrder === null) return edges;
  const first = count;
  for (let i = 0; i < recent.length; i++) {
    const range = rangeWith(outOfOrder, recent[i]);
    if (range >= 0) count = addBlock(outOfOrder, range, first, count);
  }
  for (let i = 0; i < outOfOrder.count; i++) count = addBlock(outOfOrder, i, first, count);
  return edges;
}

function rangeWith(ranges: Ranges, seq: number): number {
  const i = ranges.find((seq + 1) | 0);
  return i < ranges.count && seqGeq(seq, ranges.start(i)) ? i : -1;
}

/** Adds a range, unless it stands between blocks `first` and `count` already; answers the new count. */
function addBlock(ranges: Ranges, range: number, first: number, count: number): number {
  const start = ranges.start(range);
  if (count === BLOCKS) return count;
  for (let i = first; i < count; i++) if (edges[2 * i] === start) return count;
  edges[2 * count] = start;
  edges[2 * count + 1] = ranges.end(range);
  return count + 1;
}

/** A segment that begins at `seq` was kept beyond a gap. */
export function noteRecent(tcb: Tcb, seq: number): void {
  if (tcb.rcv.recent === NO_NUMBERS) tcb.rcv.recent = [0, 0, 0, 0];
  const recent = tcb.rcv.recent;
  for (let i = recent.length - 1; i > 0; i--) recent[i] = recent[i - 1];
  recent[0] = seq;
}

/** Notes that [start, end) came twice; reported once, with the next ACK. */
export function noteDuplicate(tcb: Tcb, start: number, end: number): void {
  if (!tcb.sack || !seqGt(end, start)) return;
  tcb.rcv.dsackStart = start;
  tcb.rcv.dsackEnd = end;
}
