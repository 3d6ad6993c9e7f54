// Stacks that are driven by hand, alone or two at once, for tests without device or clock. Knows how
// to pass packets and time; must not know what a test is about.

import { type Listener, StackCore, type StackCoreOptions } from '../../src/stack/core.js';
import type { CloseReason, Connection, ConnectionHandler } from '../../src/tcp/connection.js';
import { STATE_NAMES, type State } from '../../src/tcp/state.js';
import { IpAddress, Subnet } from '../../src/wire/address.js';

export type Family = 4 | 6;

/** Two hosts on one network; `a` is the stack that most tests look at. */
export const HOST_A = { 4: '10.9.0.2', 6: 'fd09::2' } as const;
export const HOST_B = { 4: '10.9.0.1', 6: 'fd09::1' } as const;

export const SECOND = 1_000_000;

export function address(text: string): IpAddress {
  return IpAddress.parse(text)!;
}

/** Bytes that look random, the same for the same seed. */
export function repeatable(seed: number): (bytes: Uint8Array) => void {
  let state = seed | 0;
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      bytes[i] = state >>> 16;
    }
  };
}

/** A stack with one address of each family, by default those of `HOST_A`, and 4 MiB of memory. */
export function newCore(
  options: Partial<StackCoreOptions> = {},
  own: Record<Family, string> = HOST_A,
): StackCore {
  return new StackCore({
    addresses: [Subnet.parse(`${own[4]}/24`)!, Subnet.parse(`${own[6]}/64`)!],
    memory: 4 << 20,
    random: repeatable(own === HOST_A ? 1 : 2),
    ...options,
  });
}

/** Arena bytes that a stack takes for itself before any block; what is more is for connections. */
export const RESERVED = reservedBytes();

function reservedBytes(): number {
  const { arena } = newCore();
  return arena.buffer.byteLength - arena.capacity;
}

/** An application: keeps what it is told, reads all it gets, and closes when the peer has. */
export class Application implements ConnectionHandler {
  readonly told: string[] = [];
  readonly states: string[] = [];
  readonly pieces: Uint8Array[] = [];
  reads = true;
  closesAfterPeer = true;
  /** Still to be written; the FIN follows them if `thenShutdown`. */
  outbox = new Uint8Array(0);
  thenShutdown = false;

  get received(): Buffer {
    return Buffer.concat(this.pieces);
  }

  onEstablished(connection: Connection): void {
    this.told.push('established');
    this.pour(connection);
  }

  onReadable(connection: Connection): void {
    this.told.push('readable');
    if (this.reads) this.drain(connection);
  }

  onWritable(connection: Connection): void {
    this.told.push('writable');
    this.pour(connection);
  }

  onEnd(connection: Connection): void {
    this.told.push('end');
    this.thenShutdown ||= this.closesAfterPeer;
    this.pour(connection);
  }

  onClosed(_connection: Connection, reason: CloseReason, code: string | null): void {
    this.told.push(`closed ${code ?? reason}`);
  }

  onState(_connection: Connection, _from: State, to: State): void {
    this.states.push(STATE_NAMES[to]!);
  }

  onUrgent(): void {
    this.told.push('urgent');
  }

  onAdvice(_connection: Connection, code: string): void {
    this.told.push(`advice ${code}`);
  }

  drain(connection: Connection): void {
    const piece = new Uint8Array(connection.readable);
    connection.read(piece);
    this.pieces.push(piece);
  }

  /** Writes what is in the outbox, as far as it goes. */
  pour(connection: Connection): void {
    while (this.outbox.length > 0) {
      const taken = connection.write(this.outbox);
      this.outbox = this.outbox.subarray(taken);
      if (taken === 0) return;
    }
    if (this.thenShutdown) connection.shutdown();
  }
}

/** Accepts all that come, each with an application of its own. */
export class Acceptor {
  readonly connections: Connection[] = [];
  readonly applications: Application[] = [];

  constructor(private readonly make: () => Application = () => new Application()) {}

  onConnection(listener: Listener): void {
    for (let next = listener.accept(); next !== null; next = listener.accept()) {
      const application = this.make();
      next.handler = application;
      this.connections.push(next);
      this.applications.push(application);
    }
  }
}

/** Lets time pass for one stack up to `until`, from deadline to deadline. */
export function advanceTo(core: StackCore, until: number): void {
  for (let at = core.nextDeadline(); at <= until; at = core.nextDeadline()) core.advance(at);
  core.advance(until);
}

/** Two stacks and a perfect wire. */
export class Pair {
  readonly a: StackCore;
  readonly b: StackCore;
  /** Microseconds. */
  now = SECOND;
  packets = 0;

  constructor(a: Partial<StackCoreOptions> = {}, b: Partial<StackCoreOptions> = {}) {
    this.a = newCore(a, HOST_A);
    this.b = newCore(b, HOST_B);
  }

  /** Passes packets to and fro until both are silent; no time passes. */
  exchange(): void {
    for (let silent = false; !silent; ) {
      this.a.flush(this.now);
      this.b.flush(this.now);
      const toB = this.a.takePackets();
      const toA = this.b.takePackets();
      for (const packet of toB) this.b.receivePacket(packet, this.now);
      for (const packet of toA) this.a.receivePacket(packet, this.now);
      this.packets += toA.length + toB.length;
      silent = toA.length + toB.length === 0;
    }
  }

  /** Lets `us` pass, with all timers and all that they send. */
  pass(us: number): void {
    const until = this.now + us;
    for (;;) {
      const at = Math.min(this.a.nextDeadline(), this.b.nextDeadline(), until);
      this.now = Math.max(this.now, at);
      this.a.advance(this.now);
      this.b.advance(this.now);
      this.exchange();
      if (at >= until) return;
    }
  }
}
