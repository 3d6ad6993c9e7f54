// Whether cwnd is what limits sending: a window that is not used says nothing about the network and
// does not grow (RFC 7661 §4.3, RFC 9438 §5.8). Knows what was in flight; no controller.

import { seqGeq } from '../wire/sequence.js';
import { pipe } from './scoreboard.js';
import type { Tcb } from './tcb.js';

/**
 * To be called when something new was sent. Remembers the most that was in flight at once in this
 * round trip, and whether cwnd had no room for one segment more: the end of a round often looks
 * unused only because ACKs come in batches.
 */
export function noteWindowUse(tcb: Tcb): void {
  const snd = tcb.snd;
  const flight = tcb.sack ? pipe(tcb) : (snd.nxt - snd.una) | 0;
  const full = ((flight + snd.mss) | 0) > snd.cwnd;
  if (full || seqGeq(snd.una, snd.usedUntil) || (!snd.windowFull && flight > snd.mostUsed)) {
    snd.windowFull = full;
    snd.mostUsed = flight;
    snd.usedUntil = snd.nxt;
  }
}

/**
 * Whether the window may grow. In slow start a window of twice what is used may be reached, so that it
 * doubles although a round never fills it to the last segment (as Linux).
 */
export function windowIsUsed(tcb: Tcb): boolean {
  const snd = tcb.snd;
  return snd.windowFull || (snd.cwnd < snd.ssthresh && snd.cwnd >> 1 < snd.mostUsed);
}
