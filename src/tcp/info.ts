// A connection's numbers for people: the STATUS call of RFC 9293 §3.10.6, in the words of Linux's
// TCP_INFO (tcp(7)). Knows what to show; a cold path.

import { endOfData, finIsAcknowledged, finIsSent } from './close.js';
import { currentRto } from './rtt.js';
import { pipe } from './scoreboard.js';
import { STATE_NAMES } from './state.js';
import { LossCounters, type Tcb } from './tcb.js';
import { NEVER, nextTimer, TIMER_NAMES } from './timers.js';
import { promisedWindow } from './window.js';

/**
 * A connection in numbers, as `connection.info()` and `socket.tcpInfo()` give them: the STATUS call of
 * RFC 9293 §3.10.6, in the words of TCP_INFO (tcp(7)). Times are in µs or ms, as the names say; what is in
 * bytes or in segments is said at its place.
 */
export interface TcpInfo {
  /** The state, as RFC 9293 §3.3.2 writes it: `FIN-WAIT-1`. */
  state: string;
  /** Smoothed round-trip time, µs (SRTT of RFC 6298); 0 before the first sample. */
  rttUs: number;
  /** Its variation, µs (RTTVAR of RFC 6298). */
  rttVarUs: number;
  /** The least round-trip time so far, µs; 0 before the first sample. */
  rttMinUs: number;
  /** Retransmission timeout, ms, doubled as often as it has run out (RFC 6298). */
  rtoMs: number;
  /** Largest segment that we send, bytes of data without options (RFC 9293 §3.7.1, Eff.snd.MSS). */
  sendMss: number;
  /** Size of segments that the peer sends, bytes, as far as was seen. */
  receiveMss: number;
  /** Name of the congestion controller: `cubic`, `newreno`. */
  congestion: string;
  /** Congestion window, bytes (RFC 5681). */
  cwnd: number;
  /** Slow start threshold, bytes (RFC 5681); 2^31-1 before the first loss. */
  ssthresh: number;
  /** SND.WND: what the peer allows to be in flight, bytes. */
  sendWindow: number;
  /** RCV.WND: what we allow the peer, bytes. */
  receiveWindow: number;
  /** The shift of windows that the peer sends (RFC 7323 §2). */
  sendWindowScale: number;
  /** The shift of windows that we send (RFC 7323 §2). */
  receiveWindowScale: number;
  /** Whether both use the timestamps option (RFC 7323 §3). */
  timestamps: boolean;
  /** Whether both use selective acknowledgments (RFC 2018). */
  sack: boolean;
  /** Whether both use explicit congestion notification (RFC 3168). */
  ecn: boolean;
  /** Sequence numbers sent and not acknowledged: bytes, and one each for SYN and FIN. */
  unacknowledged: number;
  /** Of these: what is in the network, as far as can be known, bytes (RFC 6675). */
  pipe: number;
  /** Of these: what the peer has beyond a gap, bytes. */
  sacked: number;
  /** Of these: what is taken for lost, bytes (RFC 8985). */
  lost: number;
  /** Written, not yet sent for the first time, bytes. */
  unsent: number;
  /** Received in order, not yet read by the program, bytes. */
  unread: number;
  /** Received beyond a gap, bytes. */
  outOfOrder: number;
  /** Acknowledged by the peer since the beginning, bytes. */
  bytesAcknowledged: number;
  /** Received in order since the beginning, bytes. */
  bytesReceived: number;
  /** Segments received; a super-segment counts as those that it stands for. */
  segmentsIn: number;
  /** Segments sent, retransmissions included; a super-segment counts as those that it stands for. */
  segmentsOut: number;
  /** Segments sent again. */
  retransmits: number;
  /** Duplicate ACKs received (RFC 5681 §2). */
  duplicateAcks: number;
  /** How often the retransmission timer has run out. */
  timeouts: number;
  /** Segments that arrived after what was sent behind them. */
  reorderings: number;
  /** Segments that were taken for lost, so far. */
  losses: number;
  /** Recoveries that began without a timeout (RFC 6675, RFC 8985). */
  fastRetransmits: number;
  /** Tail loss probes sent (RFC 8985 §7). */
  tlpProbes: number;
  /** Segments sent again in vain, as D-SACKs say (RFC 2883). */
  spuriousRetransmits: number;
  /** Recoveries and timeouts that proved to be mistakes and were undone (RFC 5682, 3522, 3708). */
  undos: number;
  /** Whether our program has closed: a FIN follows the last byte. */
  finQueued: boolean;
  /** Whether our FIN was sent. */
  finSent: boolean;
  /** Whether our FIN was acknowledged. */
  finAcknowledged: boolean;
  /** The timer that is due first, and in how many ms; null where none runs. */
  timer: {
    /** `retransmit`, `persist`, `delayed-ack`, `keepalive`, `fin-wait-2`, `linger`, `loss-probe`, `reorder`, `pacing`. */
    name: string;
    /** Until it runs out; below 0 where it already has. */
    ms: number;
  } | null;
  /** Time since the connection was made, ms. */
  ageMs: number;
}

const NOTHING_LOST: Readonly<LossCounters> = new LossCounters();

export function connectionInfo(tcb: Tcb): TcpInfo {
  const { snd, rcv, rtt, counters } = tcb;
  const loss = counters.loss ?? NOTHING_LOST;
  return {
    state: STATE_NAMES[tcb.state],
    rttUs: rtt.smoothed,
    rttVarUs: rtt.variance,
    rttMinUs: rtt.min === 0x7fffffff ? 0 : rtt.min,
    rtoMs: currentRto(tcb),
    sendMss: snd.mss,
    receiveMss: rcv.mss,
    congestion: tcb.congestionControl.name,
    cwnd: snd.cwnd,
    ssthresh: snd.ssthresh,
    sendWindow: snd.wnd,
    receiveWindow: promisedWindow(tcb),
    sendWindowScale: snd.shift,
    receiveWindowScale: rcv.shift,
    timestamps: tcb.timestamps,
    sack: tcb.sack,
    ecn: tcb.ecn,
    unacknowledged: (snd.max - snd.una) | 0,
    pipe: pipe(tcb),
    sacked: snd.flight === null ? 0 : snd.flight.sackedBytes,
    lost: snd.flight === null ? 0 : snd.flight.lostBytes,
    unsent: Math.max((endOfData(tcb) - snd.max) | 0, 0),
    unread: rcv.ring.length,
    outOfOrder: outOfOrderBytes(tcb),
    bytesAcknowledged: counters.bytesAcked,
    bytesReceived: counters.bytesReceived,
    segmentsIn: counters.segmentsIn,
    segmentsOut: counters.segmentsOut,
    retransmits: loss.retransmits,
    duplicateAcks: loss.duplicateAcks,
    timeouts: loss.timeouts,
    reorderings: loss.reorderings,
    losses: loss.lost,
    fastRetransmits: loss.fastRetransmits,
    tlpProbes: loss.tlpProbes,
    spuriousRetransmits: loss.spuriousRetransmits,
    undos: loss.undos,
    finQueued: snd.finQueued,
    finSent: finIsSent(tcb),
    finAcknowledged: finIsAcknowledged(tcb),
    timer: dueTimer(tcb),
    ageMs: (tcb.host.clock.ms - tcb.createdMs) | 0,
  };
}

function outOfOrderBytes(tcb: Tcb): number {
  const ranges = tcb.rcv.outOfOrder;
  let bytes = 0;
  if (ranges === null) return bytes;
  for (let i = 0; i < ranges.count; i++) bytes += (ranges.end(i) - ranges.start(i)) | 0;
  return bytes;
}

function dueTimer(tcb: Tcb): { name: string; ms: number } | null {
  const timer = nextTimer(tcb);
  if (timer === NEVER) return null;
  return { name: TIMER_NAMES[timer], ms: (tcb.deadlines[timer] - tcb.host.clock.ms) | 0 };
}
