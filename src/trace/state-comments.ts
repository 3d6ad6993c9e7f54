// Changes of state as comments of packets: which text goes with which packet. Knows texts and connections;
// must not know files or devices.

import type { Host } from '../tcp/host.js';
import type { Probe } from '../tcp/probe.js';
import { STATE_NAMES, type State } from '../tcp/state.js';
import type { Tcb } from '../tcp/tcb.js';
import type { Transition } from '../tcp/transitions.js';
import { formatEnd } from '../wire/address.js';
import type { IpHeader } from '../wire/ip.js';
import type { TcpSegment } from '../wire/tcp.js';

/** A change that waits so long for a packet of its own connection goes with one of another. */
const PATIENCE_US = 1_000_000;
/** So many of other connections one packet takes at most. */
const MOST_OTHERS = 8;
/** Sooner than this a packet follows at once. */
const AT_ONCE_US = 10_000;

/** A change that no segment has caused, until a packet comes along. */
interface Waiting {
  readonly connection: string;
  readonly text: string;
  readonly timeUs: number;
}

/** What one packet says about the segment in it, as far as it is needed to find it again. */
export interface SegmentKey {
  readonly ports: number;
  readonly seq: number;
  readonly flags: number;
}

/**
 * Watches a stack. A change that a segment causes belongs to that packet: `arrives` says which one is being
 * looked at. One that a call or a timer causes belongs to the next packet of the connection, either way.
 */
export class StateComments implements Probe {
  /** Told of each segment that the stack takes up: the comments of its packet are to be returned. */
  arrives: ((key: SegmentKey) => string[] | null) | null = null;
  readonly #now: () => number;
  #waiting: Waiting[] = [];
  /** Comments of the packet that is being looked at. */
  #current: string[] | null = null;

  /** @param now microseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many changes wait for a packet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * The comments of a packet, without those of the changes that it is about to cause.
   * @param ends both ends as text, ours first; null where the packet has none. Asked for when it matters.
   */
  take(ends: () => string | null): string[] {
    if (this.#waiting.length === 0) return [];
    const connection = ends();
    const now = this.#now();
    const due: Waiting[] = [];
    const rest: Waiting[] = [];
    let others = 0;
    for (const change of this.#waiting) {
      const isOwn = change.connection === connection;
      const isLate = now - change.timeUs > PATIENCE_US && others < MOST_OTHERS;
      if (!isOwn && isLate) others += 1;
      (isOwn || isLate ? due : rest).push(change);
    }
    if (due.length > 0) this.#waiting = rest;
    return due.map((change) => format(change, change.connection === connection, now));
  }

  /** All that waits: no packet will come. */
  takeAll(): string[] {
    const now = this.#now();
    return this.#waiting.splice(0).map((change) => format(change, false, now));
  }

  segmentIn(_tcb: Tcb, segment: TcpSegment): void {
    this.#looksAt(segment);
  }

  strangerIn(_host: Host, _ip: IpHeader, segment: TcpSegment): void {
    this.#looksAt(segment);
  }

  stateChanged(tcb: Tcb, from: State, to: State, rule: Transition): void {
    const local = formatEnd(tcb.localAddress, tcb.localPort);
    const remote = formatEnd(tcb.remoteAddress, tcb.remotePort);
    this.#changed(local, remote, from, to, rule);
  }

  timeWaitEnded(_host: Host, local: string, remote: string, rule: Transition): void {
    this.#changed(local, remote, rule.from, rule.to, rule);
  }

  segmentOut(): void {}
  strangerOut(): void {}
  timeWaitArmed(): void {}
  timerArmed(): void {}
  timerFired(): void {}
  timerCancelled(): void {}
  userCall(): void {}
  listenerCall(): void {}
  callFailed(): void {}
  congestion(): void {}
  dropped(): void {}
  packetDropped(): void {}

  #looksAt({ sourcePort, destinationPort, seq, flags }: TcpSegment): void {
    const ports = (sourcePort << 16) | destinationPort;
    this.#current = this.arrives?.({ ports, seq, flags }) ?? null;
  }

  #changed(local: string, remote: string, from: State, to: State, rule: Transition): void {
    const cause = `${rule.event} (${rule.section})`;
    const text = `${local} ${STATE_NAMES[from]} → ${STATE_NAMES[to]}: ${cause}`;
    if (this.#current !== null && rule.event.startsWith('rcv')) this.#current.push(text);
    else this.#waiting.push({ connection: `${local} ${remote}`, text, timeUs: this.#now() });
  }
}

/** Beside a packet of another connection it says which one it is about. */
function format({ connection, text, timeUs }: Waiting, isOwn: boolean, now: number): string {
  const remote = connection.slice(connection.indexOf(' ') + 1);
  const about = isOwn ? text : `${text}; the other end was ${remote}`;
  const late = now - timeUs;
  return late < AT_ONCE_US ? about : `${about}, ${(late / 1e6).toFixed(3)} s before this packet`;
}
