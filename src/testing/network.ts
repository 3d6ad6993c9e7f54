// What lies between the client and the peer, and how both are reached. Declares; no behaviour.

import type { Gate } from '../device/gate.js';
import type { Stack } from '../net/stack.js';
import type { TcpConfig } from '../tcp/config.js';
import type { Timeline } from '../trace/timeline.js';

export interface NetworkOptions {
  /** Of the peer's connections, and of the client's where its TCP is ours as well. */
  tcp: Partial<TcpConfig>;
  timeline: Timeline;
  /** Where the peer listens. */
  port: number;
  /** Of both ends' addresses. */
  family: 4 | 6;
}

export interface Network {
  /** In front of the peer's stack. */
  readonly gate: Gate;
  readonly stack: Stack;
  /** The peer's. */
  readonly address: string;
  /** Microseconds, by the clock of the peer's stack. */
  now(): number;
  /** Brings what is known of the client's end up to date. */
  look(): void;
  close(): Promise<void>;
}
