// Why something has happened: the rule of the diagram, or of the algorithm whose timer ran out. Knows
// events and sections; must not know who asks.

import { STATE_NAMES } from '../tcp/state.js';
import { TRANSITIONS, type Transition } from '../tcp/transitions.js';
import { type End, type SegmentFields, type TraceEvent, TWO_MSL } from '../trace/event.js';
import { hasFlag, sequenceLength } from '../trace/segment.js';
import type { EndLook, HeldLook, Reason } from './debuggee.js';

/** What it means that a timer has run out. */
const TIMERS: Readonly<Record<string, readonly [why: string, section: string]>> = {
  retransmit: [
    'No ACK came in time: the oldest segment goes again, and the next wait is twice as long.',
    'RFC 6298 §5.4, §5.5',
  ],
  persist: [
    'The peer’s window is closed: a probe asks whether it has opened.',
    'RFC 9293 §3.8.6.1',
  ],
  'delayed-ack': [
    'No answer came that the ACK could travel with: it goes alone.',
    'RFC 9293 §3.8.6.3',
  ],
  keepalive: ['Silence for long: is the peer still there?', 'RFC 9293 §3.8.4'],
  'fin-wait-2': [
    'Nobody reads any more and the peer does not close.',
    'Linux tcp(7), tcp_fin_timeout',
  ],
  linger: ['SO_LINGER’s time is over: what is unacknowledged is given up.', 'socket(7)'],
  'loss-probe': [
    'The last segment may be lost, which no later ACK could tell: it is sent again, ahead of the RTO.',
    'RFC 8985 §7.3',
  ],
  reorder: ['What was overtaken has not come: it is lost.', 'RFC 8985 §6.2'],
  pacing: ['The next burst may go.', 'RFC 9293 §3.8.2'],
};

const FAULTS: Readonly<Record<string, readonly [what: string, why: string]>> = {
  drop: ['is lost', 'Nobody is told: its sender finds out by silence, and repeats it.'],
  delay: ['is held back', 'Others overtake it.'],
  duplicate: ['comes twice', 'Numbers tell its receiver that it has the second one already.'],
  swap: ['is overtaken', 'Numbers tell its receiver which one comes first.'],
  corrupt: ['is damaged', 'Its checksum is wrong: the receiver drops it without a word.'],
  inject: ['is forged', 'Nobody has sent it: only its numbers decide whether it is believed.'],
};

/** Nobody acknowledges what takes no sequence number. */
const LOST_ACK = [
  'is lost',
  'Nobody repeats an ACK: unless a later one says the same, what it acknowledged comes again.',
] as const;

/** Why a segment is thrown away, by the reason that the stack gives. */
const DROPS: Readonly<Record<string, readonly [why: string, section: string]>> = {
  'means nothing in TIME-WAIT': [
    'A RST is not obeyed here, and an ACK that fits needs no answer.',
    'RFC 1337 §3',
  ],
  'not expected in TIME-WAIT': [
    'It is of the past: an ACK says where we stand.',
    'RFC 9293 §3.10.7.4, first check',
  ],
  'RST not at RCV.NXT': [
    'Whoever knows only roughly where we are may have forged it: only the very next number is obeyed, and for another one in the window an ACK asks its sender to say it exactly.',
    'RFC 5961 §3.2',
  ],
  'SYN in the window': [
    'A SYN cannot end a connection that exists: an ACK asks its sender to prove itself.',
    'RFC 5961 §4.2',
  ],
  'ACK of what was never sent': [
    'It belongs to another connection: a RST says so.',
    'RFC 9293 §3.5.2',
  ],
  'outside window': [
    'Not what is expected next, nor soon: an ACK says what is, unless it is a RST.',
    'RFC 9293 §3.10.7.4, first check',
  ],
  'accept queue full': [
    'The program accepts too slowly: whoever calls will call again.',
    'listen(2)',
  ],
  'backlog full': ['The program accepts too slowly: whoever calls will call again.', 'listen(2)'],
  'RST for no connection': [
    'A RST is never answered: there is nothing to be ended.',
    'RFC 9293 §3.10.7.1',
  ],
  'RST in LISTEN': [
    'A listener has nothing that could be ended.',
    'RFC 9293 §3.10.7.2, first check',
  ],
  'RST without an ACK of our SYN': [
    'Only whoever has seen our SYN can refuse it: anybody else may have forged this.',
    'RFC 9293 §3.10.7.3, second check',
  ],
  'no SYN': ['It neither opens the connection nor refuses it.', 'RFC 9293 §3.10.7.3, fifth check'],
  'no ACK': [
    'Once a connection exists each segment says what has arrived.',
    'RFC 9293 §3.10.7.4, fifth check',
  ],
  'ACK outside what was sent': [
    'It acknowledges what was never sent, or what is long past: an ACK says where we stand.',
    'RFC 5961 §5.2',
  ],
  'received before': [
    'Its numbers say that it has come already: an ACK says what is expected next.',
    'RFC 9293 §3.10.7.4, first check',
  ],
  'beyond the window': [
    'There is no room for it: its sender keeps it, and sends it again.',
    'RFC 9293 §3.10.7.4, first check',
  ],
  'text behind the FIN': [
    'Nothing can follow the end of the stream.',
    'RFC 9293 §3.10.7.4, seventh check',
  ],
  'no SYN in LISTEN': ['Only a SYN can begin a connection.', 'RFC 9293 §3.10.7.2'],
  'bad checksum': ['Damaged on its way: nothing in it can be believed.', 'RFC 9293 §3.1'],
};

/** 2MSL that begin again: only a repeated FIN does that. */
const ANEW: Reason = {
  end: null,
  what: '2MSL begin anew',
  why: 'The peer repeats its FIN, so our last ACK was lost: it is acknowledged again.',
  section: 'RFC 9293 §3.10.7.4, eighth check',
};

/** What a call means that changes no state. */
const CALLS: Readonly<Record<string, readonly [why: string, section: string]>> = {
  listen: ['A listener waits for connections.', 'RFC 9293 §3.10.1'],
  unlisten: ['No more connections are accepted; those that exist stay.', 'RFC 9293 §3.10.4'],
  write: ['What windows let through goes out; the rest is queued.', 'RFC 9293 §3.10.2'],
  read: ['The program takes what has arrived, which makes room in the window.', 'RFC 9293 §3.10.3'],
  pause: ['The program reads no more: what arrives fills the window.', 'RFC 9293 §3.8.6'],
  linger: ['The next close waits so long for its FIN to be acknowledged.', 'socket(7), SO_LINGER'],
};

/** The end that a segment comes to, as it was before; null where that is not known. */
export type ReceiverOf = (held: HeldLook) => Pick<EndLook, 'state' | 'tcb'> | null;

/**
 * The reasons for what happened in a step, the most telling first.
 * @param left what has left the gate
 */
export function reasons(
  events: readonly TraceEvent[],
  left: readonly HeldLook[],
  receiverOf: ReceiverOf = () => null,
): Reason[] {
  const states: Reason[] = [];
  const others: Reason[] = [];
  const plain: Reason[] = [];
  for (const event of events) {
    if (event.kind === 'state') states.push(forState(event));
    else if (event.kind === 'fault') others.push(forFault(event));
    else if (event.kind === 'timer' && event.action === 'fired') others.push(forTimer(event));
    else if (isAnew(event, events)) others.push({ ...ANEW, end: event.end });
    else if (event.kind === 'drop') others.push(forDrop(event));
    else if (event.kind === 'call') plain.push(...forCall(event));
    else if (event.kind === 'segment') plain.push(forSegment(event));
  }
  // A state tells more than the segment that led to it.
  const told = [...states, ...others];
  if (told.length === 0) told.push(...left.map((held) => forPassage(held, receiverOf(held))));
  return withoutRepetition(told.length > 0 ? told : plain);
}

/** TIME-WAIT is not entered, but its time is set once more. */
function isAnew(event: TraceEvent, events: readonly TraceEvent[]): boolean {
  if (event.kind !== 'timer' || event.timer !== TWO_MSL || event.action !== 'armed') return false;
  return events.every(
    (other) => other.kind !== 'state' || other.to !== 'TIME-WAIT' || other.end !== event.end,
  );
}

/** Data after data has the same reason. */
function withoutRepetition(told: readonly Reason[]): Reason[] {
  return told.filter(
    (reason, i) =>
      i === 0 || `${reason.what}${reason.why}` !== `${told[i - 1]!.what}${told[i - 1]!.why}`,
  );
}

type Of<Kind extends TraceEvent['kind']> = Extract<TraceEvent, { kind: Kind }>;

function forState(event: Of<'state'>): Reason {
  const { end, from, to } = event;
  const rule = event.event === '' ? ruleFor(from, to) : event;
  const cause = rule === null || rule.event === '' ? '' : `, ${rule.event}`;
  return {
    end,
    what: `${from} → ${to}${cause}`,
    why: rule === null ? 'Seen from outside; nothing says why.' : seenFrom(end, rule.why),
    section: rule?.section ?? '',
  };
}

/** The diagram speaks of whoever it is about as "we". */
function seenFrom(end: End, why: string): string {
  return end === 'ours' ? why : `Seen from there: ${why.charAt(0).toLowerCase()}${why.slice(1)}`;
}

/** What the diagram says of a change that was only seen from outside; null where it has several reasons. */
function ruleFor(from: string, to: string): Transition | null {
  const rules = TRANSITIONS.filter(
    (rule) => STATE_NAMES[rule.from] === from && STATE_NAMES[rule.to] === to,
  );
  return rules.length === 1 ? rules[0]! : null;
}

function forFault({ action, segment }: Of<'fault'>): Reason {
  const [what, why] =
    action === 'drop' && segment !== null && sequenceLength(segment) === 0
      ? LOST_ACK
      : FAULTS[action]!;
  return { end: null, what: `${segment?.flags ?? 'a packet'} ${what}`, why, section: '' };
}

function forTimer({ end, timer }: Of<'timer'>): Reason {
  const [why, section] = TIMERS[timer] ?? ['', ''];
  return { end, what: `${timer} timer ran out`, why, section };
}

function forDrop({ end, reason }: Of<'drop'>): Reason {
  const [why, section] = DROPS[reason] ?? ['', ''];
  return { end, what: `thrown away: ${reason}`, why, section };
}

function forCall({ end, call }: Of<'call'>): Reason[] {
  const name = call.split(' ')[0]!;
  if (!Object.hasOwn(CALLS, name)) return [];
  const [why, section] = CALLS[name]!;
  return [{ end, what: `calls ${name}`, why, section }];
}

type Rule = readonly [why: string, section: string];

/** A segment has gone on its way, and changed no state. */
function forPassage(held: HeldLook, receiver: ReturnType<ReceiverOf>): Reason {
  const { direction, text, again, segment } = held;
  const end: End = direction === 'in' ? 'ours' : 'theirs';
  if (segment === null) return { end, what: `gets ${text}`, why: '', section: '' };
  const [why, section] = meaningTo(segment, receiver) ?? (again ? REPETITION : meaning(segment));
  return { end, what: `gets ${text}`, why, section };
}

const REPETITION: Rule = [
  'A repetition: whoever has it already acknowledges it again, and drops it.',
  'RFC 9293 §3.10.7.4, first check',
];
const RST_FOR_NOBODY: Rule = [
  'There is no connection that it could end, and a RST is never answered.',
  'RFC 9293 §3.10.7.1',
];
const FOR_NOBODY: Rule = [
  'There is no such connection, or not any more: a RST says so.',
  'RFC 9293 §3.10.7.1',
];
const ACK_IN_LISTEN: Rule = [
  'A listener has sent nothing that could be acknowledged: a RST says so.',
  'RFC 9293 §3.10.7.2, second check',
];
const OLD_ACK: Rule = [
  'It acknowledges nothing that was not acknowledged before, and may only tell of the window.',
  'RFC 9293 §3.10.7.4, fifth check',
];

/** What a segment means to just this end; null where it means what it always does. */
function meaningTo(segment: SegmentFields, receiver: ReturnType<ReceiverOf>): Rule | null {
  if (receiver === null) return null;
  const { state, tcb } = receiver;
  if (state === 'CLOSED') {
    if (hasFlag(segment, 'RST')) return RST_FOR_NOBODY;
    // A SYN alone is for a listener, which is no connection.
    return segment.flags === 'SYN' ? null : FOR_NOBODY;
  }
  if (state === 'LISTEN') {
    if (hasFlag(segment, 'RST')) return DROPS['RST in LISTEN']!;
    return hasFlag(segment, 'ACK') ? ACK_IN_LISTEN : null;
  }
  if (tcb === null || segment.flags !== 'ACK' || segment.length > 0) return null;
  return ((segment.ack - tcb.sndUna) | 0) <= 0 ? OLD_ACK : null;
}

/** Direction is seen from our end, whoever tells of the segment. */
function forSegment({ end, direction, segment }: Of<'segment'>): Reason {
  const verb = (direction === 'out') === (end === 'ours') ? 'sent' : 'got';
  const [why, section] = meaning(segment);
  return { end, what: `${verb} ${segment.flags}`, why, section };
}

function meaning(segment: SegmentFields): Rule {
  if (hasFlag(segment, 'RST'))
    return [
      'It ends the connection at once, if its number is exact.',
      'RFC 9293 §3.10.7.4, second check',
    ];
  if (hasFlag(segment, 'SYN'))
    return ['A SYN takes one sequence number, so that it can be acknowledged.', 'RFC 9293 §3.4'];
  if (hasFlag(segment, 'FIN')) {
    return [
      'A FIN takes one sequence number: it is acknowledged, and repeated, like data.',
      'RFC 9293 §3.4',
    ];
  }
  if (segment.length > 0) {
    return ['Data: kept by its sender until it is acknowledged.', 'RFC 9293 §3.4'];
  }
  return ['All before its ack number has arrived.', 'RFC 9293 §3.4'];
}
