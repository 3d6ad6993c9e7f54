// The window that we offer, RFC 9293 §3.8.6.2.2 and RFC 7323 §2. Knows buffer and right edge; must
// not know when an ACK goes out.

import type { Tcb } from './tcb.js';

/** Largest value of the window field. */
const WINDOW_FIELD_MAX = 0xffff;

/** Shift that lets `bytes` be said in 16 bits (RFC 7323 §2.3: at most 14). */
export function windowShiftFor(bytes: number): number {
  let shift = 0;
  while (shift < 14 && bytes >> shift > WINDOW_FIELD_MAX) shift++;
  return shift;
}

/** Bytes that the peer may still send: what was promised and not yet used. */
export function promisedWindow(tcb: Tcb): number {
  return (tcb.rcv.edge - tcb.rcv.nxt) | 0;
}

/**
 * Bytes that may be unread. Under memory pressure windows close instead of data being thrown away: the
 * more of the arena is taken, the smaller the share that each connection counts on.
 */
function receiveBuffer(tcb: Tcb): number {
  const { arena } = tcb.host;
  return Math.min(tcb.rcv.limit, (arena.capacity - arena.used) >> 2);
}

/**
 * Bytes to offer now. The right edge never moves left (RFC 9293 SHOULD-14), and moves right only by
 * a worthwhile step (MUST-39): half the buffer or a full segment.
 */
export function windowToOffer(tcb: Tcb): number {
  const rcv = tcb.rcv;
  const promised = promisedWindow(tcb);
  const buffer = receiveBuffer(tcb);
  const free = Math.min(Math.max(buffer - rcv.ring.length, 0), WINDOW_FIELD_MAX << rcv.shift);
  return free - promised >= Math.min(buffer >> 1, rcv.mss) ? Math.max(free, promised) : promised;
}

/** The window field that says at least `window` bytes; notes the right edge that was promised. */
export function offerWindow(tcb: Tcb, window: number): number {
  const rcv = tcb.rcv;
  // Rounding down would move the right edge left (RFC 7323 §2.4).
  const field = Math.min((window + (1 << rcv.shift) - 1) >> rcv.shift, WINDOW_FIELD_MAX);
  rcv.edge = (rcv.nxt + (field << rcv.shift)) | 0;
  return field;
}

/**
 * Whether reading has made so much room that the peer should hear of it at once: always when it may
 * be waiting for it, else by larger steps. Small ones travel with the next ACK.
 */
export function windowUpdateDue(tcb: Tcb): boolean {
  if (!tcb.rcv.wasRead) return false;
  const promised = promisedWindow(tcb);
  const gained = windowToOffer(tcb) - promised;
  if (gained <= 0) return false;
  // `windowToOffer` has made sure that the step is worthwhile.
  if (promised < tcb.rcv.mss) return true;
  return gained >= 2 * tcb.rcv.mss && promised <= tcb.rcv.limit >> 1;
}

/**
 * The user read `bytes`: the window may grow. A reader that empties half the buffer within a round trip could use a
 * larger one: doubled, up to the setting's maximum.
 */
export function bytesRead(tcb: Tcb, bytes: number): void {
  const rcv = tcb.rcv;
  rcv.wasRead = true;
  rcv.tuneBytes = (rcv.tuneBytes + bytes) | 0;
  const now = tcb.host.clock.us;
  if (((now - rcv.tuneUs) | 0) < tcb.rtt.smoothed) return;
  if (rcv.tuneBytes > rcv.limit >> 1) {
    rcv.limit = Math.min(rcv.limit * 2, tcb.config.receiveBufferMax);
  }
  rcv.tuneBytes = 0;
  rcv.tuneUs = now;
}
