// Opening: RFC 9293 §3.5, the OPEN calls and what both SYNs agree on. Knows options of the SYN; must
// not know ports, listeners or how sequence numbers are chosen.

import { ACK, TCP_HEADER, type TcpSegment, TIMESTAMPS_BYTES } from '../wire/tcp.js';
import { acknowledge } from './ack.js';
import { carryOutClose } from './close.js';
import { agreeOnEcn } from './ecn.js';
import { renewKeepAlive } from './keepalive.js';
import { ipHeaderLength, synWindow } from './segment-out.js';
import { setState } from './set-state.js';
import { ESTABLISHED, FIN_WAIT_1, LISTEN, SYN_RECEIVED, SYN_SENT } from './state.js';
import { NEWS_ESTABLISHED, SEND_SYN, type Tcb } from './tcb.js';
import { rememberTimestamp } from './timestamps.js';
import type { TransitionEvent } from './transitions.js';
import { windowShiftFor } from './window.js';

/** A smaller MSS would make more header than data; Linux has the same floor. */
const MSS_FLOOR = 48;
/** MUST-15: what to assume when the peer says nothing. */
const DEFAULT_MSS_V4 = 536;
const DEFAULT_MSS_V6 = 1220;
/** RFC 6298 §5.7: the timeout after a SYN was lost, once the connection is established. */
const RTO_AFTER_LOST_SYN_MS = 3000;

function prepare(tcb: Tcb, iss: number): void {
  const { snd, rcv, config } = tcb;
  snd.iss = iss;
  snd.una = iss;
  snd.nxt = iss;
  snd.max = iss;
  snd.small = iss;
  snd.recover = iss;
  snd.ringSeq = (iss + 1) | 0;
  rcv.shift = tcb.windowScaling ? windowShiftFor(config.receiveBufferMax) : 0;
  rcv.heardMs = tcb.host.clock.ms;
}

/** Active OPEN: §3.10.1. */
export function activeOpen(tcb: Tcb, iss: number): void {
  prepare(tcb, iss);
  setState(tcb, SYN_SENT, 'active OPEN');
  tcb.pending |= SEND_SYN;
}

/** A SYN has reached a listener: §3.10.7.2, third check. MUST-11: remembers where it came from. */
export function passiveOpen(tcb: Tcb, iss: number, segment: TcpSegment): void {
  prepare(tcb, iss);
  tcb.passive = true;
  tcb.state = LISTEN;
  takeSyn(tcb, segment);
  setState(tcb, SYN_RECEIVED, 'rcv SYN');
  // Data or a FIN on the SYN are not kept: nothing says yet that the peer is real, and it sends them
  // again when our SYN,ACK does not cover them.
  tcb.pending |= SEND_SYN;
}

/** The peer's SYN: IRS, options, and the window that our own SYN has offered or will offer. */
export function takeSyn(tcb: Tcb, segment: TcpSegment): void {
  const { rcv, snd } = tcb;
  rcv.irs = segment.seq;
  rcv.nxt = (segment.seq + 1) | 0;
  rcv.edge = (rcv.nxt + synWindow(tcb)) | 0;
  rcv.lastAckSent = rcv.nxt;
  rcv.heardMs = tcb.host.clock.ms;
  agreeOnOptions(tcb, segment);
  snd.wnd = segment.window;
  snd.maxWnd = snd.wnd;
  snd.wl1 = segment.seq;
  snd.wl2 = (segment.flags & ACK) !== 0 ? segment.ack : snd.iss;
}

/** An option is in use when both SYNs carry it: RFC 7323 §2.2 and §3.2, RFC 2018 §2. */
function agreeOnOptions(tcb: Tcb, segment: TcpSegment): void {
  const { rcv, snd } = tcb;
  tcb.windowScaling = tcb.windowScaling && segment.windowScale >= 0;
  tcb.timestamps = tcb.timestamps && segment.hasTimestamps;
  tcb.sack = tcb.sack && segment.sackPermitted;
  agreeOnEcn(tcb, segment);
  if (tcb.windowScaling) snd.shift = segment.windowScale;
  else rcv.shift = 0;
  if (tcb.timestamps) rememberTimestamp(tcb, segment.tsVal);
  setSendMss(tcb, segment.mss);
}

/** MUST-14 to MUST-16: the peer's MSS (0: none given), our path, and the options that take room. */
function setSendMss(tcb: Tcb, announced: number): void {
  const fallback = tcb.localAddress.family === 4 ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;
  const peer = Math.max(announced === 0 ? fallback : announced, MSS_FLOOR);
  const path = tcb.path.mtu - ipHeaderLength(tcb) - TCP_HEADER;
  tcb.snd.mss = Math.min(peer, path) - (tcb.timestamps ? TIMESTAMPS_BYTES : 0);
  tcb.rcv.mss = Math.min(tcb.snd.mss, fallback);
}

/** The segment acknowledges our SYN, and the peer's has come: data may flow. */
export function establish(tcb: Tcb, segment: TcpSegment, event: TransitionEvent): void {
  const { rtt } = tcb;
  const synLost = rtt.retries > 0;
  acknowledge(tcb, segment);
  tcb.snd.synAcknowledged = true;
  tcb.news |= NEWS_ESTABLISHED;
  // In FIN-WAIT-1 the user has closed already: §3.10.4, CLOSE in SYN-RECEIVED.
  if (tcb.state !== FIN_WAIT_1) setState(tcb, ESTABLISHED, event);
  tcb.congestionControl.start(tcb, synLost);
  if (synLost) rtt.rtoMs = Math.max(rtt.rtoMs, RTO_AFTER_LOST_SYN_MS);
  rtt.backoff = 0;
  tcb.rcv.tuneUs = tcb.host.clock.us;
  renewKeepAlive(tcb);
  carryOutClose(tcb);
}
