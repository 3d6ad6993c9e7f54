// One probe made of several, so that more than one can look at a stack. Knows the interface only.

import type { Host } from '../tcp/host.js';
import type { Probe } from '../tcp/probe.js';
import type { State } from '../tcp/state.js';
import type { Tcb } from '../tcp/tcb.js';
import type { TimerId } from '../tcp/timers.js';
import type { Transition } from '../tcp/transitions.js';
import type { IpAddress } from '../wire/address.js';
import type { IpHeader } from '../wire/ip.js';
import type { TcpSegment } from '../wire/tcp.js';

/** Both look, the first one first; where the first is null, the other one alone. */
export function bothProbes(first: Probe | null, second: Probe): Probe {
  return first === null ? second : new Both(first, second);
}

/** What is left when one of them looks no more; null where that is nobody. */
export function withoutProbe(probe: Probe | null, gone: Probe): Probe | null {
  if (probe === gone) return null;
  return probe instanceof Both ? probe.without(gone) : probe;
}

class Both implements Probe {
  readonly #a: Probe;
  readonly #b: Probe;

  constructor(first: Probe, second: Probe) {
    this.#a = first;
    this.#b = second;
  }

  without(gone: Probe): Probe | null {
    const a = withoutProbe(this.#a, gone);
    const b = withoutProbe(this.#b, gone);
    return b === null ? a : bothProbes(a, b);
  }

  segmentIn(tcb: Tcb, segment: TcpSegment): void {
    this.#a.segmentIn(tcb, segment);
    this.#b.segmentIn(tcb, segment);
  }

  segmentOut(tcb: Tcb, at: number, headerLength: number, length: number, gsoSize: number): void {
    this.#a.segmentOut(tcb, at, headerLength, length, gsoSize);
    this.#b.segmentOut(tcb, at, headerLength, length, gsoSize);
  }

  strangerIn(host: Host, ip: IpHeader, segment: TcpSegment): void {
    this.#a.strangerIn(host, ip, segment);
    this.#b.strangerIn(host, ip, segment);
  }

  strangerOut(host: Host, headerOffset: number, headerLength: number): void {
    this.#a.strangerOut(host, headerOffset, headerLength);
    this.#b.strangerOut(host, headerOffset, headerLength);
  }

  stateChanged(tcb: Tcb, from: State, to: State, rule: Transition): void {
    this.#a.stateChanged(tcb, from, to, rule);
    this.#b.stateChanged(tcb, from, to, rule);
  }

  timeWaitArmed(host: Host, local: string, remote: string, delayMs: number): void {
    this.#a.timeWaitArmed(host, local, remote, delayMs);
    this.#b.timeWaitArmed(host, local, remote, delayMs);
  }

  timeWaitEnded(host: Host, local: string, remote: string, rule: Transition): void {
    this.#a.timeWaitEnded(host, local, remote, rule);
    this.#b.timeWaitEnded(host, local, remote, rule);
  }

  timerArmed(tcb: Tcb, timer: TimerId, delayMs: number): void {
    this.#a.timerArmed(tcb, timer, delayMs);
    this.#b.timerArmed(tcb, timer, delayMs);
  }

  timerFired(tcb: Tcb, timer: TimerId): void {
    this.#a.timerFired(tcb, timer);
    this.#b.timerFired(tcb, timer);
  }

  timerCancelled(tcb: Tcb, timer: TimerId): void {
    this.#a.timerCancelled(tcb, timer);
    this.#b.timerCancelled(tcb, timer);
  }

  userCall(tcb: Tcb, call: string, bytes: number): void {
    this.#a.userCall(tcb, call, bytes);
    this.#b.userCall(tcb, call, bytes);
  }

  listenerCall(host: Host, address: IpAddress | null, port: number, call: string): void {
    this.#a.listenerCall(host, address, port, call);
    this.#b.listenerCall(host, address, port, call);
  }

  callFailed(host: Host, call: string, errorCode: string): void {
    this.#a.callFailed(host, call, errorCode);
    this.#b.callFailed(host, call, errorCode);
  }

  congestion(tcb: Tcb, event: string): void {
    this.#a.congestion(tcb, event);
    this.#b.congestion(tcb, event);
  }

  dropped(tcb: Tcb, reason: string): void {
    this.#a.dropped(tcb, reason);
    this.#b.dropped(tcb, reason);
  }

  packetDropped(host: Host, ip: IpHeader | null, reason: string): void {
    this.#a.packetDropped(host, ip, reason);
    this.#b.packetDropped(host, ip, reason);
  }
}
