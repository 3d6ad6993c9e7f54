// One moment of a debugging session as plain data: all that a screen needs. Knows what changed since the
// moment before; must not know how it is shown.

import type { TcbSnapshot, TraceEvent } from '../trace/event.js';
import type { Debuggee, EndLook, HeldLook, Look, Reason } from './debuggee.js';
import { reasons } from './why.js';

/** A field of a control block that is not what it was. */
export interface Change {
  /** `SND.UNA`. */
  field: string;
  from: string;
  to: string;
}

export interface EndView extends EndLook {
  changes: readonly Change[];
}

export interface View {
  kind: Debuggee['kind'];
  title: string;
  /** Steps since the beginning; and how many are recorded. */
  step: number;
  steps: number;
  /** What led here, as it would be typed; empty at the beginning. */
  action: string;
  /** Since the beginning. */
  timeUs: number;
  connection: string | null;
  ours: EndView;
  theirs: EndView;
  held: readonly HeldLook[];
  /** Number of the packet that the next deed strikes; null when nothing waits. */
  chosen: number | null;
  next: Look['next'];
  why: readonly Reason[];
  /** What has happened in this step. */
  fresh: readonly TraceEvent[];
  /** Events before this index have happened; times of events count from `startUs`. */
  upTo: number;
  startUs: number;
  done: boolean;
  verdict: Look['verdict'];
  /** The moment is over: the other end cannot be brought back to it. */
  recorded: boolean;
  /** Breakpoints that have just been struck, as they would be typed. */
  struck: readonly string[];
  /** Something to be said once: a refusal, how a replay went. */
  message: string | null;
}

/** What a view is made from besides the look itself. */
export interface Circumstances {
  kind: View['kind'];
  title: string;
  step: number;
  action: string;
  /** The moment before; null at the beginning. */
  before: View | null;
  /** Index of the first event of this step. */
  since: number;
  /** When it began, by the clock of our stack. */
  startUs: number;
}

export function makeView(look: Look, circumstances: Circumstances): View {
  const { kind, title, step, action, before, since, startUs } = circumstances;
  const { events, timeUs, connection, held, next, done, verdict } = look;
  const fresh = [...after(events, since), ...kernelRepeated(look, before)];
  return {
    kind,
    title,
    step,
    steps: step,
    action,
    timeUs: timeUs - startUs,
    connection,
    ours: withChanges(look.ours, before?.ours ?? null),
    theirs: withChanges(look.theirs, before?.theirs ?? null),
    held,
    chosen: next.packet ?? held[0]?.id ?? null,
    next,
    why:
      before === null && look.about !== null
        ? [look.about]
        : reasons(fresh, leftGate(before, held), (packet) => receiver(before, packet)),
    fresh,
    upTo: nextIndex(events),
    startUs,
    done,
    verdict,
    recorded: false,
    struck: [],
    message: null,
  };
}

/** A kernel only tells how often it has sent something again: where that grows, its timer has run out. */
function kernelRepeated({ theirs, connection, timeUs }: Look, before: View | null): TraceEvent[] {
  const earlier = before?.connection === connection ? (before.theirs.queues?.retransmits ?? 0) : 0;
  if ((theirs.queues?.retransmits ?? 0) <= earlier) return [];
  const common = { index: -1, timeUs, end: 'theirs', connection, tcb: null } as const;
  return [{ ...common, kind: 'timer', action: 'fired', timer: 'retransmit', delayMs: null }];
}

/** What waited and does so no more. */
function leftGate(before: View | null, held: readonly HeldLook[]): readonly HeldLook[] {
  return before?.held.filter(({ id }) => held.every((other) => other.id !== id)) ?? [];
}

/** Whom a packet was for, as that end was before; only the connection that is shown is known. */
function receiver(before: View | null, { connection, direction }: HeldLook): EndLook | null {
  if (before === null || connection === null || connection !== before.connection) return null;
  return direction === 'in' ? before.ours : before.theirs;
}

/** Events from index `since` on; they are in order, and without gaps. */
function after(events: readonly TraceEvent[], since: number): readonly TraceEvent[] {
  const first = events[0]?.index ?? 0;
  return events.slice(Math.max(since - first, 0));
}

/** Index that the next event will have. */
function nextIndex(events: readonly TraceEvent[]): number {
  return (events.at(-1)?.index ?? -1) + 1;
}

function withChanges(now: EndLook, before: EndLook | null): EndView {
  return { ...now, changes: now.tcb === null ? [] : changes(before?.tcb ?? null, now.tcb) };
}

/** A field by its name in RFC 9293, and how people want to see it. */
type Field = [name: string, show: (tcb: TcbSnapshot) => string];

// Sequence numbers count from the initial ones, as in every trace that people read.
const FIELDS: readonly Field[] = [
  ['SND.UNA', (tcb) => relative(tcb.sndUna, tcb.iss)],
  ['SND.NXT', (tcb) => relative(tcb.sndNxt, tcb.iss)],
  ['RCV.NXT', (tcb) => relative(tcb.rcvNxt, tcb.irs)],
  ['FIN', (tcb) => tcb.fin],
  ['SND.WND', (tcb) => String(tcb.sndWnd)],
  ['RCV.WND', (tcb) => String(tcb.rcvWnd)],
  ['to send', (tcb) => String(tcb.sendQueue)],
  ['to read', (tcb) => String(tcb.receiveQueue)],
  ['CWND', (tcb) => String(tcb.cwnd)],
  ['SSTHRESH', (tcb) => (tcb.ssthresh >= 0x7fffffff ? 'none' : String(tcb.ssthresh))],
  ['RTO', (tcb) => `${tcb.rtoMs} ms`],
];

/** What is not as it was; of a new control block what is not empty. */
function changes(before: TcbSnapshot | null, now: TcbSnapshot): Change[] {
  if (before === null) {
    return FIELDS.map(([field, show]) => ({ field, from: '', to: show(now) })).filter(
      ({ to }) => to !== '0' && to !== 'none',
    );
  }
  return FIELDS.flatMap(([field, show]) => {
    const [from, to] = [show(before), show(now)];
    return from === to ? [] : [{ field, from, to }];
  });
}

/** Before an initial number is known, what would be relative to it says nothing. */
function relative(seq: number, initial: number): string {
  return initial === 0 && seq === 0 ? '0' : String((seq - initial) >>> 0);
}
