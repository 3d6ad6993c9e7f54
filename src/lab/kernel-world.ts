// A world with this machine's kernel at the other end: our stack, a gate, and a TUN device in a network
// namespace of its own. Knows when all has been done and seen; must not know scenarios.

import { randomFillSync } from 'node:crypto';
import { setImmediate as round, setTimeout as sleep } from 'node:timers/promises';
import { Gate, type HeldPacket } from '../device/gate.js';
import { HaltingClock } from '../device/halting-clock.js';
import { withSoftwareOffload } from '../device/offload.js';
import { Random } from '../device/random.js';
import { SystemClock } from '../device/system-clock.js';
import { TunDevice } from '../device/tun.js';
import { Stack } from '../net/stack.js';
import type { StackCore } from '../stack/core.js';
import type { TcpConfig } from '../tcp/config.js';
import type { KernelSocket } from '../trace/kernel-sockets.js';
import { bothProbes } from '../trace/probes.js';
import { Recorder } from '../trace/recorder.js';
import { decodeSegment } from '../trace/segment.js';
import { Timeline } from '../trace/timeline.js';
import { wallClock } from '../trace/wall-clock.js';
import { IpAddress } from '../wire/address.js';
import { PROTOCOL_TCP } from '../wire/ip.js';
import type { Ends } from './kernel-lines.js';
import { KernelParty, PORTS } from './kernel-party.js';
import { KernelProcess } from './kernel-process.js';
import { nextTimerOf } from './next-timer.js';
import type { Scenario } from './scenario.js';
import { LAB_TCP } from './settings.js';
import { StackParty } from './stack-party.js';
import type { Tap, World } from './world.js';

const NETWORK = '10.9.0.0/24';
const KERNEL = '10.9.0.1';
const OURS = '10.9.0.2';
const OUR_PORT = 7000;
const KERNEL_PORT = 8000;
/** Runs in one namespace, one after the other, until ports are taken again. */
const RUNS = 1000;

/** Offset of the protocol's number in an IPv4 header, RFC 791 §3.1. */
const IPV4_PROTOCOL = 9;

const MEMORY = 16 * 1024 * 1024;
/** While nothing is repeated before that, a busy machine does not look like a lossy network. */
const PATIENCE_MS = 3000;
const PATIENT_TCP: Partial<TcpConfig> = {
  minRto: PATIENCE_MS,
  initialRto: PATIENCE_MS,
  tailLossProbe: false,
};
/** Rounds of the event loop in which the device gave nothing, after which there is nothing to read. */
const QUIET_ROUNDS = 3;
/**
 * While time passes: how often it is looked whether a packet or news have come, and how often into the
 * kernel's table, in which a state may change without either.
 */
const LOOK_MS = 2;
const SAMPLE_MS = 20;

export interface KernelWorldOptions {
  /** The process on the kernel's side, free and prepared; default: one of its own. */
  process?: KernelProcess;
  /** How many worlds it has served before. */
  run?: number;
  /** Makes our stack choose the same numbers each time; default: nobody can guess them. */
  seed?: number | undefined;
  tap?: Tap | undefined;
}

export class KernelWorld implements World {
  readonly kind = 'kernel';
  readonly gate: Gate;
  readonly timeline = new Timeline();
  readonly ours: StackParty;
  readonly theirs: KernelParty;
  readonly #process: KernelProcess;
  readonly #ownsProcess: boolean;
  readonly #tun: TunDevice;
  readonly #clock = new HaltingClock(new SystemClock());
  readonly #stack: Stack;
  readonly #ends: Ends;
  /** What could be seen when it was settled for the last time. */
  #settled = '';
  /** Parameters of the namespace as they were before. */
  readonly #changed: [name: string, value: string][] = [];

  /** @throws KernelProcessError or DeviceError where the machine does not allow it; nothing is left behind then */
  static async open(scenario: Scenario, options: KernelWorldOptions = {}): Promise<KernelWorld> {
    const process = options.process ?? (await KernelProcess.start());
    let world: KernelWorld | null = null;
    try {
      // Without IPv6 nothing but what the scenario does is on the wire: the kernel asks for no routers.
      for (const where of ['all', 'default']) {
        const name = `ipv6/conf/${where}/disable_ipv6`;
        await process.ask({ command: 'sysctl', name, value: '1' });
      }
      world = new KernelWorld(scenario, process, options);
      await world.#prepare(scenario);
      return world;
    } catch (error) {
      if (world !== null) await world.close();
      else if (options.process === undefined) await process.close();
      throw error;
    }
  }

  private constructor(scenario: Scenario, process: KernelProcess, options: KernelWorldOptions) {
    const { run = 0, seed, tap } = options;
    this.#process = process;
    this.#ownsProcess = options.process === undefined;
    const offset = (run % RUNS) * PORTS;
    this.#tun = TunDevice.open({
      netns: process.netns,
      address: `${KERNEL}/24`,
      mtu: scenario.kernel?.mtu ?? 1500,
      offload: false,
      spin: 0,
    });
    this.gate = new Gate(this.#tun);
    this.gate.shut();
    const now = () => this.now();
    // By the time of its turns, as its timers: on a busy machine a turn may take milliseconds.
    const recorder = new Recorder(this.timeline);
    const tapped = tap?.(this.gate, wallClock());
    this.#stack = new Stack({
      device: withSoftwareOffload(tapped?.device ?? this.gate),
      clock: this.#clock,
      addresses: [`${OURS}/24`],
      memory: MEMORY,
      tcp: { ...PATIENT_TCP, ...LAB_TCP, ...scenario.tcp },
      probe: tapped === undefined ? recorder : bothProbes(tapped.probe, recorder),
      random: seed === undefined ? (bytes) => void randomFillSync(bytes) : repeatable(seed),
    });
    const own = { address: IpAddress.parse(OURS)!, port: OUR_PORT + offset };
    const peer = { address: IpAddress.parse(KERNEL)!, port: KERNEL_PORT + offset };
    const { core, timeline } = this;
    this.ours = new StackParty({ core, end: 'ours', timeline, own, peer, now });
    this.#ends = { address: KERNEL, port: peer.port, peerAddress: OURS, peerPort: own.port };
    this.theirs = new KernelParty(process, this.#ends, timeline, now);
  }

  async #prepare({ kernel = {} }: Scenario): Promise<void> {
    await this.#process.ask({ command: 'begin', ends: this.#ends });
    // Nothing that the kernel learns of a path in one run is to show in the next one.
    await this.#sysctl('ipv4/tcp_no_metrics_save', '1');
    await this.#makePatient(kernel.patienceMs ?? PATIENCE_MS);
    for (const [name, value] of Object.entries(kernel.sysctl ?? {})) {
      await this.#sysctl(name, String(value));
    }
    this.core.flush(this.now()); // from now on it knows what time it is
  }

  async #makePatient(ms: number): Promise<void> {
    // No tail loss probes, which come after two round-trip times.
    await this.#sysctl('ipv4/tcp_early_retrans', '0');
    if (await this.#sysctl('ipv4/tcp_rto_min_us', `${ms * 1000}`)) return;
    // Linux before 6.11 can say it of routes only; where iproute2 is missing, too, it stays impatient.
    const device = this.#tun.name;
    const order = { command: 'patience', device, network: NETWORK, ms } as const;
    await this.#process.ask(order).catch(() => null);
  }

  async #sysctl(name: string, value: string): Promise<boolean> {
    const before = await this.#process.ask({ command: 'sysctl', name, value });
    if (before !== null) this.#changed.push([name, before]);
    return before !== null;
  }

  get core(): StackCore {
    return this.#stack.core;
  }

  now(): number {
    return this.#clock.now();
  }

  halt(): void {
    this.#clock.halt();
  }

  resume(): void {
    this.#clock.resume();
  }

  /**
   * The kernel acts on a segment while it is written to the device; the program there when its event loop
   * comes to it, which is asked; what both send in return must have been read before it is over. It can
   * do nothing more then while the gate is shut, since nothing reaches it.
   */
  async settle(): Promise<void> {
    for (let before = ''; before !== this.#signs(); ) {
      before = this.#signs();
      this.core.flush(this.now());
      await this.#process.ask({ command: 'settle' });
      await this.#readDevice();
      if (this.#turnAway() === 0 && this.gate.isShut) break;
    }
    this.theirs.sample();
    this.#settled = this.#signs();
  }

  /** What grows when anything happens. */
  #signs(): string {
    const { rxPackets, txPackets } = this.#tun.counters;
    const { events, forgotten } = this.timeline;
    return `${rxPackets} ${txPackets} ${this.theirs.sights} ${events.length + forgotten}`;
  }

  async #readDevice(): Promise<void> {
    const { counters } = this.#tun;
    for (let quiet = 0, read = counters.rxPackets; quiet < QUIET_ROUNDS; quiet++) {
      await round();
      if (counters.rxPackets === read) continue;
      read = counters.rxPackets;
      quiet = 0;
    }
  }

  /**
   * What is not of this run does not wait: ICMP passes, what an earlier connection repeats is dropped.
   * @returns how many packets that was
   */
  #turnAway(): number {
    const strange = this.gate.held.filter((held) => !this.#isOfThisRun(held));
    for (const held of strange) {
      if (held.packet.bytes[IPV4_PROTOCOL] === PROTOCOL_TCP) this.gate.drop(held);
      else this.gate.release(held);
    }
    return strange.length;
  }

  #isOfThisRun({ packet, direction }: HeldPacket): boolean {
    const segment = decodeSegment(packet.bytes);
    if (segment === null) return false;
    const port = direction === 'in' ? segment.sourcePort : segment.destinationPort;
    return port >= this.#ends.port && port < this.#ends.port + PORTS;
  }

  async pass(ms: number): Promise<boolean> {
    const end = this.now() + ms * 1000;
    // What has happened since it was settled for the last time counts, too.
    const before = this.#settled;
    for (await this.settle(); this.#settled === before; await this.settle()) {
      const left = end - this.now();
      if (left <= 0) break;
      await this.#wait(Math.min(left, SAMPLE_MS * 1000));
    }
    return true;
  }

  /** Until something shows here, or so many microseconds are over. */
  async #wait(us: number): Promise<void> {
    const end = this.now() + us;
    while (this.#signs() === this.#settled) {
      const left = (end - this.now()) / 1000;
      if (left <= 0) return;
      await sleep(Math.min(LOOK_MS, left));
    }
  }

  theirSockets(): readonly KernelSocket[] {
    this.theirs.sample();
    return this.theirs.sockets;
  }

  nextTimer(): ReturnType<World['nextTimer']> {
    const ours = nextTimerOf(this.core);
    const theirs = this.theirs.nextTimer();
    if (theirs !== null && (ours === null || theirs.ms < ours.ms))
      return { end: 'theirs', ...theirs };
    return ours && { end: 'ours', ...ours };
  }

  async close(): Promise<void> {
    // An end of the process on the other side is no reason to keep what is on ours.
    await this.#restore().catch(() => {});
    await this.#stack.close(0);
    if (this.#ownsProcess) await this.#process.close();
  }

  async #restore(): Promise<void> {
    await this.#process.ask({ command: 'end' });
    for (const [name, value] of this.#changed.reverse()) {
      await this.#process.ask({ command: 'sysctl', name, value });
    }
  }
}

function repeatable(seed: number): (bytes: Uint8Array) => void {
  const random = new Random(seed);
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
  };
}
