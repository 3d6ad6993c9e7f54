// A network between the kernel, whose TCP the client uses, and the peer: a TUN device in the network
// namespace of this process. Knows what can be seen of the kernel; must not know what is said over it.

import { findAddressClash } from '../device/address-clash.js';
import { DeviceError } from '../device/device-error.js';
import { Gate } from '../device/gate.js';
import { withSoftwareOffload } from '../device/offload.js';
import { TunDevice } from '../device/tun.js';
import { Stack } from '../net/stack.js';
import { KernelEnd } from '../trace/kernel-end.js';
import { connectionOf, type KernelSocket, kernelSockets } from '../trace/kernel-sockets.js';
import { Recorder } from '../trace/recorder.js';
import { Subnet } from '../wire/address.js';
import { peerClock } from './clock.js';
import { FaultyPeerError } from './failure.js';
import type { Network, NetworkOptions } from './network.js';

/** Bytes for the buffers of all connections. */
const MEMORY = 32 * 1024 * 1024;
const GRACE_MS = 0;
/** Networks among which the first free one is taken. */
const FIRST = 100;
const LAST = 199;
const NAME = 'fwpeer%d';

export class TunNetwork implements Network {
  readonly gate: Gate;
  readonly stack: Stack;
  readonly address: string;
  readonly #kernel: KernelEnd;
  readonly #port: number;
  /** Connections between the same addresses that were there before. */
  readonly #old: Set<string>;

  /** @throws FaultyPeerError where no device can be opened */
  constructor({ tcp, timeline, port, family }: NetworkOptions) {
    const [kernel, address] = freeEnds(family);
    this.address = address.address.toString();
    this.#port = port;
    this.gate = new Gate(openDevice(kernel));
    this.stack = new Stack({
      clock: peerClock(),
      device: withSoftwareOffload(this.gate),
      addresses: [address.toString()],
      memory: MEMORY,
      tcp,
      probe: new Recorder(timeline),
    });
    // From now on it knows what time it is.
    this.stack.core.flush(this.stack.now());
    this.#old = new Set(this.#sockets().map(connectionOf));
    this.#kernel = new KernelEnd(timeline, this.stack.now);
  }

  now(): number {
    return this.stack.now();
  }

  /** The kernel tells nobody: its table has to be read. */
  look(): void {
    this.#kernel.sample(this.#sockets().filter((socket) => this.#isOfThisPeer(socket)));
  }

  #sockets(): KernelSocket[] {
    return kernelSockets('/proc/net').filter(
      ({ remoteAddress, remotePort }) =>
        remotePort === this.#port && remoteAddress.endsWith(this.address),
    );
  }

  /** The kernel remembers connections of earlier peers in TIME-WAIT; a new one begins with its SYN. */
  #isOfThisPeer(socket: KernelSocket): boolean {
    const name = connectionOf(socket);
    if (socket.state === 'SYN-SENT') this.#old.delete(name);
    return !this.#old.has(name);
  }

  close(): Promise<void> {
    return this.stack.close(GRACE_MS);
  }
}

/** The first network that leads nowhere yet: 10.9.100.0/24, fd09:0:0:100::/64 …; the kernel's end, and the peer's. */
function freeEnds(family: 4 | 6): [kernel: Subnet, peer: Subnet] {
  const end = (network: number, host: number) =>
    Subnet.parse(family === 4 ? `10.9.${network}.${host}/24` : `fd09:0:0:${network}::${host}/64`)!;
  for (let network = FIRST; network <= LAST; network++) {
    const kernel = end(network, 1);
    if (findAddressClash([kernel]).every(({ harmless }) => harmless))
      return [kernel, end(network, 2)];
  }
  const taken = `${end(FIRST, 0)} to ${end(LAST, 0)}`;
  throw new FaultyPeerError('ERR_PEER_NETWORK', `no network is free: ${taken} are in use`);
}

function openDevice(address: Subnet): TunDevice {
  try {
    // Each packet is a segment, so that one of them is what a fault is about.
    return TunDevice.open({ name: NAME, address, offload: false, spin: 0 });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    const what = error.message
      .replace(`; ${error.hint}`, '')
      .replace(`the TUN device ${NAME}`, 'a TUN device');
    // A shell has every right in its namespace, but cannot open a device that is closed to its user.
    const fix = error.syscall === 'open' ? error.hint : 'run the tests within `finwait shell`';
    throw new FaultyPeerError(
      'ERR_PEER_NETWORK',
      `${what}; ${fix}; or leave out network: 'tun'`,
      error,
    );
  }
}
