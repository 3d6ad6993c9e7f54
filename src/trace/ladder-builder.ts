// Makes rungs of events. Knows which state belongs to which segment, and what faults did to it; must not
// know how ladders are drawn.

import { Ranges } from '../storage/ranges.js';
import { STATE_NAMES } from '../tcp/state.js';
import { TRANSITIONS } from '../tcp/transitions.js';
import {
  type Direction,
  type End,
  NOT_SEEN,
  type SegmentFields,
  type TraceEvent,
  TWO_MSL,
} from './event.js';
import type { Ladder, LadderOptions, Rung, SegmentRung } from './ladder.js';
import { joinCrossing, joinRuns } from './ladder-joints.js';
import { sayEvent } from './ladder-words.js';
import { Origins } from './origins.js';
import {
  connectionOfSegment,
  describeSegment,
  hasFlag,
  isSame,
  sequenceLength,
} from './segment.js';

type Fault = Extract<TraceEvent, { kind: 'fault' }>;
type StateEvent = Extract<TraceEvent, { kind: 'state' }>;
type Segment = Rung & SegmentRung;

/** What is told of one thing is told within this time. */
const AT_ONCE_US = 1000;

const FAR = 2 ** 30;
const MOST_RANGES = 1024;

/** The flag of the segment that tells the other end of a state that a call has led to. */
const ANNOUNCED_BY: Readonly<Record<string, string>> = {
  'SYN-SENT': 'SYN',
  'SYN-RECEIVED': 'SYN',
  'FIN-WAIT-1': 'FIN',
  'LAST-ACK': 'FIN',
  CLOSED: 'RST',
};

const REMARKS: Readonly<Record<Fault['action'], string>> = {
  drop: 'lost',
  corrupt: 'corrupted',
  delay: 'delayed',
  duplicate: 'duplicated',
  swap: 'overtaken',
  inject: 'injected',
};

/** A ladder for each connection, in the order in which they appear. */
export function buildLadders(
  events: readonly TraceEvent[],
  { connection }: LadderOptions = {},
): Ladder[] {
  const builders = new Map<string, LadderBuilder>();
  let current: LadderBuilder | null = null;
  const early: TraceEvent[] = [];
  for (const event of events) {
    const key = event.connection ?? connectionOfFault(event);
    if (connection !== undefined && key !== null && key !== connection) continue;
    if (key !== null) {
      current = builders.get(key) ?? new LadderBuilder(key, events[0]!.timeUs);
      builders.set(key, current);
    }
    // What is about no connection goes with the one that was heard of last, or first.
    if (current === null) early.push(event);
    else for (const each of [...early.splice(0), event]) current.add(each);
  }
  return [...builders.values()].map((builder) => builder.finish());
}

function connectionOfFault(event: TraceEvent): string | null {
  if (event.kind !== 'fault' || event.segment === null) return null;
  return connectionOfSegment(event.segment, event.direction);
}

/** A state that was entered before anything was sent in it. */
interface Loose {
  state: string;
  timeUs: number;
}

class LadderBuilder {
  readonly #ends: readonly [ours: string, theirs: string];
  readonly #startUs: number;
  readonly #rungs: Rung[] = [];
  readonly #before: Ladder['before'] = { ours: null, theirs: null };
  /** By end: not yet on a rung; and the rung whose segment reached that end last. */
  readonly #loose: Record<End, Loose | null> = { ours: null, theirs: null };
  readonly #reached: Record<End, Segment | null> = { ours: null, theirs: null };
  /** How often the kernel's timer has run out for what it waits to have acknowledged. */
  #retransmits = 0;
  /** By end: its program has called since its state changed last. */
  readonly #called: Record<End, boolean> = { ours: false, theirs: false };
  /** What was done to segments that have yet to arrive at our end. */
  readonly #awaited: { action: Fault['action']; segment: SegmentFields }[] = [];
  /** What each end has sent of its sequence space. */
  readonly #sent: Partial<Record<Direction, Ranges>> = {};
  /** By end: a record in TIME-WAIT waits. */
  readonly #twoMslRuns: Record<End, boolean> = { ours: false, theirs: false };

  constructor(connection: string, startUs: number) {
    this.#ends = connection.split(' ') as [string, string];
    this.#startUs = startUs;
  }

  finish(): Ladder {
    this.#settle('ours');
    this.#settle('theirs');
    writeLabels(this.#rungs.filter((rung) => rung.kind === 'segment'));
    const [ours, theirs] = this.#ends;
    const rungs = inOrder(joinRuns(joinCrossing(this.#rungs)));
    return { ours, theirs, before: this.#before, rungs };
  }

  add(event: TraceEvent): void {
    switch (event.kind) {
      case 'segment':
        if (event.end === 'ours') this.#addSegment(event.timeUs, event.direction, event.segment);
        else if (event.direction === 'out') this.#arrivedThere(event.segment);
        return;
      case 'state':
        this.#addState(event);
        return;
      case 'sample':
        if (event.retransmits > this.#retransmits) this.#say(event, 'note', 'retransmit timer');
        this.#retransmits = event.retransmits;
        return;
      case 'fault':
        if (event.segment !== null) this.#addFault(event, event.segment);
        return;
      default:
        this.#addSide(event);
    }
  }

  // ── Segments ──

  #addSegment(
    timeUs: number,
    direction: Direction,
    segment: SegmentFields,
    forged = false,
  ): Segment {
    const injected = forged || (direction === 'in' && this.#takeAwaited(segment, 'inject'));
    const rung: Segment = {
      timeUs: timeUs - this.#startUs,
      ours: null,
      theirs: null,
      kind: 'segment',
      direction,
      segment,
      label: '',
      fate: 'arrives',
      from: injected ? 'gate' : 'end',
      remarks: [],
    };
    if (!injected) this.#noteRepetition(rung);
    if (direction === 'in') this.#applyAwaited(rung);
    this.#place(rung);
    return rung;
  }

  /** The sender's new state stands beside the segment; the receiver's, if it has one, before it. */
  #place(rung: Segment): void {
    const [sender, receiver]: End[] =
      rung.direction === 'out' ? ['ours', 'theirs'] : ['theirs', 'ours'];
    this.#settle(receiver!);
    const loose = this.#loose[sender!];
    if (loose !== null && rung.from === 'end' && announces(rung.segment, loose.state)) {
      rung[sender!] = loose.state;
      this.#loose[sender!] = null;
    } else this.#settle(sender!);
    this.#rungs.push(rung);
    if (rung.fate !== 'lost') this.#reached[receiver!] = rung;
  }

  /** In a simulation the other end tells when a segment of ours has arrived. */
  #arrivedThere(segment: SegmentFields): void {
    const rung = this.#findSent(segment);
    if (rung !== null) this.#reached.theirs = rung;
  }

  #findSent(segment: SegmentFields): Segment | null {
    for (let i = this.#rungs.length - 1; i >= 0; i--) {
      const rung = this.#rungs[i]!;
      if (rung.kind !== 'segment' || rung.direction !== 'out') continue;
      if (isSame(rung.segment, segment)) return rung;
    }
    return null;
  }

  #noteRepetition(rung: Segment): void {
    const { segment, direction } = rung;
    const length = sequenceLength(segment);
    if (length === 0) return;
    const start = segment.seq | 0;
    const end = (start + length) | 0;
    let sent = this.#sent[direction];
    // Numbers that are far apart cannot be compared; a SYN elsewhere begins another connection.
    const isFar = sent !== undefined && Math.abs((end - sent.start(0)) | 0) > FAR;
    const isOpening = hasFlag(segment, 'SYN') && !sent?.contains(start, end);
    if (sent === undefined || isFar || isOpening) {
      sent = new Ranges(MOST_RANGES);
      this.#sent[direction] = sent;
    } else if (sent.contains(start, end)) rung.remarks = [...rung.remarks, 'again'];
    sent.add(start, end);
  }

  // ── Faults ──

  #addFault({ action, direction, timeUs }: Fault, segment: SegmentFields): void {
    if (direction === 'in') {
      if (action === 'drop') this.#lostOnItsWay(timeUs, 'in', segment);
      else this.#awaited.push({ action, segment });
      return;
    }
    if (action === 'inject') {
      this.#addSegment(timeUs, direction, segment, true);
      return;
    }
    const rung = this.#findSent(segment);
    if (rung === null) {
      if (action === 'drop') this.#lostOnItsWay(timeUs, 'out', segment);
    } else this.#apply(rung, action);
  }

  /** Only the gate has seen it. */
  #lostOnItsWay(timeUs: number, direction: Direction, segment: SegmentFields): void {
    const reached = { ...this.#reached };
    const rung = this.#addSegment(timeUs, direction, segment);
    this.#apply(rung, 'drop');
    Object.assign(this.#reached, reached);
  }

  #apply(rung: Segment, action: Fault['action']): void {
    if (action === 'drop') rung.fate = 'lost';
    else if (action === 'corrupt') rung.fate = 'corrupted';
    else if (action !== 'inject') rung.remarks = [...rung.remarks, REMARKS[action]];
    if (rung.fate === 'lost' && this.#reached.theirs === rung) this.#reached.theirs = null;
  }

  #takeAwaited(segment: SegmentFields, action: Fault['action']): boolean {
    const i = this.#awaited.findIndex((a) => a.action === action && isSame(a.segment, segment));
    if (i >= 0) this.#awaited.splice(i, 1);
    return i >= 0;
  }

  #applyAwaited(rung: Segment): void {
    for (const action of ['corrupt', 'delay', 'duplicate', 'swap'] as const) {
      if (this.#takeAwaited(rung.segment, action)) this.#apply(rung, action);
    }
  }

  // ── States ──

  #addState(event: StateEvent): void {
    const { end, from, to, timeUs } = event;
    this.#before[end] ??= from === NOT_SEEN ? null : from;
    const rung = this.#reached[end];
    const afterCall = this.#called[end];
    this.#called[end] = false;
    if (rung !== null && rung[end] === null && mayFollowSegment(event, afterCall)) {
      // A state that was entered before, and in which something is yet to be sent: the two may cross.
      if (this.#loose[end] !== null && sequenceLength(rung.segment) === 0) this.#settle(end);
      rung[end] = to;
      this.#reached[end] = null;
      return;
    }
    this.#settle(end);
    const last = this.#rungs.at(-1);
    const atUs = timeUs - this.#startUs;
    const isReason = last?.kind === 'note' && last.end === end && atUs - last.timeUs < AT_ONCE_US;
    if (isReason && last[end] === null) last[end] = to;
    else this.#loose[end] = { state: to, timeUs: atUs };
  }

  /** A state in which nothing was sent stands alone. */
  #settle(end: End): void {
    const loose = this.#loose[end];
    if (loose === null) return;
    this.#loose[end] = null;
    const rung: Rung = { timeUs: loose.timeUs, ours: null, theirs: null, kind: 'state' };
    rung[end] = loose.state;
    this.#rungs.push(rung);
  }

  // ── All else ──

  #addSide(event: TraceEvent): void {
    const said = sayEvent(event, this.#twoMslRuns[event.end]);
    if (event.kind === 'timer' && event.timer === TWO_MSL) {
      this.#twoMslRuns[event.end] = event.action === 'armed';
    }
    if (said === null) return;
    if (said.kind === 'call') this.#called[event.end] = true;
    this.#say(event, said.kind, said.text);
  }

  #say({ end, timeUs: atUs }: TraceEvent, kind: 'call' | 'note', text: string): void {
    this.#settle(end);
    const timeUs = atUs - this.#startUs;
    this.#rungs.push({ timeUs, ours: null, theirs: null, kind, end, text });
  }
}

/**
 * Numbers count from the SYN of each side. Where somebody else has begun in its place, they count from its
 * own first SYN all the same, so that what is forged shows how far off it is.
 */
function writeLabels(segments: readonly Segment[]): void {
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

/** Whether a segment is what a state is entered with; a FIN, for one, may wait behind data. */
function announces(segment: SegmentFields, state: string): boolean {
  const flag = ANNOUNCED_BY[state];
  return flag === undefined || hasFlag(segment, flag);
}

/** A segment goes out at the time of its turn, which began before what it follows from. */
function inOrder(rungs: readonly Rung[]): Rung[] {
  let latest = 0;
  return rungs.map((rung) => {
    latest = Math.max(latest, rung.timeUs);
    return { ...rung, timeUs: latest };
  });
}

/** Whether a segment that arrived can have caused a change of state; calls and timeouts do not come so. */
function mayFollowSegment({ from, to, event }: StateEvent, afterCall: boolean): boolean {
  if (event !== '') return /^(rcv|ICMP)/.test(event);
  const rows = TRANSITIONS.filter(
    (row) => STATE_NAMES[row.from] === from && STATE_NAMES[row.to] === to,
  );
  // From outside only the diagram can tell. What a call may have caused after one was made, it has caused.
  if (afterCall && rows.some((row) => /^(CLOSE|ABORT)$/.test(row.event))) return false;
  // What was not seen may have any cause.
  return rows.length === 0 || rows.some((row) => row.event.startsWith('rcv'));
}
