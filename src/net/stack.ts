// A stack as its user has it: the core with a device and a clock, its sockets and its life. Must not
// know what is in a packet, or any particular device.

import { randomFillSync } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { StackCore, type StackCoreOptions } from '../stack/core.js';
import type { Clock, Device } from '../stack/device.js';
import { wind } from '../stack/winding.js';
import type { TcpConfig } from '../tcp/config.js';
import type { Probe } from '../tcp/probe.js';
import { type IpAddress, Subnet } from '../wire/address.js';
import { ClockTimer } from './clock-timer.js';
import { publishNoMore, publishTraces } from './diagnostics.js';
import type { Host, Member } from './host.js';
import { Liveness } from './liveness.js';
import { createNetModule, type NetModule } from './module.js';
import { tcpSettings } from './tcp-settings.js';
import { Turns } from './turns.js';

/** What a stack is made of, and its settings. */
export interface StackOptions {
  /** What tells the time and wakes the stack: a `SystemClock`, or one of a `Simulation`. */
  clock: Clock;
  /** Default: none. Then only the stack's own addresses can be reached, by its loopback. */
  device?: Device | null | undefined;
  /** The stack's addresses, each with its prefix; default `10.9.0.2/24` and `fd09::2/64`. */
  addresses?: readonly string[] | undefined;
  /** Bytes for all buffers of all connections; default 256 MiB. */
  memory?: number | undefined;
  /** Settings of all connections that differ from the defaults. */
  tcp?: Partial<TcpConfig> | undefined;
  /** Where several stacks share the addresses, each with a `SharedDevice`: see `ownsFlow`. */
  owns?: StackCoreOptions['owns'] | undefined;
  /** Fills an array with bytes that nobody can guess; default `crypto.randomFillSync`. */
  random?: ((bytes: Uint8Array) => void) | undefined;
  /** Sees all that happens in the stack. */
  probe?: Probe | null | undefined;
}

const DEFAULT_ADDRESSES = ['10.9.0.2/24', 'fd09::2/64'];
const CLOSE_MS = 2000;
const MAX_TIMER_MS = 0x7fff_ffff;

/**
 * A TCP of one's own: its connections are opened and accepted with `stack.net`, which has the shape
 * of `node:net`. It keeps the process alive while referenced sockets or servers are open, and for
 * at most ten seconds longer while closed connections wait for their FIN to be acknowledged.
 *
 * Events: 'down' (error) when the device stops, 'up' when it works again.
 */
export class Stack extends EventEmitter implements Host {
  /** All connections, listeners, records in TIME-WAIT and counters; without I/O of its own. */
  readonly core: StackCore;
  /** Where its packets go; null: nowhere but back to itself. */
  readonly device: Device | null;
  /** @internal */
  readonly turns = new Turns();
  /** @internal */
  readonly liveness: Liveness;
  /** Whether one of its addresses is of IPv6. */
  readonly hasIpv6: boolean;
  /** The time by its clock, µs. */
  readonly now = (): number => this.#clock.now();
  readonly #clock: Clock;
  readonly #members = new Set<Member>();
  #net: NetModule | undefined;
  #closed: Promise<void> | undefined;
  #anchor: NodeJS.Timeout | undefined;
  #drained = (): void => {};

  /**
   * @throws TypeError for an address that is none, or has no prefix; TypeError, RangeError for a setting in
   *   `tcp` that makes no sense
   */
  constructor(options: StackOptions) {
    super();
    const { device, clock, memory, probe, owns } = options;
    const addresses = (options.addresses ?? DEFAULT_ADDRESSES).map(parseSubnet);
    this.hasIpv6 = addresses.some(({ address }) => address.family === 6);
    this.#clock = clock;
    this.device = device ?? null;
    this.core = new StackCore({
      addresses,
      random: options.random ?? ((bytes) => void randomFillSync(bytes)),
      ...(device && { device }),
      ...(memory !== undefined && { memory }),
      tcp: tcpSettings(options.tcp),
      ...(probe && { probe }),
      ...(owns && { owns }),
      now: this.now,
    });
    publishTraces(this.core, this.now);
    this.liveness = new Liveness(this.now, (alive) => this.#keepAlive(alive));
    wind(this.core, clock, (up, error) => {
      if (up) this.emit('up');
      else this.emit('down', error);
    });
  }

  /** Sockets and servers of this stack, in the shape of `node:net`. */
  get net(): NetModule {
    this.#net ??= createNetModule(this);
    return this.#net;
  }

  /**
   * Closes all servers, and all sockets in order; what is left after `graceMs` milliseconds (2000)
   * is reset. Then it closes the device.
   */
  close(graceMs = CLOSE_MS): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    this.liveness.addOpen(1);
    for (const member of [...this.#members]) member.closeInOrder();
    await this.#allGone(graceMs);
    for (const member of [...this.#members]) member.abort();
    this.core.flush(this.#clock.now());
    this.#clock.clearAlarm();
    this.device?.close();
    publishNoMore(this.core);
    this.liveness.addOpen(-1);
  }

  #allGone(graceMs: number): Promise<void> {
    if (this.#members.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = new ClockTimer(this.now, resolve);
      timer.start(graceMs);
      this.#drained = () => {
        timer.stop();
        resolve();
      };
    });
  }

  #keepAlive(alive: boolean): void {
    clearInterval(this.#anchor);
    // Without a device nothing is left in the event loop that could be referenced.
    if (alive && this.device === null) this.#anchor = setInterval(() => {}, MAX_TIMER_MS);
    if (alive) {
      this.device?.ref();
      this.#clock.ref();
    } else {
      this.device?.unref();
      this.#clock.unref();
    }
  }

  // What sockets and servers need

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** @internal */
  whyUnreachable(address: IpAddress): string | null {
    if (this.closed) return 'ENETDOWN';
    const reached = this.device !== null || this.core.addresses.includes(address);
    return reached ? null : 'ENETUNREACH';
  }

  /** @internal */
  join(member: Member): void {
    this.#members.add(member);
  }

  /** @internal */
  leave(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#drained();
  }
}

function parseSubnet(text: string): Subnet {
  const subnet = Subnet.parse(text);
  if (subnet === null) throw new TypeError(`"${text}" is not an address with its prefix length`);
  return subnet;
}
