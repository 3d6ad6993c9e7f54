// Taking back what was a mistake: the Eifel algorithm (RFC 3522, RFC 4015) and D-SACKs (RFC 3708).
// Knows what was sent again in an episode; must not know windows.

import { seqGeq, seqLeq, seqLt } from '../wire/sequence.js';
import type { TcpSegment } from '../wire/tcp.js';
import type { Flight } from './flight.js';
import { timestampNow } from './segment-out.js';
import { lossCounters, segmentsOf, type Tcb } from './tcb.js';

/** An episode begins: cwnd is reduced. */
export function beginUndo(tcb: Tcb, flight: Flight): void {
  flight.mayUndo = true;
  flight.undoFrom = tcb.snd.una;
  flight.undoBytes = 0;
  flight.hasResent = false;
  flight.stamped = false;
  flight.lingers = false;
}

/** `bytes` were sent again; `first`: they begin at SND.UNA, so that the next new ACK is theirs. */
export function noteResent(tcb: Tcb, flight: Flight, bytes: number, first: boolean): void {
  if (!flight.mayUndo) return;
  flight.undoBytes = (flight.undoBytes + bytes) | 0;
  if (flight.hasResent) return;
  flight.hasResent = true;
  flight.stamped = first && tcb.timestamps;
  flight.resentStamp = timestampNow(tcb);
}

/** RFC 2883 §5: the peer has received something twice; by our doing, as far as it was sent again. */
export function noteDuplicate(tcb: Tcb, flight: Flight): void {
  const bytes = (flight.dsackEnd - flight.dsackStart) | 0;
  const ours = flight.mayUndo && flight.hasResent && flight.undoBytes > 0;
  if (!ours || !seqGeq(flight.dsackStart, flight.undoFrom)) return;
  flight.undoBytes = Math.max(flight.undoBytes - bytes, 0);
  lossCounters(tcb).spuriousRetransmits += segmentsOf(tcb, bytes);
}

/** Whether the episode turns out to have been a mistake. */
export function wasMistake(
  tcb: Tcb,
  flight: Flight,
  segment: TcpSegment,
  advances: boolean,
): boolean {
  if (!flight.mayUndo || !flight.hasResent) return false;
  // RFC 3708 §3: all that was sent again had arrived before.
  const dsack = flight.dsackStart !== flight.dsackEnd;
  if (dsack && flight.undoBytes === 0 && seqLeq(flight.dsackEnd, tcb.snd.max)) return true;
  // RFC 3522 §3.2: the first ACK of something new echoes an earlier transmission.
  if (!flight.stamped || !advances) return false;
  flight.stamped = false;
  return segment.hasTimestamps && seqLt(segment.tsEcr, flight.resentStamp);
}
