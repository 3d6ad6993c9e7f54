// The lab in virtual time: two stacks of ours, a link between them, and the gate before one of them.
// Knows how both are driven; must not know scenarios' steps.

import { Gate } from '../device/gate.js';
import { MemoryLink } from '../device/link.js';
import { Random } from '../device/random.js';
import { Simulation } from '../device/virtual-clock.js';
import { StackCore } from '../stack/core.js';
import type { Device } from '../stack/device.js';
import { wind } from '../stack/winding.js';
import type { TcpConfig } from '../tcp/config.js';
import type { Probe } from '../tcp/probe.js';
import type { End } from '../trace/event.js';
import { bothProbes } from '../trace/probes.js';
import { Recorder } from '../trace/recorder.js';
import { Timeline } from '../trace/timeline.js';
import { IpAddress, Subnet } from '../wire/address.js';
import { nextTimerOf } from './next-timer.js';
import type { Scenario } from './scenario.js';
import { LAB_TCP } from './settings.js';
import { type Place, StackParty } from './stack-party.js';
import type { Tap, World } from './world.js';

export interface SimulationOptions {
  /** Varies initial sequence numbers, ports, delays and the time of day; default 1. */
  seed?: number | undefined;
  tap?: Tap | undefined;
}

const MEMORY = 8 * 1024 * 1024;
const OURS = '10.9.0.2';
const THEIRS = '10.9.0.1';
/** Ports are drawn from here on, so many. */
const FIRST_PORT = 10_000;
const PORTS = 20_000;

export class SimulatedWorld implements World {
  readonly kind = 'simulation';
  readonly gate: Gate;
  readonly timeline = new Timeline();
  readonly core: StackCore;
  readonly theirCore: StackCore;
  readonly ours: StackParty;
  readonly theirs: StackParty;
  readonly #simulation: Simulation;
  readonly #link: MemoryLink;

  /** The same scenario and seed make the same run. */
  static open(scenario: Scenario, options: SimulationOptions = {}): SimulatedWorld {
    return new SimulatedWorld(scenario, options);
  }

  private constructor(scenario: Scenario, { seed = 1, tap }: SimulationOptions) {
    const random = new Random(seed);
    const simulation = new Simulation(1_000_000 + random.below(2 ** 32));
    this.#simulation = simulation;
    const network = { delay: 500 + random.below(20_000), jitter: random.below(5000) };
    this.#link = new MemoryLink(simulation.clock(), {
      ...{ aToB: network, bToA: network, seed },
      // Each packet is a segment, so that one of them is one step.
      maxSegmentBytes: 0,
    });
    this.gate = new Gate(this.#link.a);
    this.gate.shut();
    const now = () => simulation.now;
    const tcp = { ...LAB_TCP, ...scenario.tcp };
    const recorder = new Recorder(this.timeline, { now });
    const tapped = tap?.(this.gate, now);
    const probe = tapped === undefined ? recorder : bothProbes(tapped.probe, recorder);
    this.core = this.#makeCore(tapped?.device ?? this.gate, OURS, random, tcp, probe);
    const theirs = new Recorder(this.timeline, { end: 'theirs', now });
    this.theirCore = this.#makeCore(this.#link.b, THEIRS, random, LAB_TCP, theirs);
    const our = { address: address(OURS), port: FIRST_PORT + random.below(PORTS) };
    const their = { address: address(THEIRS), port: FIRST_PORT + random.below(PORTS) };
    const { timeline } = this;
    const party = (end: End, core: StackCore, own: Place, peer: Place) =>
      new StackParty({ core, end, timeline, own, peer, now });
    this.ours = party('ours', this.core, our, their);
    this.theirs = party('theirs', this.theirCore, their, our);
  }

  #makeCore(
    device: Device,
    own: string,
    random: Random,
    tcp: Partial<TcpConfig>,
    probe: Probe,
  ): StackCore {
    const core = new StackCore({
      addresses: [Subnet.parse(`${own}/24`)!],
      random: (bytes) => {
        for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
      },
      now: () => this.#simulation.now,
      ...{ device, memory: MEMORY, tcp, probe },
    });
    wind(core, this.#simulation.clock());
    return core;
  }

  now(): number {
    return this.#simulation.now;
  }

  /** What is on its way arrives, too: in a simulation nothing else would make it. */
  async settle(): Promise<void> {
    const simulation = this.#simulation;
    while ((this.#underWay > 0 || simulation.next <= simulation.now) && simulation.step());
  }

  async pass(ms: number): Promise<boolean> {
    const simulation = this.#simulation;
    const until = simulation.now + Math.round(ms * 1000);
    const { next } = simulation;
    if (next <= until) simulation.step();
    else simulation.run(until);
    await this.settle();
    return next !== Number.POSITIVE_INFINITY;
  }

  nextTimer(): { end: End; name: string; ms: number } | null {
    const ours = nextTimerOf(this.core);
    const theirs = nextTimerOf(this.theirCore);
    if (theirs !== null && (ours === null || theirs.ms < ours.ms))
      return { end: 'theirs', ...theirs };
    return ours && { end: 'ours', ...ours };
  }

  async close(): Promise<void> {
    this.gate.close();
    this.#link.b.close();
  }

  /** Packets that were sent into the link and have not come out of it. */
  get #underWay(): number {
    const { a, b, aToB, bToA } = this.#link;
    const arrived = [a, b].reduce((sum, { counters: c }) => sum + c.rxPackets + c.rxDropped, 0);
    return aToB.counters.passed + bToA.counters.passed - arrived;
  }
}

function address(text: string): IpAddress {
  return IpAddress.parse(text)!;
}
