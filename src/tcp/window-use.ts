// Whether cwnd is what limits sending: a window that is not used says nothing about the network and
// does not grow (RFC 7661 §4.3, RFC 9438 §5.8). Knows what was in flight; no controller.

import { seqGeq } from '../wire/sequence.js';
import { pipe } from './scoreboard.js';
import { congestionMemory, type Tcb } from './tcb.js';

/**
 * To be called when something new was sent. Remembers the most that was in flight at once in this
 * round trip, and whether cwnd had no room for one segment more: the end of a round often looks
 * unused only because ACKs come in batches.
 */
export function noteWindowUse(tcb: Tcb): void {
  const snd = tcb.snd;
  const flight = tcb.sack ? pipe(tcb) : (snd.nxt - snd.una) | 0;
  const full = ((flight + snd.mss) | 0) > snd.cwnd;
  const memory = congestionMemory(tcb);
  const fuller = !memory.windowFull && flight > memory.mostUsed;
  if (full || fuller || seqGeq(snd.una, memory.usedUntil)) {
    memory.windowFull = full;
    memory.mostUsed = flight;
    memory.usedUntil = snd.nxt;
  }
}

/**
 * Whether the window may grow. In slow start a window of twice what is used may be reached, so that it
 * doubles although a round never fills it to the last segment (as Linux).
 */
export function windowIsUsed(tcb: Tcb): boolean {
  const { cwnd, ssthresh, congestion } = tcb.snd;
  if (congestion === null) return false;
  return congestion.windowFull || (cwnd < ssthresh && cwnd >> 1 < congestion.mostUsed);
}
