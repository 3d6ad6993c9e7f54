// Writes all that a stack tells its probe into a timeline. Knows both shapes; must not know what they
// are for.

import type { Host } from '../tcp/host.js';
import type { Probe } from '../tcp/probe.js';
import { ipHeaderLength } from '../tcp/segment-out.js';
import { CLOSED, LISTEN, STATE_NAMES, type State } from '../tcp/state.js';
import type { Tcb } from '../tcp/tcb.js';
import { TIMER_NAMES, type TimerId } from '../tcp/timers.js';
import { type Transition, transitionFor } from '../tcp/transitions.js';
import { formatEnd, type IpAddress } from '../wire/address.js';
import { IpHeader, PROTOCOL_TCP, parseQuotedIp } from '../wire/ip.js';
import { seqMax } from '../wire/sequence.js';
import { parseTcp, TCP_OK, TcpSegment } from '../wire/tcp.js';
import {
  type Direction,
  type End,
  type NewEvent,
  type SegmentFields,
  type TcbSnapshot,
  TWO_MSL,
} from './event.js';
import {
  type Addresses,
  addressesOf,
  connectionOfSegment,
  hasFlag,
  sequenceLength,
  toFields,
} from './segment.js';
import { snapshot } from './snapshot.js';
import type { Timeline } from './timeline.js';

/** What a `Recorder` may be told. */
export interface RecorderOptions {
  /** Whose stack it is; default `ours`. What that of the others sends is `in`, and so on. */
  end?: End;
  /** The time, microseconds; default: that of the stack's turn, which calls between turns may be behind. */
  now?: () => number;
}

/** An event without what all events have. */
type Happening = NewEvent extends infer E
  ? E extends unknown
    ? Omit<E, 'timeUs' | 'end' | 'connection' | 'tcb'>
    : never
  : never;

/** What does not change about a connection, as text. */
interface Ends {
  readonly connection: string;
  readonly sends: Addresses;
  readonly receives: Addresses;
}

/** One for each stack; several may share a timeline. */
export class Recorder implements Probe {
  readonly #timeline: Pick<Timeline, 'add'>;
  readonly #end: End;
  readonly #now: (() => number) | null;
  readonly #in: Direction;
  readonly #out: Direction;
  readonly #ends = new WeakMap<Tcb, Ends>();
  readonly #ip = new IpHeader();
  readonly #tcp = new TcpSegment();

  constructor(timeline: Pick<Timeline, 'add'>, { end = 'ours', now }: RecorderOptions = {}) {
    this.#timeline = timeline;
    this.#end = end;
    this.#now = now ?? null;
    this.#in = end === 'ours' ? 'in' : 'out';
    this.#out = end === 'ours' ? 'out' : 'in';
  }

  segmentIn(tcb: Tcb, segment: TcpSegment): void {
    const fields = toFields(segment, this.#endsOf(tcb).receives);
    this.#addOf(tcb, { kind: 'segment', direction: this.#in, segment: fields });
  }

  segmentOut(
    tcb: Tcb,
    headerOffset: number,
    headerLength: number,
    payloadLength: number,
    gsoSize: number,
  ): void {
    const { sends } = this.#endsOf(tcb);
    const ipLength = ipHeaderLength(tcb);
    const { view } = tcb.host.arena;
    parseTcp(view, headerOffset + ipLength, headerLength - ipLength, this.#tcp);
    const segment = toFields(this.#tcp, sends);
    segment.length = payloadLength;
    segment.gsoSize = gsoSize;
    const event = { kind: 'segment', direction: this.#out, segment } as const;
    this.#addOf(tcb, event, afterSending(snapshot(tcb), segment));
  }

  strangerIn(host: Host, ip: IpHeader, segment: TcpSegment): void {
    this.#addSegment(host, this.#in, toFields(segment, addressesOf(ip)));
  }

  strangerOut(host: Host, headerOffset: number, headerLength: number): void {
    const { view } = host.arena;
    parseQuotedIp(view, headerOffset, headerLength, this.#ip);
    parseTcp(view, this.#ip.payloadOffset, this.#ip.payloadLength, this.#tcp);
    this.#addSegment(host, this.#out, toFields(this.#tcp, addressesOf(this.#ip)));
  }

  stateChanged(tcb: Tcb, _from: State, _to: State, rule: Transition): void {
    this.#addOf(tcb, changeBy(rule));
  }

  timeWaitArmed(host: Host, local: string, remote: string, delayMs: number): void {
    const event = { kind: 'timer', action: 'armed', timer: TWO_MSL, delayMs } as const;
    this.#add(host, this.#connection(local, remote), event);
  }

  timeWaitEnded(host: Host, local: string, remote: string, rule: Transition): void {
    const connection = this.#connection(local, remote);
    const action = rule.event === 'timeout 2MSL' ? 'fired' : 'cancelled';
    this.#add(host, connection, { kind: 'timer', action, timer: TWO_MSL, delayMs: null });
    this.#add(host, connection, changeBy(rule));
  }

  timerArmed(tcb: Tcb, timer: TimerId, delayMs: number): void {
    this.#addTimer(tcb, 'armed', timer, delayMs);
  }

  timerFired(tcb: Tcb, timer: TimerId): void {
    this.#addTimer(tcb, 'fired', timer, null);
  }

  timerCancelled(tcb: Tcb, timer: TimerId): void {
    this.#addTimer(tcb, 'cancelled', timer, null);
  }

  userCall(tcb: Tcb, call: string, bytes: number): void {
    this.#addOf(tcb, { kind: 'call', call, bytes });
  }

  listenerCall(host: Host, address: IpAddress | null, port: number, call: string): void {
    const where = formatEnd(address ?? '*', port);
    this.#add(host, null, { kind: 'call', call: `${call} ${where}`, bytes: 0 });
    const rule = call === 'listen' ? transitionFor(CLOSED, 'passive OPEN', LISTEN) : null;
    if (rule !== null) this.#add(host, null, changeBy(rule));
  }

  callFailed(host: Host, call: string, errorCode: string): void {
    this.#add(host, null, { kind: 'call', call: `${call}: ${errorCode}`, bytes: 0 });
  }

  congestion(tcb: Tcb, event: string): void {
    this.#addOf(tcb, { kind: 'congestion', event });
  }

  dropped(tcb: Tcb, reason: string): void {
    this.#addOf(tcb, { kind: 'drop', reason });
  }

  /** What arrived damaged is shown as what it seems to be. */
  packetDropped(host: Host, ip: IpHeader | null, reason: string): void {
    const segment = ip === null ? null : this.#segmentOf(host, ip);
    const connection = segment && connectionOfSegment(segment, this.#in);
    if (segment !== null && reason === 'bad checksum') this.#addSegment(host, this.#in, segment);
    this.#add(host, connection, { kind: 'drop', reason });
  }

  #segmentOf(host: Host, ip: IpHeader): SegmentFields | null {
    if (ip.protocol !== PROTOCOL_TCP || ip.moreFragments || ip.fragmentOffset !== 0) return null;
    const { view } = host.arena;
    const verdict = parseTcp(view, ip.payloadOffset, ip.payloadLength, this.#tcp);
    return verdict === TCP_OK ? toFields(this.#tcp, addressesOf(ip)) : null;
  }

  #addTimer(
    tcb: Tcb,
    action: 'armed' | 'fired' | 'cancelled',
    timer: TimerId,
    delayMs: number | null,
  ): void {
    this.#addOf(tcb, { kind: 'timer', action, timer: TIMER_NAMES[timer]!, delayMs });
  }

  #addOf(tcb: Tcb, what: Happening, copy: TcbSnapshot = snapshot(tcb)): void {
    const { connection } = this.#endsOf(tcb);
    const timeUs = this.#now?.() ?? tcb.host.nowUs;
    this.#timeline.add({ timeUs, end: this.#end, connection, ...what, tcb: copy } as NewEvent);
  }

  #addSegment(host: Host, direction: Direction, segment: SegmentFields): void {
    const connection = connectionOfSegment(segment, direction);
    this.#add(host, connection, { kind: 'segment', direction, segment });
  }

  #add(host: Host, connection: string | null, what: Happening): void {
    const timeUs = this.#now?.() ?? host.nowUs;
    this.#timeline.add({ timeUs, end: this.#end, connection, ...what, tcb: null } as NewEvent);
  }

  #endsOf(tcb: Tcb): Ends {
    let ends = this.#ends.get(tcb);
    if (ends === undefined) {
      const local = tcb.localAddress.toString();
      const remote = tcb.remoteAddress.toString();
      ends = {
        connection: this.#connection(
          formatEnd(local, tcb.localPort),
          formatEnd(remote, tcb.remotePort),
        ),
        sends: { source: local, destination: remote },
        receives: { source: remote, destination: local },
      };
      this.#ends.set(tcb, ends);
    }
    return ends;
  }

  /** Our end first, whoever tells it. */
  #connection(local: string, remote: string): string {
    return this.#end === 'ours' ? `${local} ${remote}` : `${remote} ${local}`;
  }
}

/** A change of state as the rule has it by which it was made. */
function changeBy({ from, event, to, section, why }: Transition): Happening {
  return { kind: 'state', from: STATE_NAMES[from]!, to: STATE_NAMES[to]!, event, section, why };
}

/** The connection will count the segment as sent as soon as it was told of. */
function afterSending(copy: TcbSnapshot, segment: SegmentFields): TcbSnapshot {
  const end = (segment.seq + sequenceLength(segment)) | 0;
  const isRst = hasFlag(segment, 'RST');
  const fin = hasFlag(segment, 'FIN') && copy.fin === 'queued' ? 'sent' : copy.fin;
  return isRst ? copy : { ...copy, fin, sndNxt: seqMax(copy.sndNxt, end) >>> 0 };
}
