// Calls, conditions and segments in words, for those who watch. Must not know how they are carried out.

import type { Direction, SegmentFields } from '../trace/event.js';
import type { Call, Condition, Injection, Match } from './scenario.js';

/** `the peer calls connect`, `we call write (1000 bytes)`. */
export function callInWords(call: Call): string {
  const verb = call.end === 'ours' ? 'we call' : 'the peer calls';
  return `${verb} ${call.call}${callDetails(call)}`;
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

export const heading = (direction: Direction): string =>
  direction === 'out' ? 'to the peer' : 'to us';

/** `FIN,ACK`, `a segment with data`: the kind of segment that a match is about. */
export function matchInWords(match: Match): string {
  const { has = [], lacks = [], data, acknowledges, zeroWindow, direction } = match;
  const words = [
    has.length > 0 ? has.join(',') : 'segment',
    data === true ? 'with data' : '',
    data === false ? 'without data' : '',
    typeof data === 'number' ? `with ${bytes(data)}` : '',
    lacks.length > 0 ? `without ${lacks.join(',')}` : '',
    acknowledges ? `that acknowledges the ${acknowledges}` : '',
    zeroWindow ? 'that offers no window' : '',
    direction === 'out' ? 'from us' : 'from the peer',
  ];
  return words.filter((word) => word !== '').join(' ');
}

export function conditionInWords(condition: Condition): string {
  if ('quiet' in condition) return 'nothing waits at the gate';
  if ('seen' in condition) return `${times(condition.times)} ${matchInWords(condition.seen)}`;
  if ('unseen' in condition) return `no ${matchInWords(condition.unseen)}`;
  const who = condition.end === 'ours' ? 'we' : 'the peer';
  const verb = (ours: string, theirs: string) => (condition.end === 'ours' ? ours : theirs);
  if ('received' in condition)
    return `${who} ${verb('have', 'has')} read ${bytes(condition.received)}`;
  if ('sees' in condition) return `${who} ${verb('see', 'sees')} ${condition.sees}`;
  const { connections } = condition;
  return connections === undefined
    ? `${who} ${verb('are', 'is')} in ${condition.state}`
    : `${who} ${verb('have', 'has')} ${connections} connections in ${condition.state}`;
}

export function injectionInWords(injection: Injection): string {
  const data = injection.data === undefined ? '' : ` with ${bytes(injection.data)}`;
  return `a forged ${injection.flags.join(',')}${data} is put in at the gate, ${heading(injection.direction)}`;
}

export function times(count: number): string {
  return count === 1 ? 'one' : `${count} times`;
}

/** `SYN`, `PSH,ACK with 100 bytes`. */
export function segmentInWords({ flags, length }: SegmentFields): string {
  return length > 0 ? `${flags} with ${bytes(length)}` : flags;
}

const bytes = (count: number): string => (count === 1 ? 'one byte' : `${count} bytes`);
