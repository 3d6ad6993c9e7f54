// What ladders say: of segments and runs of them, and of all else that happens; and of what they say
// nothing. Knows words only.

import { type TraceEvent, TWO_MSL } from './event.js';
import type { RunRung, SegmentRung } from './ladder.js';

/** Timers that run out so often, or mean so little, that a ladder is clearer without them. */
const QUIET_TIMERS = ['delayed-ack', 'pacing', 'reorder'];
/** What timers do not say already, in words for people (`Probe.congestion`). */
const CONGESTION: Readonly<Record<string, string>> = {
  'fast-retransmit': 'lost: sent again before the timer',
  undo: 'it was not lost: cwnd as before',
  reordering: 'segments overtake each other',
  'ecn-echo': 'the network is congested: cwnd shrinks',
  hystart: 'slow start ends',
};
/** Calls that come with all data, or with every connection. */
const QUIET_CALLS = ['accept', 'read', 'write'];

/**
 * A call or a note; null where a ladder is clearer without it.
 * @param twoMslRuns a record in TIME-WAIT is there already
 */
export function sayEvent(
  event: TraceEvent,
  twoMslRuns: boolean,
): { kind: 'call' | 'note'; text: string } | null {
  const note = (text: string) => ({ kind: 'note', text }) as const;
  switch (event.kind) {
    case 'call':
      if (QUIET_CALLS.includes(event.call)) return null;
      return { kind: 'call', text: /^\w+$/.test(event.call) ? `${event.call}()` : event.call };
    case 'timer': {
      const { action, timer } = event;
      if (timer === TWO_MSL && action === 'armed')
        return twoMslRuns ? note('2MSL begin anew') : null;
      if (action !== 'fired' || QUIET_TIMERS.includes(timer)) return null;
      return note(timer === TWO_MSL ? '2MSL are over' : `${timer} timer`);
    }
    case 'drop':
      return note(`dropped: ${event.reason}`);
    case 'congestion':
      return event.event in CONGESTION ? note(CONGESTION[event.event]!) : null;
    case 'news':
      return sayNews(event.news);
    default:
      return null;
  }
}

/** What a program is told: that its connection is over is seen without it. */
function sayNews(news: string): { kind: 'note'; text: string } | null {
  if (news === 'close') return null;
  return { kind: 'note', text: news === 'end' ? 'end of stream' : `error: ${news}` };
}

/** `1,234,567` */
function formatNumber(count: number): string {
  return count.toLocaleString('en-US');
}

/** `45 segments, 64,260 bytes, 12 ACKs` */
export function describeRun({ segments, bytes, acks }: RunRung): string {
  const parts: string[] = [];
  if (segments > 0)
    parts.push(`${formatNumber(segments)} segments`, `${formatNumber(bytes)} bytes`);
  if (acks > 0) parts.push(`${formatNumber(acks)} ${acks === 1 ? 'ACK' : 'ACKs'}`);
  return parts.join(', ');
}

/** Its label with all that is to be said about it: `FIN,ACK seq 1 ack 1 (again, delayed)`. */
export function describeSegmentRung(rung: SegmentRung): string {
  const { label, remarks, from, fate, window } = rung;
  const notes = [...remarks];
  if (from === 'gate') notes.unshift('injected');
  if (fate === 'corrupted') notes.unshift('corrupted');
  if (fate === 'waits') notes.unshift('waits');
  const text = window === null ? label : `${label} win ${window}`;
  return notes.length === 0 ? text : `${text} (${notes.join(', ')})`;
}

const SHORT_REMARKS: Readonly<Record<string, string>> = {
  corrupted: 'bad',
  duplicated: 'twice',
  overtaken: 'late',
};

/**
 * The same in so many letters: remarks get shorter, then the flags that hardly ever miss go, and numbers never
 * before remarks.
 */
export function fitSegmentRung(rung: SegmentRung, width: number): string {
  const whole = describeSegmentRung(rung);
  if (whole.length <= width) return whole;
  const short = whole.replace(/corrupted|duplicated|overtaken/g, (word) => SHORT_REMARKS[word]!);
  if (short.length <= width) return short;
  const withoutAck = short.replace(/,ACK /, ' ');
  if (withoutAck.length <= width) return withoutAck;
  return cutText(withoutAck.replace(/^(?:PSH|ACK) |,PSH(?= )/, ''), width);
}

/** At most `width` letters; what is cut off leaves a mark. */
export function cutText(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(width - 1, 0))}…`;
}
