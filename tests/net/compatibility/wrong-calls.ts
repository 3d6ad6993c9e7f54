// Calls with wrong arguments, and the errors that they throw.

import type nodeNet from 'node:net';
import { thrown } from '../exchanges.js';
import { type Row, rowsOf } from './rows.js';

// biome-ignore lint/suspicious/noExplicitAny: they are wrong on purpose
type WrongCall = (net: any) => unknown;

const calls: readonly WrongCall[] = [
  (net) => net.connect(),
  (net) => net.connect({}),
  (net) => net.connect({ port: null }),
  (net) => net.connect({ port: {} }),
  (net) => net.connect(70_000),
  (net) => net.connect(-1),
  (net) => net.connect(1.5),
  (net) => net.connect({ port: '' }),
  (net) => net.connect({ port: 80, localAddress: 'here' }),
  (net) => net.connect({ port: 80, localPort: 'x' }),
  (net) => net.connect({ port: 80, host: 'name.test', lookup: 'x' }),
  (net) => net.connect({ port: 80, autoSelectFamily: 1 }),
  (net) => net.connect({ port: 80, autoSelectFamilyAttemptTimeout: 0 }),
  (net) => net.connect({ port: 80, autoSelectFamilyAttemptTimeout: 10_000_000_000 }),
  (net) => new net.Socket({ objectMode: true }),
  (net) => new net.Socket({ readableObjectMode: true }),
  (net) => new net.Socket({ keepAliveInitialDelay: 'x' }),
  (net) => new net.Socket({ signal: 3 }),
  (net) => new net.Socket().setTimeout('x'),
  (net) => new net.Socket().setTimeout(-1),
  (net) => new net.Socket().setTimeout(1, 'x'),
  (net) => new net.Socket().write(1),
  (net) => new net.Socket().write(null),
  (net) => new net.Socket().write('x', 'nonsense'),
  (net) => new net.Socket().setEncoding('nonsense'),
  (net) => net.createServer(3),
  (net) => net.createServer({ highWaterMark: 'x' }),
  (net) => net.createServer({ keepAliveInitialDelay: 'x' }),
  (net) => net.createServer().listen(70_000),
  (net) => net.createServer().listen({ port: -1 }),
  (net) => net.createServer().listen({ host: 'x' }),
  (net) => net.createServer().listen(true),
  (net) => net.createServer().listen({ port: 0, signal: 1 }),
  (net) => net.createServer().getConnections(),
  (net) => net.setDefaultAutoSelectFamily('x'),
  (net) => net.setDefaultAutoSelectFamilyAttemptTimeout(0),
  (net) => new net.BlockList().addAddress('x'),
  (net) => new net.SocketAddress({ port: 70_000 }),
];

export function wrongCallRows(node: typeof nodeNet, ours: typeof nodeNet): Row[] {
  const look = (net: typeof nodeNet) =>
    new Map(
      calls.map((call) => [String(call).replace(/^\(net\) => /, ''), thrown(() => call(net))]),
    );
  return rowsOf('Errors of wrong calls', look(node), look(ours));
}
