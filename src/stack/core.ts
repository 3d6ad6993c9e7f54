// All connections of one host, without clock or I/O: packets and the time go in, packets and the next
// deadline come out. Knows turns and tables; what a packet means stands in input.ts.

import { Arena } from '../storage/arena.js';
import { CONTROL_SETTLING, CONTROL_WORK } from '../storage/descriptors.js';
import { PacketBatch } from '../storage/packet-batch.js';
import { TcpClock } from '../tcp/clock.js';
import { DEFAULT_TCP_CONFIG, type TcpConfig } from '../tcp/config.js';
import type { CongestionControl } from '../tcp/congestion.js';
import type { Connection } from '../tcp/connection.js';
import { controllerNamed } from '../tcp/controllers.js';
import type { Host, Path } from '../tcp/host.js';
import { IsnGenerator } from '../tcp/isn.js';
import type { Probe } from '../tcp/probe.js';
import { CLOSED, ESTABLISHED, type State, TIME_WAIT } from '../tcp/state.js';
import type { Tcb } from '../tcp/tcb.js';
import type { TransitionEvent } from '../tcp/transitions.js';
import type { IpAddress } from '../wire/address.js';
import type { IcmpQuote } from '../wire/icmp.js';
import { HandDevice } from './by-hand.js';
import { type ConnectOptions, connect, type ListenOptions, listen } from './calls.js';
import { ConnectionTimers } from './connection-timers.js';
import { StackCounters } from './counters.js';
import type { Device } from './device.js';
import { FlowTable } from './flow-table.js';
import { Input } from './input.js';
import { Landing } from './landing.js';
import type { Listener, ListenerHost } from './listener.js';
import { Listeners } from './listeners.js';
import { LocalAddresses } from './local-addresses.js';
import { Loopback } from './loopback.js';
import { MemoryWaiters } from './memory-waiters.js';
import type { StackCoreOptions } from './options.js';
import { PortTable } from './ports.js';
import { Receiver } from './receiver.js';
import { TimerWheel } from './timer-wheel.js';
import { type TimeWaitInfo, TimeWaits } from './timewaits.js';
import { WorkList } from './work-list.js';

/** Packets that go to the device in one call. */
const TX_BATCH = 256;
/** Rounds of loopback packets in one turn; what is left goes on in the next one. */
const LOOPBACK_ROUNDS = 64;
const DEFAULT_MEMORY = 256 * 1024 * 1024;

export type { ConnectOptions, ListenOptions } from './calls.js';
export { Listener, type ListenerHandler } from './listener.js';
export type { StackCoreOptions } from './options.js';

/** All connections of a host: packets and time in, packets and the next deadline out. */
export class StackCore implements Host, ListenerHost {
  /** The memory of all buffers. */ readonly arena: Arena;
  /** The time of the current turn. */ readonly clock = new TcpClock();
  /** What the stack as a whole has counted. */ readonly counters = new StackCounters();
  /** Settings of new connections. */ readonly config: TcpConfig;
  /** @internal */ readonly addresses: LocalAddresses;
  /** Where packets go; a `HandDevice` where none was given. */ readonly device: Device;
  /** Sees all that happens; may be set at any time. */ probe: Probe | null;
  /**
   * Called when the application left something to send outside of a turn; once, until `flush`. Who
   * drives the stack calls `flush` soon.
   */
  onWork: (() => void) | null = null;

  /** @internal */ readonly flows: FlowTable;
  /** @internal */ readonly ports: PortTable;
  /** @internal */ readonly timeWaitRecords: TimeWaits;
  /** @internal */ readonly landing: Landing;
  /** @internal */ readonly listening = new Listeners();
  private readonly byId: (Connection | null)[] = [];
  /** The listener of a connection that was not accepted yet, by id. */
  private readonly origins = new Map<Tcb, Listener>();
  private readonly wheel: TimerWheel;
  private readonly timers: ConnectionTimers;
  private readonly devicePath: Path;
  private readonly loopback: Loopback;
  private readonly input: Input;
  private readonly receiver: Receiver;
  private readonly isns: IsnGenerator;
  private readonly now: (() => number) | null;
  private readonly fixedIsn: (() => number) | null;

  private scheduled = new WorkList<Connection>();
  private finished = new WorkList<Connection>();
  private readonly listenersWithNews: Listener[] = [];
  private readonly hungry: MemoryWaiters;
  private inTurn = false;
  private workAnnounced = false;
  /** The time of the current turn, µs. */ nowUs = 0;
  private wheelUs = 0;
  private nextIdentification = 0;

  constructor(options: StackCoreOptions) {
    this.config = { ...DEFAULT_TCP_CONFIG, ...options.tcp };
    this.addresses = new LocalAddresses(options.addresses);
    this.probe = options.probe ?? null;
    this.now = options.now ?? null;
    this.fixedIsn = options.isn ?? null;
    this.device = options.device ?? new HandDevice();
    this.arena = new Arena(options.memory ?? DEFAULT_MEMORY);

    this.hungry = new MemoryWaiters(this.arena, (tcb) => this.schedule(tcb));
    const secrets = new Uint8Array(40);
    options.random(secrets);
    const keys = new DataView(secrets.buffer, 32);
    this.isns = new IsnGenerator(secrets.subarray(0, 16));
    this.ports = new PortTable(secrets.subarray(16, 32), options.owns);
    this.flows = new FlowTable(keys.getInt32(0), keys.getInt32(4));
    this.wheel = new TimerWheel(0);
    this.timers = new ConnectionTimers(this.wheel, this.clock);
    this.timeWaitRecords = new TimeWaits(this, this.wheel);

    const device = this.device;
    const batch = new PacketBatch(this.arena, TX_BATCH, (count) => {
      this.counters.packetsOut += count;
      device.transmit(count);
    });
    const { mtu, maxSegmentBytes } = device;
    this.devicePath = { batch, mtu, maxSegmentBytes };
    this.loopback = new Loopback(this);
    this.input = new Input(this);
    this.receiver = new Receiver(this.arena, batch, this.input);
    this.landing = new Landing(this.arena, this.devicePath, this.receiver.control);
    device.attach(this.receiver);
  }

  // ── Calls of the application ──

  /** OPEN, active. @throws TcpError EADDRINUSE, EADDRNOTAVAIL, ENETUNREACH or EINVAL. */
  connect(options: ConnectOptions): Connection {
    this.renewClock();
    return connect(this, options);
  }

  /** OPEN, passive. @throws TcpError EADDRINUSE, EADDRNOTAVAIL or EINVAL. */
  listen(options: ListenOptions): Listener {
    return listen(this, options);
  }

  /** All connections that are not in TIME-WAIT. */
  *connections(): Iterable<Connection> {
    for (const connection of this.byId) if (connection) yield connection;
  }

  /** All listeners. */ listeners(): Iterable<Listener> {
    return this.listening.all();
  }

  /** All records in TIME-WAIT. */ timeWaits(): TimeWaitInfo[] {
    this.renewClock();
    return this.timeWaitRecords.infos();
  }

  /** The state of a connection by its ends, TIME-WAIT included; CLOSED when there is none. */
  stateOf(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): State {
    const id = this.flows.lookup(local, localPort, remote, remotePort);
    if (id < 0) return CLOSED;
    return this.timeWaitRecords.has(id) ? TIME_WAIT : (this.byId[id] as Connection).state;
  }

  // ── Driven by hand, or by a device and a clock ──

  /** Calls of the device are passed on to who drives the stack. */
  onDevice(
    receive: (count: number) => void,
    statusChanged: (up: boolean, error?: Error) => void,
  ): void {
    this.receiver.onReceive = receive;
    this.receiver.onStatus = statusChanged;
  }

  /** One packet at a time, as bytes; `gsoSize` when it is a super-segment. */
  receivePacket(bytes: Uint8Array, nowUs: number, gsoSize = 0): void {
    this.receiver.place(bytes, gsoSize);
    this.receive(1, nowUs);
  }

  /** Processes packets 0 … count-1 of the receive descriptors, and all that follows from them. */
  receive(count: number, nowUs: number): void {
    this.beginTurn(nowUs);
    this.receiver.process(count);
    this.endTurn();
  }

  /** Lets time pass: carries out all timers that are due. */
  advance(nowUs: number): void {
    this.beginTurn(nowUs);
    this.turnWheel();
    this.endTurn();
  }

  private turnWheel(): void {
    this.wheelUs = this.nowUs;
    this.wheel.advance(this.clock.ms, this.timerDue);
  }

  /** Sends what the application's calls have left to send. */
  flush(nowUs: number): void {
    this.beginTurn(nowUs);
    this.endTurn();
  }

  /** When `advance` must be called next, µs; Infinity when no timer runs. */
  nextDeadline(): number {
    const ms = this.wheel.next();
    return ms < 0 ? Number.POSITIVE_INFINITY : (Math.floor(this.wheelUs / 1000) + ms) * 1000;
  }

  /** Without a device: the packets sent since the last call, checksums complete. */
  takePackets(): Uint8Array[] {
    return this.device instanceof HandDevice ? this.device.take() : [];
  }

  private beginTurn(nowUs: number): void {
    this.setTime(nowUs);
    // Nobody calls `advance` while nothing is armed: the wheel must not fall behind.
    if (this.wheel.armed === 0) this.turnWheel();
    this.input.reassembly.expire(this.clock.ms);
    this.inTurn = true;
  }

  /** Time never goes back, whatever the clock says. */
  private setTime(nowUs: number): void {
    this.nowUs = Math.max(this.nowUs, nowUs);
    this.clock.set(this.nowUs);
  }

  /** @internal Within a turn all happens at one time; between turns it goes on. */
  renewClock(): void {
    if (!this.inTurn && this.now !== null) this.setTime(this.now());
  }

  /** News to the application, then segments to the device, then the same for our own loopback. */
  private endTurn(): void {
    this.workAnnounced = false;
    for (let round = 0; ; round++) {
      this.deliverNews();
      this.transmitAll();
      this.hungry.tell();
      if (this.loopback.waiting === 0 || round === LOOPBACK_ROUNDS) break;
      this.loopback.deliver(this.loopbackArrives);
    }
    this.landing.renew();
    this.inTurn = false;
    if (this.loopback.waiting > 0 || this.scheduled.length > 0) this.announceWork();
  }

  private readonly loopbackArrives = (offset: number, length: number, gsoSize: number): void => {
    this.input.packetArrives(offset, length, true, gsoSize, 0);
  };

  private deliverNews(): void {
    const listeners = this.listenersWithNews;
    for (let i = 0; i < listeners.length; i++) {
      const listener = listeners[i];
      if (!listener.closed && listener.waiting > 0) listener.handler.onConnection(listener);
    }
    listeners.length = 0;
    // The list may grow while it is walked: a handler may call other connections.
    const scheduled = this.scheduled;
    for (let i = 0; i < scheduled.length; i++) scheduled.at(i).deliver();
  }

  /** From here to the flush no ring may move: descriptors point into them. */
  private transmitAll(): void {
    const connections = this.scheduled;
    this.scheduled = this.finished;
    for (let i = 0; i < connections.length; i++) {
      const connection = connections.at(i);
      connection.scheduled = false;
      connection.transmit();
      this.timers.follow(connection);
    }
    this.devicePath.batch.flush();
    this.loopback.batch.flush();
    for (let i = 0; i < connections.length; i++) {
      if (!this.landing.holds(connections.at(i))) connections.at(i).releaseEmptyRings();
    }
    connections.clear();
    this.finished = connections;
  }

  private readonly timerDue = (id: number): void => {
    if (this.timeWaitRecords.has(id)) this.timeWaitRecords.due(id);
    else this.timers.due(this.byId[id] as Connection);
  };

  // ── What connections ask of their host ──

  /** @internal */ congestionControl(name: string): CongestionControl {
    return controllerNamed(name);
  }

  /** @internal */ identification(): number {
    this.nextIdentification = (this.nextIdentification + 1) & 0xffff;
    return this.nextIdentification;
  }

  /** @internal */ schedule(tcb: Tcb): void {
    if (tcb.scheduled) return;
    tcb.scheduled = true;
    this.scheduled.push(tcb as Connection);
    if (!this.inTurn) this.announceWork();
  }

  /** @internal */ memoryWanted(tcb: Tcb): void {
    this.hungry.add(tcb);
  }

  private announceWork(): void {
    if (this.workAnnounced) return;
    this.workAnnounced = true;
    const { control } = this.receiver;
    if (control[CONTROL_SETTLING] !== 0) control[CONTROL_WORK] = 1;
    else this.onWork?.();
  }

  /** @internal A connection changed its state: its place in the tables follows. */
  entered(tcb: Tcb, event: TransitionEvent): void {
    if (tcb.state === ESTABLISHED) {
      this.established(tcb as Connection);
    } else if (tcb.state === TIME_WAIT) {
      const id = tcb.id;
      this.detach(tcb as Connection);
      this.timeWaitRecords.enter(id, tcb);
    } else if (tcb.state === CLOSED && tcb.id >= 0) {
      const id = tcb.id;
      this.detach(tcb as Connection);
      this.removeFlow(id);
    }
    if (event === 'rcv SYN' || event === 'active OPEN') this.counters.opened += 1;
  }

  private established(connection: Connection): void {
    const listener = this.origins.get(connection);
    if (listener === undefined) return;
    listener.established(connection);
    this.listenersWithNews.push(listener);
    this.counters.accepted += 1;
  }

  // ── Tables ──

  /** @internal Takes a connection into the tables, so that segments find it. */
  attach(connection: Connection, listener: Listener | null): void {
    const { localAddress, localPort, remoteAddress, remotePort } = connection;
    const id = this.flows.add(localAddress, localPort, remoteAddress, remotePort);
    this.ports.flowAdded(localPort);
    this.byId[id] = connection;
    connection.id = id;
    connection.timestampOffset = this.isns.timestampOffset(
      localAddress,
      localPort,
      remoteAddress,
      remotePort,
    );
    if (listener !== null) {
      listener.pending.add(connection);
      this.origins.set(connection, listener);
    }
    this.timers.add(id);
  }

  /** The connection's object leaves the tables; its flow stays, for TIME-WAIT. */
  private detach(connection: Connection): void {
    const { id } = connection;
    this.byId[id] = null;
    connection.id = -1;
    this.timers.remove(id);
    const listener = this.origins.get(connection);
    if (listener === undefined) return;
    // Nobody knows of it, and nobody will: what it has received is thrown away.
    listener.forget(connection);
    this.origins.delete(connection);
    connection.forsake();
  }

  /** @internal */ removeFlow(id: number): void {
    this.wheel.cancel(id);
    this.ports.flowRemoved(this.flows.localPort(id));
    this.flows.remove(id);
  }

  /** @internal The application took the connection: it no longer depends on its listener. */
  accepted(connection: Connection): void {
    this.origins.delete(connection);
    this.schedule(connection);
  }

  /** @internal The connection that sent the packet which an ICMP error quotes, or null. */
  quotedConnection(quote: IcmpQuote): Connection | null {
    return this.input.quoted(quote);
  }

  /** @internal Forgets a listener; what it has not handed over is reset. */
  closeListener(listener: Listener): void {
    listener.closed = true;
    this.listening.remove(listener);
    for (const connection of listener.unaccepted()) connection.abort();
  }

  /** @internal */ listenerOf(connection: Connection): Listener | null {
    return this.origins.get(connection) ?? null;
  }

  /** @internal */ connectionAt(id: number): Connection | null {
    return this.byId[id] ?? null;
  }

  /** @internal The way to an address, in words: our own are reached by loopback. */
  pathTo(w0: number, w1: number, w2: number, w3: number): Path {
    return this.addresses.has(w0, w1, w2, w3) ? this.loopback : this.devicePath;
  }

  /** @internal An initial sequence number (RFC 6528). */
  isn(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): number {
    if (this.fixedIsn !== null) return this.fixedIsn() | 0;
    return this.isns.next(this.nowUs, local, localPort, remote, remotePort);
  }
}
