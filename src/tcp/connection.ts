// One connection as its owner sees it: calls in, news out, and (for whoever drives it by hand)
// segments and time. Knows the interface; the rules stand in the files beside it.

import type { TcpSegment } from '../wire/tcp.js';
import { segmentArrives } from './arrival.js';
import { abort, close, endOfData, finIsAcknowledged, finIsSent, shutdown } from './close.js';
import type { TcpConfig } from './config.js';
import { clearEcnField } from './ecn.js';
import { TcpError } from './errors.js';
import { connectionInfo, type TcpInfo } from './info.js';
import { renewKeepAlive } from './keepalive.js';
import { activeOpen, passiveOpen } from './open.js';
import { transmit } from './output.js';
import { CLOSED, mayQueueData, STATE_NAMES, type State, TIME_WAIT } from './state.js';
import {
  type CloseReason,
  hasGaps,
  KeepAlive,
  NEWS_ADVICE,
  NEWS_CLOSED,
  NEWS_END,
  NEWS_ESTABLISHED,
  NEWS_READABLE,
  NEWS_STATE,
  NEWS_URGENT,
  NEWS_WRITABLE,
  NO_NUMBERS,
  Tcb,
} from './tcb.js';
import { runTimers } from './timeouts.js';
import { NEVER, nextTimer } from './timers.js';
import { urgentRemaining } from './urgent.js';
import { bytesRead, windowUpdateDue } from './window.js';

/** A send ring may always be so large, while there is memory for writers at all. */
const SMALLEST_SEND_RING = 16_384;

/**
 * What the owner of a connection is told: at the end of a turn, never while a segment is being
 * processed. Each method may call the connection.
 */
export interface ConnectionHandler {
  /** The handshake is complete. */
  onEstablished(connection: Connection): void;
  /** New bytes can be read. */
  onReadable(connection: Connection): void;
  /** After a `write` that did not take all: there is room again. */
  onWritable(connection: Connection): void;
  /** The peer's FIN was reached: nothing follows what can be read. */
  onEnd(connection: Connection): void;
  /**
   * The connection is over for its user: in order, on entry to TIME-WAIT or CLOSED (`errorCode` is
   * null then), or not. Told once, last.
   */
  onClosed(connection: Connection, reason: CloseReason, errorCode: string | null): void;
  /** A change of state; each one, in order. */
  onState(connection: Connection, from: State, to: State): void;
  /** The peer announced urgent data, or more of them: see `urgentRemaining`. */
  onUrgent(connection: Connection): void;
  /** Something may be wrong (R1 passed, or a soft ICMP error); nothing needs to be done. */
  onAdvice(connection: Connection, code: string): void;
}

/** A handler that does nothing: a base for those that care for a few things only. */
export class IdleHandler implements ConnectionHandler {
  onEstablished(_connection: Connection): void {}
  onReadable(_connection: Connection): void {}
  onWritable(_connection: Connection): void {}
  onEnd(_connection: Connection): void {}
  onClosed(_connection: Connection, _reason: CloseReason, _errorCode: string | null): void {}
  onState(_connection: Connection, _from: State, _to: State): void {}
  onUrgent(_connection: Connection): void {}
  onAdvice(_connection: Connection, _code: string): void {}
}

export type { CloseReason } from './tcb.js';

/**
 * One TCP connection (RFC 9293). Made by `StackCore.connect` and `Listener.accept`; with a `Host` of one's own
 * it can be driven without a stack.
 */
export class Connection extends Tcb {
  /** While null, news wait. */
  handler: ConnectionHandler | null = null;
  /** For the owner; not used here. */
  data: unknown = null;

  /** State as the RFC prints it, for example `FIN-WAIT-1`. */
  get stateName(): string {
    return STATE_NAMES[this.state];
  }

  /** Bytes that can be read now. */
  get readable(): number {
    return this.rcv.ring.length;
  }

  /** Bytes that `write` would take now. */
  get writable(): number {
    const { sendBuffer, sendBufferMax } = this.config;
    const buffer = Math.min(Math.max(sendBuffer, 2 * this.snd.cwnd), sendBufferMax);
    return Math.max(buffer - this.snd.ring.length, 0);
  }

  /** Has `onWritable` told with the next ACK that leaves room, though no `write` has asked for it. */
  tellWritable(): void {
    this.snd.starved = true;
  }

  /** Bytes written that have not been sent for the first time. */
  get unsent(): number {
    return Math.max((endOfData(this) - this.snd.max) | 0, 0);
  }

  /** Sequence numbers sent that the peer has not acknowledged: data, SYN and FIN. */
  get unacknowledged(): number {
    return (this.snd.max - this.snd.una) | 0;
  }

  /** Whether the peer's FIN was reached; bytes before it may still wait to be read. */
  get ended(): boolean {
    return this.rcv.ended;
  }

  /** Whether a FIN stands behind what was written: `shutdown` or `close` was called. */
  get finQueued(): boolean {
    return this.snd.finQueued;
  }

  /** Whether our FIN was sent. */
  get finSent(): boolean {
    return finIsSent(this);
  }

  /** Whether our FIN was acknowledged. */
  get finAcknowledged(): boolean {
    return finIsAcknowledged(this);
  }

  /** Bytes up to the end of urgent data, 0 when there are none (MUST-33). */
  get urgentRemaining(): number {
    return urgentRemaining(this);
  }

  /** RECEIVE: copies up to `length` bytes; answers how many, 0 when there are none now. */
  read(target: Uint8Array, offset = 0, length = target.length - offset): number {
    const ring = this.rcv.ring;
    const bytes = Math.min(length, ring.length, target.length - offset);
    if (bytes <= 0) return 0;
    ring.copyOut(0, target, offset, bytes);
    this.taken(bytes);
    return bytes;
  }

  /** RECEIVE without a copy: throws up to `length` bytes away; answers how many. */
  skip(length: number): number {
    const bytes = Math.min(length, this.rcv.ring.length);
    if (bytes > 0) this.taken(bytes);
    return bytes;
  }

  private taken(bytes: number): void {
    const { rcv, host } = this;
    rcv.ring.consume(bytes);
    if (host.probe !== null) host.probe.userCall(this, 'read', bytes);
    bytesRead(this, bytes);
    if (rcv.urgent && urgentRemaining(this) === 0) rcv.urgent = false;
    if (this.state === CLOSED || this.state === TIME_WAIT) {
      if (rcv.ring.length === 0) rcv.ring.release();
    } else if (rcv.ring.length === 0 || windowUpdateDue(this)) {
      // At the end of the turn the empty ring goes back.
      host.schedule(this);
    }
  }

  /**
   * SEND: copies bytes into the send ring; answers how many it took. After fewer than asked,
   * `onWritable` tells when to go on.
   * @throws TcpError EPIPE after `shutdown`, `close`, or the end of the connection.
   */
  write(source: Uint8Array, offset = 0, length = source.length - offset): number {
    if (this.snd.finQueued || !mayQueueData(this.state)) {
      throw new TcpError('EPIPE', `cannot write in ${this.stateName}: sending has ended`);
    }
    const ring = this.snd.ring;
    const bytes = this.room(Math.min(length, this.writable));
    this.snd.starved = bytes < length;
    if (bytes <= 0) return 0;
    ring.place(ring.length, source, offset, bytes);
    ring.extend(bytes);
    if (this.host.probe !== null) this.host.probe.userCall(this, 'write', bytes);
    this.host.schedule(this);
    return bytes;
  }

  /**
   * How many of `wanted` bytes the ring can take: all, or what the arena has a block for. Writers
   * leave a quarter of it to readers: without memory for what arrives nothing is acknowledged, and no
   * send ring would ever shrink. And the fuller it is, the smaller a ring may be, so that a few peers
   * that do not read leave room for others.
   */
  private room(wanted: number): number {
    const ring = this.snd.ring;
    const { arena } = this.host;
    const forWriters = arena.capacity - (arena.capacity >> 2) - arena.used;
    const largest = Math.min(forWriters, Math.max(forWriters >> 2, SMALLEST_SEND_RING));
    for (let bytes = wanted; ring.length + bytes > ring.capacity; bytes >>= 1) {
      const extent = ring.length + bytes;
      if (arena.blockSize(extent) <= largest && ring.ensure(extent)) return bytes;
      this.host.memoryWanted(this);
    }
    return Math.min(wanted, ring.capacity - ring.length);
  }

  /** SEND with the URGENT flag: data in line, the urgent pointer behind them. Answers as `write`. */
  sendUrgent(source: Uint8Array): number {
    const bytes = this.write(source);
    this.snd.up = endOfData(this);
    this.snd.urgent = bytes > 0 || this.snd.urgent;
    return bytes;
  }

  /** CLOSE of RFC 9293 §3.10.4: our FIN after all that was written; reading goes on. */
  shutdown(): void {
    if (this.host.probe !== null) this.host.probe.userCall(this, 'shutdown', 0);
    shutdown(this);
  }

  /**
   * Lets go of both directions. What was not read, or still arrives, is answered with a RST
   * (RFC 9293 §3.6.1).
   * @param lingerMs gives the FIN this long to be acknowledged, then aborts; 0 aborts at once.
   */
  close(lingerMs?: number): void {
    this.host.renewClock();
    if (this.host.probe !== null) this.host.probe.userCall(this, 'close', 0);
    close(this, lingerMs);
  }

  /** @internal The stack lets go of what nobody has taken: as `close`, but no call of a user. */
  forsake(): void {
    close(this, undefined);
  }

  /** ABORT of RFC 9293 §3.10.5: a RST. */
  abort(): void {
    if (this.host.probe !== null) this.host.probe.userCall(this, 'abort', 0);
    abort(this);
  }

  /** Nagle's algorithm off (MUST-17): small segments go out at once, also one that waits now. */
  get noDelay(): boolean {
    return !this.nagle;
  }

  /** Also sends what waits now. */
  set noDelay(on: boolean) {
    this.nagle = !on;
    this.host.schedule(this);
  }

  /** Whether keep-alive is on (RFC 9293 §3.8.4). */
  get keepsAlive(): boolean {
    return this.keepAlive?.on ?? false;
  }

  /** Keep-alive (RFC 9293 §3.8.4); times in milliseconds, defaults as in Linux. */
  setKeepAlive(
    on: boolean,
    idleMs = this.keepAlive?.idleMs ?? this.config.keepAliveIdle,
    intervalMs = this.keepAlive?.intervalMs ?? this.config.keepAliveInterval,
    probes = this.keepAlive?.probes ?? this.config.keepAliveProbes,
  ): void {
    this.host.renewClock();
    this.keepAlive ??= new KeepAlive(this.config);
    Object.assign(this.keepAlive, { on, idleMs, intervalMs, probes });
    renewKeepAlive(this);
    this.host.schedule(this);
  }

  /** R2 (MUST-21): time without progress, ms, after which the connection is given up; 0: default. */
  setUserTimeout(ms: number): void {
    this.userTimeoutMs = ms === 0 ? this.config.userTimeout : ms;
  }

  /**
   * Another congestion controller from now on; the window stays as it is.
   * @throws RangeError for a name that no controller has
   */
  setCongestionControl(name: TcpConfig['congestion']): void {
    const controller = this.host.congestionControl(name);
    if (controller === this.congestionControl) return;
    this.congestionControl = controller;
    // What the other one remembers means nothing to this one.
    this.snd.creditedBytes = 0;
    if (this.snd.congestion !== null) this.snd.congestion.controller = null;
  }

  /**
   * DSCP (MUST-48, SHOULD-21) and TTL or hop limit (MUST-49) of all further packets. The two bits of
   * ECN are the user's unless the connection uses them itself.
   */
  setHeaderFields(trafficClass: number, hopLimit: number): void {
    this.trafficClass = trafficClass & 0xff;
    this.hopLimit = hopLimit & 0xff;
    if (this.ecn) clearEcnField(this);
    this.renewHeaderSums();
  }

  /** STATUS of RFC 9293 §3.10.6: a new object; not for the hot path. */
  info(): TcpInfo {
    this.host.renewClock();
    return connectionInfo(this);
  }

  // ── Driven by hand, or by a stack ──

  /** Active OPEN with this initial sequence number. */
  openActive(iss: number): void {
    activeOpen(this, iss);
  }

  /** Passive OPEN: a SYN, already judged to be one for a listener. */
  openPassive(iss: number, syn: TcpSegment): void {
    passiveOpen(this, iss, syn);
  }

  /** A segment of this connection arrives. */
  receive(segment: TcpSegment): void {
    segmentArrives(this, segment);
  }

  /** Carries out all timers that are due at `host.clock`. */
  runTimers(): void {
    runTimers(this);
  }

  /** Milliseconds from `host.clock` until the next timer is due (0: now), or -1 when none runs. */
  untilNextTimer(): number {
    const timer = nextTimer(this);
    if (timer === NEVER) return NEVER;
    return Math.max((this.deadlines[timer] - this.host.clock.ms) | 0, 0);
  }

  /** Writes all segments that are due into the batch of the path. */
  transmit(): void {
    transmit(this);
  }

  /** Tells the handler all that has happened, in order; then an empty ring goes back. */
  deliver(): void {
    const handler = this.handler;
    if (handler === null || this.news === 0) return;
    const news = this.news;
    this.news = 0;
    if ((news & NEWS_STATE) !== 0) this.deliverStates(handler);
    if ((news & NEWS_ESTABLISHED) !== 0) handler.onEstablished(this);
    if ((news & NEWS_URGENT) !== 0) handler.onUrgent(this);
    if ((news & NEWS_READABLE) !== 0 && this.readable > 0) handler.onReadable(this);
    if ((news & NEWS_END) !== 0) handler.onEnd(this);
    if ((news & NEWS_WRITABLE) !== 0) this.deliverWritable(handler);
    if ((news & NEWS_ADVICE) !== 0) handler.onAdvice(this, this.advice);
    if ((news & NEWS_CLOSED) !== 0) handler.onClosed(this, this.closeReason, this.errorCode);
  }

  private deliverWritable(handler: ConnectionHandler): void {
    const mayWrite = mayQueueData(this.state) && !this.snd.finQueued;
    if (!this.snd.starved || !mayWrite || this.writable === 0) return;
    this.snd.starved = false;
    handler.onWritable(this);
  }

  private deliverStates(handler: ConnectionHandler): void {
    const states = this.stateNews;
    this.stateNews = NO_NUMBERS;
    for (let i = 0; i < states.length; i += 2) handler.onState(this, states[i], states[i + 1]);
  }

  /** Gives empty rings back to the arena: an idle connection holds none. */
  releaseEmptyRings(): void {
    const { rcv, snd } = this;
    if (rcv.ring.length === 0 && rcv.ring.capacity > 0 && !hasGaps(this)) rcv.ring.release();
    if (snd.ring.length === 0 && snd.ring.capacity > 0) snd.ring.release();
  }
}
