// Makes rungs of events. Knows which state belongs to which segment, and what faults did to it; must not
// know how ladders are drawn.

import { Ranges } from '../storage/ranges.js';
import { STATE_NAMES } from '../tcp/state.js';
import { TRANSITIONS } from '../tcp/transitions.js';
import {
  type Direction,
  type End,
  NOT_SEEN,
  type Origin,
  type SegmentFields,
  type TraceEvent,
  TWO_MSL,
} from './event.js';
import type { Ladder, LadderOptions, Rung, SegmentRung, WaitingSegment } from './ladder.js';
import { GateQueue } from './ladder-gate.js';
import { joinCrossing, joinRuns } from './ladder-joints.js';
import { writeLabels } from './ladder-labels.js';
import { sayEvent } from './ladder-words.js';
import { announces, connectionOfSegment, hasFlag, isSame, sequenceLength } from './segment.js';

type Fault = Extract<TraceEvent, { kind: 'fault' }>;
type StateEvent = Extract<TraceEvent, { kind: 'state' }>;
type Segment = Rung & SegmentRung;

/** What is told of one thing is told within this time. */
const AT_ONCE_US = 1000;

const FAR = 2 ** 30;
const MOST_RANGES = 1024;

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
  { connection, waiting }: LadderOptions = {},
): Ladder[] {
  const builders = new Map<string, LadderBuilder>();
  const hasGate = waiting !== undefined || events.some(({ kind }) => kind === 'release');
  const startUs = events[0]?.timeUs ?? 0;
  const builderOf = (key: string) => {
    const builder = builders.get(key) ?? new LadderBuilder(key, startUs, hasGate);
    builders.set(key, builder);
    return builder;
  };
  const isWanted = (key: string) => connection === undefined || key === connection;
  let current: LadderBuilder | null = null;
  const early: TraceEvent[] = [];
  for (const event of events) {
    const key = event.connection ?? connectionAtGate(event);
    if (key !== null && !isWanted(key)) continue;
    if (key !== null) current = builderOf(key);
    // What is about no connection goes with the one that was heard of last, or first.
    if (current === null) early.push(event);
    else for (const each of [...early.splice(0), event]) current.add(each);
  }
  for (const each of waiting ?? []) {
    const key = connectionOfSegment(each.segment, each.direction);
    if (isWanted(key)) builderOf(key).addWaiting(each);
  }
  return [...builders.values()].map((builder) => builder.finish());
}

function connectionAtGate(event: TraceEvent): string | null {
  if (event.kind !== 'fault' && event.kind !== 'release') return null;
  return event.segment === null ? null : connectionOfSegment(event.segment, event.direction);
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
  readonly #awaited: { action: Fault['action'] | 'copy'; segment: SegmentFields }[] = [];
  /** Segments of ours that have yet to pass the gate; null where there is none. */
  readonly #gate: GateQueue | null;
  /** What each end has sent of its sequence space. */
  readonly #sent: Partial<Record<Direction, Ranges>> = {};
  /** By end: a record in TIME-WAIT waits. */
  readonly #twoMslRuns: Record<End, boolean> = { ours: false, theirs: false };

  constructor(connection: string, startUs: number, hasGate: boolean) {
    this.#ends = connection.split(' ') as [string, string];
    this.#startUs = startUs;
    this.#gate = hasGate ? new GateQueue() : null;
  }

  /** After all events: what is still at the gate. */
  addWaiting({ direction, segment, origin }: WaitingSegment): void {
    const timeUs = (this.#rungs.at(-1)?.timeUs ?? 0) + this.#startUs;
    const rung =
      (direction === 'out' ? this.#gate?.take(segment, origin) : null) ??
      this.#makeRung(timeUs, direction, segment, origin);
    rung.fate = 'waits';
    this.#place(rung);
  }

  finish(): Ladder {
    for (const rung of this.#gate?.takeAll() ?? []) this.#place({ ...rung, fate: 'waits' });
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
      case 'release':
        this.#release(event.direction, event.segment, event.origin);
        return;
      default:
        this.#addSide(event);
    }
  }

  // ── Segments ──

  #addSegment(timeUs: number, direction: Direction, segment: SegmentFields): void {
    const rung = this.#makeRung(timeUs, direction, segment);
    if (direction === 'in' || this.#gate === null) {
      this.#place(rung);
      return;
    }
    this.#takeState(rung, 'ours');
    this.#gate.add(rung, 'sent');
  }

  #makeRung(
    timeUs: number,
    direction: Direction,
    segment: SegmentFields,
    origin: Origin = 'sent',
  ): Segment {
    const isAwaited = (as: 'inject' | 'copy') =>
      direction === 'in' && this.#takeAwaited(segment, as);
    const injected = isAwaited('inject') || origin === 'injected';
    const copied = !injected && (origin === 'copied' || isAwaited('copy'));
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
      remarks: copied ? ['a copy'] : [],
      window: null,
    };
    if (!injected && !copied) this.#noteRepetition(rung);
    if (direction === 'in' && !copied) this.#applyAwaited(rung);
    return rung;
  }

  /** The sender's new state stands beside the segment; the receiver's, if it has one, before it. */
  #place(rung: Segment): void {
    const [sender, receiver]: End[] =
      rung.direction === 'out' ? ['ours', 'theirs'] : ['theirs', 'ours'];
    if (rung.fate !== 'waits') this.#settle(receiver!);
    if (rung[sender!] === null && (sender === 'theirs' || this.#gate === null)) {
      this.#takeState(rung, sender!);
    }
    this.#rungs.push(rung);
    if (rung.fate === 'arrives') this.#reached[receiver!] = rung;
  }

  #takeState(rung: Segment, sender: End): void {
    const loose = this.#loose[sender];
    if (loose !== null && rung.from === 'end' && announces(rung.segment, loose.state)) {
      rung[sender] = loose.state;
      this.#loose[sender] = null;
    } else this.#settle(sender);
  }

  /** Only now can it reach its receiver; of what comes to us, our stack tells when it arrives. */
  #release(direction: Direction, segment: SegmentFields, origin: Origin): void {
    if (direction === 'in') {
      if (origin === 'copied') this.#awaited.push({ action: 'copy', segment });
      return;
    }
    const rung = this.#gate!.take(segment, origin);
    if (rung !== null) this.#place(rung);
  }

  /** In a simulation the other end tells when a segment of ours has arrived. */
  #arrivedThere(segment: SegmentFields): void {
    const rung = this.#findSent(segment);
    if (rung?.fate === 'arrives') this.#reached.theirs = rung;
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

  #addFault(fault: Fault, segment: SegmentFields): void {
    const { action, direction, timeUs } = fault;
    if (direction === 'in') {
      if (action === 'drop') this.#lostOnItsWay(fault, segment);
      else this.#awaited.push({ action, segment });
      return;
    }
    if (action === 'inject') {
      const rung = this.#makeRung(timeUs, 'out', segment, 'injected');
      if (this.#gate === null) this.#place(rung);
      else this.#gate.add(rung, 'injected');
      return;
    }
    const rung =
      this.#gate === null
        ? this.#findSent(segment)
        : this.#gate.find(segment, fault.origin ?? 'sent');
    if (rung !== null) this.#apply(rung, action);
    else if (action === 'drop') this.#lostOnItsWay(fault, segment);
  }

  /** Only the gate has seen it. */
  #lostOnItsWay({ timeUs, direction, origin }: Fault, segment: SegmentFields): void {
    this.#place({ ...this.#makeRung(timeUs, direction, segment, origin), fate: 'lost' });
  }

  #apply(rung: Segment, action: Fault['action']): void {
    if (action === 'drop') rung.fate = 'lost';
    else if (action === 'corrupt') rung.fate = 'corrupted';
    else if (action !== 'inject') rung.remarks = [...rung.remarks, REMARKS[action]];
    if (action === 'duplicate') this.#gate?.copy(rung);
    if (rung.fate === 'arrives') return;
    if (this.#reached.theirs === rung) this.#reached.theirs = null;
    // What is lost or spoilt at the gate waits there no longer.
    if (this.#gate?.remove(rung)) this.#place(rung);
  }

  #takeAwaited(segment: SegmentFields, action: Fault['action'] | 'copy'): boolean {
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
    if (event.connection === null) {
      this.#addListener(event);
      return;
    }
    this.#before[end] ??= from === NOT_SEEN ? null : from;
    const rung = this.#reached[end];
    const afterCall = this.#called[end];
    this.#called[end] = false;
    if (rung !== null && rung[end] === null && mayFollowSegment(event, afterCall)) {
      // A state that was entered before, and in which something is yet to be sent: the two may cross.
      if (this.#loose[end] !== null && sequenceLength(rung.segment) === 0) this.#settle(end);
      if (end === 'ours') this.#detachStates(this.#rungs.indexOf(rung));
      rung[end] = to;
      this.#reached[end] = null;
      return;
    }
    this.#settle(end);
    if (end === 'ours') this.#detachStates();
    const last = this.#rungs.at(-1);
    const atUs = timeUs - this.#startUs;
    const isReason = last?.kind === 'note' && last.end === end && atUs - last.timeUs < AT_ONCE_US;
    if (isReason && last[end] === null) last[end] = to;
    else this.#loose[end] = { state: to, timeUs: atUs };
  }

  /** LISTEN is where a connection comes from; what a listener does later is no business of its. */
  #addListener({ end, from, to, timeUs }: StateEvent): void {
    if (this.#before[end] !== null) return;
    this.#before[end] = from;
    this.#loose[end] = { state: to, timeUs: timeUs - this.#startUs };
    this.#settle(end);
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

  /** What is shown of our end now comes after the states of segments that are still at the gate. */
  #detachStates(at = this.#rungs.length): void {
    for (const rung of this.#gate?.announcing() ?? []) {
      const { timeUs, ours } = rung;
      this.#rungs.splice(at, 0, { timeUs, ours, theirs: null, kind: 'state' });
      rung.ours = null;
    }
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
    if (end === 'ours') this.#detachStates();
    const timeUs = atUs - this.#startUs;
    this.#rungs.push({ timeUs, ours: null, theirs: null, kind, end, text });
  }
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
