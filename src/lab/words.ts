// Calls, conditions and segments in words, for those who watch. Must not know how they are carried out.

import type { Direction, End, SegmentFields } from '../trace/event.js';
import type { Call, Condition, Injection, Match } from './scenario.js';

/** What an end is called where one speaks of it. */
interface Voice {
  subject: string;
  object: string;
  /** Of verbs: `call` for `we`, `calls` for `the peer`. */
  isPlural: boolean;
}

export type Voices = Readonly<Record<End, Voice>>;

/** Those who watch a lab stand on our side. */
const LAB_VOICES: Voices = {
  ours: { subject: 'we', object: 'us', isPlural: true },
  theirs: { subject: 'the peer', object: 'the peer', isPlural: false },
};

/** `the peer calls connect`, `we call write (1000 bytes)`. */
export function callInWords(call: Call, voices = LAB_VOICES): string {
  const { subject, isPlural } = voices[call.end];
  return `${subject} ${isPlural ? 'call' : 'calls'} ${call.call}${callDetails(call)}`;
}

/** As a trace has it, where no stack tells it. */
export function callInTrace(call: Call): string {
  if (call.call === 'linger') return `linger ${call.ms} ms`;
  if (call.call === 'shutdown' && call.atEnd) return 'shutdown once the stream ends';
  return call.call === 'read' ? 'reads on' : call.call;
}

export const failureInTrace = ({ call }: Call, code: string): string =>
  `${call} fails with ${code}`;

function callDetails(call: Call): string {
  switch (call.call) {
    case 'write':
      return ` (${bytes(call.bytes)})`;
    case 'linger':
      return ` (${call.ms} ms)`;
    case 'listen':
      return call.reuseAddress ? ' (with address reuse)' : '';
    case 'shutdown':
      return call.atEnd ? ' (as soon as the stream ends)' : '';
    case 'connect':
      return call.samePort ? ' (from the same port as before)' : '';
    default:
      return '';
  }
}

/** `204 ms`, `58.1 s`, `119 min` */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(Math.round(ms), 0)} ms`;
  if (ms < 600_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

export const heading = (direction: Direction, voices = LAB_VOICES): string =>
  `to ${voices[direction === 'out' ? 'theirs' : 'ours'].object}`;

/** `FIN,ACK`, `a segment with data`: the kind of segment that a match is about. */
export function matchInWords(match: Match, voices = LAB_VOICES): string {
  const { has = [], lacks = [], data, acknowledges, zeroWindow, direction } = match;
  const words = [
    has.length > 0 ? has.join(',') : 'segment',
    data === true ? 'with data' : '',
    data === false ? 'without data' : '',
    typeof data === 'number' ? `with ${bytes(data)}` : '',
    lacks.length > 0 ? `without ${lacks.join(',')}` : '',
    acknowledges ? `that acknowledges the ${acknowledges}` : '',
    zeroWindow ? 'that offers no window' : '',
    direction === undefined ? '' : `from ${voices[direction === 'out' ? 'ours' : 'theirs'].object}`,
  ];
  return words.filter((word) => word !== '').join(' ');
}

export function conditionInWords(condition: Condition, voices = LAB_VOICES): string {
  if ('quiet' in condition) return 'nothing waits at the gate';
  if ('seen' in condition)
    return `${times(condition.times)} ${matchInWords(condition.seen, voices)}`;
  if ('unseen' in condition) return `no ${matchInWords(condition.unseen, voices)}`;
  const { subject, isPlural } = voices[condition.end];
  if ('received' in condition)
    return `${subject} ${isPlural ? 'have' : 'has'} read ${bytes(condition.received)}`;
  if ('sees' in condition) return `${subject} ${isPlural ? 'see' : 'sees'} ${condition.sees}`;
  const { connections, state } = condition;
  if (connections === undefined) return `${subject} ${isPlural ? 'are' : 'is'} in ${state}`;
  const count = connections === 1 ? 'one connection' : `${connections} connections`;
  return `${subject} ${isPlural ? 'have' : 'has'} ${count} in ${state}`;
}

export function injectionInWords(injection: Injection, voices = LAB_VOICES): string {
  const data = injection.data === undefined ? '' : ` with ${bytes(injection.data)}`;
  const where = heading(injection.direction, voices);
  return `a forged ${injection.flags.join(',')}${data} is put in at the gate, ${where}`;
}

export function times(count: number): string {
  return count === 1 ? 'one' : `${count} times`;
}

/** `SYN`, `PSH,ACK with 100 bytes`. */
export function segmentInWords({ flags, length }: SegmentFields): string {
  return length > 0 ? `${flags} with ${bytes(length)}` : flags;
}

const bytes = (count: number): string => (count === 1 ? 'one byte' : `${count} bytes`);
