// Pacing: a window goes out over the round trip, not in one burst that a short queue on the way would
// drop. Knows rates and credit in whole milliseconds, which is all that timers can tell; must not know
// why something may be sent.

import { payloadMss } from './segment-out.js';
import { congestionMemory, type Tcb } from './tcb.js';
import { armTimer, isArmed, PACING_TIMER } from './timers.js';

/** A shorter round trip has too few milliseconds to spread anything over. */
const SHORTEST_RTT_US = 4000;
/** From so many bytes in a millisecond on, a timer would release whole super-segments anyway. */
const FAST = 65_536;
/** Linux's factors: twice cwnd a round trip where it doubles, 1.2 times where it creeps. */
const SLOW_START = 2000;
const AVOIDANCE = 1200;
/** What may go at once after a pause: as much as the initial window (RFC 6928), or some late timers. */
const BURST_SEGMENTS = 10;
const BURST_MS = 4;
/** The least that is worth a timer. */
const QUANTUM_SEGMENTS = 2;

const NOT_NOW = -1;

/**
 * How many of `length` bytes may go now: all, some full segments, or -1; then the timer asks again.
 * The caller sends what it is allowed.
 */
export function paced(tcb: Tcb, length: number): number {
  if (tcb.rtt.smoothed < SHORTEST_RTT_US || length <= 0) return length;
  const { snd } = tcb;
  // PRR measures out what recovery sends.
  if (!tcb.config.pacing || snd.recovering) return length;
  const rate = bytesPerMs(tcb);
  return rate >= FAST ? length : spend(tcb, rate, length);
}

/** The pacing rate, 1 at least. */
function bytesPerMs(tcb: Tcb): number {
  const { cwnd, ssthresh } = tcb.snd;
  const factor = cwnd < ssthresh ? SLOW_START : AVOIDANCE;
  return Math.min((cwnd * factor) / tcb.rtt.smoothed + 1, FAST) | 0;
}

function spend(tcb: Tcb, rate: number, length: number): number {
  const { snd } = tcb;
  const now = tcb.host.clock.ms;
  const memory = congestionMemory(tcb);
  const mss = payloadMss(tcb);
  const most = Math.max(BURST_SEGMENTS * mss, BURST_MS * rate);
  const elapsed = (now - memory.paceMs) | 0;
  memory.paceMs = now;
  // A negative time is one so long that it has wrapped.
  memory.paceCredit = elapsed < 0 ? most : Math.min(memory.paceCredit + elapsed * rate, most);
  const quantum = Math.min(length, Math.max(QUANTUM_SEGMENTS * mss, rate - (rate % mss)));
  // Where nothing is in flight no ACK will ask again.
  if (memory.paceCredit < quantum && snd.una !== snd.max) {
    wait(tcb, Math.ceil((quantum - memory.paceCredit) / rate));
    return NOT_NOW;
  }
  const credit = Math.max(memory.paceCredit - (memory.paceCredit % mss), quantum);
  const allowed = Math.min(length, credit);
  memory.paceCredit = (memory.paceCredit - allowed) | 0;
  return allowed;
}

function wait(tcb: Tcb, ms: number): void {
  if (!isArmed(tcb, PACING_TIMER)) armTimer(tcb, PACING_TIMER, ms);
}
