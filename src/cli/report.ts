// What a running stack tells about itself, as plain data. Knows the stack; must not know how it is shown.

import type { SharedDevice } from '../device/shared.js';
import type { StackCore } from '../stack/core.js';
import type { Device } from '../stack/device.js';
import type { Listener } from '../stack/listener.js';
import type { TimeWaitInfo } from '../stack/timewaits.js';
import type { Connection } from '../tcp/connection.js';

/** `*` stands for any. */
export interface EndpointReport {
  address: string;
  port: number | '*';
}

/** A connection, a listener or a TIME-WAIT record. */
export interface SocketReport {
  /** As in RFC 9293, for example `FIN-WAIT-2`. */
  state: string;
  /** Bytes to be read; of a listener, connections to be accepted. */
  recvQ: number;
  /** Bytes written that the peer has not acknowledged; of a listener, its backlog. */
  sendQ: number;
  local: EndpointReport;
  peer: EndpointReport;
  /** The next timer: its name, milliseconds until it fires, retransmissions in a row. */
  timer: { name: string; ms: number; tries: number } | null;
}

export interface StackReport {
  /** Name of the interface. */
  name: string;
  pid: number;
  /** Addresses of the stack. */
  addresses: string[];
  mtu: number;
  sockets: SocketReport[];
  /** Of a stack with several threads: what each of them has done. */
  workers?: WorkerReport[];
}

/** Packets that one thread has got and sent, and those that had come to the wrong thread. */
export interface WorkerReport {
  connections: number;
  packetsIn: number;
  packetsOut: number;
  passedOn: number;
  takenOver: number;
}

/** Everything that the stack has, listeners first. */
export function reportStack(
  core: StackCore,
  { name, mtu }: Pick<Device, 'name' | 'mtu'>,
): StackReport {
  return {
    name,
    pid: process.pid,
    addresses: core.addresses.list.map(({ address }) => String(address)),
    mtu,
    sockets: [
      ...Array.from(core.listeners(), reportListener),
      ...Array.from(core.connections(), reportConnection),
      ...core.timeWaits().map(reportTimeWait),
    ],
  };
}

/** What one of several threads has done. */
export function reportWorker(core: StackCore, device: SharedDevice): WorkerReport {
  const { packetsIn, packetsOut } = core.counters;
  const { passedOn, takenOver } = device;
  return {
    connections: [...core.connections()].length,
    packetsIn,
    packetsOut,
    passedOn,
    takenOver,
  };
}

/** The threads of one stack as the one that they are to others; each has all the listeners. */
export function mergeReports(reports: readonly StackReport[]): StackReport {
  const [first] = reports as [StackReport];
  const isListener = ({ state }: SocketReport) => state === 'LISTEN';
  const listeners = first.sockets.filter(isListener).map((listener, i) => {
    const same = reports.map(({ sockets }) => sockets.filter(isListener)[i]!);
    const recvQ = same.reduce((sum, each) => sum + each.recvQ, 0);
    return { ...listener, recvQ, sendQ: same.reduce((sum, each) => sum + each.sendQ, 0) };
  });
  const others = reports.flatMap(({ sockets }) => sockets.filter((each) => !isListener(each)));
  return {
    ...first,
    sockets: [...listeners, ...others],
    workers: reports.flatMap(({ workers }) => workers ?? []),
  };
}

function reportListener({ address, port, waiting, backlog }: Listener): SocketReport {
  return {
    state: 'LISTEN',
    recvQ: waiting,
    sendQ: backlog,
    local: { address: address === null ? '*' : String(address), port },
    peer: { address: '*', port: '*' },
    timer: null,
  };
}

function reportConnection(connection: Connection): SocketReport {
  const { localAddress, localPort, remoteAddress, remotePort, rtt } = connection;
  const { timer } = connection.info();
  return {
    state: connection.stateName,
    recvQ: connection.readable,
    sendQ: connection.unacknowledged + connection.unsent,
    local: { address: String(localAddress), port: localPort },
    peer: { address: String(remoteAddress), port: remotePort },
    timer: timer === null ? null : { ...timer, tries: rtt.retries },
  };
}

function reportTimeWait(record: TimeWaitInfo): SocketReport {
  const { localAddress, localPort, remoteAddress, remotePort, remainingMs } = record;
  return {
    state: 'TIME-WAIT',
    recvQ: 0,
    sendQ: 0,
    local: { address: String(localAddress), port: localPort },
    peer: { address: String(remoteAddress), port: remotePort },
    timer: { name: 'timewait', ms: remainingMs, tries: 0 },
  };
}
