// What a connection does about ICMP errors that quote one of its segments: RFC 9293 §3.9.2.2 and
// RFC 5927. Must not know the layout of ICMP messages.

import { seqGeq, seqLt } from '../wire/sequence.js';
import { TCP_HEADER, TIMESTAMPS_BYTES } from '../wire/tcp.js';
import { goBack } from './retransmit.js';
import { ipHeaderLength } from './segment-out.js';
import { fail } from './set-state.js';
import { SYN_RECEIVED, SYN_SENT } from './state.js';
import { NEWS_ADVICE, SEND_SYN, type Tcb } from './tcb.js';

/** RFC 5927 §7: below these a "too big" is an attack (Linux min_pmtu; RFC 8200 §5). */
const MTU_FLOOR_V4 = 552;
const MTU_FLOOR_V6 = 1280;

/** RFC 5927 §4.1: the quoted segment must be one that is in flight; else somebody guesses. */
export function quotesSegmentInFlight(tcb: Tcb, seq: number): boolean {
  return seqGeq(seq, tcb.snd.una) && seqLt(seq, tcb.snd.max);
}

/**
 * An unreachable, time-exceeded or parameter-problem message. Hard errors (SHOULD-26) end only a
 * connection that is still opening; afterwards they are as soft as the others (RFC 5927 §5.2,
 * MUST-56) and the user is merely told (SHOULD-25).
 */
export function errorReported(tcb: Tcb, hard: boolean, code: string): void {
  if (hard && (tcb.state === SYN_SENT || tcb.state === SYN_RECEIVED)) {
    fail(tcb, 'ICMP error', 'icmp', code);
    return;
  }
  tcb.softError = code;
  tcb.advice = code;
  tcb.news |= NEWS_ADVICE;
  tcb.host.schedule(tcb);
}

/** Path MTU discovery, RFC 1191 and 8201: smaller segments from now on, and the lost one again. */
export function packetTooBig(tcb: Tcb, mtu: number): void {
  const floor = tcb.localAddress.family === 4 ? MTU_FLOOR_V4 : MTU_FLOOR_V6;
  const options = tcb.timestamps ? TIMESTAMPS_BYTES : 0;
  const mss = Math.max(mtu, floor) - ipHeaderLength(tcb) - TCP_HEADER - options;
  if (mss >= tcb.snd.mss) return;
  tcb.snd.mss = mss;
  // RFC 1191 §6.5: what was too big is lost, but not to congestion: cwnd stays.
  if (tcb.snd.synAcknowledged) goBack(tcb);
  else tcb.pending |= SEND_SYN;
  tcb.host.schedule(tcb);
}
