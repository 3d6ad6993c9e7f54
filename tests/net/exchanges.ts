// Exchanges whose events and errors must be the same everywhere; must not know where they run.

import { EventEmitter, once } from 'node:events';
import type net from 'node:net';
import { describeValue, sleep, type Trial } from './trial.js';

export type Exchange = (t: Trial) => Promise<void>;

const megabytes = (n: number) => Buffer.alloc(n * 1024 * 1024, 'finwait');

/** Small times, so that a run is short; large against what a loaded machine makes of them. */
const SHORT_MS = 60;

export const closing: Record<string, Exchange> = {
  'the client ends first': async (t) => {
    const { client } = await t.pair();
    client.end('hello');
  },
  'the server ends first': async (t) => {
    const { client, served } = await t.pair();
    served.end('hello');
    await once(client, 'close');
  },
  'both end at once': async (t) => {
    const { client, served } = await t.pair();
    client.end('a');
    served.end('b');
  },
  'half-open at the server: it answers after the end': async (t) => {
    const { client, served } = await t.pair({ allowHalfOpen: true });
    client.end('question');
    await once(served, 'end');
    t.note('s', `${served.readyState} ${served.writable}`);
    served.write('answer, ');
    await t.quiet();
    served.end('end');
  },
  'half-open at the client: it goes on after the end': async (t) => {
    const { client, served } = await t.pair({}, { allowHalfOpen: true });
    served.end('that is all');
    await once(client, 'end');
    client.write('one thing more');
    await t.quiet();
    t.note('c', client.readyState);
    client.end();
  },
  'half-open on both sides, never ended by one': async (t) => {
    const { client, served } = await t.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
    client.end();
    await once(served, 'end');
    await t.quiet();
    t.note('s', served.readyState);
    t.note('c', client.readyState);
  },
  'destroy while all is read': async (t) => {
    const { client } = await t.pair();
    client.destroy();
  },
  'destroy with unread data resets': async (t) => {
    const { client, served } = await t.pair({ pauseOnConnect: true }, {}, ['data']);
    client.resume();
    client.write(Buffer.alloc(100_000));
    await sleep(SHORT_MS);
    served.destroy();
  },
  'destroy with an error': async (t) => {
    const { client } = await t.pair();
    client.destroy(new Error('enough'));
  },
  'destroySoon sends what was written': async (t) => {
    const { client } = await t.pair();
    client.write('the last words');
    client.destroySoon();
  },
  resetAndDestroy: async (t) => {
    const { client } = await t.pair();
    client.resetAndDestroy();
  },
  'reset of a socket that does not read': async (t) => {
    const { client, served } = await t.pair({ pauseOnConnect: true }, {}, ['data']);
    client.resetAndDestroy();
    await t.quiet();
    t.note('s', `destroyed ${served.destroyed}`);
    served.resume();
  },
  'resetAndDestroy while connecting': async (t) => {
    const server = await t.listen();
    server.on('connection', (socket) => t.watch('s', socket));
    t.watch('c', t.clientNet.connect(t.to(server))).resetAndDestroy();
  },
  'resetAndDestroy without a connection': async (t) => {
    t.watch('c', new t.clientNet.Socket()).resetAndDestroy();
  },
  'destroy without a connection': async (t) => {
    t.watch('c', new t.clientNet.Socket()).destroy();
  },
  'destroy while connecting': async (t) => {
    const server = await t.listen();
    const client = t.watch('c', t.clientNet.connect(t.to(server)));
    client.write('never sent', (error) => t.note('c', `written ${describeValue(error)}`));
    t.note('c', [client.pending, client.connecting, client.readyState]);
    client.destroy();
    await once(client, 'close');
    await t.quiet();
    t.note('c', [client.pending, client.connecting, client.readyState]);
  },
  'end before the connection': async (t) => {
    const server = await t.listen();
    server.on('connection', (socket) => t.watch('s', socket));
    t.watch('c', t.clientNet.connect(t.to(server))).end('early');
  },
  'the same socket again': async (t) => {
    const server = await t.listen();
    server.on('connection', (socket) => socket.end('hi'));
    const client = t.watch('c', t.clientNet.connect(t.to(server)));
    await once(client, 'close');
    client.connect(t.to(server));
    client.resume();
  },
};

export const failing: Record<string, Exchange> = {
  'connection refused': async (t) => {
    const client = t.watch('c', t.clientNet.connect(81, t.host));
    client.write('x', (error) => t.note('c', `written ${describeValue(error)}`));
  },
  'connection refused, from a given port': async (t) => {
    const options = { port: 81, host: t.host, localAddress: t.clientHost, localPort: 40_001 };
    t.watch('c', t.clientNet.connect(options));
  },
  'an address that is not ours': async (t) => {
    t.watch('c', t.clientNet.connect({ port: 81, host: t.host, localAddress: '192.0.2.7' }));
  },
  'a port that is in use': async (t) => {
    const first = t.watchServer('a', await t.listen());
    t.watchServer('b', t.net.createServer()).listen(t.to(first));
  },
  'an address to listen on that is not ours': async (t) => {
    t.watchServer('b', t.net.createServer()).listen(7000, '192.0.2.7');
  },
  'write after end': async (t) => {
    const { client } = await t.pair();
    client.end();
    client.write('x', (error) => t.note('c', `written ${describeValue(error)}`));
  },
  'write after the other party ended, late': async (t) => {
    const { client, served } = await t.pair();
    served.end();
    await once(client, 'finish');
    client.write('x', (error) => t.note('c', `written ${describeValue(error)}`));
  },
  'write while the other party ends': async (t) => {
    const { client, served } = await t.pair();
    client.once('end', () => {
      client.write('x', (error) => t.note('c', `written ${describeValue(error)}`));
    });
    served.end();
  },
  'write after the other party destroyed': async (t) => {
    const { client, served } = await t.pair({ allowHalfOpen: true });
    client.destroy();
    await once(served, 'end');
    served.write('answered with a RST');
    await sleep(SHORT_MS);
    served.write('x', (error) => t.note('s', `written ${describeValue(error)}`));
  },
  'a write that waits is let go by destroy': async (t) => {
    const { client } = await t.pair({ pauseOnConnect: true }, {}, ['data', 'drain', 'pause']);
    client.write(megabytes(32), (error) => t.note('c', `written ${describeValue(error)}`));
    client.write('queued', (error) => t.note('c', `queued ${describeValue(error)}`));
    await sleep(SHORT_MS);
    client.destroy();
  },
  'a write that waits meets a reset': async (t) => {
    const { client, served } = await t.pair({ pauseOnConnect: true }, {}, ['data', 'drain']);
    client.write(megabytes(32), (error) => t.note('c', `written ${describeValue(error)}`));
    await sleep(SHORT_MS);
    served.resetAndDestroy();
  },
  'write without a connection': async (t) => {
    const client = t.watch('c', new t.clientNet.Socket());
    client.write('x', (error) => t.note('c', `written ${describeValue(error)}`));
  },
};

export const flowing: Record<string, Exchange> = {
  'a paused socket lets the writer wait': async (t) => {
    // Whether the iterator destroys before 'finish' is a matter of microseconds.
    const skip = ['data', 'drain', 'finish'];
    const { client, served } = await t.pair({ pauseOnConnect: true }, {}, skip);
    let written = false;
    const bytes = 32 * 1024 * 1024;
    client.end(megabytes(32), () => {
      written = true;
    });
    await sleep(SHORT_MS);
    t.note('s', [served.isPaused(), served.bytesRead, written]);
    let read = 0;
    for await (const chunk of served) read += (chunk as Buffer).length;
    t.note('s', [read === bytes, served.bytesRead === bytes, client.bytesWritten === bytes]);
  },
  'drain after a full buffer': async (t) => {
    const { client, served } = await t.pair({}, {}, ['data']);
    served.resume();
    client.resume();
    t.note('c', `write ${client.write(megabytes(32))}`);
    await once(client, 'drain');
    t.note('c', [client.writableLength, client.bufferSize]);
    client.end();
  },
  'both write a lot at once': async (t) => {
    const { client, served } = await t.pair({}, {}, ['drain', 'finish']);
    for (const socket of [client, served]) socket.end(megabytes(24));
    await Promise.all([once(client, 'close'), once(served, 'close')]);
  },
  'onread into one buffer, stopped and resumed': async (t) => {
    const buffer = Buffer.alloc(4);
    const onread = {
      buffer,
      callback(bytes: number, into: Uint8Array) {
        t.note('c', `data ${bytes}`);
        t.note('c', [into === buffer, Buffer.from(into).toString('latin1', 0, bytes)]);
        return bytes === 4;
      },
    };
    const { client, served } = await t.pair({}, { onread } as Partial<net.NetConnectOpts>, [
      'data',
    ]);
    served.write('abcdef');
    await t.quiet();
    served.write('ghij');
    await t.quiet();
    t.note('c', client.bytesRead);
    client.resume();
    await t.quiet();
    client.pause();
    served.write('klmn');
    await t.quiet();
    t.note('c', 'resumed');
    client.resume();
    await t.quiet();
    served.end();
  },
  'onread into buffers that are made': async (t) => {
    let made = 0;
    const onread = {
      buffer: () => Buffer.alloc(3 + made++),
      callback(bytes: number, into: Uint8Array) {
        t.note('c', Buffer.from(into).toString('latin1', 0, bytes));
        return true;
      },
    };
    const { served } = await t.pair({}, { onread } as Partial<net.NetConnectOpts>, ['data']);
    served.end('abcdefghijkl');
  },
  'strings in encodings': async (t) => {
    const { client, served } = await t.pair({}, {}, ['data']);
    served.setEncoding('utf8');
    let text = '';
    served.on('data', (data) => {
      text += data;
    });
    client.write('c3a9', 'hex');
    client.write('é', 'utf8');
    client.write(Buffer.from('é'));
    client.write('w6k=', 'base64');
    client.resume();
    client.end();
    await once(served, 'close');
    t.note('s', text);
  },
  'corked writes': async (t) => {
    const { client } = await t.pair();
    client.cork();
    client.write('a');
    client.write('b', () => t.note('c', 'written'));
    await t.quiet();
    client.uncork();
    client.end();
  },
  'timeout, again and again, and off': async (t) => {
    const { client } = await t.pair();
    const began = Date.now();
    client.setTimeout(SHORT_MS, () => t.note('c', 'told once'));
    await once(client, 'timeout');
    t.note('c', Date.now() - began >= SHORT_MS - 2);
    await sleep(SHORT_MS * 2);
    t.note('c', client.timeout);
    client.write('x');
    await once(client, 'timeout');
    client.setTimeout(0);
    await sleep(SHORT_MS * 2);
    client.end();
  },
};

export const serving: Record<string, Exchange> = {
  'addresses of both ends': async (t) => {
    const { client, served, server } = await t.pair();
    const told = (socket: net.Socket) => [
      socket.address(),
      socket.localAddress,
      socket.localPort,
      socket.localFamily,
      socket.remoteAddress,
      socket.remotePort,
      socket.remoteFamily,
      socket.readyState,
    ];
    t.note('a', server.address());
    t.note('c', told(client));
    t.note('s', told(served));
    t.note('c', client.localPort === served.remotePort && client.remotePort === served.localPort);
    client.destroy();
    await t.quiet();
    t.note('c', told(client));
  },
  'maxConnections drops': async (t) => {
    const server = t.watchServer('a', await t.listen());
    server.maxConnections = 1;
    const first = t.watch('c', t.clientNet.connect(t.to(server)));
    await once(first, 'connect');
    t.watch('d', t.clientNet.connect(t.to(server)));
  },
  'close waits for connections': async (t) => {
    const { client, server } = await t.pair();
    t.watchServer('a', server);
    server.close((error) => t.note('a', `closed ${describeValue(error)}`));
    t.note('a', [server.listening, server.address()]);
    server.getConnections((error, count) => t.note('a', [error, count]));
    await t.quiet();
    t.watch('d', t.clientNet.connect(81, t.host));
    await t.quiet();
    client.end();
  },
  'close of a server that does not listen': async (t) => {
    const server = t.watchServer('a', t.net.createServer());
    server.close((error) => t.note('a', `closed ${describeValue(error)}`));
  },
  'listen twice': async (t) => {
    const server = t.watchServer('a', await t.listen());
    t.note(
      'a',
      thrown(() => server.listen(1)),
    );
  },
  'closed before it listens': async (t) => {
    const server = t.watchServer('a', t.net.createServer()).listen(0, t.host);
    t.note('a', [server.listening, server.address()]);
    server.close((error) => t.note('a', `closed ${describeValue(error)}`));
  },
  'listening at once where no address is given': async (t) => {
    const server = t.watchServer('a', t.net.createServer()).listen(() => t.note('a', 'called'));
    t.note('a', [server.listening, typeof server.address()]);
    await once(server, 'listening');
    server.close();
    server.listen(0, t.host);
    await once(server, 'listening');
    t.note('a', server.address());
  },
  'a signal that was aborted before': async (t) => {
    const server = await t.listen();
    t.watch('c', t.clientNet.connect({ ...t.to(server), signal: AbortSignal.abort() }));
    const other = t.watchServer('a', t.net.createServer());
    other.listen({ port: 0, host: t.host, signal: AbortSignal.abort() });
  },
  'an aborted signal closes the server': async (t) => {
    const abort = new AbortController();
    const server = t.watchServer('a', t.net.createServer());
    server.listen({ port: 0, host: t.host, signal: abort.signal });
    await once(server, 'listening');
    abort.abort();
  },
  'an aborted signal destroys the socket': async (t) => {
    const abort = new AbortController();
    const { client } = await t.pair({}, { signal: abort.signal });
    client.write('x');
    await t.quiet();
    abort.abort();
  },
  'asyncDispose closes the server': async (t) => {
    const server = t.watchServer('a', await t.listen());
    await server[Symbol.asyncDispose]();
    t.note('a', server.listening);
  },
  'rejected listeners destroy their connection': async (t) => {
    EventEmitter.captureRejections = true;
    const listening = t.listen();
    EventEmitter.captureRejections = false;
    const server = await listening;
    server.on('connection', async (socket) => {
      t.watch('s', socket);
      throw new Error('not today');
    });
    t.watch('c', t.clientNet.connect(t.to(server)));
  },
};

export const naming: Record<string, Exchange> = {
  'a name with one address': async (t) => {
    const server = await t.listen();
    const lookup: net.LookupFunction = (name, options, callback) => {
      t.note('l', [name, options]);
      callback(null, t.host, 4);
    };
    const options = { ...t.to(server), host: 'name.test', family: 4, lookup };
    t.watch('c', t.clientNet.connect(options)).end();
  },
  'a name with several addresses, the first of which refuse': async (t) => {
    const server = await t.listen();
    const lookup: net.LookupFunction = (name, options, callback) => {
      t.note('l', [name, options]);
      callback(null, [{ address: t.host, family: 4 }]);
    };
    t.watch('c', t.clientNet.connect({ ...t.to(server), host: 'name.test', lookup })).end();
  },
  'a name that is not found': async (t) => {
    const lookup: net.LookupFunction = (_name, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), '', 0);
    t.watch('c', t.clientNet.connect({ port: 80, host: 'name.test', lookup }));
  },
  'a name that gives no address': async (t) => {
    const lookup: net.LookupFunction = (_name, _options, callback) => callback(null, 'nonsense', 4);
    t.watch('c', t.clientNet.connect({ port: 80, host: 'name.test', lookup, family: 4 }));
  },
  'a name of a family that does not exist': async (t) => {
    const lookup: net.LookupFunction = (_name, _options, callback) => callback(null, t.host, 5);
    t.watch('c', t.clientNet.connect({ port: 80, host: 'name.test', lookup, family: 4 }));
  },
  'destroyed while it is looked up': async (t) => {
    let answer = () => {};
    const lookup: net.LookupFunction = (_name, _options, callback) => {
      answer = () => callback(null, t.host, 4);
    };
    const options = { port: 80, host: 'name.test', lookup, family: 4 };
    const client = t.watch('c', t.clientNet.connect(options));
    await t.quiet();
    client.destroy();
    await once(client, 'close');
    answer();
  },
};

export function thrown(call: () => unknown): string {
  try {
    call();
    return 'nothing thrown';
  } catch (error) {
    return describeValue(error);
  }
}
