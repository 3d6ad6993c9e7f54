// A stack in front of the kernel, in a namespace of its own, with whoever talks to it there. Knows how
// the parts are joined; must not know what is tested.
import { type ImpairedDevice, impair } from '../../src/device/impaired.js';
import { withSoftwareOffload } from '../../src/device/offload.js';
import { SystemClock } from '../../src/device/system-clock.js';
import { TunDevice } from '../../src/device/tun.js';
import { Stack } from '../../src/net/stack.js';
import type { StackCore } from '../../src/stack/core.js';
import type { Listener } from '../../src/stack/listener.js';
import type { TcpConfig } from '../../src/tcp/config.js';
import { STATE_NAMES } from '../../src/tcp/state.js';
import { type KernelSocket as KernelRow, kernelSockets } from '../../src/trace/kernel-sockets.js';
import { IpAddress } from '../../src/wire/address.js';
import { type Family, IPV4, PATIENCE_MS, until } from './kernel.js';
import { KernelPeer, type KernelSocket } from './kernel-socket.js';
import { User } from './kernel-user.js';
import { Wire, type WireOptions, type WireSegment } from './kernel-wire.js';
import { type ExecOptions, type Finished, Namespace } from './namespace.js';

export interface PlaceOptions {
  mtu?: number;
  /** Checksums and super-segments by the kernel; default true. */
  offload?: boolean;
  /** An impaired device between the stack and the TUN device, perfect at first. */
  impaired?: boolean;
  tcp?: Partial<TcpConfig>;
  /**
   * Both sides wait for seconds before they send something again, so that a busy machine, on which
   * processes stop for a while, does not look like a network that loses packets.
   */
  patient?: boolean;
  /** Default true; needs tcpdump. */
  capture?: boolean | WireOptions;
}

/** Both ends of one connection. */
export interface Pair {
  ours: User;
  theirs: KernelSocket;
  ourPort: number;
  kernelPort: number;
  family: Family;
}

export class KernelPlace {
  readonly namespace: Namespace;
  readonly tun: TunDevice;
  readonly clock = new SystemClock();
  readonly stack: Stack;
  readonly peer: KernelPeer;
  readonly #impaired: ImpairedDevice | null;
  #wire: Wire | null = null;
  #marks = 0;

  static async open(options: PlaceOptions = {}): Promise<KernelPlace> {
    const namespace = await Namespace.create();
    const peer = await KernelPeer.start(namespace);
    const place = new KernelPlace(namespace, peer, options);
    if (options.patient) await place.#setKernelPatient();
    await place.#start(options.capture ?? true);
    return place;
  }

  private constructor(namespace: Namespace, peer: KernelPeer, options: PlaceOptions) {
    const { mtu = 1500, offload = true, patient } = options;
    const tcp = { ...(patient && { minRto: 3000, initialRto: 3000 }), ...options.tcp };
    this.namespace = namespace;
    this.peer = peer;
    this.tun = TunDevice.open({ netns: namespace.path, mtu, offload, queueLength: 1000 });
    this.#impaired = options.impaired ? impair(this.tun, {}, new SystemClock()) : null;
    const device = withSoftwareOffload(this.#impaired ?? this.tun);
    this.stack = new Stack({ device, clock: this.clock, tcp });
  }

  async #setKernelPatient(): Promise<void> {
    const { name } = this.tun;
    await this.namespace.ip(`route change 10.9.0.0/24 dev ${name} src 10.9.0.1 rto_min 3s`);
    await this.namespace.ip(`-6 route change fd09::/64 dev ${name} metric 256 rto_min 3s`);
    // No tail loss probes, which come after two round-trip times.
    await this.sysctl('ipv4/tcp_early_retrans', '0');
  }

  async #start(capture: boolean | WireOptions): Promise<void> {
    if (capture === false) return;
    const options = capture === true ? {} : capture;
    this.#wire = await Wire.start(this.namespace, this.tun.name, options);
  }

  get core(): StackCore {
    return this.stack.core;
  }

  get impaired(): ImpairedDevice {
    if (this.#impaired === null) throw new Error('open the place with `impaired`');
    return this.#impaired;
  }

  /** Nothing happens to packets any more. */
  heal(): void {
    for (const path of [this.impaired.in, this.impaired.out]) {
      Object.assign(path.settings, { delay: 0, loss: 0, filter: null });
    }
  }

  // Connections

  /** A listener of ours on any port; each connection gets a user. */
  listen(tcp: Partial<TcpConfig> = {}, port = 0): { listener: Listener; users: User[] } {
    const users: User[] = [];
    const accept = (listener: Listener) => {
      for (let c = listener.accept(); c !== null; c = listener.accept()) {
        const user = new User();
        user.connection = c;
        c.handler = user;
        users.push(user);
      }
    };
    const handler = { onConnection: accept };
    return { listener: this.core.listen({ port, handler, tcp, reuseAddress: true }), users };
  }

  /** The kernel connects to us; our listener closes afterwards. */
  async accept(family = IPV4, options: PairOptions = {}): Promise<Pair> {
    const { listener, users } = this.listen(options.tcp);
    const { paused = false } = options;
    const host = family.stack;
    const theirs = await this.peer.connect({ host, port: listener.port, paused });
    await until('we accept', () => users.length > 0);
    listener.close();
    return this.#pair(users[0]!, theirs, family);
  }

  /** We connect to a listener of the kernel, which closes afterwards. */
  async connect(family = IPV4, options: PairOptions = {}): Promise<Pair> {
    const { paused = false, tcp, localPort } = options;
    const listener = await this.peer.listen({ host: family.kernel, paused });
    const ours = this.dial(family.kernel, listener.port, { tcp, localPort });
    const theirs = await listener.accept();
    await ours.reaches('ESTABLISHED');
    await listener.close();
    return this.#pair(ours, theirs, family);
  }

  /** An active open of ours. @throws TcpError */
  dial(
    host: string,
    port: number,
    options: { tcp?: Partial<TcpConfig> | undefined; localPort?: number | undefined } = {},
  ): User {
    const { tcp = {}, localPort = 0 } = options;
    const user = new User();
    const remote = IpAddress.parse(host)!;
    const target = { remote, remotePort: port, localPort, tcp, handler: user };
    user.connection = this.core.connect(target);
    return user;
  }

  #pair(ours: User, theirs: KernelSocket, family: Family): Pair {
    const { localPort, remotePort } = ours.connection;
    return { ours, theirs, ourPort: localPort, kernelPort: remotePort, family };
  }

  // What is seen from outside

  /** The kernel's connections with one port of ours. */
  kernelRows(ourPort: number): KernelRow[] {
    const folder = this.namespace.path.replace(/ns\/net$/, 'net');
    return kernelSockets(folder).filter(({ remotePort }) => remotePort === ourPort);
  }

  /** The state of the kernel's end; CLOSED where it has forgotten the connection. */
  kernelState({ ourPort, kernelPort }: Pair): string {
    const row = this.kernelRows(ourPort).find(({ localPort }) => localPort === kernelPort);
    return row?.state ?? 'CLOSED';
  }

  kernelReaches(pair: Pair, state: string): Promise<void> {
    const now = () => this.kernelState(pair);
    return until(`the kernel's end in ${state}`, () => now() === state, now);
  }

  /** Our state, TIME-WAIT included, which has no connection any more. */
  ourState({ ourPort, kernelPort, family }: Pair): string {
    const [local, remote] = [IpAddress.parse(family.stack)!, IpAddress.parse(family.kernel)!];
    return STATE_NAMES[this.core.stateOf(local, ourPort, remote, kernelPort)]!;
  }

  /** All that was on the wire between both ports up to now. */
  async wire({ ourPort, kernelPort }: Pair): Promise<WireSegment[]> {
    const capture = await this.recorded();
    return capture.segments(ourPort, kernelPort);
  }

  /** The capture, once all that was sent so far is in it. */
  async recorded(): Promise<Wire> {
    const wire = this.#wire;
    if (wire === null) throw new Error('open the place with `capture`');
    const text = `mark ${++this.#marks} of ${process.pid}`;
    await this.peer.call('datagram', { host: IPV4.stack, port: 9, text });
    await until('tcpdump has all packets', () => wire.hasRecorded(text));
    return wire;
  }

  // Programs

  /** Runs a program inside; it is killed if it does not end. */
  run(command: string, args: readonly string[], options: ExecOptions = {}): Promise<Finished> {
    return this.namespace.exec(command, args, {
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
      ...options,
    });
  }

  /** Sets a kernel parameter below /proc/sys/net, of this namespace only. */
  async sysctl(name: string, value: string): Promise<void> {
    const path = `/proc/sys/net/${name}`;
    const { code, stderr } = await this.run('sh', ['-c', `echo '${value}' > ${path}`]);
    if (code !== 0) throw new Error(`${path}: ${stderr}`);
  }

  async close(): Promise<void> {
    this.#wire?.stop();
    this.peer.stop();
    await this.stack.close(0);
    await this.namespace.close();
  }
}

export interface PairOptions {
  tcp?: Partial<TcpConfig>;
  /** Only where we connect. */
  localPort?: number;
  /** The kernel's end reads nothing until `resume`. */
  paused?: boolean;
}
