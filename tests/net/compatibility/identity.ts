// What sockets and servers are to JavaScript: classes, prototypes, inheritance. Must not know TCP.

import nodeNet from 'node:net';
import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { thrown } from '../exchanges.js';
import { type Row, rowsOf } from './rows.js';

type Net = typeof nodeNet;

/** As libraries from before 2015 inherit. */
function inheritedBy(net: Net): string {
  function Old(this: nodeNet.Socket) {
    (net.Socket as unknown as (this: nodeNet.Socket) => void).call(this);
  }
  Object.setPrototypeOf(Old.prototype, net.Socket.prototype);
  const Class = Old as unknown as new () => nodeNet.Socket;
  return thrown(() => new Class());
}

function extendedBy(net: Net): unknown[] {
  class Modern extends net.Socket {
    readonly own = 1;
  }
  const socket = new Modern();
  return [socket instanceof net.Socket, socket instanceof Modern, socket.own, socket.readyState];
}

const probes: Record<string, (net: Net) => unknown> = {
  'new net.Socket() instanceof net.Socket': (net) => new net.Socket() instanceof net.Socket,
  'new net.Socket() instanceof stream.Duplex': (net) => new net.Socket() instanceof Duplex,
  "new net.Socket() instanceof require('node:net').Socket": (net) =>
    new net.Socket() instanceof nodeNet.Socket,
  "new net.Server() instanceof require('node:net').Server": (net) =>
    new net.Server() instanceof nodeNet.Server,
  'net.Socket() without new': (net) =>
    (net.Socket as unknown as () => object)() instanceof net.Socket,
  'net.Server() without new': (net) =>
    (net.Server as unknown as () => object)() instanceof net.Server,
  'new net.Socket().constructor === net.Socket': (net) =>
    new net.Socket().constructor === net.Socket,
  'net.Stream === net.Socket': (net) =>
    (net as unknown as { Stream: unknown }).Stream === net.Socket,
  'net.connect === net.createConnection': (net) => net.connect === net.createConnection,
  'class extends net.Socket': extendedBy,
  'net.Socket.call(this) in a function that inherits': inheritedBy,
  'names of the classes': (net) => [net.Socket.name, net.Server.name],
  'for (… in socket) lists the methods': (net) => {
    const names: string[] = [];
    for (const name in new net.Socket()) names.push(name);
    return names.includes('setNoDelay');
  },
  'for (… in socket) lists the addresses': (net) => {
    const names: string[] = [];
    for (const name in new net.Socket()) names.push(name);
    return ['localAddress', 'remoteAddress', 'bytesRead'].filter((name) => names.includes(name));
  },
  'inspect(socket) begins with': (net) => inspect(new net.Socket()).split('{')[0],
};

export function identityRows(node: Net, ours: Net): Row[] {
  const look = (net: Net) =>
    new Map(Object.entries(probes).map(([name, probe]) => [name, String(probe(net))]));
  return rowsOf('Identity', look(node), look(ours));
}
