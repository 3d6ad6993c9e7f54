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

/** Networks of this process so far. */
let networks = 0;

export class MemoryNetwork implements Network {
  readonly gate: Gate;
  readonly stack: Stack;
  readonly address: string;
  readonly #client: Stack;
  readonly #undo: () => void;

  constructor(options: NetworkOptions) {
    // In 127.0.0.0/8, so that nothing leaves the machine even where this network is not there (any more).
    const number = networks++;
    const subnet = `127.${100 + ((number >> 8) % 100)}.${number % 256}`;
    // Each packet is a segment, so that one of them is what a fault is about.
    const link = new MemoryLink(peerClock(), { maxSegmentBytes: 0 });
    this.gate = new Gate(link.a);
    this.address = `${subnet}.2`;
    this.stack = makeStack(options, 'ours', this.gate, this.address);
    const own = `${subnet}.1`;
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

function makeStack(
  { tcp, timeline }: NetworkOptions,
  end: End,
  device: Device,
  address: string,
): Stack {
  const probe = new Recorder(timeline, { end });
  const addresses = [`${address}/24`];
  const stack = new Stack({ clock: peerClock(), device, addresses, memory: MEMORY, tcp, probe });
  // From now on it knows what time it is.
  stack.core.flush(stack.now());
  return stack;
}
