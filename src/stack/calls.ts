// The OPEN calls: RFC 9293 §3.9.1.1. Knows which addresses and ports may be used; must not know what
// opening sends.

import type { TcpConfig } from '../tcp/config.js';
import { Connection, type ConnectionHandler } from '../tcp/connection.js';
import { TcpError } from '../tcp/errors.js';
import { formatEnd, type IpAddress } from '../wire/address.js';
import { seqLeq } from '../wire/sequence.js';
import type { StackCore } from './core.js';
import { Listener, type ListenerHandler } from './listener.js';
import { EPHEMERAL_FIRST, EPHEMERAL_LAST } from './ports.js';

/** As Node's net. */
const DEFAULT_BACKLOG = 511;
/** RFC 6191 §3: how far behind the old connection's numbers a new one begins (as Linux). */
const REUSE_DISTANCE = 65_537;

/** An active OPEN: RFC 9293 §3.9.1.1. */
export interface ConnectOptions {
  /** Whom to call. */
  remote: IpAddress;
  /** On which port, 1 to 65,535. */
  remotePort: number;
  /** MUST-43: the address to speak from; chosen by the stack when left out, or all zeros. */
  local?: IpAddress | null;
  /** 0 or left out: an ephemeral one (RFC 6056). */
  localPort?: number;
  /** Who is told what happens. */
  handler: ConnectionHandler;
  /** Settings of this connection. */
  tcp?: Partial<TcpConfig>;
}

/** A passive OPEN: RFC 9293 §3.9.1.1. */
export interface ListenOptions {
  /** 0: an ephemeral one. */
  port: number;
  /** null, `::` or left out: all addresses of both families; `0.0.0.0`: all of IPv4. */
  address?: IpAddress | null;
  /** Whether `::` leaves IPv4 to other listeners (IPV6_V6ONLY); default false. */
  ipv6Only?: boolean;
  /** Most connections in each queue, half-open and waiting (511). */
  backlog?: number;
  /** Who is told of connections. */
  handler: ListenerHandler;
  /** Take a port on which connections, in TIME-WAIT or not, still exist (SO_REUSEADDR). */
  reuseAddress?: boolean;
  /** Settings of the connections that are accepted. */
  tcp?: Partial<TcpConfig>;
}

/** Connections without settings of their own share those of the stack. */
function configOf(core: StackCore, settings: Partial<TcpConfig> = {}): TcpConfig {
  return Object.keys(settings).length === 0 ? core.config : { ...core.config, ...settings };
}

export function connect(core: StackCore, options: ConnectOptions): Connection {
  try {
    return openActive(core, options);
  } catch (error) {
    throw told(core, error, 'connect', options.remote, options.remotePort);
  }
}

export function listen(core: StackCore, options: ListenOptions): Listener {
  try {
    return openPassive(core, options);
  } catch (error) {
    throw told(core, error, 'listen', options.address ?? '*', options.port);
  }
}

/** Whoever looks is told of a call that fails. Answers the error. */
function told(
  core: StackCore,
  error: unknown,
  call: string,
  address: IpAddress | string,
  port: number,
): unknown {
  if (error instanceof TcpError) {
    core.probe?.callFailed(core, `${call} ${formatEnd(address, port)}`, error.code);
  }
  return error;
}

function openActive(core: StackCore, options: ConnectOptions): Connection {
  const { remote, remotePort } = options;
  checkPort(remotePort, 1);
  if (!core.addresses.isUnicast(remote)) {
    throw new TcpError('ENETUNREACH', `${remote} is not the address of a single host`);
  }
  // An address of zeros leaves the choice to us, as with bind(2).
  const chosen = options.local?.isUnspecified ? null : options.local;
  const local = chosen ?? core.addresses.sourceFor(remote);
  if (local === null) {
    throw new TcpError('ENETUNREACH', `the stack has no address of the family of ${remote}`);
  }
  if (!core.addresses.includes(local) || local.family !== remote.family) {
    throw new TcpError('EADDRNOTAVAIL', `${local} cannot be used to reach ${remote}`);
  }
  const localPort = options.localPort || freePort(core, local, remote, remotePort);
  if (!core.ports.owns(localPort, remotePort)) {
    throw new TcpError(
      'EADDRNOTAVAIL',
      `answers from ${remote}:${remotePort} to port ${localPort} would go to another stack`,
    );
  }
  const after = takePlace(core, local, localPort, remote, remotePort);
  const config = configOf(core, options.tcp);
  const path = core.pathTo(remote.w0, remote.w1, remote.w2, remote.w3);
  const connection = new Connection(core, config, path, local, localPort, remote, remotePort);
  connection.handler = options.handler;
  let isn = core.isn(local, localPort, remote, remotePort);
  if (after !== null && seqLeq(isn, after)) isn = (after + REUSE_DISTANCE) | 0;
  core.attach(connection, null);
  core.probe?.userCall(connection, 'connect', 0);
  connection.openActive(isn);
  return connection;
}

function freePort(
  core: StackCore,
  local: IpAddress,
  remote: IpAddress,
  remotePort: number,
): number {
  const port = core.ports.ephemeral(remote, remotePort, (candidate) => {
    const id = core.flows.lookup(local, candidate, remote, remotePort);
    const free = id < 0 || (core.timeWaitRecords.has(id) && core.timeWaitRecords.mayReuse(id));
    return (
      free && core.ports.owns(candidate, remotePort) && !core.listening.isTaken(candidate, local)
    );
  });
  if (port < 0) {
    throw new TcpError(
      'EADDRNOTAVAIL',
      `all ports from ${EPHEMERAL_FIRST} to ${EPHEMERAL_LAST} are in use to ${remote}:${remotePort}`,
    );
  }
  return port;
}

/**
 * Makes sure that nothing stands where the connection will; a record in TIME-WAIT may give way. Then
 * answers where its sequence numbers ended, else null.
 */
function takePlace(
  core: StackCore,
  local: IpAddress,
  localPort: number,
  remote: IpAddress,
  remotePort: number,
): number | null {
  checkPort(localPort, 1);
  const id = core.flows.lookup(local, localPort, remote, remotePort);
  if (id < 0) return null;
  const records = core.timeWaitRecords;
  if (records.has(id) && records.mayReuse(id)) return records.reopen(id);
  const why = records.has(id) ? 'is in TIME-WAIT' : 'exists';
  throw new TcpError(
    'EADDRINUSE',
    `a connection from ${local}:${localPort} to ${remote}:${remotePort} ${why}`,
  );
}

function openPassive(core: StackCore, options: ListenOptions): Listener {
  const given = options.address ?? null;
  const address = options.ipv6Only ? given : anyAddress(given);
  if (address !== null && !address.isUnspecified && !core.addresses.includes(address)) {
    throw new TcpError('EADDRNOTAVAIL', `${address} is not an address of the stack`);
  }
  checkPort(options.port, 0);
  const port = options.port === 0 ? freeListenPort(core, address) : options.port;
  if (core.listening.isTaken(port, address)) {
    throw new TcpError('EADDRINUSE', `there is a listener on port ${port}`);
  }
  if (!options.reuseAddress && core.ports.hasFlows(port)) {
    throw new TcpError('EADDRINUSE', `connections on port ${port} exist, or are in TIME-WAIT`);
  }
  const config = configOf(core, options.tcp);
  const backlog = Math.max(options.backlog ?? DEFAULT_BACKLOG, 1);
  const listener = new Listener(core, address, port, config, backlog, options.handler);
  core.listening.add(listener);
  core.probe?.listenerCall(core, address, port, 'listen');
  return listener;
}

/** As in node:net, `::` means all addresses of both families; `0.0.0.0` those of IPv4. */
function anyAddress(address: IpAddress | null): IpAddress | null {
  return address?.family === 6 && address.isUnspecified ? null : address;
}

function freeListenPort(core: StackCore, address: IpAddress | null): number {
  const where = address ?? core.addresses.list[0].address;
  const port = core.ports.ephemeral(
    where,
    0,
    (candidate) => !core.ports.hasFlows(candidate) && !core.listening.isTaken(candidate, address),
  );
  if (port < 0) throw new TcpError('EADDRINUSE', 'all ephemeral ports are in use');
  return port;
}

function checkPort(port: number, lowest: number): void {
  if (Number.isInteger(port) && port >= lowest && port <= 65_535) return;
  throw new TcpError('EINVAL', `a port is ${lowest} to 65535, not ${port}`);
}
