// Keeps the gate of a running stack for a debugger at the other end of a socket: shut while it is there, open
// from when it goes. Knows gates and requests; must not know sockets.

import type { Gate } from '../device/gate.js';
import type { HaltingClock } from '../device/halting-clock.js';
import { forge } from '../lab/forge.js';
import { Gatekeeper } from '../lab/gatekeeper.js';
import type { StackCore } from '../stack/core.js';
import { connectionName } from '../trace/connection-name.js';
import { type Direction, type End, NOT_SEEN, type TraceEvent } from '../trace/event.js';
import { KernelEnd } from '../trace/kernel-end.js';
import type { KernelSocket } from '../trace/kernel-sockets.js';
import { bothProbes, withoutProbe } from '../trace/probes.js';
import { Recorder } from '../trace/recorder.js';
import { Timeline } from '../trace/timeline.js';
import { IpAddress } from '../wire/address.js';
import { type Action, type EndLook, type Forgery, Refusal } from './debuggee.js';
import { doDeed, FORGERIES } from './deeds.js';
import {
  connectionOfHeld,
  endOfKernel,
  endOfStack,
  lastTcb,
  NOBODY,
  newestConnection,
  Waiting,
} from './ends.js';
import type { LiveLook, LiveReply, LiveRequest } from './live-messages.js';

/** How often a debugger hears how timers run. */
const TICK_MS = 500;
/** Longest that a step waits for a packet. */
const WAIT_MS = 10_000;
/** Rounds of the event loop in which the kernel's answer to a packet can be read. */
const ROUNDS = 4;
/** Events that are kept: a debugger has got them all, and keeps them itself. */
const KEPT = 5000;
/** Bytes that a debugger has not read (it may be suspended), after which it is shown no more until it has. */
const MOST_UNREAD = 1024 * 1024;

/** Connections that a person may go through one by one; a stack may have a million. */
const MOST_NAMES = 500;

/** A stack that serves, as far as a debugger needs it. */
export interface LiveStack {
  readonly gate: Gate;
  readonly core: StackCore;
  /** Stands while somebody thinks. */
  readonly clock: HaltingClock;
  /** The sockets of the kernel at the other end; null where its tables cannot be read. */
  sockets(): readonly KernelSocket[] | null;
}

/** The debugger, as far as it can be reached. */
export interface Client {
  tell(reply: LiveReply): void;
  /** Bytes that wait for it to read. */
  readonly unread: number;
}

export class LiveKeeper {
  readonly #stack: LiveStack;
  readonly #client: Client;
  readonly #timeline = new Timeline(KEPT);
  readonly #keeper: Gatekeeper;
  readonly #waiting = new Waiting();
  readonly #kernel: KernelEnd;
  readonly #tick: NodeJS.Timeout;
  readonly #recorder = new Recorder(this.#timeline);
  /** Number of the last packet that came before this debugger; null before one has come. */
  #before: number | null = null;
  #sentEvents = 0;
  #follows: string | null = null;
  #lookDue = false;
  #ended = false;
  /** Ends the step that waits for a packet. */
  #wake: () => void = () => {};
  #last = Promise.resolve();

  /** From now on each packet waits. */
  constructor(stack: LiveStack, client: Client) {
    const { gate, core } = stack;
    this.#stack = stack;
    this.#client = client;
    // Whatever is recorded besides goes on.
    core.probe = bothProbes(core.probe, this.#recorder);
    const now = () => stack.clock.now();
    this.#keeper = new Gatekeeper({ gate, timeline: this.#timeline, now });
    this.#kernel = new KernelEnd(this.#timeline, now);
    this.#kernel.begin(this.#sockets() ?? []);
    this.#timeline.onEvent = () => this.#changed();
    gate.onHeld = () => {
      this.#changed();
      this.#wake();
    };
    gate.shut();
    stack.clock.halt();
    this.#tick = setInterval(() => this.#refresh(), TICK_MS);
    this.#look();
  }

  /** A line from the debugger. Requests are carried out one after the other. */
  line(text: string): void {
    const request = JSON.parse(text) as LiveRequest;
    if ('wake' in request) {
      this.#wake();
    } else if ('follow' in request) {
      this.#follows = request.follow;
      this.#look();
      this.#client.tell({ done: request.id, refusal: null });
    } else {
      this.#last = this.#last.then(() => this.#carryOut(request.id, request.action));
    }
  }

  /** The debugger is gone: all that waits goes, and nobody looks any more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#tick);
    this.#wake();
    this.#timeline.onEvent = null;
    this.#stack.gate.onHeld = null;
    const { core } = this.#stack;
    core.probe = withoutProbe(core.probe, this.#recorder);
    this.#stack.clock.resume();
    this.#stack.gate.open();
  }

  /** A request that makes no sense, or a defect: the stack goes on without a debugger. */
  #fail(error: Error): void {
    this.#client.tell({ error: error.message, fix: 'report it, with what you did' });
    this.end();
  }

  // ── What is done ──

  async #carryOut(id: number, action: Action): Promise<void> {
    // Asked for before the debugger went: nobody would let go what is put in now.
    if (this.#ended) return;
    let refusal: string | null = null;
    const { clock } = this.#stack;
    clock.resume();
    try {
      await this.#act(action);
      for (let i = 0; i < ROUNDS; i++) await new Promise((resolve) => setImmediate(resolve));
    } catch (error) {
      if (!(error instanceof Refusal)) {
        this.#fail(error as Error);
        return;
      }
      refusal = error.message;
    } finally {
      if (!this.#ended) clock.halt();
    }
    this.#keeper.left.length = 0; // nobody asks what has gone
    this.#look();
    if (!this.#ended) this.#client.tell({ done: id, refusal });
  }

  async #act(action: Action): Promise<void> {
    const { gate } = this.#stack;
    switch (action.do) {
      case 'step':
        if (gate.held.length === 0) await this.#packet();
        else this.#keeper.release(gate.held[0]!);
        return;
      case 'skip':
        throw new Refusal('a kernel’s clock cannot be moved: it runs by itself');
      case 'inject':
        this.#inject(action.what, action.towards);
        return;
      default: {
        const held = gate.held.find(({ id }) => this.#number(id) === action.packet);
        if (held === undefined) throw new Refusal(`packet #${action.packet} does not wait`);
        doDeed(this.#keeper, action.do, held);
      }
    }
  }

  /** Until a packet comes to the gate, or somebody loses patience. */
  #packet(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), WAIT_MS);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
    });
  }

  /** With the numbers that the other end would use now. */
  #inject(what: Forgery, towards: End): void {
    const connection = this.#connection();
    const { tcb } =
      connection === null ? { tcb: null } : this.#ours(connection, this.#timeline.events);
    if (connection === null || tcb === null) {
      throw new Refusal('there is no connection to forge a segment of');
    }
    const { flags, seqOffset = 0, data = 0 } = FORGERIES[what];
    const [ours, theirs] = connection.split(' ').map(parseEnd) as [Place, Place];
    const direction: Direction = towards === 'ours' ? 'in' : 'out';
    const [from, to] = direction === 'in' ? [theirs, ours] : [ours, theirs];
    const [seq, ack] = direction === 'in' ? [tcb.rcvNxt, tcb.sndNxt] : [tcb.sndNxt, tcb.rcvNxt];
    const bytes = forge({
      source: from.address,
      sourcePort: from.port,
      destination: to.address,
      destinationPort: to.port,
      flags,
      seq: seq + seqOffset,
      ack,
      window: 0xffff,
      data,
      timestamps: null,
    });
    this.#keeper.put(direction, bytes);
  }

  // ── What is seen ──

  #changed(): void {
    if (this.#lookDue) return;
    this.#lookDue = true;
    setImmediate(() => {
      this.#lookDue = false;
      this.#refresh();
    });
  }

  /** Shows what has changed by itself. */
  #refresh(): void {
    if (this.#client.unread < MOST_UNREAD) this.#look();
  }

  /** A defect in what is shown must not end the stack. */
  #look(): void {
    if (this.#ended) return;
    try {
      const sockets = this.#sockets();
      if (sockets !== null) this.#kernel.sample(sockets);
      const { events } = this.#timeline;
      const first = events[0]?.index ?? 0;
      const fresh = events.slice(Math.max(this.#sentEvents - first, 0));
      this.#sentEvents = (events.at(-1)?.index ?? -1) + 1;
      this.#client.tell({ look: this.#see(events, sockets), events: fresh });
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** The one that is followed, that what waits first is of, or that something has happened to last. */
  #connection(): string | null {
    const [first] = this.#stack.gate.held;
    const waits = first === undefined ? null : connectionOfHeld(first);
    return this.#follows ?? waits ?? newestConnection(this.#timeline.events);
  }

  /** Packets are counted from 1 for each debugger. */
  #number(id: number): number {
    this.#before ??= id - 1;
    return id - this.#before;
  }

  /** The kernel's sockets that may have to do with our stack; null where its tables cannot be read. */
  #sockets(): readonly KernelSocket[] | null {
    const { core } = this.#stack;
    const isNear = ({ remotePort, remoteAddress, localAddress }: KernelSocket) => {
      if (remotePort !== 0) return core.addresses.includes(IpAddress.parse(remoteAddress)!);
      const address = IpAddress.parse(localAddress)!;
      return address.isUnspecified || core.addresses.list.some((own) => own.contains(address));
    };
    return this.#stack.sockets()?.filter(isNear) ?? null;
  }

  #see(events: readonly TraceEvent[], sockets: readonly KernelSocket[] | null): LiveLook {
    const { gate, core } = this.#stack;
    core.renewClock();
    const connection = this.#connection();
    const held = this.#waiting
      .look(gate, (each) => this.#keeper.seen(each)?.origin ?? 'sent')
      .map((each) => ({ ...each, id: this.#number(each.id) }));
    const text =
      held[0] === undefined
        ? 'wait for a packet'
        : `#${held[0].id} passes, to ${held[0].direction === 'in' ? 'us' : 'the kernel'}`;
    return {
      timeUs: this.#stack.clock.now(),
      connection,
      ours: this.#ours(connection, events),
      theirs: theirEnd(connection, sockets),
      held,
      next: { text, note: null, packet: held[0]?.id ?? null },
      about: null,
      done: false,
      connections: firstNames(core),
    };
  }

  #ours(connection: string | null, events: readonly TraceEvent[]): EndLook {
    const { core } = this.#stack;
    if (connection === null) return NOBODY;
    const end = endOfStack(core, connection, () => lastTcb(events, 'ours', connection));
    const endpoint = connection.split(' ')[0]!;
    // Before there is a connection there may be a listener.
    const listens = end.state === 'CLOSED' && end.tcb === null && isListening(core, endpoint);
    return { endpoint, ...end, state: listens ? 'LISTEN' : end.state };
  }
}

function theirEnd(connection: string | null, sockets: readonly KernelSocket[] | null): EndLook {
  if (connection === null) return NOBODY;
  const endpoint = connection.split(' ')[1]!;
  if (sockets === null) return { ...NOBODY, endpoint, state: NOT_SEEN };
  return { endpoint, ...endOfKernel(sockets, connection) };
}

function firstNames(core: StackCore): string[] {
  const names: string[] = [];
  for (const connection of core.connections()) {
    if (names.length === MOST_NAMES) break;
    names.push(connectionName(connection));
  }
  return names;
}

function isListening(core: StackCore, endpoint: string): boolean {
  const { port } = parseEnd(endpoint);
  return Array.from(core.listeners()).some((listener) => listener.port === port);
}

interface Place {
  address: string;
  port: number;
}

/** `10.9.0.2:80` or `[fd09::2]:80`. */
function parseEnd(text: string): Place {
  const at = text.lastIndexOf(':');
  return { address: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}
