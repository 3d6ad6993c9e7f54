// Connections in TIME-WAIT as the stack keeps them: entry, late segments, and the end after 2MSL.
// Knows records and the wheel; the rules stand in tcp/timewait.ts.

import { CLOSED, TIME_WAIT } from '../tcp/state.js';
import type { Tcb } from '../tcp/tcb.js';
import {
  TIME_WAIT_ACK,
  TIME_WAIT_RESTART,
  type TimeWaitVerdict,
  timeWaitArrival,
} from '../tcp/timewait.js';
import { type TransitionEvent, transitionFor } from '../tcp/transitions.js';
import { formatEnd, IpAddress } from '../wire/address.js';
import type { IpHeader } from '../wire/ip.js';
import type { TcpSegment } from '../wire/tcp.js';
import type { StackCore } from './core.js';
import { replyTimeWaitAck } from './reply.js';
import type { TimerWheel } from './timer-wheel.js';
import { TimeWaitTable } from './timewait-table.js';

/** One record, for people. */
export interface TimeWaitInfo {
  /** Our address. */
  localAddress: IpAddress;
  /** Our port. */
  localPort: number;
  /** The address of the peer. */
  remoteAddress: IpAddress;
  /** The port of the peer. */
  remotePort: number;
  /** Milliseconds until 2MSL are over. */
  remainingMs: number;
}

export class TimeWaits {
  private readonly table = new TimeWaitTable();

  constructor(
    private readonly core: StackCore,
    private readonly wheel: TimerWheel,
  ) {}

  get count(): number {
    return this.table.count;
  }

  has(id: number): boolean {
    return this.table.has(id);
  }

  /** A connection entered TIME-WAIT: what must be remembered of it, for two MSL (MUST-13). */
  enter(id: number, tcb: Tcb): void {
    const duration = 2 * tcb.mslMs;
    const ends = (this.core.clock.ms + duration) | 0;
    const window = (tcb.rcv.edge - tcb.rcv.nxt) >> tcb.rcv.shift;
    this.table.add(
      id,
      tcb.snd.max,
      tcb.rcv.nxt,
      Math.min(Math.max(window, 0), 0xffff),
      tcb.timestamps,
      tcb.rcv.tsRecent,
      tcb.timestampOffset,
      duration,
      ends,
    );
    this.wheel.arm(id, ends);
    this.tellArmed(id, duration);
  }

  /** A late segment; the verdict REOPEN is left to the caller, who knows the listeners. */
  arrives(id: number, ip: IpHeader, segment: TcpSegment): TimeWaitVerdict {
    const record = this.table.select(id);
    const verdict = timeWaitArrival(record, segment);
    if (verdict === TIME_WAIT_RESTART) {
      record.endsMs = (this.core.clock.ms + record.durationMs) | 0;
      this.wheel.arm(id, record.endsMs);
      this.tellArmed(id, record.durationMs);
    }
    if (verdict === TIME_WAIT_RESTART || verdict === TIME_WAIT_ACK) {
      this.acknowledge(id, ip, segment);
    }
    return verdict;
  }

  /** Says where we stand. */
  acknowledge(id: number, ip: IpHeader, segment: TcpSegment): void {
    const { core } = this;
    const path = core.pathTo(ip.src0, ip.src1, ip.src2, ip.src3);
    const record = this.table.select(id);
    replyTimeWaitAck(core, path.batch, ip, segment, record);
  }

  /** 2MSL are over. */
  due(id: number): void {
    this.end(id, 'timeout 2MSL');
  }

  /** A new connection takes the place of the record; answers where our old numbers ended. */
  reopen(id: number): number {
    const after = this.table.select(id).sndNxt;
    this.core.counters.timeWaitReopened += 1;
    this.end(id, 'rcv SYN in TIME-WAIT');
    return after;
  }

  /**
   * Whether an outgoing connection may take the place of the record: RFC 6191 §3, as Linux's
   * tcp_tw_reuse: with timestamps, and not within the tick in which the old one ended.
   */
  mayReuse(id: number): boolean {
    const record = this.table.select(id);
    const age = (this.core.clock.ms + record.durationMs - record.endsMs) | 0;
    return record.timestamps && age > REUSE_AFTER_MS;
  }

  infos(): TimeWaitInfo[] {
    const { flows, clock } = this.core;
    const infos: TimeWaitInfo[] = [];
    for (let id = 0; infos.length < this.table.count; id++) {
      if (!this.table.has(id)) continue;
      infos.push({
        localAddress: this.address(id, true),
        localPort: flows.localPort(id),
        remoteAddress: this.address(id, false),
        remotePort: flows.remotePort(id),
        remainingMs: (this.table.select(id).endsMs - clock.ms) | 0,
      });
    }
    return infos;
  }

  private end(id: number, event: TransitionEvent): void {
    const { core } = this;
    if (core.probe !== null) {
      const rule = transitionFor(TIME_WAIT, event, CLOSED);
      core.probe.timeWaitEnded(core, this.endOf(id, true), this.endOf(id, false), rule);
    }
    this.table.remove(id);
    core.removeFlow(id);
  }

  private tellArmed(id: number, delayMs: number): void {
    const { core } = this;
    if (core.probe === null) return;
    core.probe.timeWaitArmed(core, this.endOf(id, true), this.endOf(id, false), delayMs);
  }

  private endOf(id: number, local: boolean): string {
    const { flows } = this.core;
    return formatEnd(this.address(id, local), local ? flows.localPort(id) : flows.remotePort(id));
  }

  private address(id: number, local: boolean): IpAddress {
    const flows = this.core.flows;
    const word = (i: number) => (local ? flows.localWord(id, i) : flows.remoteWord(id, i));
    const mapped = word(0) === 0 && word(1) === 0 && word(2) === 0xffff;
    return mapped ? IpAddress.v4(word(3)) : IpAddress.v6(word(0), word(1), word(2), word(3));
  }
}

/** Linux waits for a tick of its timestamps in seconds; so that none can be equal. */
const REUSE_AFTER_MS = 1000;
