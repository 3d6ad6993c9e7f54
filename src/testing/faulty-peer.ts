// A peer for the tests of other people's clients: what it does to them is scripted in the words of the lab.
// Knows the parts; must not know how a network is made.

import net from 'node:net';
import { isInState, isTrueAtGate, isTrueOfProgram } from '../lab/conditions.js';
import { Faults } from '../lab/faults.js';
import { Gatekeeper } from '../lab/gatekeeper.js';
import type { Fault as LabFault } from '../lab/scenario.js';
import { LAB_TCP } from '../lab/settings.js';
import { tcpSettings } from '../net/tcp-settings.js';
import type { TcpConfig } from '../tcp/config.js';
import type { TraceEvent } from '../trace/event.js';
import type { WaitingSegment } from '../trace/ladder.js';
import { ladderText } from '../trace/ladder-text.js';
import { Timeline } from '../trace/timeline.js';
import { formatEnd } from '../wire/address.js';
import { checkCondition, checkFault, checkOptions, checkPatience, checkSteps } from './checks.js';
import { Connections, type PeerConnection } from './connections.js';
import { FaultyPeerError, type StruckFault, withEvidence } from './failure.js';
import { MemoryNetwork } from './memory-network.js';
import type { Network } from './network.js';
import { Program, type Serve } from './program.js';
import { findSyn, refusalOf } from './refusal.js';
import { Traffic } from './traffic.js';
import { TunNetwork } from './tun-network.js';
import { Waiting } from './waiting.js';
import {
  type Condition,
  conditionWords,
  type Fault,
  labCondition,
  labFault,
  labInjection,
  type Step,
  stepWords,
} from './words.js';

/** What a peer is to be like; nothing is required. */
export interface FaultyPeerOptions {
  /**
   * Who speaks with the client: a function that gets a socket for each connection, or a server of Node's
   * that need not listen, such as `http.createServer(…)`. Sockets are half-open: whoever serves them has to
   * end them. Default: it reads what comes, writes nothing, and never closes.
   */
  serve?: Serve;
  /** What happens to segments on their way. Of several that are meant for one, the first strikes. */
  faults?: readonly Fault[];
  /** The port on which the peer listens, 1 to 65535; default 8080. */
  port?: number;
  /** Of the peer's address: IPv4 or IPv6; default 4. */
  family?: 4 | 6;
  /**
   * `memory`: by the client's calls of `node:net` within this process; it needs no rights. `tun`: by the
   * kernel's TCP, over a TUN device in the network namespace of this process; it takes CAP_NET_ADMIN, as
   * in `finwait shell`. Default `memory`.
   */
  network?: 'memory' | 'tun';
  /**
   * Settings of TCP that differ: of the peer's, and with `network: 'memory'` of the client's as well.
   * Default: those of `DEFAULT_TCP_CONFIG`, but `msl` is 500 ms, `initialRto` 200 ms, and `tailLossProbe`
   * and `pacing` are off: nothing is sent again before 200 ms have passed.
   */
  tcp?: Partial<TcpConfig>;
  /** How long `until`, `closed` and each step of `run` wait, ms; default 4000. */
  timeoutMs?: number;
}

/** How long something is waited for. */
export interface PatienceOptions {
  /** Milliseconds; default: that of the peer. */
  timeoutMs?: number;
}

const PORT = 8080;
/** How long resets may be on their way when a peer is closed. */
const GRACE_MS = 100;
/** Less than the five seconds after which vitest ends a test. */
const TIMEOUT_MS = 4000;
/**
 * 2MSL are longer than an RTO: else the end of a close could not be repaired. Nothing is sent again sooner
 * than that, so that a busy machine does not look like a lossy network.
 */
const PEER_TCP: Partial<TcpConfig> = {
  ...LAB_TCP,
  initialRto: 200,
  tailLossProbe: false,
  pacing: false,
};
/** That are remembered, and so many segments: those of ten megabytes or so. */
const EVENTS = 50_000;
const NETWORKS = { memory: MemoryNetwork, tun: TunNetwork } as const;
const NAMES = { ours: 'peer', theirs: 'client' } as const;

/**
 * The end of a connection whose other end is the client under test: see `faultyPeer`. When it is closed, all
 * methods that wait or change something throw a FaultyPeerError (ERR_PEER_CLOSED).
 */
export class FaultyPeer implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  readonly #network: Network;
  readonly #timeline = new Timeline(EVENTS);
  readonly #connections = new Connections();
  readonly #keeper: Gatekeeper;
  readonly #faults: Faults;
  /** In the order in which they were given. */
  readonly #scripted: LabFault[] = [];
  readonly #traffic: Traffic;
  readonly #program: Program;
  readonly #waiting: Waiting;
  readonly #timeoutMs: number;
  #closing: Promise<void> | null = null;

  /** To be made by `faultyPeer`. */
  constructor(options: FaultyPeerOptions) {
    checkOptions(options, 'options');
    const { port = PORT, family = 4, network = 'memory', timeoutMs = TIMEOUT_MS } = options;
    const timeline = this.#timeline;
    const settings = { tcp: { ...PEER_TCP, ...tcpSettings(options.tcp) }, timeline, port, family };
    this.port = port;
    this.#timeoutMs = timeoutMs;
    this.#network = new NETWORKS[network](settings);
    const { gate, stack } = this.#network;
    const now = () => this.#network.now();
    this.#waiting = new Waiting(now, () => this.#look());
    timeline.onEvent = (event) => {
      this.#connections.note(event);
      this.#waiting.changed();
    };
    this.#keeper = new Gatekeeper({ gate, timeline, now }, EVENTS);
    this.#faults = new Faults(this.#keeper);
    for (const fault of options.faults ?? []) this.fault(fault);
    this.#traffic = new Traffic(gate, this.#faults, () => this.#look());
    this.#program = new Program(stack, port, () => this.#waiting.changed(), options.serve);
    this.#program.call({ call: 'listen' });
  }

  // ── How a client reaches it ──

  /** Where it listens: an address, not a name. */
  get address(): string {
    return this.#network.address;
  }

  /** `http://ADDRESS:PORT`, an IPv6 address in brackets, for clients that take a URL. */
  get url(): string {
    return `http://${formatEnd(this.address, this.port)}`;
  }

  /** A socket that connects to the peer: for tests of protocols without a client of their own. */
  connect(options: Omit<net.TcpNetConnectOpts, 'host' | 'port'> = {}): net.Socket {
    return net.connect({ ...options, host: this.address, port: this.port });
  }

  // ── What is seen ──

  /** All connections so far, in the order in which they began. */
  get connections(): readonly PeerConnection[] {
    this.#network.look();
    return this.#connections.all;
  }

  /** The faults, and how often each has struck. */
  get faults(): readonly StruckFault[] {
    return this.#scripted.map((fault) => ({
      note: fault.note,
      struck: this.#faults.struck(fault),
    }));
  }

  /** All that has happened, for `ladderSvg`, `ladderMermaid` …; the peer's end is `ours`. */
  get events(): readonly TraceEvent[] {
    return this.#timeline.events;
  }

  /** What was sent, what became of it, and the states of both ends, as text. */
  ladder(): string {
    const waiting: WaitingSegment[] = this.#network.gate.held.flatMap((held) => {
      const seen = this.#keeper.seen(held);
      return seen === null ? [] : [seen];
    });
    return ladderText(this.#timeline, { names: NAMES, waiting });
  }

  // ── What is waited for ──

  /**
   * Until something is so.
   * @throws FaultyPeerError when it is not so in time
   */
  async until(condition: Condition, options: PatienceOptions = {}): Promise<void> {
    this.#checkOpen();
    checkCondition(condition, 'condition');
    checkPatience(options, 'options');
    await this.#expect(this.#meaning(condition), conditionWords(condition), options.timeoutMs);
  }

  /**
   * Until there was a connection, and all are closed at both ends. TIME-WAIT counts as closed. A client
   * that forgets to close stays in CLOSE-WAIT, and is named.
   * @throws FaultyPeerError when that is not so in time
   */
  async closed(options: PatienceOptions = {}): Promise<void> {
    this.#checkOpen();
    checkPatience(options, 'options');
    const { all } = this.#connections;
    const areClosed = () => all.length > 0 && this.#areAllClosed();
    await this.#expect(areClosed, 'all connections are closed', options.timeoutMs);
  }

  // ── What is done ──

  /**
   * Carries out one step after the other: what the peer's program does (with its newest connection, for
   * which it waits if there is none yet), forged segments, and what is waited for in between.
   * @throws FaultyPeerError when a step fails, or does not end in time
   */
  async run(...steps: readonly Step[]): Promise<void> {
    this.#checkOpen();
    checkSteps(steps, 'steps');
    for (const [i, step] of steps.entries()) {
      await this.#step(step, `step ${i + 1} of ${steps.length} (${stepWords(step)})`);
    }
  }

  /** One more fault, which counts segments from now on. @returns what takes it back */
  fault(fault: Fault): () => void {
    this.#checkOpen();
    checkFault(fault, 'fault');
    const inLab = labFault(fault);
    this.#scripted.push(inLab);
    this.#faults.add(inLab);
    return () => this.#faults.end(inLab);
  }

  /** From now on nothing arrives, in neither direction, until `resume`: what is sent waits on its way. */
  stall(): void {
    this.#checkOpen();
    this.#traffic.stall();
  }

  /** After `stall`: what waits arrives, in order, and so does all that follows. */
  resume(): void {
    this.#checkOpen();
    this.#traffic.resume();
  }

  /** Ends all at once: what is still open is reset, whatever faults say. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The same as `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // ── Inside ──

  async #close(): Promise<void> {
    this.#waiting.giveUp();
    for (const fault of this.#scripted) this.#faults.end(fault);
    this.#traffic.resume();
    this.#program.abort();
    for (const { name, client } of this.#connections.all) {
      if (client.state === 'SYN-SENT') this.#refuse(name);
    }
    await this.#waiting.until(() => this.#areAllClosed(), GRACE_MS);
    this.#traffic.close();
    await this.#network.close();
  }

  /** A client whose SYN was lost has to learn, too, that nobody is there any more. */
  #refuse(connection: string): void {
    const syn = findSyn(this.#keeper.left, connection);
    if (syn === null) return;
    this.#keeper.put('out', refusalOf(syn));
    this.#traffic.wake();
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new FaultyPeerError('ERR_PEER_CLOSED', 'the peer is closed');
  }

  #areAllClosed(): boolean {
    return this.#connections.all.every(({ closed }) => closed);
  }

  #look(): void {
    this.#network.look();
    this.#waiting.changed();
  }

  async #step(step: Step, where: string): Promise<void> {
    if ('until' in step) {
      await this.#expect(this.#meaning(step.until), `${conditionWords(step.until)}, at ${where}`);
    } else if ('holds' in step) {
      this.#look();
      if (!this.#meaning(step.holds)()) throw this.#failure(`${where} does not hold: ${step.note}`);
    } else if ('inject' in step) {
      const held = this.#keeper.inject(labInjection(step.inject));
      if (held === null) throw this.#failure(`${where}: there is no connection to forge one of`);
      this.#traffic.wake();
    } else {
      const program = this.#program;
      await this.#expect(() => program.isReadyFor(step), `there is a connection for ${where}`);
      program.call(step);
    }
  }

  #meaning(condition: Condition): () => boolean {
    const meant = labCondition(condition);
    if (!('end' in meant)) return () => isTrueAtGate(meant, this.#network.gate, this.#keeper);
    if (!('state' in meant)) return () => isTrueOfProgram(meant, this.#program);
    const side = this.#connections[meant.end === 'ours' ? 'peer' : 'client'];
    return () => isInState(meant, side);
  }

  async #expect(isSo: () => boolean, words: string, ms = this.#timeoutMs): Promise<void> {
    this.#look();
    if (await this.#waiting.until(isSo, ms)) return;
    const when = this.#closing === null ? `after ${ms} ms` : 'when the peer was closed';
    const what = `${when} it was not so that ${words}`;
    throw new FaultyPeerError('ERR_PEER_TIMEOUT', withEvidence(what, this));
  }

  #failure(what: string): FaultyPeerError {
    return new FaultyPeerError('ERR_PEER_STEP', withEvidence(what, this));
  }
}

/**
 * A TCP peer for the tests of a client: its closes, resets, losses, stalls and zero windows are scripted.
 *
 * ```js
 * const peer = await faultyPeer({
 *   serve: http.createServer((request, response) => response.end('hello')),
 *   faults: [{ on: { from: 'peer', has: ['FIN'], nth: 1 }, do: 'drop', note: 'the FIN is lost' }],
 * });
 * await fetch(peer.url);
 * await peer.closed();
 * await peer.close();
 * ```
 *
 * Time is real, since clients have real timers. A peer that was forgotten keeps no process alive.
 * @throws FaultyPeerError with `network: 'tun'`, where the machine does not allow it
 * @throws TypeError or RangeError for an option that makes no sense (ERR_INVALID_ARG_VALUE …)
 */
export async function faultyPeer(options: FaultyPeerOptions = {}): Promise<FaultyPeer> {
  return new FaultyPeer(options);
}
