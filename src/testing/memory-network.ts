// A network within this process: the client has a stack of its own, and a link in memory leads to the peer.
// Knows both stacks, and how Node's sockets get there; must not know what is said over them.

import { Gate } from '../device/gate.js';
import { MemoryLink } from '../device/link.js';
import { installRoutes } from '../dropin/routing.js';
import { Stack } from '../net/stack.js';
import type { Device } from '../stack/device.js';
import type { End } from '../trace/event.js';
import { Recorder } from '../trace/recorder.js';
import { Anchored } from './anchor.js';
import { peerClock } from './clock.js';
import type { Network, NetworkOptions } from './network.js';

/** Bytes for the buffers of all connections, at each end. */
const MEMORY = 32 * 1024 * 1024;
/** How long an end may take to close what is open, ms: nobody waits for it. */
const GRACE_MS = 0;

/** Networks that have different addresses. */
const MOST_NETWORKS = 100 * 256;
/** Each stack is one address only, though a host with 127.0.0.1/8 is all of them. */
const PREFIX = { 4: 32, 6: 128 } as const;

/** Networks of this process so far. */
let networks = 0;

export class MemoryNetwork implements Network {
  readonly gate: Gate;
  readonly stack: Stack;
  readonly address: string;
  readonly #client: Stack;
  readonly #undo: () => void;

  constructor(options: NetworkOptions) {
    const [own, peers] = nextEnds(options.family);
    // Each packet is a segment, so that one of them is what a fault is about.
    const link = new MemoryLink(peerClock(), { maxSegmentBytes: 0 });
    this.gate = new Gate(link.a);
    this.address = peers;
    this.stack = makeStack(options, 'ours', this.gate, this.address);
    this.#client = makeStack(options, 'theirs', new Anchored(link.b), own);
    this.#undo = installRoutes({
      connect: (address) => (address === this.address ? this.#client : null),
      // Who connects from an address of its own binds to it first.
      listen: (address) => (address === own ? this.#client : null),
    });
  }

  now(): number {
    return this.stack.now();
  }

  look(): void {
    // Both ends tell by themselves what happens.
  }

  async close(): Promise<void> {
    this.#undo();
    await Promise.all([this.#client.close(GRACE_MS), this.stack.close(GRACE_MS)]);
  }
}

/**
 * Addresses of the client and of the peer. They are in 127.0.0.0/8 or 100::/64 (RFC 6666: what is sent there
 * is discarded), so that nothing gets anywhere where this network is not there (any more).
 */
function nextEnds(family: 4 | 6): [client: string, peer: string] {
  const number = networks++ % MOST_NETWORKS;
  const high = 100 + (number >> 8);
  const low = number & 0xff;
  return family === 4
    ? [`127.${high}.${low}.1`, `127.${high}.${low}.2`]
    : [`100::${high}:${low}:1`, `100::${high}:${low}:2`];
}

function makeStack(
  { tcp, timeline, family }: NetworkOptions,
  end: End,
  device: Device,
  address: string,
): Stack {
  const probe = new Recorder(timeline, { end });
  const addresses = [`${address}/${PREFIX[family]}`];
  const stack = new Stack({ clock: peerClock(), device, addresses, memory: MEMORY, tcp, probe });
  // From now on it knows what time it is.
  stack.core.flush(stack.now());
  return stack;
}
