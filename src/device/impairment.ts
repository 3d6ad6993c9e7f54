// What a bad network does to packets on their way; must not know where they come from or go to.
import type { Clock } from '../stack/device.js';
import { Agenda } from './agenda.js';
import { completeChecksum, type Packet, wireBytes } from './packet.js';
import { Random } from './random.js';

/** Bursts of loss: the model of Gilbert and Elliott, one transition for each packet. */
export interface Bursts {
  /** Probability that a good time turns bad. */
  p: number;
  /** Probability that a bad time turns good; a bad time lasts 1/r packets on average. */
  r: number;
  /** Probability that a packet is lost in good times. Default 0. */
  lossGood?: number;
  /** Probability that a packet is lost in bad times. Default 1. */
  lossBad?: number;
}

/**
 * Decides about a packet before chance does: `drop` it, send it as a `duplicate` as well, hold it
 * for so many microseconds (others overtake it), or let it `pass`. `index` counts from 0.
 */
export type Filter = (packet: Uint8Array, index: number) => 'pass' | 'drop' | 'duplicate' | number;

/** One direction of a network. Times are microseconds, probabilities 0 to 1. */
export interface Impairments {
  /** Time under way. Default 0. */
  delay: number;
  /** Up to so much more delay, evenly distributed; packets keep their order. Default 0. */
  jitter: number;
  /** Bits per second. Default Infinity. */
  rate: number;
  /** Bytes that wait for their turn at that rate; what comes on top is dropped. Default 1 MiB. */
  queue: number;
  /** Probability that a packet is lost. Default 0. */
  loss: number;
  /** Loss in bursts, in addition to `loss`. Default null. */
  burst: Bursts | null;
  /** Probability that a packet arrives twice. Default 0. */
  duplicate: number;
  /** Probability that a packet is held up, so that later ones overtake it. Default 0. */
  reorder: number;
  /** For how long it is held up. Default 1000. */
  reorderDelay: number;
  /** Probability that one bit of a packet is flipped. Default 0. */
  corrupt: number;
  /** Longer packets vanish. Default Infinity. */
  mtu: number;
  /** True while nothing gets through, or when: pairs of begin and end by the clock. Default false. */
  blackout: boolean | readonly (readonly [from: number, to: number])[];
  /** Default null. */
  filter: Filter | null;
}

const PERFECT: Impairments = {
  delay: 0,
  jitter: 0,
  rate: Number.POSITIVE_INFINITY,
  queue: 2 ** 20,
  loss: 0,
  burst: null,
  duplicate: 0,
  reorder: 0,
  reorderDelay: 1000,
  corrupt: 0,
  mtu: Number.POSITIVE_INFINITY,
  blackout: false,
  filter: null,
};

/** What became of the packets of one direction. */
export interface PathCounters {
  /** Packets that were sent into it. */
  offered: number;
  /** Packets that came out of it, or will; copies count. */
  passed: number;
  /** Packets that were lost. */
  lost: number;
  /** Dropped because the queue was full. */
  overflowed: number;
  /** Packets of which a copy was made. */
  duplicated: number;
  /** Packets that were held back, so that others overtake them. */
  reordered: number;
  /** Packets that were damaged. */
  corrupted: number;
}

/** Takes packets that have arrived, all due at the same time. */
export type Receiver = (packets: Packet[]) => void;

/** Packets under way, of any number of paths; needs the clock's alarm for itself. */
export class Transit {
  readonly clock: Clock;
  readonly #agenda = new Agenda<{ packet: Packet; receiver: Receiver }>();
  #woken = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(due: number, packet: Packet, receiver: Receiver): void {
    this.#agenda.add(due, { packet, receiver });
    this.#wake();
  }

  /** Forgets all that is under way. */
  clear(): void {
    while (this.#agenda.take() !== undefined);
    this.clock.clearAlarm();
  }

  #wake(): void {
    const { next } = this.#agenda;
    if (this.#woken || next === Number.POSITIVE_INFINITY) return;
    if (next > this.clock.now()) {
      this.clock.setAlarm(next, () => this.#arrive());
      return;
    }
    this.#woken = true;
    this.clock.defer(() => {
      this.#woken = false;
      this.#arrive();
    });
  }

  #arrive(): void {
    const arrived = new Map<Receiver, Packet[]>();
    const now = this.clock.now();
    while (this.#agenda.next <= now) {
      const { packet, receiver } = this.#agenda.take()!;
      const batch = arrived.get(receiver);
      if (batch) batch.push(packet);
      else arrived.set(receiver, [packet]);
    }
    for (const [receiver, packets] of arrived) receiver(packets);
    this.#wake();
  }
}

/** One direction of a network, from whoever pushes packets to one receiver. */
export class Path {
  /** May be changed at any time; what is under way stays as it is. */
  readonly settings: Impairments;
  /** What became of its packets. */
  readonly counters: PathCounters = {
    offered: 0,
    passed: 0,
    lost: 0,
    overflowed: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
  };
  readonly #random: Random;
  readonly #transit: Transit;
  readonly #receiver: Receiver;
  #bad = false;
  /** When the last packet will have been sent at the given rate. */
  #busyUntil = 0;
  #lastDue = 0;

  constructor(settings: Partial<Impairments>, seed: number, transit: Transit, receiver: Receiver) {
    this.settings = { ...PERFECT, ...settings };
    this.#random = new Random(seed);
    this.#transit = transit;
    this.#receiver = receiver;
  }

  /** @internal Sends a packet, which belongs to the path from then on. */
  push(packet: Packet): void {
    const { settings, counters } = this;
    const verdict = settings.filter?.(packet.bytes, counters.offered) ?? 'pass';
    counters.offered++;
    if (verdict === 'drop' || this.#isLost(packet)) {
      counters.lost++;
      return;
    }
    const held = typeof verdict === 'number' ? verdict : 0;
    const twice = verdict === 'duplicate' || this.#random.chance(settings.duplicate);
    if (twice) {
      counters.duplicated++;
      this.#forward({ ...packet, bytes: packet.bytes.slice() }, held);
    }
    this.#forward(packet, held);
  }

  #isLost(packet: Packet): boolean {
    const { loss, mtu } = this.settings;
    // All are asked, so that each has the same history whatever the others say.
    const burst = this.#isInBurst();
    const chance = this.#random.chance(loss);
    return burst || chance || wireBytes(packet) > mtu || this.#isBlackout();
  }

  #isInBurst(): boolean {
    const { burst } = this.settings;
    if (burst === null) return false;
    if (this.#random.chance(this.#bad ? burst.r : burst.p)) this.#bad = !this.#bad;
    return this.#random.chance(this.#bad ? (burst.lossBad ?? 1) : (burst.lossGood ?? 0));
  }

  #isBlackout(): boolean {
    const { blackout } = this.settings;
    if (typeof blackout === 'boolean') return blackout;
    const now = this.#transit.clock.now();
    return blackout.some(([from, to]) => now >= from && now < to);
  }

  #forward(packet: Packet, held: number): void {
    const { settings, counters } = this;
    const now = this.#transit.clock.now();
    const start = Math.max(now, this.#busyUntil);
    const waiting = Number.isFinite(settings.rate) ? ((start - now) * settings.rate) / 8e6 : 0;
    // Something longer than the whole queue still passes where nothing waits.
    if (waiting > 0 && waiting + packet.bytes.length > settings.queue) {
      counters.overflowed++;
      return;
    }
    this.#busyUntil = start + (packet.bytes.length * 8e6) / settings.rate;
    const jitter = settings.jitter > 0 ? this.#random.below(settings.jitter + 1) : 0;
    let due = Math.ceil(this.#busyUntil) + settings.delay + jitter;
    if (held > 0 || this.#random.chance(settings.reorder)) {
      due += held > 0 ? held : settings.reorderDelay;
      counters.reordered++;
    } else {
      due = Math.max(due, this.#lastDue);
      this.#lastDue = due;
    }
    if (this.#random.chance(settings.corrupt)) this.#corrupt(packet);
    counters.passed++;
    this.#transit.add(due, packet, this.#receiver);
  }

  #corrupt(packet: Packet): void {
    this.counters.corrupted++;
    if (packet.trusted) completeChecksum(packet);
    const at = this.#random.below(packet.bytes.length);
    packet.bytes[at]! ^= 1 << this.#random.below(8);
  }
}
