// Proportional rate reduction: RFC 9937. How much may be sent for each ACK of fast recovery, so that
// what is in flight ends at ssthresh. Knows cwnd; must not know what is lost.

import type { Flight } from './flight.js';
import { pipe } from './scoreboard.js';
import type { Tcb } from './tcb.js';

/** §6: a recovery begins with the segment that is being processed, or with a timer. */
export function beginReduction(tcb: Tcb, flight: Flight): void {
  const outstanding = (tcb.snd.nxt - tcb.snd.una) | 0;
  flight.prrDelivered = 0;
  flight.prrOut = 0;
  // As it was before this ACK; what was SACKed earlier is not delivered in this recovery.
  flight.recoverFlight = Math.max((outstanding - flight.sackedBytes + flight.delivered) | 0, 1);
}

/**
 * §6.2: cwnd for this ACK. `safe`: SND.UNA advanced and no further loss showed, so that recovery
 * makes good progress.
 */
export function reduce(tcb: Tcb, flight: Flight, safe: boolean): void {
  const { snd } = tcb;
  const inFlight = pipe(tcb);
  const delivered = flight.delivered;
  // A timer that finds losses delivers nothing, and may begin the recovery all the same.
  if (delivered === 0 && flight.prrOut > 0) return;
  flight.prrDelivered = (flight.prrDelivered + delivered) | 0;
  let send: number;
  if (inFlight > snd.ssthresh) {
    const share = flight.prrDelivered * (snd.ssthresh / flight.recoverFlight);
    send = Math.ceil(share) - flight.prrOut;
  } else {
    // Below ssthresh packets are conserved (PRR-CRB), or, in good progress, slow start (PRR-SSRB).
    send = Math.max(flight.prrDelivered - flight.prrOut, delivered) + (safe ? snd.mss : 0);
    send = Math.min(send, snd.ssthresh - inFlight);
  }
  send = Math.max(send, 0);
  // The first retransmission goes out at once.
  if (flight.prrOut === 0) send = Math.max(send, snd.mss);
  snd.cwnd = (inFlight + send) | 0;
}
