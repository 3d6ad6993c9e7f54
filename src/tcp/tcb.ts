// The transmission control block, RFC 9293 §3.3.1: all that is remembered about one connection.
// Knows names and meanings of its fields; must not know rules.

import { Ranges } from '../storage/ranges.js';
import { Ring } from '../storage/ring.js';
import type { IpAddress } from '../wire/address.js';
import { pseudoHeaderSum } from '../wire/checksum.js';
import { ipv4BaseSum, PROTOCOL_TCP } from '../wire/ip.js';
import type { TcpConfig } from './config.js';
import type { CongestionControl } from './congestion.js';
import type { Ending } from './ending.js';
import type { Flight } from './flight.js';
import type { Host, Path } from './host.js';
import { CLOSED, type State } from './state.js';

/**
 * Why a connection is over for its user: `fin`, both sides closed in order; `rst`, the peer reset it, or
 * refused it; `timeout`, the peer was silent for too long; `icmp`, the network refused it while it was
 * opening; `abort`, this side gave it up, with a RST where the peer had to be told.
 */
export type CloseReason = 'fin' | 'rst' | 'timeout' | 'icmp' | 'abort';

// Work that input, timers and the user leave for output.ts (`tcb.pending`).
export const SEND_ACK = 1;
export const SEND_SYN = 2;
export const SEND_RST = 4;
/** Send the first unacknowledged segment again. */
export const SEND_LOST = 8;
/** Send one octet into a window that is closed (RFC 9293 §3.8.6.1). */
export const SEND_PROBE = 16;
export const SEND_KEEPALIVE = 32;
/** Send the end of what is in flight again, or something new: a tail loss probe (tlp.ts). */
export const SEND_LOSS_PROBE = 64;

// News that wait for the user until the end of the turn (`tcb.news`).
export const NEWS_STATE = 1;
export const NEWS_ESTABLISHED = 2;
export const NEWS_URGENT = 4;
export const NEWS_READABLE = 8;
export const NEWS_END = 16;
export const NEWS_WRITABLE = 32;
export const NEWS_ADVICE = 64;
export const NEWS_CLOSED = 128;

/** Send sequence space, RFC 9293 §3.3.1 and Figure 3, and what its algorithms remember. */
export class SendSpace {
  /** ISS: our initial sequence number. */ iss = 0;
  /** SND.UNA: the oldest number that was not acknowledged. */ una = 0;
  /** SND.NXT: the next number to be sent. */ nxt = 0;
  /** One past the highest sequence number sent; SND.NXT goes back behind it after a timeout. */
  max = 0;
  /** SND.WND: bytes that the peer allows beyond SND.UNA. */ wnd = 0;
  /** SND.WL1: sequence number of the segment that set the window. */ wl1 = 0;
  /** SND.WL2: its acknowledgment number. */ wl2 = 0;
  /** Urgent pointer: one past the last urgent octet; meaningful while `urgent`. */
  up = 0;
  /** Whether there are urgent data. */ urgent = false;
  /** Largest window that the peer ever offered (silly-window avoidance, RFC 5961 §5.2). */
  maxWnd = 0;
  /** The peer's window scale, RFC 7323 §2. */
  shift = 0;
  /** Send MSS: payload and TCP options of one segment (MUST-16). */
  mss = 0;
  /** Sequence number of the first byte in the ring; the FIN, once queued, follows the last one. */
  ringSeq = 0;
  /** The peer has acknowledged our SYN. */
  synAcknowledged = false;
  /** The user has closed: a FIN stands behind the data. Sent and acknowledged are other facts. */
  finQueued = false;
  /** One past the last segment that was smaller than the MSS (Minshall's form of Nagle). */
  small = 0;
  /** When something was sent last, clock.ms (restart after idle, RFC 5681 §4.1). */
  sentMs = 0;
  /** The user was told that the ring is full and waits for news. */
  starved = false;

  /** Congestion window, bytes (RFC 5681). */ cwnd = 0;
  /** Slow start threshold, bytes (RFC 5681). */ ssthresh = 0x7fffffff;
  /** RFC 6582: while `recovering`, all up to `recover` was sent before the loss was seen. */
  recover = 0;
  /** Whether a loss is being repaired. */ recovering = false;
  /** Duplicate ACKs in a row (RFC 5681 §2). */ dupAcks = 0;
  /** What was acknowledged and has not yet opened cwnd, as the controller counts it. */
  creditedBytes = 0;
  /** @internal What congestion control remembers; null until data were sent. */
  congestion: CongestionMemory | null = null;

  /** @internal With SACK: what is outstanding, and what is known of it; null while nothing is. */
  flight: Flight | null = null;

  /** @param ring its bytes */
  constructor(readonly ring: Ring) {}
}

/** What most connections hold most of the time; each array of its own would cost 32 bytes. */
export const NO_NUMBERS: never[] = [];

/** What congestion control, ECN and pacing remember of a connection that has sent something. */
export class CongestionMemory {
  /** Both as they were before the last reduction, for when that was a mistake. */
  priorCwnd = 0;
  priorSsthresh = 0;
  /** Until `usedUntil` is acknowledged: was cwnd full, and how much was in flight (window-use.ts). */
  windowFull = false;
  mostUsed = 0;
  /** RFC 3168 §6.1.2: the next new data segment tells the peer that cwnd was reduced. */
  cwrDue = false;
  /** Bytes that may go at once, and since when (pacing.ts). */
  paceCredit = 0;
  paceMs = 0;
  /** What the controller remembers besides, made by it when it is needed. */
  controller: object | null = null;

  constructor(
    public usedUntil: number,
    /** Once it is acknowledged an echo means another reduction (ecn.ts). */
    public cwrEnd: number,
  ) {}
}

/** Receive sequence space, RFC 9293 §3.3.1 and Figure 4, and what its algorithms remember. */
export class ReceiveSpace {
  /** IRS: the initial sequence number of the peer. */ irs = 0;
  /** RCV.NXT: the next number that is expected. */ nxt = 0;
  /** Right edge of the window that was offered: RCV.NXT + RCV.WND. Never moves left. */
  edge = 0;
  /** Urgent pointer: one past the last urgent octet. */ up = 0;
  /** Whether there are urgent data to be read. */ urgent = false;
  /** Our window scale. */
  shift = 0;
  /** Largest segment seen, bytes: what counts as full-sized for the delayed ACK (SHOULD-19). */
  mss = 0;
  /** Buffer that the user may leave unread; grows while the user reads fast. */
  limit = 0;
  /** @internal Data beyond a gap stand in the ring at their place; these ranges say which. */
  outOfOrder: Ranges | null = null;
  /** Sequence number of a FIN that came before its data; meaningful while `finWaiting`. */
  fin = 0;
  /** Whether a FIN came before its data. */ finWaiting = false;
  /** The FIN has been reached: nothing follows what is in the ring. */
  ended = false;
  /** RFC 2883: a duplicate to report once, from here … */
  dsackStart = 0;
  /** … to here. */ dsackEnd = 0;
  /** Where out-of-order segments came last, newest first: their ranges are reported first. */
  recent: number[] = NO_NUMBERS;
  /** The user has read since the last ACK: the window may have grown. */
  wasRead = false;
  /** A mark was seen: all segments echo it until the peer says CWR (RFC 3168 §6.1.3). */
  echo = false;
  /** Bytes received since the last ACK. */
  unackedBytes = 0;
  /** ACKs that are still sent at once, at the start. */ quickAcks = 16;
  /** RFC 7323 §4.3 */
  lastAckSent = 0;
  /** TS.Recent (RFC 7323 §4.3). */ tsRecent = 0;
  /** When it was set, clock.ms. */ tsRecentMs = 0;
  /** Time of the last acceptable segment (keep-alive, dead peers at a zero window). */
  heardMs = 0;
  /** Buffer tuning: bytes read since `tuneUs`. */
  tuneBytes = 0;
  /** Since when, clock.us. */ tuneUs = 0;

  /** @param ring its bytes */
  constructor(readonly ring: Ring) {}
}

/** Round-trip time and retransmission timeout, RFC 6298. Times in µs unless said. */
export class RttState {
  smoothed = 0;
  variance = 0;
  min = 0x7fffffff;
  rtoMs = 0;
  /** How often the timeout has been doubled since the last good sample. */
  backoff = 0;
  /** One segment is timed at once: its end, and when it was sent. Karn: void once retransmitted. */
  timing = false;
  timedSeq = 0;
  timedUs = 0;
  /** When something was sent again last, clock.ms. */
  resentMs = 0;
  /** When progress was last seen while something was outstanding (R2). */
  stalledMs = 0;
  /** Retransmissions of the same segment (R1). */
  retries = 0;
}

/** Numbers for people. Byte counts are split in two, so that they stay small integers. */
export class ConnectionCounters {
  segmentsIn = 0;
  segmentsOut = 0;
  /** Null while nothing was ever lost, probed or overtaken. */
  loss: LossCounters | null = null;
  private receivedLow = 0;
  private receivedHigh = 0;
  private ackedLow = 0;
  private ackedHigh = 0;

  addReceived(bytes: number): void {
    this.receivedLow += bytes;
    if (this.receivedLow >= SPLIT) {
      this.receivedLow -= SPLIT;
      this.receivedHigh += 1;
    }
  }

  addAcked(bytes: number): void {
    this.ackedLow += bytes;
    if (this.ackedLow >= SPLIT) {
      this.ackedLow -= SPLIT;
      this.ackedHigh += 1;
    }
  }

  get bytesReceived(): number {
    return this.receivedHigh * SPLIT + this.receivedLow;
  }

  get bytesAcked(): number {
    return this.ackedHigh * SPLIT + this.ackedLow;
  }
}

const SPLIT = 1 << 30;

/** What went wrong on the way, in segments or events. */
export class LossCounters {
  retransmits = 0;
  duplicateAcks = 0;
  timeouts = 0;
  /** Segments that were taken for lost (RFC 8985, RFC 6675). */
  lost = 0;
  /** Recoveries that began without a timeout. */
  fastRetransmits = 0;
  /** Tail loss probes (RFC 8985 §7). */
  tlpProbes = 0;
  /** Segments sent again that had arrived before, as D-SACKs tell (RFC 2883). */
  spuriousRetransmits = 0;
  /** Recoveries and timeouts that turned out to be mistakes, and were undone (RFC 4015). */
  undos = 0;
  /** Segments that arrived after what was sent behind them. */
  reorderings = 0;
}

/** Keep-alive of one connection (RFC 9293 §3.8.4), and how it stands. */
export class KeepAlive {
  on = true;
  idleMs: number;
  intervalMs: number;
  probes: number;
  /** Probes since one was answered, and when the last one was sent. */
  sent = 0;
  sentMs = 0;

  constructor(config: TcpConfig) {
    this.idleMs = config.keepAliveIdle;
    this.intervalMs = config.keepAliveInterval;
    this.probes = config.keepAliveProbes;
  }
}

/** One connection's state, without behaviour; see connection.ts for what can be done with it. */
export class Tcb {
  /** The state (RFC 9293 §3.3.2). */
  state: State = CLOSED;
  /** Send sequence space (RFC 9293 §3.3.1). */
  readonly snd: SendSpace;
  /** Receive sequence space (RFC 9293 §3.3.1). */
  readonly rcv: ReceiveSpace;
  /** @internal */ readonly rtt = new RttState();
  /** @internal */ readonly counters = new ConnectionCounters();
  /** @internal */ congestionControl: CongestionControl;

  /** @internal Place in the stack's tables; -1 when it stands in none. */
  id = -1;
  /** RFC 9293 MUST-11: whether it came from a passive OPEN. */
  passive = false;
  /** Nobody reads any more: data that arrive are answered with a RST (RFC 9293 §3.6.1). */
  orphaned = false;
  /** Whether windows are scaled (RFC 7323 §2). Of options: while we open, what we offer; then, what both use. */
  windowScaling: boolean;
  /** Whether the timestamps option is in use (RFC 7323 §3). */
  timestamps: boolean;
  /** Whether selective acknowledgments are in use (RFC 2018). */
  sack: boolean;
  /** RFC 3168: in use, or, while we open, asked for. */
  ecn: boolean;
  /** @internal Added to the clock to make TSval, so that it tells nothing about other connections. */
  timestampOffset = 0;

  /** @internal */ pending = 0;
  /** @internal Sequence number for a RST that is pending. */
  resetSeq = 0;
  /** @internal */ news = 0;
  /** @internal Changes of state that the user has not been told: from and to, one after the other. */
  stateNews: readonly State[] = NO_NUMBERS;
  /** @internal Already in the stack's list of connections with something to do. */
  scheduled = false;
  /** Why it is over; has a meaning once it is. */
  closeReason: CloseReason = 'fin';
  /** Name of the error that ended it: `ECONNRESET`; null: in order, or not yet. */
  errorCode: string | null = null;
  /** @internal What ended it, unless both sides closed in order or we gave up. */
  ending: Ending | null = null;
  /** @internal */ advice = '';
  /** @internal The last soft error: what a timeout is told as (as Linux's sk_err_soft). */
  softError: string | null = null;

  /** @internal Deadlines by TimerId, clock.ms; those with their bit in `armed` count. */
  readonly deadlines: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  /** @internal */ armed = 0;

  /** @internal Challenge ACKs, RFC 5961 §10: when the last one went out. */
  challengeMs = 0;
  /** @internal */ challenged = false;
  /** When it was made, `host.clock.ms`. */
  readonly createdMs: number;

  /** DSCP and ECN bits of all packets: see `setHeaderFields`. */
  trafficClass: number;
  /** TTL or hop limit of all packets: see `setHeaderFields`. */
  hopLimit: number;
  /** Nagle's algorithm is on. */
  nagle: boolean;
  /** Time without progress after which it is given up, ms (RFC 9293 §3.8.3, R2). */
  userTimeoutMs: number;
  /** Maximum segment lifetime, ms: TIME-WAIT lasts two of it. */
  mslMs: number;
  /** @internal Null until it is asked for. */
  keepAlive: KeepAlive | null;

  /** @internal Sums that no segment changes: IPv4 header, and pseudo-header without the length. */
  ipv4Sum = 0;
  /** @internal */ readonly pseudoSum: number;

  constructor(
    /** The stack around it. */ readonly host: Host,
    /** Its settings. */ readonly config: TcpConfig,
    /** The way to the peer. */ readonly path: Path,
    /** Our address. */ readonly localAddress: IpAddress,
    /** Our port. */ readonly localPort: number,
    /** The address of the peer. */ readonly remoteAddress: IpAddress,
    /** The port of the peer. */ readonly remotePort: number,
  ) {
    this.snd = new SendSpace(new Ring(host.arena));
    this.rcv = new ReceiveSpace(new Ring(host.arena));
    this.congestionControl = host.congestionControl(config.congestion);
    this.windowScaling = config.windowScaling;
    this.timestamps = config.timestamps;
    this.sack = config.sack;
    this.ecn = config.ecn === 'request';
    this.trafficClass = config.trafficClass;
    this.hopLimit = config.hopLimit;
    this.nagle = !config.noDelay;
    this.userTimeoutMs = config.userTimeout;
    this.mslMs = config.msl;
    this.keepAlive = config.keepAlive ? new KeepAlive(config) : null;
    this.rcv.limit = config.receiveBuffer;
    this.rtt.rtoMs = config.initialRto;
    this.createdMs = host.clock.ms;
    this.pseudoSum = pseudoHeaderSum(localAddress, remoteAddress, PROTOCOL_TCP);
    this.renewHeaderSums();
  }

  /** @internal To be called when the traffic class or the hop limit changed. */
  renewHeaderSums(): void {
    if (this.localAddress.family === 6) return;
    this.ipv4Sum = ipv4BaseSum(
      this.trafficClass,
      this.hopLimit,
      PROTOCOL_TCP,
      this.localAddress.w3,
      this.remoteAddress.w3,
    );
  }
}

/** The counters of what goes wrong; made when it first does. */
export function lossCounters(tcb: Tcb): LossCounters {
  tcb.counters.loss ??= new LossCounters();
  return tcb.counters.loss;
}

/** How many segments so many bytes make. */
export function segmentsOf(tcb: Tcb, bytes: number): number {
  return Math.ceil(bytes / tcb.snd.mss);
}

/** Made with the first data. */
export function congestionMemory(tcb: Tcb): CongestionMemory {
  const { snd } = tcb;
  snd.congestion ??= new CongestionMemory(snd.una, (snd.una - 1) | 0);
  return snd.congestion;
}

/** Whether data stand in the ring beyond some that are missing. */
export function hasGaps(tcb: Tcb): boolean {
  const { outOfOrder } = tcb.rcv;
  return outOfOrder !== null && outOfOrder.count > 0;
}

/** Memory for data beyond a gap, taken when the first gap appears. */
export function outOfOrderRanges(tcb: Tcb): Ranges {
  tcb.rcv.outOfOrder ??= new Ranges(MAX_OUT_OF_ORDER_RANGES);
  return tcb.rcv.outOfOrder;
}

/** So many gaps has a window of 10,000 segments when every tenth of them is lost. */
const MAX_OUT_OF_ORDER_RANGES = 1024;
