// What sockets and servers need of the stack that they belong to. Knows an interface; no behaviour.

import type { StackCore } from '../stack/core.js';
import type { IpAddress } from '../wire/address.js';
import type { Liveness } from './liveness.js';
import type { Turns } from './turns.js';

/** Something that is open and must be closed before the stack can go. */
export interface Member {
  /** Closes in order, once what was written is sent. */
  closeInOrder(): void;
  /** Gives up what is left. */
  abort(): void;
}

export interface Host {
  readonly core: StackCore;
  readonly turns: Turns;
  readonly liveness: Liveness;
  /** Whether the stack has an IPv6 address. */
  readonly hasIpv6: boolean;
  /** Whether the stack was closed, or is being closed. */
  readonly closed: boolean;
  /** Microseconds, by the clock of the stack. */
  readonly now: () => number;
  /** Code of the error when nothing leads to `address`: no device, no loopback, or all is closed. */
  whyUnreachable(address: IpAddress): string | null;
  /** Something was opened, or is over: closed by both sides, reset, or timed out. */
  join(member: Member): void;
  leave(member: Member): void;
}
