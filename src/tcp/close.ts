// All of the close but TIME-WAIT: the CLOSE and ABORT calls, the arrival of a FIN, and the question
// whether our FIN is acknowledged (RFC 9293 §3.6, §3.10.4, §3.10.5). Must not know how segments are
// written or read.

import { seqGt } from '../wire/sequence.js';
import { fail, setState } from './set-state.js';
import {
  CLOSE_WAIT,
  CLOSED,
  CLOSING,
  ESTABLISHED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from './state.js';
import { NEWS_END, SEND_ACK, SEND_RST, type Tcb } from './tcb.js';
import { armTimer, cancelTimer, FIN_WAIT_2_TIMER, LINGER_TIMER } from './timers.js';

// A FIN may be queued, sent, or acknowledged: three facts. FIN-WAIT-1 and LAST-ACK begin with the
// first; only the third one ends them.

/** One past the last byte of data: the sequence number of our FIN, once it is queued. */
export function endOfData(tcb: Tcb): number {
  return (tcb.snd.ringSeq + tcb.snd.ring.length) | 0;
}

/**
 * The sequence number of a segment without data: SND.NXT, as far as it was ever sent, but not beyond
 * the peer's window, where the segment would not be acceptable (after a shrink, or a probe).
 */
export function acceptableSeq(tcb: Tcb): number {
  const edge = (tcb.snd.una + tcb.snd.wnd) | 0;
  return seqGt(tcb.snd.max, edge) ? edge : tcb.snd.max;
}

export function finIsSent(tcb: Tcb): boolean {
  return tcb.snd.finQueued && seqGt(tcb.snd.max, endOfData(tcb));
}

export function finIsAcknowledged(tcb: Tcb): boolean {
  return tcb.snd.finQueued && seqGt(tcb.snd.una, endOfData(tcb));
}

/**
 * The CLOSE call, RFC 9293 §3.10.4: no more data will be written; reading goes on. While the
 * connection is still opening, the FIN waits until it is established.
 */
export function shutdown(tcb: Tcb): void {
  if (tcb.snd.finQueued || tcb.state === CLOSED || tcb.state === TIME_WAIT) return;
  tcb.snd.finQueued = true;
  carryOutClose(tcb);
  tcb.host.schedule(tcb);
}

/** Changes the state for a FIN that is queued, as soon as the state allows it. */
export function carryOutClose(tcb: Tcb): void {
  if (!tcb.snd.finQueued) return;
  if (tcb.state === ESTABLISHED) setState(tcb, FIN_WAIT_1, 'CLOSE');
  else if (tcb.state === CLOSE_WAIT) setState(tcb, LAST_ACK, 'CLOSE');
  else if (tcb.state === SYN_RECEIVED && tcb.snd.ring.length === 0) {
    // With data to send the FIN waits until ESTABLISHED: §3.10.4.
    setState(tcb, FIN_WAIT_1, 'CLOSE');
  }
}

/**
 * The user lets go of both directions. What it has not read is lost, which the peer must learn: a
 * RST instead of a FIN (RFC 9293 §3.6.1, RFC 2525 §2.17; Linux does the same).
 *
 * @param lingerMs time for which data and FIN may stay unacknowledged; 0 aborts at once; undefined
 *   leaves it to the user timeout.
 */
export function close(tcb: Tcb, lingerMs: number | undefined): void {
  if (tcb.orphaned) return;
  if (tcb.state === SYN_SENT) {
    tcb.orphaned = true;
    fail(tcb, 'CLOSE', 'abort', 'ECONNABORTED');
    return;
  }
  if (tcb.state === CLOSED || tcb.state === TIME_WAIT) {
    tcb.orphaned = true;
    tcb.rcv.ring.release();
    return;
  }
  if (lingerMs === 0 || tcb.rcv.ring.length > 0) {
    abort(tcb);
    return;
  }
  tcb.orphaned = true;
  shutdown(tcb);
  if (lingerMs !== undefined) armTimer(tcb, LINGER_TIMER, lingerMs);
  if (tcb.state === FIN_WAIT_2) armTimer(tcb, FIN_WAIT_2_TIMER, tcb.config.finWait2Timeout);
  tcb.host.schedule(tcb);
}

/** The ABORT call, RFC 9293 §3.10.5: queues are flushed, the peer gets a RST. */
export function abort(tcb: Tcb): void {
  tcb.orphaned = true;
  if (tcb.state === CLOSED || tcb.state === TIME_WAIT) {
    tcb.rcv.ring.release();
    return;
  }
  if (tcb.state !== SYN_SENT) queueReset(tcb);
  fail(tcb, 'ABORT', 'abort', 'ECONNABORTED');
}

/**
 * §3.10.5: <SEQ=SND.NXT><CTL=RST>, and nothing else any more; nothing at all in CLOSING and LAST-ACK,
 * where the peer has closed and both sides have all data.
 */
function queueReset(tcb: Tcb): void {
  tcb.pending = 0;
  if (tcb.state === CLOSING || tcb.state === LAST_ACK) return;
  tcb.resetSeq = acceptableSeq(tcb);
  tcb.pending = SEND_RST;
}

/**
 * Our FIN, sent in FIN-WAIT-1, CLOSING or LAST-ACK, is now acknowledged: §3.10.7.4, fifth check.
 *
 * @param finComesToo the segment also carries the peer's FIN, in order: `finReached` will lead from
 *   FIN-WAIT-1 straight to TIME-WAIT, as in the diagram.
 */
export function finAcknowledged(tcb: Tcb, finComesToo: boolean): void {
  cancelTimer(tcb, LINGER_TIMER);
  switch (tcb.state) {
    case FIN_WAIT_1:
      if (finComesToo) return;
      setState(tcb, FIN_WAIT_2, 'rcv ACK of FIN');
      if (tcb.orphaned) armTimer(tcb, FIN_WAIT_2_TIMER, tcb.config.finWait2Timeout);
      return;
    case CLOSING:
      setState(tcb, TIME_WAIT, 'rcv ACK of FIN');
      return;
    case LAST_ACK:
      setState(tcb, CLOSED, 'rcv ACK of FIN');
  }
}

/** The stream has reached the peer's FIN: §3.10.7.4, eighth check. It is acknowledged at once. */
export function finReached(tcb: Tcb): void {
  tcb.rcv.nxt = (tcb.rcv.nxt + 1) | 0;
  tcb.rcv.ended = true;
  tcb.rcv.finWaiting = false;
  // Whatever came from beyond the FIN was never part of the stream.
  tcb.rcv.outOfOrder = null;
  tcb.pending |= SEND_ACK;
  tcb.news |= NEWS_END;
  switch (tcb.state) {
    case ESTABLISHED:
      setState(tcb, CLOSE_WAIT, 'rcv FIN');
      return;
    case FIN_WAIT_1:
      if (finIsAcknowledged(tcb)) setState(tcb, TIME_WAIT, 'rcv FIN,ACK of FIN');
      else setState(tcb, CLOSING, 'rcv FIN');
      return;
    case FIN_WAIT_2:
      setState(tcb, TIME_WAIT, 'rcv FIN');
  }
}

/** The orphan has waited long enough for the peer's FIN. */
export function finWait2Due(tcb: Tcb): void {
  fail(tcb, 'timeout FIN-WAIT-2', 'timeout', 'ETIMEDOUT');
}

/** Linger is over: what is still unacknowledged is given up, and the peer is told. */
export function lingerDue(tcb: Tcb): void {
  queueReset(tcb);
  fail(tcb, 'ABORT', 'timeout', 'ETIMEDOUT');
}
