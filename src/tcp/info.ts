// A connection's numbers for people: the STATUS call of RFC 9293 §3.10.6, in the words of Linux's
// TCP_INFO (tcp(7)). Knows what to show; a cold path.

import { endOfData, finIsAcknowledged, finIsSent } from './close.js';
import { currentRto } from './rtt.js';
import { pipe } from './scoreboard.js';
import { STATE_NAMES } from './state.js';
import { LossCounters, type Tcb } from './tcb.js';
import { NEVER, nextTimer, TIMER_NAMES } from './timers.js';
import { promisedWindow } from './window.js';

/** Times in µs where the name says so, else ms; sizes in bytes; counts in segments. */
export interface TcpInfo {
  state: string;
  /** Smoothed round-trip time, its variance and its minimum, µs; 0 before the first sample. */
  rttUs: number;
  rttVarUs: number;
  rttMinUs: number;
  rtoMs: number;
  sendMss: number;
  receiveMss: number;
  congestion: string;
  cwnd: number;
  ssthresh: number;
  sendWindow: number;
  receiveWindow: number;
  sendWindowScale: number;
  receiveWindowScale: number;
  timestamps: boolean;
  sack: boolean;
  ecn: boolean;
  /** Sent, not acknowledged; written, not sent; received, not read; received beyond a gap. */
  unacknowledged: number;
  /** Of that: in the network (RFC 6675), with the peer beyond a gap, taken for lost. */
  pipe: number;
  sacked: number;
  lost: number;
  unsent: number;
  unread: number;
  outOfOrder: number;
  bytesAcknowledged: number;
  bytesReceived: number;
  segmentsIn: number;
  segmentsOut: number;
  retransmits: number;
  duplicateAcks: number;
  timeouts: number;
  /** Segments that arrived after what was sent behind them. */
  reorderings: number;
  /** Segments that were taken for lost, so far; recoveries without a timeout; tail loss probes. */
  losses: number;
  fastRetransmits: number;
  tlpProbes: number;
  /** Segments sent again in vain, as D-SACKs say; recoveries and timeouts that were undone. */
  spuriousRetransmits: number;
  undos: number;
  finQueued: boolean;
  finSent: boolean;
  finAcknowledged: boolean;
  /** The timer that is due first, and when. */
  timer: { name: string; ms: number } | null;
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
