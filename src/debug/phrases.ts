// How things are said in one line: times, packets, ends, changes. Knows views; must not know where lines go.

import { duration } from '../lab/words.js';
import type { Direction, End } from '../trace/event.js';
import type { Action, HeldLook, Reason } from './debuggee.js';
import type { Change, EndView, View } from './view.js';

/** `0.304 s` */
export function seconds(us: number): string {
  return `${(us / 1e6).toFixed(3)} s`;
}

/** The other end is a kernel, or a second stack of ours. */
export function endName(end: End, kind: View['kind']): string {
  if (end === 'ours') return 'ours';
  return kind === 'simulation' ? 'theirs' : 'kernel';
}

/** Ours stand left, so what we send goes to the right. */
export function arrow(direction: Direction): string {
  return direction === 'out' ? '→' : '←';
}

/** @param shown the connection that is on the screen: packets of others say whose they are */
export function packet(held: HeldLook, shown: string | null): string {
  const { id, direction, text, origin, again, connection } = held;
  const made = { sent: again ? ' · again' : '', copied: ' · a copy', injected: ' · forged' }[
    origin
  ];
  const other = connection === null || connection === shown ? '' : ` · of ${connection}`;
  return `#${id} ${arrow(direction)} ${text}${made}${other}`;
}

export function change({ field, from, to }: Change): string {
  return from === '' ? `${field} ${to}` : `${field} ${from} → ${to}`;
}

/** What changed of an end; of a kernel's, what it shows of itself. */
export function changeLine(end: EndView): string {
  if (end.tcb !== null) {
    return end.changes.length === 0 ? 'no change' : end.changes.map(change).join(', ');
  }
  if (end.queues === null) return '';
  const { send, receive, retransmits } = end.queues;
  return `to send ${send}, to read ${receive}, repeated ${retransmits}`;
}

/** Timers that run, the first one first. */
export function timers(end: EndView): string {
  const all = end.tcb === null ? [] : [...end.tcb.timers];
  if (all.length === 0 && end.timer !== null) all.push(end.timer);
  all.sort((a, b) => a.ms - b.ms);
  return all.length === 0
    ? 'none'
    : all.map(({ name, ms }) => `${name} in ${duration(ms)}`).join(', ');
}

export function reason(told: Reason, kind: View['kind']): string {
  const whose = told.end === null ? '' : `${endName(told.end, kind)}: `;
  const section = told.section === '' ? '' : ` (${told.section})`;
  return `${whose}${told.what}${told.why === '' ? '' : `. ${told.why}`}${section}`;
}

/** What is to be said about the moment as a whole, the most urgent first; empty lines are left out. */
export function remarks(view: View): string[] {
  return [
    ...(view.message === null ? [] : [view.message]),
    ...(view.struck.length === 0 ? [] : [`stopped at ${view.struck.join(', ')}`]),
    ...(view.recorded ? [RECORDED] : []),
    ...(view.verdict === null ? [] : [verdictLine(view.verdict)]),
    ...clockBanner(view),
  ];
}

const RECORDED = 'recorded: no kernel can be rewound; step goes on, B does so in simulation';

function verdictLine({ passed, failures }: NonNullable<View['verdict']>): string {
  if (passed) return 'the end: the scenario went as it must';
  return `the end: not as the scenario goes: ${failures.join('; ')}`;
}

/** While somebody thinks, a kernel does not wait. */
function clockBanner({ kind, theirs, recorded, done }: View): string[] {
  if (kind === 'simulation' || recorded || done) return [];
  const { timer, queues } = theirs;
  if (timer === null && queues === null) return [];
  const first = 'while you think only the kernel’s clock runs';
  if (timer === null) return [`${first}; it has set no timer`];
  const what = KERNEL_TIMERS[timer.name] ?? `its ${timer.name} timer runs out`;
  return [`${first}: ${what} in ${duration(timer.ms)}`];
}

/** What a kernel does when its timer runs out. */
const KERNEL_TIMERS: Readonly<Record<string, string>> = {
  retransmit: 'it sends again',
  'time-wait': 'its TIME-WAIT ends',
  persist: 'it probes our window',
  keepalive: 'it asks whether we live',
};

/** As it would be typed. */
export function describeAction(action: Action): string {
  if (action.do === 'inject') return `inject ${action.what} to ${action.towards}`;
  return 'packet' in action ? `${action.do} ${action.packet}` : action.do;
}

export function haveSameStates(one: View, other: View): boolean {
  return one.ours.state === other.ours.state && one.theirs.state === other.theirs.state;
}

/** How a simulation compares with the kernel's run that it repeats. */
export function compared(kernel: View, simulation: View, refused: number): string {
  const actions = refused === 1 ? 'one action' : `${refused} actions`;
  const skipped = refused === 0 ? '' : `; ${actions} found nothing to act on`;
  if (haveSameStates(kernel, simulation)) {
    return `in simulation from here, both ends in the kernel run’s states${skipped}`;
  }
  return (
    'in simulation from here, which differs: the kernel run had ' +
    `${kernel.ours.state} and ${kernel.theirs.state}${skipped}`
  );
}

/** How far it got, for when the screen is gone. */
export function farewell({ kind, title, step, ours, theirs, verdict }: View): string {
  const states = `ours ${ours.state}, ${endName('theirs', kind)} ${theirs.state}`;
  const where = `${title}, step ${step}: ${states}`;
  if (kind === 'live') return where; // a stack that serves has no end
  if (verdict === null) return `${where}; left before its end`;
  return `${where}; ${verdict.passed ? 'went' : 'did not go'} as it must`;
}
