// Exchanges at the edges of the API: ports and addresses that are taken, calls too early or too often; must
// not know where they run.

import { once } from 'node:events';
import type net from 'node:net';
import type { Exchange } from './exchanges.js';
import { describeValue, sleep } from './trial.js';

const SHORT_MS = 60;

export const binding: Record<string, Exchange> = {
  'to port 0': async (t) => {
    t.watch('c', t.clientNet.connect({ port: 0, host: t.host }));
  },
  'from a port on which somebody listens': async (t) => {
    const server = await t.listen();
    const taken = t.clientNet.createServer().listen(0, t.clientHost);
    await once(taken, 'listening');
    const { port } = taken.address() as net.AddressInfo;
    const from = { localAddress: t.clientHost, localPort: port };
    t.watch('c', t.clientNet.connect({ ...t.to(server), ...from }));
    await t.quiet();
    taken.close();
  },
  'from the same port to the same server': async (t) => {
    const server = await t.listen();
    const from = { localAddress: t.clientHost, localPort: t.freePort() };
    const first = t.clientNet.connect({ ...t.to(server), ...from });
    await once(first, 'connect');
    t.watch('c', t.clientNet.connect({ ...t.to(server), ...from }));
    await t.quiet();
    first.destroy();
  },
  'from the same port to another server': async (t) => {
    const servers = [await t.listen(), await t.listen()] as const;
    const from = { localAddress: t.clientHost, localPort: t.freePort() };
    const first = t.clientNet.connect({ ...t.to(servers[0]), ...from });
    await once(first, 'connect');
    t.watch('c', t.clientNet.connect({ ...t.to(servers[1]), ...from }));
    await t.quiet();
    first.destroy();
  },
  'from an address of the other family': async (t) => {
    const server = await t.listen();
    t.watch('c', t.clientNet.connect({ ...t.to(server), localAddress: '::' }));
  },
  'listening on all addresses, and on one of them': async (t) => {
    const all = t.watchServer('a', t.net.createServer()).listen(0, '0.0.0.0');
    await once(all, 'listening');
    const { port } = all.address() as net.AddressInfo;
    t.watchServer('b', t.net.createServer()).listen(port, t.host);
    await t.quiet();
    t.watchServer('d', t.net.createServer()).listen(port, t.otherHost);
    t.note('a', all.address());
  },
  'listening after an error': async (t) => {
    const first = await t.listen();
    const server = t.watchServer('b', t.net.createServer()).listen(t.to(first));
    await once(server, 'error');
    t.note('b', [server.listening, server.address()]);
    server.listen(0, t.host);
    await once(server, 'listening');
    t.note('b', server.listening);
  },
};

export const calling: Record<string, Exchange> = {
  'connect while connecting': async (t) => {
    const server = await t.listen();
    const client = t.watch('c', t.clientNet.connect(t.to(server)));
    client.connect(t.to(server));
  },
  'connect when connected': async (t) => {
    const { client, server } = await t.pair();
    client.connect(t.to(server));
    await t.quiet();
    t.note('c', client.readyState);
  },
  'end before connect': async (t) => {
    const server = await t.listen();
    server.on('connection', (socket) => t.watch('s', socket));
    const client = t.watch('c', new t.clientNet.Socket());
    client.end('x');
    await t.quiet();
    t.note('c', client.readyState);
    client.connect(t.to(server));
  },
  'write before connect': async (t) => {
    const server = await t.listen();
    server.on('connection', (socket) => t.watch('s', socket));
    const client = t.watch('c', new t.clientNet.Socket());
    client.cork();
    client.write('x');
    client.connect(t.to(server));
    client.uncork();
    await once(client, 'connect');
    client.end();
  },
  'resume before connect': async (t) => {
    const server = await t.listen();
    server.on('connection', (socket) => socket.end('hello'));
    const client = t.watch('c', new t.clientNet.Socket());
    client.resume();
    await t.quiet();
    client.connect(t.to(server));
  },
  'pause while connecting': async (t) => {
    const server = await t.listen();
    const skip = ['end', 'finish', 'close'];
    server.on('connection', (socket) => t.watch('s', socket, skip).end('hello'));
    const client = t.watch('c', t.clientNet.connect(t.to(server)), ['data']);
    client.pause();
    await once(client, 'connect');
    await t.quiet();
    t.note('c', [client.bytesRead, client.readableLength, client.isPaused()]);
    client.resume();
  },
  'setTimeout before connect, and after destroy': async (t) => {
    const client = t.watch('c', new t.clientNet.Socket());
    client.setTimeout(SHORT_MS);
    await sleep(SHORT_MS * 2);
    client.destroy();
    client.setTimeout(1);
    await sleep(SHORT_MS);
    t.note('c', client.timeout);
  },
  'read of some bytes, and unshift': async (t) => {
    const { client, served } = await t.pair({}, {}, ['data']);
    served.write('abcdef');
    await once(client, 'readable');
    t.note('c', String(client.read(2)));
    client.unshift(Buffer.from('zz'));
    t.note('c', String(client.read(3)));
    t.note('c', [client.readableLength, client.bytesRead]);
    served.end();
    client.resume();
  },
  'write of nothing, and of arrays': async (t) => {
    const { client, served } = await t.pair({}, {}, ['data']);
    served.resume();
    for (const nothing of [Buffer.alloc(0), '']) client.write(nothing);
    client.write(new Uint8Array(3));
    t.note('c', client.bytesWritten);
    client.end();
  },
  'destroy in the listener of error': async (t) => {
    const { client, served } = await t.pair();
    client.on('error', () => client.destroy());
    served.resetAndDestroy();
  },
  'resetAndDestroy twice': async (t) => {
    const { client } = await t.pair();
    client.resetAndDestroy();
    client.resetAndDestroy();
  },
  'close of a server twice': async (t) => {
    const server = t.watchServer('a', await t.listen());
    for (const name of ['one', 'two']) {
      server.close((error) => t.note('a', `${name} ${describeValue(error)}`));
    }
  },
  'close of a server before its last socket': async (t) => {
    const { served, server } = await t.pair();
    t.watchServer('a', server);
    served.on('close', () => t.note('a', 'served closed'));
    server.close();
    await t.quiet();
    served.destroy();
    await t.quiet();
    server.getConnections((_, count) => t.note('a', `${count} connections`));
  },
  'maxConnections 0': async (t) => {
    const server = t.watchServer('a', await t.listen());
    server.maxConnections = 0;
    t.watch('c', t.clientNet.connect(t.to(server)));
  },
  'an end that waits meets a reset': async (t) => {
    const { client, served } = await t.pair({ pauseOnConnect: true }, {}, ['data', 'drain']);
    client.end(Buffer.alloc(32_000_000), () => t.note('c', 'ended'));
    await sleep(SHORT_MS);
    served.resetAndDestroy();
  },
};

/** Where both ends are of one host: between two hosts a client is told before its server is. */
export const together: Record<string, Exchange> = {
  'connection comes before connect, also where the server closes then': async (t) => {
    const server = await t.listen();
    const port = t.to(server);
    let served: net.Socket | undefined;
    server.on('connection', (socket) => {
      t.note('o', 'connection');
      served = t.watch('s', socket);
    });
    const client = t.watch('c', t.clientNet.connect(port));
    client.on('connect', () => {
      t.note('o', 'connect');
      served?.end();
      server.close(() => t.note('o', 'server closed'));
    });
  },
  'to the address of nobody in particular': async (t) => {
    const server = t.net.createServer().listen(0);
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const client = t.clientNet.connect(port, '0.0.0.0');
    await once(client, 'connect');
    t.note('c', `own host ${client.remoteAddress === t.host}`);
    client.destroy();
    server.close();
  },
};
