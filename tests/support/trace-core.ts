// The stack under test behind a trace: one StackCore, driven by hand. Knows the public API of the
// stack; must not know its insides.

import { type Listener, StackCore } from '../../src/stack/core.js';
import type { TcpConfig } from '../../src/tcp/config.js';
import type { CloseReason, Connection, ConnectionHandler } from '../../src/tcp/connection.js';
import { TcpError } from '../../src/tcp/errors.js';
import { CLOSED, STATE_NAMES } from '../../src/tcp/state.js';
import { IpAddress, Subnet } from '../../src/wire/address.js';
import { TraceDevice } from './trace-device.js';
import {
  type Family,
  LOCAL,
  LOCAL_PORT,
  ourBytes,
  PEER,
  PEER_PORT,
  peerByte,
} from './trace-flow.js';
import type { EmittedPacket, TraceHost } from './trace-run.js';

export interface CoreSettings {
  family: Family;
  tcp: Partial<TcpConfig>;
  /** Initial sequence numbers of the stack; its own generator where absent. */
  isn?: () => number;
  mtu: number;
  /** Whether the device takes and gives super-segments with partial checksums. */
  offload: boolean;
  /** Bytes of the stack's arena. */
  memory: number;
}

/** One connection as its application sees it. */
class Application implements ConnectionHandler {
  readonly told: string[] = [];
  readonly complaints: string[] = [];
  readonly states: string[] = [];
  connection: Connection | null = null;
  bytesWritten = 0;
  bytesRead = 0;
  private state: number | null = null;
  private over = false;
  private ended = false;

  onEstablished(): void {
    this.tell('established');
  }

  onReadable(): void {
    this.tell('readable');
  }

  onWritable(): void {
    this.tell('writable');
  }

  onEnd(): void {
    if (this.ended) this.complaints.push('the application was told "end" twice');
    this.ended = true;
    this.tell('end');
  }

  onUrgent(): void {
    this.tell('urgent');
  }

  onAdvice(_connection: Connection, code: string): void {
    this.tell(`advice(${code})`);
  }

  onClosed(_connection: Connection, reason: CloseReason, code: string | null): void {
    this.tell(code === null ? `closed(${reason})` : `closed(${reason},${code})`);
    this.over = true;
  }

  onState(_connection: Connection, from: number, to: number): void {
    if (this.state !== null && this.state !== from) {
      const names = [this.state, from].map((state) => STATE_NAMES[state]);
      this.complaints.push(`the state was ${names[0]}, then changed from ${names[1]}`);
    }
    this.state = to;
    this.states.push(STATE_NAMES[to]!);
  }

  private tell(event: string): void {
    if (this.over) this.complaints.push(`the application was told "${event}" after "closed"`);
    this.told.push(event);
  }
}

export class CoreHost implements TraceHost {
  readonly core: StackCore;
  private readonly device: TraceDevice | null;
  private readonly local: IpAddress;
  private readonly peer: IpAddress;
  private readonly applications = new Map<number, Application>();
  private readonly nobody: string[] = [];
  /** Packets of this turn so far. */
  private readonly arriving: EmittedPacket[] = [];
  private listener: Listener | null = null;
  /** When the last turn was. */
  private turn = -1;

  constructor(settings: CoreSettings) {
    this.local = IpAddress.parse(LOCAL[settings.family])!;
    this.peer = IpAddress.parse(PEER[settings.family])!;
    const ordinary = settings.mtu === 1500 && !settings.offload;
    this.device = ordinary
      ? null
      : new TraceDevice(settings.mtu, settings.offload ? 65_535 : settings.mtu);
    let seed = 1;
    this.core = new StackCore({
      addresses: [Subnet.parse(`${LOCAL[4]}/24`)!, Subnet.parse(`${LOCAL[6]}/64`)!],
      memory: settings.memory,
      random: (bytes) => {
        for (let i = 0; i < bytes.length; i++) {
          seed = Math.imul(seed, 1103515245) + 12345;
          bytes[i] = seed >>> 16;
        }
      },
      tcp: settings.tcp,
      ...(this.device === null ? {} : { device: this.device }),
      ...(settings.isn === undefined ? {} : { isn: settings.isn }),
    });
  }

  receive(packet: Uint8Array, gsoSize: number, now: number, more: boolean): void {
    this.arriving.push({ bytes: packet, gsoSize });
    if (more) return;
    const packets = this.arriving.splice(0);
    if (this.device !== null) this.core.receive(this.device.place(packets), now);
    else if (packets.length === 1) this.core.receivePacket(packet, now, gsoSize);
    else throw new Error('several packets in one turn need a device: a trace with `offload`');
  }

  advance(now: number): void {
    this.core.advance(now);
  }

  nextDeadline(): number {
    return this.core.nextDeadline();
  }

  take(now: number): EmittedPacket[] {
    this.core.flush(now);
    this.turn = now;
    if (this.device !== null) return this.device.take();
    return this.core.takePackets().map((bytes) => ({ bytes, gsoSize: 0 }));
  }

  stateOf(flow: number): string {
    const state = this.core.stateOf(this.local, LOCAL_PORT, this.peer, PEER_PORT + flow);
    return state === CLOSED && this.listener !== null ? 'LISTEN' : STATE_NAMES[state]!;
  }

  events(flow: number): string[] {
    return this.applications.get(flow)?.told ?? this.nobody;
  }

  complaints(): string[] {
    return [...this.applications.values()].flatMap((application) => application.complaints);
  }

  call(flow: number, call: string, args: readonly string[], now: number): string {
    // A call comes between two turns of the stack, which has to know the time all the same.
    if (now !== this.turn) this.core.flush(now);
    this.turn = now;
    try {
      const result = this.stackCall(flow, call, args) ?? this.connectionCall(flow, call, args);
      return result === undefined ? 'ok' : String(result);
    } catch (error) {
      if (error instanceof TcpError) return error.code;
      throw error;
    }
  }

  /** What is asked of the stack, not of one connection; null when `call` is none of it. */
  private stackCall(
    flow: number,
    call: string,
    args: readonly string[],
  ): string | number | boolean | null {
    switch (call) {
      case 'connect':
        return this.connect(flow);
      case 'listen':
        this.listener = this.core.listen({
          port: LOCAL_PORT,
          handler: { onConnection() {} },
          ...(args[0] === 'reuse' ? { reuseAddress: true } : {}),
          ...(args[0] !== undefined && args[0] !== 'reuse' ? { backlog: Number(args[0]) } : {}),
        });
        return 'ok';
      case 'unlisten':
        this.listener!.close();
        this.listener = null;
        return 'ok';
      case 'accept':
        return this.accept();
      case 'halfOpen':
        return this.listener!.halfOpen;
      case 'waiting':
        return this.listener!.waiting;
      case 'timeWaits':
        return this.core.timeWaits().length;
      case 'connections':
        return [...this.core.connections()].length;
      case 'memory':
        return this.core.arena.used;
      case 'counter':
        return counterOf(this.core.counters, args[0]!);
      default:
        return null;
    }
  }

  private connect(flow: number): string {
    const application = new Application();
    application.connection = this.core.connect({
      remote: this.peer,
      remotePort: PEER_PORT + flow,
      localPort: LOCAL_PORT,
      handler: application,
    });
    this.applications.set(flow, application);
    return 'ok';
  }

  private accept(): string {
    const connection = this.listener!.accept();
    if (connection === null) return 'null';
    const application = new Application();
    application.connection = connection;
    connection.handler = application;
    this.applications.set(connection.remotePort - PEER_PORT, application);
    return 'ok';
  }

  private connectionCall(
    flow: number,
    call: string,
    args: readonly string[],
  ): string | number | boolean | undefined {
    const application = this.applications.get(flow);
    if (application?.connection == null) throw new Error(`flow ${flow} has no connection`);
    const { connection } = application;
    const number = args.length > 0 ? Number(args[0]) : 0;
    switch (call) {
      case 'write':
        return this.write(application, number, (data) => connection.write(data));
      case 'sendUrgent':
        return this.write(application, number, (data) => connection.sendUrgent(data));
      case 'read':
        return this.read(application, number);
      case 'skip':
        application.bytesRead += connection.skip(number);
        return number;
      case 'shutdown':
        connection.shutdown();
        return undefined;
      case 'close':
        if (args.length === 0) connection.close();
        else connection.close(number);
        return undefined;
      case 'abort':
        connection.abort();
        return undefined;
      case 'keepAlive':
        connection.setKeepAlive(args[0] === 'true', ...args.slice(1).map(Number));
        return undefined;
      case 'userTimeout':
        connection.setUserTimeout(number);
        return undefined;
      case 'noDelay':
        connection.noDelay = args[0] === 'true';
        return undefined;
      case 'headerFields':
        connection.setHeaderFields(number, Number(args[1]));
        return undefined;
      case 'readable':
      case 'writable':
      case 'unsent':
      case 'unacknowledged':
      case 'ended':
      case 'passive':
      case 'urgentRemaining':
        return connection[call];
      case 'states':
        return application.states.splice(0).join('>');
      case 'info':
        return infoOf(connection, args[0]!);
      default:
        throw new Error(`the trace host does not know ${call}()`);
    }
  }

  private write(
    application: Application,
    length: number,
    put: (data: Uint8Array) => number,
  ): number {
    const taken = put(ourBytes(application.bytesWritten, length));
    application.bytesWritten += taken;
    return taken;
  }

  private read(application: Application, length: number): number {
    const target = new Uint8Array(length);
    const count = application.connection!.read(target);
    const from = application.bytesRead;
    application.bytesRead += count;
    const wrong = target.subarray(0, count).findIndex((byte, i) => byte !== peerByte(from + i));
    if (wrong >= 0) throw new Error(`byte ${from + wrong} was read wrong`);
    return count;
  }
}

function counterOf(counters: object, name: string): number {
  const value = (counters as Record<string, unknown>)[name];
  if (typeof value !== 'number') throw new Error(`there is no counter ${name}`);
  return value;
}

/** A field of `TcpInfo`, or one of its timer: `timer.name`. */
function infoOf(connection: Connection, path: string): string {
  let value: unknown = connection.info();
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return String(value);
    if (!(name in value)) throw new Error(`info() has no ${path}`);
    value = (value as Record<string, unknown>)[name];
  }
  return String(value);
}
