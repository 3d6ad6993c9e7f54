// A sender as a congestion controller sees it, without segments: a window that is filled, rounds in
// which it is acknowledged, losses. Knows the fields that controllers work on; no stack.

import { TcpClock } from '../../../src/tcp/clock.js';
import { DEFAULT_TCP_CONFIG } from '../../../src/tcp/config.js';
import type { CongestionControl } from '../../../src/tcp/congestion.js';
import { RttState, SendSpace, type Tcb } from '../../../src/tcp/tcb.js';
import { noteWindowUse } from '../../../src/tcp/window-use.js';

export interface SenderOptions {
  mss?: number;
  /** Round-trip time, ms. */
  rtt?: number;
  /** Initial sequence number. */
  iss?: number;
  /** µs. */
  start?: number;
  /** Most bytes that the application, or the peer's window, lets be in flight. */
  most?: number;
}

export class Sender {
  readonly tcb: Tcb;
  readonly snd: SendSpace;
  readonly mss: number;
  readonly rtt: number;
  most: number;
  now: number;

  constructor(
    readonly controller: CongestionControl,
    options: SenderOptions = {},
  ) {
    const { mss = 1000, rtt = 100, iss = 1, start = 0, most = Number.POSITIVE_INFINITY } = options;
    this.mss = mss;
    this.rtt = rtt;
    this.most = most;
    this.now = start;
    this.snd = new SendSpace(null as never);
    Object.assign(this.snd, { mss, una: iss, nxt: iss, max: iss });
    const state = new RttState();
    state.smoothed = rtt * 1000;
    this.tcb = {
      snd: this.snd,
      rtt: state,
      host: { clock: new TcpClock(), probe: null },
      config: DEFAULT_TCP_CONFIG,
      congestionControl: controller,
      ecn: true,
    } as unknown as Tcb;
    this.pass(0);
    controller.start(this.tcb, false);
  }

  /** Window in segments. */
  get window(): number {
    return this.snd.cwnd / this.mss;
  }

  get flight(): number {
    return (this.snd.max - this.snd.una) | 0;
  }

  pass(ms: number): void {
    this.now += Math.round(ms * 1000);
    this.tcb.host.clock.set(this.now);
  }

  /** Sends as many segments as may go. */
  fill(): void {
    const { snd, mss } = this;
    const room = Math.min(snd.cwnd, this.most) - this.flight;
    if (room < mss) return;
    snd.nxt = (snd.nxt + room - (room % mss)) | 0;
    snd.max = snd.nxt;
    noteWindowUse(this.tcb);
  }

  /** An ACK of so many bytes; with `rtt`, ms, it gives a sample. */
  ack(bytes: number, rtt = this.rtt): void {
    this.controller.sampled(this.tcb, rtt * 1000);
    this.snd.una = (this.snd.una + bytes) | 0;
    this.controller.acknowledged(this.tcb, bytes);
    this.fill();
  }

  /** A round trip: all that is in flight is acknowledged, two segments at a time. */
  round(rtt = this.rtt): void {
    this.fill();
    let left = this.flight;
    const acks = Math.max(Math.ceil(left / (2 * this.mss)), 1);
    for (; left > 0; left -= 2 * this.mss) {
      this.pass(rtt / acks);
      this.ack(Math.min(left, 2 * this.mss), rtt);
    }
  }

  rounds(count: number): void {
    for (let i = 0; i < count; i++) this.round();
  }

  /** A loss is seen, and repaired within a round trip. */
  lose(): void {
    this.fill();
    this.controller.lost(this.tcb);
    this.repair();
  }

  timeOut(first = true): void {
    this.fill();
    this.controller.timedOut(this.tcb, first);
    this.repair();
  }

  private repair(): void {
    this.pass(this.rtt);
    this.snd.una = this.snd.max;
  }
}
