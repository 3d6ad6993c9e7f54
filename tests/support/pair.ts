// Two stacks on a memory link in virtual time. Knows how a stack is driven; must not know what is
// said over the link.

import type { Impairments } from '../../src/device/impairment.js';
import { type LinkOptions, MemoryLink } from '../../src/device/link.js';
import { Simulation, type VirtualClock } from '../../src/device/virtual-clock.js';
import { StackCore } from '../../src/stack/core.js';
import type { Device } from '../../src/stack/device.js';
import type { Listener } from '../../src/stack/listener.js';
import { wind } from '../../src/stack/winding.js';
import type { TcpConfig } from '../../src/tcp/config.js';
import { type Connection, type ConnectionHandler, IdleHandler } from '../../src/tcp/connection.js';
import { IpAddress, Subnet } from '../../src/wire/address.js';

export interface PairOptions {
  /** The same in both directions; default: 5 ms of delay, and nothing else. */
  network?: Partial<Impairments>;
  link?: LinkOptions;
  family?: 4 | 6;
  tcp?: Partial<TcpConfig>;
  /** Initial sequence numbers of `a` and of `b`. */
  isn?: readonly [a: number, b: number];
  /** Bytes of memory of each stack. Default 16 MiB. */
  memory?: number;
}

export interface End {
  readonly core: StackCore;
  readonly address: IpAddress;
  /** Opens a connection to a port of the other end. */
  connect(port: number, handler?: Partial<ConnectionHandler>, localPort?: number): Connection;
  /** Each connection is accepted at once, with a handler that `handle` makes. */
  listen(port: number, handle: (connection: Connection) => Partial<ConnectionHandler>): Listener;
}

export interface Pair {
  readonly simulation: Simulation;
  readonly link: MemoryLink;
  readonly a: End;
  readonly b: End;
  /** The next event; false when nothing will happen any more. */
  step(): boolean;
  /**
   * Steps until `done` answers true.
   * @throws Error when nothing will happen any more, or `seconds` (3600) of virtual time have passed.
   */
  drive(done: () => boolean, seconds?: number): void;
}

const ADDRESSES = { a: ['10.9.0.1', 'fd09::1'], b: ['10.9.0.2', 'fd09::2'] } as const;

export function pair(options: PairOptions = {}): Pair {
  const simulation = new Simulation(1_000_000);
  const network = { delay: 5000, ...options.network };
  const link = new MemoryLink(simulation.clock(), {
    aToB: network,
    bToA: network,
    ...options.link,
  });
  const a = makeEnd('a', link.a, simulation.clock(), options);
  const b = makeEnd('b', link.b, simulation.clock(), options);
  const step = () => simulation.step();
  return {
    ...{ simulation, link, a, b, step },
    drive(done, seconds = 3600) {
      const end = simulation.now + seconds * 1e6;
      while (!done()) {
        if (!step()) throw new Error('nothing will happen any more');
        if (simulation.now > end) throw new Error(`not done after ${seconds} seconds`);
      }
    },
  };
}

function makeEnd(name: 'a' | 'b', device: Device, clock: VirtualClock, options: PairOptions): End {
  const [v4, v6] = ADDRESSES[name];
  const [peer4, peer6] = ADDRESSES[name === 'a' ? 'b' : 'a'];
  const v = options.family ?? 4;
  const isn = options.isn?.[name === 'a' ? 0 : 1];
  const core = new StackCore({
    addresses: [Subnet.parse(`${v4}/24`)!, Subnet.parse(`${v6}/64`)!],
    device,
    memory: options.memory ?? 16 * 1024 * 1024,
    random: (bytes) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = name.charCodeAt(0) * 7 + i * 31;
    },
    ...(options.tcp === undefined ? {} : { tcp: options.tcp }),
    ...(isn === undefined ? {} : { isn: () => isn }),
  });
  wind(core, clock);
  const remote = IpAddress.parse(v === 4 ? peer4 : peer6)!;
  return {
    core,
    address: IpAddress.parse(v === 4 ? v4 : v6)!,
    connect(port, handler = {}, localPort = 0) {
      return core.connect({ remote, remotePort: port, localPort, handler: handlerOf(handler) });
    },
    listen(port, handle) {
      return core.listen({
        port,
        handler: {
          onConnection(listener) {
            for (let next = listener.accept(); next !== null; next = listener.accept()) {
              next.handler = handlerOf(handle(next));
            }
          },
        },
      });
    },
  };
}

/** What `handler` leaves out does nothing. */
function handlerOf(handler: Partial<ConnectionHandler>): ConnectionHandler {
  return new Proxy(new IdleHandler(), {
    get(idle, name: keyof ConnectionHandler) {
      const method = handler[name];
      return method === undefined ? idle[name] : method.bind(handler);
    },
  });
}
