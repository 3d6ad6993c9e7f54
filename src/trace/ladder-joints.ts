// Joins rungs that are clearer as one: long runs of data, and segments that crossed. Knows rungs only.

import { seqLeq } from '../wire/sequence.js';
import type { SegmentFields } from './event.js';
import type { Rung, RunRung, SegmentRung } from './ladder.js';
import { hasFlag } from './segment.js';

type Segment = Rung & SegmentRung;

/** So many segments of data are still shown one by one. */
const MOST_SINGLE = 3;

/** Data in one direction, and bare ACKs, as long as nothing else happens. */
export function joinRuns(rungs: readonly Rung[]): Rung[] {
  const joined: Rung[] = [];
  for (let i = 0; i < rungs.length; ) {
    const run = runFrom(rungs, i);
    if (run === null) {
      joined.push(rungs[i]!);
      i += 1;
    } else {
      joined.push(run.rung);
      i = run.end;
    }
  }
  return joined;
}

function runFrom(rungs: readonly Rung[], from: number): { rung: Rung; end: number } | null {
  const first = rungs[from]!;
  if (!isPlain(first)) return null;
  const { direction, timeUs } = first;
  const run: RunRung = { kind: 'run', direction, segments: 0, bytes: 0, acks: 0 };
  let end = from;
  for (; end < rungs.length; end++) {
    const rung = rungs[end]!;
    if (!isPlain(rung) || !goesWith(rung, first)) break;
    const { length, gsoSize } = rung.segment;
    if (length === 0) run.acks += 1;
    else run.segments += gsoSize === 0 ? 1 : Math.ceil(length / gsoSize);
    run.bytes += length;
  }
  const many = first.segment.length === 0 ? run.acks : run.segments;
  if (many <= MOST_SINGLE) return null;
  return { rung: { timeUs, ours: null, theirs: null, ...run }, end };
}

/** Data in the same direction and ACKs in either go with data; with an ACK, others of its direction. */
function goesWith({ direction, segment }: Segment, first: Segment): boolean {
  const isSame = direction === first.direction;
  if (first.segment.length === 0) return isSame && segment.length === 0;
  return isSame || segment.length === 0;
}

/** A segment of data, or a bare ACK, about which there is nothing to be said. */
function isPlain(rung: Rung): rung is Segment {
  return (
    rung.kind === 'segment' &&
    rung.ours === null &&
    rung.theirs === null &&
    rung.fate === 'arrives' &&
    rung.from === 'end' &&
    rung.remarks.length === 0 &&
    rung.window === null &&
    /^(PSH,)?ACK$/.test(rung.segment.flags)
  );
}

/** SYNs or FINs that were sent before the other one had arrived. */
export function joinCrossing(rungs: readonly Rung[]): Rung[] {
  const joined: Rung[] = [];
  for (let i = 0; i < rungs.length; i++) {
    const out = rungs[i]!;
    const j = isControl(out) && out.direction === 'out' ? crossedBy(rungs, i, out) : -1;
    if (j < 0) {
      joined.push(out);
      continue;
    }
    const between = rungs.slice(i + 1, j);
    const isNote = ({ kind }: Rung) => kind === 'note';
    // Calls and states come first, since nothing had arrived; what was noticed had.
    joined.push(...between.filter((rung) => !isNote(rung)));
    joined.push(crossing(joined, out as Segment, rungs[j] as Segment));
    joined.push(...between.filter(isNote));
    i = j;
  }
  return joined;
}

function isControl(rung: Rung): rung is Segment {
  if (rung.kind !== 'segment' || rung.fate !== 'arrives' || rung.from === 'gate') return false;
  return hasFlag(rung.segment, 'SYN') || hasFlag(rung.segment, 'FIN');
}

/** Where the segment of the other end stands that knows nothing of this one; -1 when there is none. */
function crossedBy(rungs: readonly Rung[], i: number, out: Segment): number {
  for (let j = i + 1; j < rungs.length; j++) {
    const rung = rungs[j]!;
    if (rung.kind !== 'segment') continue;
    if (rung.direction === 'out' || !isControl(rung)) return -1;
    return covers(rung.segment, out.segment) || covers(out.segment, rung.segment) ? -1 : j;
  }
  return -1;
}

/** Whether it acknowledges the SYN or FIN of the other one. */
function covers(segment: SegmentFields, other: SegmentFields): boolean {
  const last = (other.seq + other.length) | 0;
  return hasFlag(segment, 'ACK') && !seqLeq(segment.ack, last);
}

/** Takes the state in which the other end has sent from the rungs before, where it stands alone. */
function crossing(before: Rung[], out: Segment, incoming: Segment): Rung {
  const sentIn = { ours: out.ours, theirs: incoming.theirs };
  if (sentIn.theirs === null) {
    const last = before.findLastIndex((rung) => rung.kind !== 'call' && rung.kind !== 'note');
    const rung = before[last];
    if (rung?.kind === 'state' && rung.theirs !== null && rung.ours === null) {
      sentIn.theirs = rung.theirs;
      before.splice(last, 1);
    }
  }
  const { timeUs } = out;
  const [ours, theirs] = [incoming.ours, out.theirs];
  return { timeUs, ours, theirs, kind: 'crossing', out, in: incoming, sentIn };
}
