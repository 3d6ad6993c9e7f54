// Exchanges for each option and feature of node:net that is not about an end or an error; must not know
// where they run.

import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import type net from 'node:net';
import { PerformanceObserver } from 'node:perf_hooks';
import { finished, pipeline } from 'node:stream/promises';
import type { SocketError } from '../../src/net/events.js';
import type { Socket as Extras } from '../../src/net/socket.js';
import type { Exchange } from './exchanges.js';
import { describeValue, sleep } from './trial.js';

const megabytes = (n: number) => Buffer.alloc(n * 1024 * 1024, 'finwait');
const SHORT_MS = 60;

/** All that a socket shows of itself. */
function properties(socket: net.Socket) {
  const { connecting, pending, readyState, destroyed, closed, errored } = socket;
  const { readable, writable, readableEnded, writableEnded, writableFinished } = socket;
  const { bytesRead, bytesWritten, bufferSize, writableLength, readableLength } = socket;
  const { writableNeedDrain, readableFlowing, readableAborted, allowHalfOpen, timeout } = socket;
  const { localAddress, localPort, localFamily } = socket;
  const { remoteAddress, remotePort, remoteFamily, autoSelectFamilyAttemptedAddresses } = socket;
  return {
    ...{ connecting, pending, readyState, destroyed, closed, errored },
    ...{ readable, writable, readableEnded, writableEnded, writableFinished },
    ...{ bytesRead, bytesWritten, bufferSize, writableLength, readableLength },
    ...{ writableNeedDrain, readableFlowing, readableAborted, allowHalfOpen, timeout },
    ...{ localAddress, localPort, localFamily, address: socket.address() },
    ...{ remoteAddress, remotePort, remoteFamily, autoSelectFamilyAttemptedAddresses },
  };
}

export const showing: Record<string, Exchange> = {
  'at each moment of a connection': async (t) => {
    const server = await t.listen({ allowHalfOpen: true });
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const client = new t.clientNet.Socket();
    client.on('error', () => {});
    const show = (moment: string) => t.note('c', { moment, ...properties(client) });
    show('new');
    client.setTimeout(100_000);
    client.connect(t.to(server));
    client.write('häh');
    client.write('ä');
    show('connecting');
    const [[served]] = await Promise.all([accepted, once(client, 'connect')]);
    show('connected');
    served.resume();
    served.write('abc');
    await once(client, 'readable');
    show('readable');
    client.read();
    client.end('x');
    show('ending');
    await once(client, 'finish');
    show('half-closed');
    await t.quiet();
    t.note('s', properties(served));
    served.end();
    client.resume();
    await once(client, 'end');
    show('ended');
    await once(client, 'close');
    show('closed');
  },
  'after a refused connection': async (t) => {
    const client = t.clientNet.connect(81, t.host);
    const [error] = await once(client, 'error');
    const { code } = error as NodeJS.ErrnoException;
    t.note('c', { ...properties(client), errored: code });
  },
};

export const features: Record<string, Exchange> = {
  'localAddress and localPort': async (t) => {
    const server = await t.listen();
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const port = t.freePort();
    const from = { localAddress: t.clientHost, localPort: port };
    const client = t.watch('c', t.clientNet.connect({ ...t.to(server), ...from }));
    const [served] = await accepted;
    t.note('s', [served.remotePort === port, served.remoteAddress, client.localPort === port]);
    client.end();
    served.end();
  },
  'localPort without localAddress': async (t) => {
    const server = await t.listen();
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const port = t.freePort();
    t.watch('c', t.clientNet.connect({ ...t.to(server), localPort: port })).end();
    const [served] = await accepted;
    t.note('s', served.remotePort === port);
  },
  'highWaterMark of a server': async (t) => {
    const { served } = await t.pair({ highWaterMark: 1234 });
    t.note('s', [served.readableHighWaterMark, served.writableHighWaterMark]);
    t.note('s', [served.write(Buffer.alloc(1000)), served.write(Buffer.alloc(2000))]);
    served.end();
  },
  'highWaterMark of a socket': async (t) => {
    const options = { highWaterMark: 5, readableHighWaterMark: 7 } as Partial<net.NetConnectOpts>;
    const { client } = await t.pair({}, options);
    t.note('c', [client.readableHighWaterMark, client.writableHighWaterMark]);
    client.cork();
    t.note('c', [client.write('abcd'), client.write('e'), client.writableNeedDrain]);
    client.uncork();
    client.end();
  },
  'pauseOnConnect: nothing is read before resume': async (t) => {
    const { client, served } = await t.pair({ pauseOnConnect: true });
    client.write('early');
    await t.quiet();
    t.note('s', [served.isPaused(), served.bytesRead, served.readableFlowing]);
    served.resume();
    await t.quiet();
    t.note('s', served.bytesRead);
    client.end();
  },
  'noDelay and keepAlive, by options and by methods': async (t) => {
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 };
    const { client, served } = await t.pair(options, options);
    for (const socket of [client, served]) {
      t.note('c', socket.setNoDelay() === socket && socket.setNoDelay(false) === socket);
      t.note('c', socket.setKeepAlive() === socket && socket.setKeepAlive(true, 1500) === socket);
      t.note('c', socket.ref() === socket && socket.unref() === socket.ref());
    }
    client.end('still there');
  },
  'timeout as an option of connect': async (t) => {
    const { client } = await t.pair({}, { timeout: SHORT_MS });
    t.note('c', client.timeout);
    await once(client, 'timeout');
    client.end();
  },
  'onread with a signal, aborted': async (t) => {
    const abort = new AbortController();
    const { client, served } = await t.pair({}, { signal: abort.signal });
    served.write('x');
    await once(client, 'data');
    abort.abort(new Error('the reason'));
  },
  'a connection attempt, aborted': async (t) => {
    const abort = new AbortController();
    const server = await t.listen();
    t.watch('c', t.clientNet.connect({ ...t.to(server), signal: abort.signal }));
    abort.abort();
  },
  'asyncDispose destroys the socket': async (t) => {
    const { client } = await t.pair();
    await client[Symbol.asyncDispose]();
    t.note('c', [client.destroyed, client.closed]);
  },
  'asyncDispose of a server waits for its connections': async (t) => {
    const { client, server } = await t.pair();
    t.watchServer('a', server);
    const disposed = server[Symbol.asyncDispose]().then(() => t.note('a', 'disposed'));
    await t.quiet();
    client.end();
    await disposed;
    t.note('a', `again ${await server[Symbol.asyncDispose]()}`);
  },
  'captureRejections of one socket': async (t) => {
    const options = { captureRejections: true } as Partial<net.NetConnectOpts>;
    const { client, served } = await t.pair({}, options);
    client.on('data', async () => {
      throw new Error('rejected');
    });
    served.write('x');
  },
  'captureRejections everywhere: listening and drop': async (t) => {
    EventEmitter.captureRejections = true;
    const server = t.watchServer('a', t.net.createServer());
    EventEmitter.captureRejections = false;
    server.on('listening', async () => {
      throw new Error('not yet');
    });
    server.listen(0, t.host);
    await once(server, 'error');
  },
  'a BlockList for the addresses of peers': async (t) => {
    const list = new t.net.BlockList();
    list.addSubnet(t.clientHost, 24, 'ipv4');
    const server = t.watchServer('a', await t.listen());
    server.on('connection', (socket) => {
      t.note('a', list.check(socket.remoteAddress!));
      socket.destroy();
    });
    t.watch('c', t.clientNet.connect(t.to(server)));
    const address = new t.net.SocketAddress({ address: t.host, port: 1 });
    t.note('a', [list.check(address), list.check('192.0.2.1'), list.rules.length]);
  },
  'ipv6Only, and a port that is shared with IPv4': async (t) => {
    const six = t.watchServer('a', t.net.createServer());
    six.listen({ port: 0, host: '::', ipv6Only: true });
    await once(six, 'listening');
    const { port } = six.address() as net.AddressInfo;
    const four = t.watchServer('b', t.net.createServer()).listen(port, '0.0.0.0');
    await once(four, 'listening');
    t.note('b', (four.address() as net.AddressInfo).port === port);
    const both = t.watchServer('d', t.net.createServer()).listen(port);
    await once(both, 'error');
  },
  'exclusive, and all forms of listen': async (t) => {
    const server = t.watchServer('a', t.net.createServer());
    const forms: (() => net.Server)[] = [
      () => server.listen({ port: 0, host: t.host, exclusive: true, backlog: 3 }),
      () => server.listen('0' as never, t.host, 5),
      () => server.listen(0, t.host, 5, () => t.note('a', 'called')),
      () => server.listen(0, t.host, () => t.note('a', 'called')),
      () => server.listen(0, 5, () => t.note('a', 'called')),
      () => server.listen(null as never, t.host, () => t.note('a', 'called')),
      () => server.listen({ port: undefined as never }, () => t.note('a', 'called')),
    ];
    for (const form of forms) {
      t.note('a', form() === server);
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    }
  },
  'several addresses, the first of which refuses': async (t) => {
    const server = await t.listen();
    const lookup: net.LookupFunction = (_name, _options, callback) =>
      callback(null, [
        { address: t.otherHost, family: 4 },
        { address: t.host, family: 4 },
        { address: t.host, family: 4 },
      ]);
    const client = t.clientNet.connect({ ...t.to(server), host: 'name.test', lookup });
    t.watch('c', client);
    await once(client, 'ready');
    t.note('c', client.autoSelectFamilyAttemptedAddresses);
    client.destroy();
  },
  'several addresses, all of which refuse': async (t) => {
    const lookup: net.LookupFunction = (_name, _options, callback) =>
      callback(null, [
        { address: t.otherHost, family: 4 },
        { address: t.host, family: 4 },
      ]);
    const client = t.watch('c', t.clientNet.connect({ port: 81, host: 'name.test', lookup }));
    const [error] = (await once(client, 'error')) as [AggregateError];
    t.note('c', error.errors.map(describeValue));
  },
  'autoSelectFamily off: one address is asked for': async (t) => {
    const server = await t.listen();
    const lookup: net.LookupFunction = (_name, options, callback) => {
      t.note('l', options);
      callback(null, t.host, 4);
    };
    const options = { host: 'name.test', lookup, autoSelectFamily: false, hints: 32 };
    t.watch('c', t.clientNet.connect({ ...t.to(server), ...options })).end();
  },
  'corking many writes into one': async (t) => {
    const { client } = await t.pair();
    client.cork();
    client.cork();
    for (const word of ['a', 'é', Buffer.from('c')]) client.write(word);
    t.note('c', [client.writableCorked, client.writableLength, client.bytesWritten]);
    client.uncork();
    t.note('c', client.writableLength);
    client.uncork();
    t.note('c', [client.writableLength, client.bytesWritten]);
    client.end();
  },
  'a socket without reading, and one without writing': async (t) => {
    const server = await t.listen({ allowHalfOpen: true });
    const names = ['s', 'v'];
    server.on('connection', (socket) => t.watch(names.shift()!, socket).end('unread'));
    const options = { ...t.to(server), readable: false } as net.NetConnectOpts;
    const client = t.watch('c', t.clientNet.connect(options));
    await once(client, 'connect');
    t.note('c', client.readyState);
    client.end();
    await t.quiet();
    const other = { ...t.to(server), writable: false } as net.NetConnectOpts;
    t.watch('d', t.clientNet.connect(other));
  },
  'the contexts of AsyncLocalStorage': async (t) => {
    const storage = new AsyncLocalStorage<string>();
    const note = (who: string, what: string) => t.note(who, `${what} in ${storage.getStore()}`);
    const server = t.net.createServer();
    storage.run('listen', () => server.listen(0, t.host));
    storage.run('on', () => server.on('connection', () => note('a', 'connection')));
    server.on('close', () => note('a', 'close'));
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    await once(server, 'listening');
    const client = storage.run('connect', () => t.clientNet.connect(t.to(server)));
    for (const event of ['connect', 'data', 'end', 'finish', 'close', 'timeout']) {
      client.on(event, () => note('c', event));
    }
    const [[served]] = await Promise.all([accepted, once(client, 'connect')]);
    served.resume();
    storage.run('timeout', () => client.setTimeout(SHORT_MS));
    await once(client, 'timeout');
    storage.run('write', () => client.write('x', () => note('c', 'written')));
    served.write('y');
    await once(client, 'data');
    const many = new Promise<void>((resolve) => {
      const written = () => {
        note('c', 'much is written');
        resolve();
      };
      storage.run('write much', () => client.write(megabytes(8), written));
    });
    await many;
    storage.run('end', () => client.end(() => note('c', 'ended')));
    await once(client, 'close');
    storage.run('close', () => server.close());
  },
  'the channels of node:diagnostics_channel': async (t) => {
    // Other exchanges go on meanwhile.
    const storage = new AsyncLocalStorage<boolean>();
    const names = [
      ...['net.client.socket', 'net.server.socket'],
      ...['asyncStart', 'asyncEnd', 'error'].map((name) => `tracing:net.server.listen:${name}`),
    ];
    const listener = (message: unknown, name: string | symbol) => {
      if (storage.getStore() !== true) return;
      const { error } = message as { error?: Error };
      const keys = Object.keys(message as object).sort();
      t.note(name.toString(), [keys, error === undefined ? null : describeValue(error)]);
    };
    for (const name of names) subscribe(name, listener);
    try {
      await storage.run(true, async () => {
        const { client, server } = await t.pair();
        t.watchServer('b', t.net.createServer()).listen(t.to(server));
        client.end();
        await once(client, 'close');
      });
    } finally {
      for (const name of names) unsubscribe(name, listener);
    }
  },
};

export const moreEnds: Record<string, Exchange> = {
  'end in the listener of connect': async (t) => {
    const server = await t.listen();
    server.on('connection', (socket) => t.watch('s', socket));
    const client = t.clientNet.connect(t.to(server), () => client.end('bye'));
    t.watch('c', client);
  },
  'destroy in the listener of connect': async (t) => {
    const server = await t.listen();
    server.on('connection', (socket) => t.watch('s', socket));
    const client = t.clientNet.connect(t.to(server), () => client.destroy());
    t.watch('c', client);
  },
  'destroy in the listener of data': async (t) => {
    const { client, served } = await t.pair();
    client.on('data', () => client.destroy());
    served.write('one');
    await once(client, 'close');
  },
  'the server ends in the listener of connection': async (t) => {
    const server = await t.listen();
    server.on('connection', (socket) => t.watch('s', socket).end('hello'));
    t.watch('c', t.clientNet.connect(t.to(server)));
  },
  'end with data and a callback, twice': async (t) => {
    const { client } = await t.pair();
    client.end('data', () => t.note('c', 'first'));
    client.end((error?: Error) => t.note('c', `second ${describeValue(error)}`));
    await once(client, 'close');
    client.end((error?: Error) => t.note('c', `third ${describeValue(error)}`));
  },
  'destroy twice, with an error the second time': async (t) => {
    const { client } = await t.pair();
    client.destroy();
    client.destroy(new Error('too late'));
  },
  'destroy with an error while connecting': async (t) => {
    const server = await t.listen();
    t.watch('c', t.clientNet.connect(t.to(server))).destroy(new Error('changed my mind'));
  },
  'half-open, then destroyed by the other side': async (t) => {
    const { client, served } = await t.pair({ allowHalfOpen: true });
    client.end('question');
    await once(served, 'end');
    served.destroy();
  },
  'half-open, then reset by the other side': async (t) => {
    const { client, served } = await t.pair({ allowHalfOpen: true });
    client.end('question');
    await once(served, 'end');
    served.resetAndDestroy();
  },
  'reset in CLOSE-WAIT, and a write': async (t) => {
    const { client, served } = await t.pair({ allowHalfOpen: true });
    client.end();
    await once(served, 'end');
    client.resetAndDestroy();
    await sleep(SHORT_MS);
    served.write('x', (error) => t.note('s', `written ${describeValue(error)}`));
  },
  'destroySoon with much to write': async (t) => {
    const { client, served } = await t.pair({}, {}, ['data', 'drain']);
    served.resume();
    client.write(megabytes(8));
    client.destroySoon();
    await once(served, 'close');
    t.note('s', served.bytesRead);
  },
  'an iterator that is left early': async (t) => {
    const { client, served } = await t.pair({}, {}, ['data']);
    served.write('abc');
    for await (const chunk of client) {
      t.note('c', String(chunk));
      break;
    }
    t.note('c', client.destroyed);
  },
  'pipeline and finished': async (t) => {
    const { client, served } = await t.pair({ allowHalfOpen: true }, {}, ['data']);
    const echoed = pipeline(served, served).then(() => t.note('s', 'pipeline is done'));
    client.end('echo this');
    let text = '';
    client.on('data', (data) => {
      text += data;
    });
    await Promise.all([echoed, finished(client)]);
    t.note('c', text);
  },
  'finished with a socket that is reset': async (t) => {
    const { client, served } = await t.pair();
    const seen = finished(client).catch((error) => t.note('c', describeValue(error)));
    served.resetAndDestroy();
    await seen;
  },
  'setEncoding and a FIN within a character': async (t) => {
    const { client, served } = await t.pair({}, {}, ['data']);
    client.setEncoding('utf8');
    client.on('data', (text) => t.note('c', `text ${text}`));
    served.end(Buffer.from('é').subarray(0, 1));
  },
  'connect after the end, to another server': async (t) => {
    const { client } = await t.pair();
    client.end();
    await once(client, 'close');
    const server = await t.listen();
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    client.connect(t.to(server));
    const [served] = await accepted;
    served.end('again');
    await once(client, 'close');
    t.note('c', [client.bytesRead, client.bytesWritten, client.destroyed]);
  },
  'a connection that waits in the backlog while the server closes': async (t) => {
    const server = t.watchServer('a', await t.listen());
    t.watch('c', t.clientNet.connect(t.to(server)));
    server.close();
  },
};

/** Behaviour that is known to differ: each has its reason in compatibility/differences.ts. */
export const different: Record<string, Exchange> = {
  'tcpState, tcpInfo and tcpstate': async (t) => {
    const server = await t.listen();
    const socket = new t.clientNet.Socket() as net.Socket & Partial<Extras>;
    t.note('c', `tcpState ${socket.tcpState}`);
    socket.on('tcpstate', (to, from) => t.note('c', `tcpstate ${to} ${from}`));
    server.on('connection', (served) => served.end());
    socket.connect(t.to(server));
    socket.resume();
    await once(socket, 'close');
    await t.quiet();
    t.note('c', `tcpState ${socket.tcpState}`);
    t.note('c', `closeReason ${socket.closeReason}`);
    t.note('c', `tcpInfo ${socket.tcpInfo?.()?.state}`);
  },
  'error.tcp of a refused connection': async (t) => {
    const socket = t.clientNet.connect(81, t.host) as net.Socket & Partial<Extras>;
    const [error] = (await once(socket, 'error')) as [SocketError];
    t.note('c', `tcp ${error.tcp && `${error.tcp.state}: ${error.tcp.segment}`}`);
    t.note('c', `closeReason ${socket.closeReason}`);
  },
  'error.tcp of a reset connection': async (t) => {
    const { client, served } = await t.pair({}, {}, ['error']);
    const failed = once(client, 'error') as Promise<[SocketError]>;
    served.resetAndDestroy();
    const [error] = await failed;
    t.note('c', `tcp ${error.tcp && `${error.tcp.state}: ${error.tcp.segment}`}`);
  },
  'error.tcp of a port that is taken': async (t) => {
    const server = await t.listen();
    const second = t.net.createServer().listen(t.to(server));
    const [error] = (await once(second, 'error')) as [SocketError];
    t.note('b', `tcp ${error.tcp?.state}`);
  },
  'the option tcp: congestion control and MSL of one connection': async (t) => {
    const tcp = { congestion: 'newreno', msl: 10 };
    const { client } = await t.pair({}, { tcp } as Partial<net.NetConnectOpts>);
    const socket = client as net.Socket & Partial<Extras>;
    t.note('c', `congestion ${socket.tcpInfo?.()?.congestion}`);
    client.end();
    await once(client, 'close');
    t.note('c', `tcpState ${socket.tcpState}`);
  },
  'an IPv4 peer of a server on all addresses': async (t) => {
    const server = t.net.createServer().listen(0);
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const client = t.clientNet.connect(port, t.host);
    const [served] = await accepted;
    t.note('s', `peer ${served.remoteAddress} ${served.remoteFamily}`);
    client.destroy();
    server.close();
  },
  'entries of PerformanceObserver': async (t) => {
    const seen = new PerformanceObserver(() => {});
    seen.observe({ entryTypes: ['net' as never] });
    const server = await t.listen();
    const { port } = t.to(server);
    const client = t.clientNet.connect(t.to(server));
    await once(client, 'connect');
    const details = seen.takeRecords().map((entry) => JSON.stringify(entry));
    t.note('c', `entry ${details.some((detail) => detail.includes(`"port":${port}`))}`);
    seen.disconnect();
    client.destroy();
  },
  'the contexts of AsyncLocalStorage at an accepted socket': async (t) => {
    const storage = new AsyncLocalStorage<string>();
    const note = (what: string) => t.note('s', `${what} in ${storage.getStore()}`);
    const server = t.net.createServer();
    storage.run('listen', () => server.listen(0, t.host));
    server.on('connection', (socket) => {
      note('connection');
      for (const event of ['data', 'end', 'close']) socket.on(event, () => note(event));
    });
    await once(server, 'listening');
    t.clientNet.connect(t.to(server)).resume().end('x');
    await t.quiet();
    server.close();
  },
  'a reset behind data that nobody has read yet': async (t) => {
    const { client, served } = await t.pair({ pauseOnConnect: true }, {}, ['data']);
    served.read();
    client.write(Buffer.alloc(100_000));
    await sleep(SHORT_MS);
    client.resetAndDestroy();
    await sleep(SHORT_MS);
    served.resume();
    await once(served, 'close').catch(() => {});
    t.note('s', `read ${served.bytesRead > 0}`);
  },
};
