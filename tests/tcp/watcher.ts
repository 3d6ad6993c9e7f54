// A probe that keeps the changes of state; must not know what causes them.

import type { Host } from '../../src/tcp/host.js';
import type { Probe } from '../../src/tcp/probe.js';
import { STATE_NAMES, type State } from '../../src/tcp/state.js';
import type { Tcb } from '../../src/tcp/tcb.js';
import type { Transition } from '../../src/tcp/transitions.js';
import type { IpHeader } from '../../src/wire/ip.js';

/** A row of the table of transitions in words. */
export function rowName({ from, event, to }: Pick<Transition, 'from' | 'event' | 'to'>): string {
  return `${STATE_NAMES[from]} --${event}--> ${STATE_NAMES[to]}`;
}

export class Watcher implements Probe {
  readonly rows: string[] = [];
  readonly drops: string[] = [];

  stateChanged(tcb: Tcb, from: State, to: State, rule: Transition): void {
    if (rule.from !== from || rule.to !== to || tcb.state !== to) {
      throw new Error(`${rowName(rule)} was told as ${STATE_NAMES[from]} to ${STATE_NAMES[to]}`);
    }
    this.rows.push(rowName(rule));
  }

  timeWaitEnded(_host: Host, _local: string, _remote: string, rule: Transition): void {
    this.rows.push(rowName(rule));
  }

  dropped(_tcb: Tcb, reason: string): void {
    this.drops.push(reason);
  }

  packetDropped(_host: Host, _ip: IpHeader | null, reason: string): void {
    this.drops.push(reason);
  }

  segmentIn(): void {}
  segmentOut(): void {}
  strangerIn(): void {}
  strangerOut(): void {}
  timeWaitArmed(): void {}
  listenerCall(): void {}
  callFailed(): void {}
  timerArmed(): void {}
  timerFired(): void {}
  timerCancelled(): void {}
  userCall(): void {}
  congestion(): void {}
}
