// What a stack is told when it is made. Knows names and defaults; no behaviour.

import type { TcpConfig } from '../tcp/config.js';
import type { Probe } from '../tcp/probe.js';
import type { Subnet } from '../wire/address.js';
import type { Device } from './device.js';

/** What a stack that is driven by hand is told when it is made. */
export interface StackCoreOptions {
  /** The stack's own addresses, each with its prefix. */
  addresses: readonly Subnet[];
  /** Where packets go; without one they are kept for `takePackets`. */
  device?: Device;
  /** Bytes for all buffers of all connections (256 MiB): the limit of the stack's memory. */
  memory?: number;
  /** Fills an array with random bytes that nobody can guess. */
  random: (bytes: Uint8Array) => void;
  /** Settings of all connections that differ from `DEFAULT_TCP_CONFIG`. */
  tcp?: Partial<TcpConfig>;
  /**
   * Where several stacks share these addresses: whether a flow between two ports is this one's.
   * Outgoing connections get such ports; what is put together of fragments and is another's is
   * dropped. Default: all are.
   */
  owns?: (localPort: number, remotePort: number) => boolean;
  /** Sees all that happens in the stack; default null. */
  probe?: Probe | null;
  /**
   * The time, µs, for calls that the application makes between turns; without it they happen at the
   * time of the last turn.
   */
  now?: () => number;
  /** Replaces the generator of initial sequence numbers: for tests and conformance drivers. */
  isn?: () => number;
}
