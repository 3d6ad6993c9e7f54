// Two stacks, a network between them as bad as one likes, and data in both directions at once, in
// virtual time. Knows how to run a transfer to its end; must not know what a test expects of it.

import type { Impairments } from '../../src/device/impairment.js';
import { type LinkOptions, MemoryLink } from '../../src/device/link.js';
import { withSoftwareOffload } from '../../src/device/offload.js';
import { Simulation, type VirtualClock } from '../../src/device/virtual-clock.js';
import type { StackCore } from '../../src/stack/core.js';
import type { Device } from '../../src/stack/device.js';
import type { TcpConfig } from '../../src/tcp/config.js';
import type { CloseReason, Connection } from '../../src/tcp/connection.js';
import { IdleHandler } from '../../src/tcp/connection.js';
import {
  address,
  type Family,
  HOST_A,
  HOST_B,
  newCore,
  repeatable,
  SECOND,
} from '../stack/host.js';
import { Invariants } from '../tcp/invariants.js';

export interface Transfer {
  family: Family;
  /** Bytes in each direction. */
  bytes: number;
  seed: number;
  /** Both directions of the network. */
  network?: Partial<Impairments>;
  /** Differences of the way from b to a. */
  back?: Partial<Impairments>;
  link?: LinkOptions;
  /** Super-segments travel whole; else the device takes MTU-sized packets with whole checksums. */
  offload?: boolean;
  tcp?: Partial<TcpConfig>;
  /** Initial sequence numbers of both sides; their own generators where absent. */
  isn?: number;
  /** Each reading takes at most so many bytes, and comes so many µs after the last one. */
  reader?: { bytes: number; every: number };
  /** µs after which b's application begins to read. */
  sleepsUntil?: number;
}

/** What came of it. */
export interface Outcome {
  /** Virtual seconds until both applications were told the end. */
  seconds: number;
  told: [string, string];
  received: [number, number];
  retransmits: number;
  /** Packets that the network took, lost and otherwise spoiled. */
  packets: number;
  spoiled: number;
}

/** An application that writes its bytes, ends, and compares what it reads with what it should be. */
class Party extends IdleHandler {
  written = 0;
  received = 0;
  ended = false;
  told: string | null = null;
  awake = true;
  private readonly buffer = new Uint8Array(1 << 16);
  private waiting = false;

  constructor(
    private readonly simulation: Simulation,
    private readonly sends: Uint8Array,
    private readonly expects: Uint8Array,
    private readonly pace: { bytes: number; every: number } | null,
  ) {
    super();
  }

  override onEstablished(connection: Connection): void {
    this.onWritable(connection);
  }

  override onWritable(connection: Connection): void {
    while (this.written < this.sends.length) {
      const taken = connection.write(this.sends, this.written);
      this.written += taken;
      if (taken === 0) return;
    }
    connection.shutdown();
  }

  override onReadable(connection: Connection): void {
    if (!this.awake) return;
    if (this.pace === null) {
      while (this.take(connection, this.buffer.length) > 0);
    } else if (!this.waiting) {
      this.readSlowly(connection, this.pace);
    }
  }

  private readSlowly(connection: Connection, pace: { bytes: number; every: number }): void {
    this.waiting = true;
    this.simulation.at(this.simulation.now + pace.every, () => {
      this.waiting = false;
      this.take(connection, pace.bytes);
      if (connection.readable > 0) this.readSlowly(connection, pace);
    });
  }

  private take(connection: Connection, most: number): number {
    const count = connection.read(this.buffer, 0, most);
    const expected = this.expects.subarray(this.received, this.received + count);
    if (Buffer.compare(this.buffer.subarray(0, count), expected) !== 0) {
      throw new Error(`what was read behind byte ${this.received} is not what was written`);
    }
    this.received += count;
    return count;
  }

  override onEnd(): void {
    this.ended = true;
  }

  override onClosed(_connection: Connection, reason: CloseReason, code: string | null): void {
    this.told = code ?? reason;
  }
}

/** Drives a stack by the packets and the time of a simulation. */
class Driver {
  readonly invariants: Invariants;
  private readonly clock: VirtualClock;
  private planned = false;
  private turns = 0;

  constructor(
    readonly core: StackCore,
    private readonly simulation: Simulation,
  ) {
    this.clock = simulation.clock();
    this.invariants = new Invariants(core);
    core.onDevice(
      (count) => this.turn(() => core.receive(count, simulation.now)),
      () => {},
    );
    core.onWork = () => {
      if (this.planned) return;
      this.planned = true;
      simulation.defer(() => {
        this.planned = false;
        this.turn(() => core.flush(simulation.now));
      });
    };
  }

  private turn(what: () => void): void {
    what();
    // Looking at all is slower than the stack itself.
    if (this.turns++ % 8 === 0) this.invariants.check();
    const at = this.core.nextDeadline();
    if (at === Number.POSITIVE_INFINITY) this.clock.clearAlarm();
    else this.clock.setAlarm(at, () => this.turn(() => this.core.advance(this.simulation.now)));
  }
}

/** Virtual time after which a transfer is given up. */
const LONGEST = 24 * 3600 * SECOND;

export class Run {
  readonly simulation = new Simulation(SECOND);
  readonly link: MemoryLink;
  readonly a: StackCore;
  readonly b: StackCore;
  readonly parties: [Party, Party];
  private readonly connections: Connection[] = [];
  private readonly drivers: Driver[];

  constructor(private readonly transfer: Transfer) {
    const { seed, network = {}, back = {}, offload = false, family } = transfer;
    const mtu = transfer.link?.mtu ?? 1500;
    const plain = offload ? {} : { checksumOffload: false, maxSegmentBytes: mtu };
    this.link = new MemoryLink(this.simulation.clock(), {
      ...{ seed, aToB: network, bToA: { ...network, ...back } },
      ...{ ...plain, ...transfer.link },
    });
    this.a = this.newStack(this.link.a, HOST_A);
    this.b = this.newStack(this.link.b, HOST_B);
    this.drivers = [this.a, this.b].map((core) => new Driver(core, this.simulation));
    const [data, other] = [randomBytes(transfer.bytes, seed), randomBytes(transfer.bytes, ~seed)];
    const reader = transfer.reader ?? null;
    this.parties = [
      new Party(this.simulation, data, other, reader),
      new Party(this.simulation, other, data, reader),
    ];
    this.b.listen({
      port: 80,
      handler: {
        onConnection: (listener) => {
          const connection = listener.accept()!;
          connection.handler = this.parties[1];
          this.connections.push(connection);
        },
      },
    });
    const connection = this.a.connect({
      ...{ remote: address(HOST_B[family]), remotePort: 80, handler: this.parties[0] },
    });
    this.connections.push(connection);
    this.letSleep();
  }

  private newStack(device: Device, own: Record<Family, string>): StackCore {
    const { isn, tcp, seed } = this.transfer;
    return newCore(
      {
        device: withSoftwareOffload(device),
        memory: 8 << 20,
        random: repeatable(own === HOST_A ? seed : ~seed),
        ...{ tcp: tcp ?? {}, now: () => this.simulation.now },
        ...(isn === undefined ? {} : { isn: () => isn }),
      },
      own,
    );
  }

  private letSleep(): void {
    const { sleepsUntil } = this.transfer;
    if (sleepsUntil === undefined) return;
    const [, sleeper] = this.parties;
    sleeper.awake = false;
    this.simulation.at(sleepsUntil, () => {
      sleeper.awake = true;
      sleeper.onReadable(this.connections.find(({ handler }) => handler === sleeper)!);
    });
  }

  /** Runs until both applications were told the end, and what was received is read. */
  finish(): Outcome {
    const { simulation, parties, transfer } = this;
    const isOver = () =>
      parties.every(
        ({ told, received }) => told !== null && (told !== 'fin' || received >= transfer.bytes),
      );
    while (!isOver()) {
      if (simulation.now > LONGEST || !simulation.step()) break;
    }
    // What is still under way arrives, at most seconds late.
    const seconds = simulation.now / SECOND;
    simulation.run(simulation.now + 5 * SECOND);
    this.check();
    const ways = [this.link.aToB.counters, this.link.bToA.counters];
    const sum = (of: (way: (typeof ways)[number]) => number) => of(ways[0]!) + of(ways[1]!);
    return {
      seconds,
      told: [parties[0].told ?? 'nothing', parties[1].told ?? 'nothing'],
      received: [parties[0].received, parties[1].received],
      retransmits: this.connections.reduce((all, each) => all + each.info().retransmits, 0),
      packets: sum(({ offered }) => offered),
      spoiled: sum(
        (way) => way.lost + way.overflowed + way.corrupted + way.reordered + way.duplicated,
      ),
    };
  }

  /** Lets 2MSL, and whatever else is due, pass. */
  runOut(): void {
    this.simulation.run();
    this.check();
  }

  get connectionStates(): string[] {
    return this.connections.map(({ stateName }) => stateName);
  }

  private check(): void {
    for (const { invariants } of this.drivers) invariants.check();
  }
}

function randomBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  repeatable(seed)(bytes);
  return bytes;
}
