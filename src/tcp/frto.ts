// Forward RTO recovery: RFC 5682. Whether a timeout was spurious, as the first ACKs after it tell.
// Knows the order of its steps; must not know windows.
//
// Not implemented: §2, the same without SACK, and Eifel there: such peers are rare, and lose no more
// than they did.

import { seqLt } from '../wire/sequence.js';
import { endOfData } from './close.js';
import { type Flight, FRTO_NEW_DATA, FRTO_OFF, FRTO_TIMED_OUT } from './flight.js';
import type { Tcb } from './tcb.js';

/**
 * With SACK, §3.1: true when something arrives that was sent once only, before the timeout. Then it
 * was not lost, only late.
 */
export function wasSpuriousTimeout(tcb: Tcb, flight: Flight, advances: boolean): boolean {
  const phase = flight.frto;
  if (phase === FRTO_OFF) return false;
  // Step 3b
  if (advances && flight.originalDelivered) return true;
  // Step 2b: something new shows whether more of the old is on its way. Steps 2a and 3a: duplicates
  // tell that it is lost indeed.
  const goesOn = phase === FRTO_TIMED_OUT && advances && mayTryNewData(tcb);
  flight.frto = goesOn ? FRTO_NEW_DATA : FRTO_OFF;
  return false;
}

/** Data that were never sent, and a window for them. */
function mayTryNewData(tcb: Tcb): boolean {
  const { una, wnd, nxt, max } = tcb.snd;
  return nxt === max && seqLt(max, endOfData(tcb)) && ((una + wnd - nxt) | 0) > 0;
}
