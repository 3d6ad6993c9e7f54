// What a socket of the stack has beyond node:net, and what cannot be compared with it.

import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Socket } from '../../src/net/socket.js';
import type { SocketConnectOptions } from '../../src/net/socket-options.js';
import { connectedPair, linkedStacks, listening } from './places.js';
import { sleep } from './trial.js';

type Stacks = ReturnType<typeof linkedStacks>;

let stacks: Stacks;

function pair(...wishes: [options?: Partial<SocketConnectOptions>, allowHalfOpen?: boolean]) {
  stacks = linkedStacks();
  return connectedPair(stacks, ...wishes);
}

const states = (socket: Socket) => {
  const seen: string[] = [];
  socket.on('tcpstate', (to, from) => seen.push(`${from} > ${to}`));
  return seen;
};

afterEach(async () => {
  await stacks?.close();
});

describe('the state of the connection', () => {
  it('is told with every change, also after close', async () => {
    const { client, served } = await pair({ tcp: { msl: 10 } });
    await sleep(5);
    const [closingFirst, closingSecond] = [states(client), states(served)];
    expect([client.tcpState, served.tcpState]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
    served.resume();
    client.resume();
    client.end('bye');
    await Promise.all([once(client, 'close'), once(served, 'close')]);
    expect(client.tcpState).toBe('TIME-WAIT');
    await vi.waitFor(() => expect(served.tcpState).toBe('CLOSED'));
    expect(closingFirst).toEqual([
      'ESTABLISHED > FIN-WAIT-1',
      'FIN-WAIT-1 > FIN-WAIT-2',
      'FIN-WAIT-2 > TIME-WAIT',
    ]);
    expect(closingSecond).toEqual([
      'ESTABLISHED > CLOSE-WAIT',
      'CLOSE-WAIT > LAST-ACK',
      'LAST-ACK > CLOSED',
    ]);
    expect([client.closeReason, served.closeReason]).toEqual(['fin', 'fin']);
  });

  it('can be watched from the start', async () => {
    stacks = linkedStacks();
    const server = stacks.b.net.createServer();
    const port = await listening(server);
    const socket = new stacks.a.net.Socket();
    expect([socket.tcpState, socket.tcpInfo(), socket.closeReason]).toEqual(['CLOSED', null, null]);
    const seen = states(socket);
    socket.connect(port, '10.9.0.2');
    await once(socket, 'connect');
    expect(seen).toEqual(['CLOSED > SYN-SENT', 'SYN-SENT > ESTABLISHED']);
    expect(socket.tcpInfo()).toMatchObject({ state: 'ESTABLISHED', segmentsOut: 2 });
    socket.destroy();
  });

  it('stays CLOSE-WAIT while the program does not close', async () => {
    const { client, served } = await pair({}, true);
    served.resume();
    client.end();
    await once(served, 'end');
    await sleep(20);
    expect([client.tcpState, served.tcpState]).toEqual(['FIN-WAIT-2', 'CLOSE-WAIT']);
    expect(served.closeReason).toBe(null);
  });

  it('says why it ended', async () => {
    const { client, served } = await pair();
    served.on('error', () => {});
    client.resetAndDestroy();
    await Promise.all([once(client, 'close'), once(served, 'close').catch(() => {})]);
    await vi.waitFor(() => expect(served.closeReason).toBe('rst'));
    expect(client.closeReason).toBe('abort');
  });
});

it('reads what came before a reset, and then tells of the reset', async () => {
  // Over node:net this is an 'end' like any other: libuv takes a hang-up after a short read for one.
  const { client, served } = await pair();
  served.pause();
  await sleep(1);
  served.read();
  client.write(Buffer.alloc(100_000));
  await vi.waitFor(() => expect(served.tcpInfo()!.bytesReceived).toBe(100_000));
  client.resetAndDestroy();
  await vi.waitFor(() => expect(served.tcpState).toBe('CLOSED'));
  served.resume();
  const [error] = await once(served, 'error');
  expect([served.bytesRead, error.code]).toEqual([100_000, 'ECONNRESET']);
});

describe('flow control', () => {
  it('reaches the peer: a paused socket closes its window, and reads nothing', async () => {
    const { client, served } = await pair({ tcp: { sendBuffer: 65_536, sendBufferMax: 65_536 } });
    served.pause();
    const data = randomBytes(8 * 1024 * 1024);
    client.write(data);
    await vi.waitFor(() => expect(served.tcpInfo()!.receiveWindow).toBeLessThan(1500));
    const { unread } = served.tcpInfo()!;
    await sleep(50);
    expect(served.tcpInfo()!.unread).toBeLessThan(unread + 1500);
    // The stream itself holds no more than what was read before its limit was seen.
    expect(served.bytesRead).toBeLessThanOrEqual(65_536);
    expect(client.writableLength).toBe(data.length);

    const hash = createHash('sha256');
    served.on('data', (chunk) => hash.update(chunk));
    served.resume();
    client.end();
    await finished(served, { writable: false });
    expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
  });

  it('reaches the writer: far more than all buffers, both ways, through slow readers', async () => {
    const { client, served } = await pair();
    const data = randomBytes(12 * 1024 * 1024);
    const received = async (socket: Socket) => {
      const hash = createHash('sha256');
      let chunks = 0;
      // Without this the end of the loop destroys the socket, whatever it still has to write.
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        hash.update(chunk);
        if (chunks++ % 16 === 0) await sleep(1);
      }
      return hash.digest('hex');
    };
    for (const socket of [client, served]) socket.end(data);
    const [a, b] = await Promise.all([received(client), received(served)]);
    const sent = createHash('sha256').update(data).digest('hex');
    expect([a, b]).toEqual([sent, sent]);
  });
});

describe('the idle timeout', () => {
  it('does not count a long write that makes progress', async () => {
    const { client, served } = await pair({ tcp: { sendBuffer: 65_536, sendBufferMax: 65_536 } });
    stacks.link.aToB.settings.rate = 40_000_000;
    let timeouts = 0;
    client.setTimeout(400).on('timeout', () => {
      timeouts += 1;
    });
    served.resume();
    // Under way for 800 ms at least.
    client.write(Buffer.alloc(4_000_000));
    await once(client, 'drain');
    expect(timeouts).toBe(0);
    await once(client, 'timeout');
  });
});

describe('turns', () => {
  it('promises go on between one event and the next', async () => {
    stacks = linkedStacks();
    const server = stacks.b.net.createServer((socket) => socket.resetAndDestroy());
    const socket = stacks.a.net.connect(await listening(server), '10.9.0.2');
    await once(socket, 'connect');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
  });

  it('a listener that throws ends its own turn only', async () => {
    const { client, served, server } = await pair();
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught = once(process, 'uncaughtException');
    served.on('data', () => {
      throw new Error('listener');
    });
    const second = stacks.a.net.connect(server.address()!.port, '10.9.0.2');
    const [[other]] = await Promise.all([once(server, 'connection'), once(second, 'connect')]);
    client.write('first');
    second.write('second');
    const [data] = await once(other, 'data');
    expect(String(data)).toBe('second');
    expect((await uncaught)[0]).toMatchObject({ message: 'listener' });
    for (const listener of listeners) process.on('uncaughtException', listener);
  });

  it('what waits behind a listener that throws is told all the same', async () => {
    stacks = linkedStacks();
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught = vi.fn();
    process.on('uncaughtException', uncaught);
    const seen: string[] = [];
    const server = stacks.b.net.createServer((socket) => {
      seen.push('connection');
      socket.on('end', () => seen.push('end'));
      socket.once('data', () => {
        throw new Error('data');
      });
      throw new Error('connection');
    });
    const port = await listening(server);
    const clients = [1, 2, 3].map(() => stacks.a.net.connect(port, '10.9.0.2'));
    for (const client of clients) client.resume().end('x');
    await vi.waitFor(() => expect(seen.filter((event) => event === 'end')).toHaveLength(3));
    expect(seen.filter((event) => event === 'connection')).toHaveLength(3);
    expect(uncaught).toHaveBeenCalledTimes(6);
    process.removeListener('uncaughtException', uncaught);
    for (const listener of listeners) process.on('uncaughtException', listener);
  });

  it('a listener runs in the context in which its connection was made', async () => {
    stacks = linkedStacks();
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const note = () => void seen.push(storage.getStore());
    const server = stacks.b.net.createServer((socket) => {
      note();
      socket.on('data', note).on('close', note);
    });
    storage.run('server', () => server.listen(0, '10.9.0.2'));
    await once(server, 'listening');
    const { port } = server.address()!;
    const clients = ['one', 'two'].map((name) =>
      storage.run(name, () => stacks.a.net.connect(port, '10.9.0.2').on('connect', note)),
    );
    await Promise.all(clients.map((client) => once(client, 'connect')));
    for (const client of clients) client.on('close', note).end('x');
    await Promise.all(clients.map((client) => once(client.resume(), 'close')));
    await vi.waitFor(() => expect(seen).toHaveLength(10));
    expect(seen.sort()).toEqual(['one', 'one', ...new Array(6).fill('server'), 'two', 'two']);
  });
});

describe('connecting', () => {
  it('works over IPv6, and shows it', async () => {
    stacks = linkedStacks();
    const server = stacks.b.net.createServer((socket) => socket.end(`${socket.remoteAddress}`));
    server.listen(0);
    await once(server, 'listening');
    expect(server.address()).toMatchObject({ address: '::', family: 'IPv6' });
    const { port } = server.address()!;
    for (const [host, family, own] of [
      ['fd09::2', 'IPv6', 'fd09::1'],
      ['10.9.0.2', 'IPv4', '10.9.0.1'],
    ] as const) {
      const socket = stacks.a.net.connect(port, host);
      await once(socket, 'connect');
      expect(socket.address()).toMatchObject({ address: own, family });
      expect(socket.remoteFamily).toBe(family);
      const [greeting] = await once(socket, 'data');
      expect(String(greeting)).toBe(own);
    }
  });

  it('times out when nobody answers', async () => {
    stacks = linkedStacks();
    const socket = stacks.a.net.connect({
      port: 80,
      host: '10.9.0.77',
      tcp: { synTimeout: 150, initialRto: 50 },
    });
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({
      message: 'connect ETIMEDOUT 10.9.0.77:80',
      errno: -110,
      syscall: 'connect',
    });
    expect(socket.closeReason).toBe('timeout');
  });

  it('tries the next address when one does not answer or refuses', async () => {
    stacks = linkedStacks();
    const server = stacks.b.net.createServer();
    const socket = stacks.a.net.connect({
      port: await listening(server),
      host: 'name.test',
      autoSelectFamilyAttemptTimeout: 400,
      lookup: (_name, _options, callback) =>
        void setImmediate(callback, null, [
          { address: 'fd09::77', family: 6 },
          { address: 'fd09::2', family: 6 },
          { address: '10.9.0.2', family: 4 },
        ]),
    });
    const events: string[] = [];
    for (const event of ['Timeout', 'Failed', '']) {
      socket.on(`connectionAttempt${event}`, (ip) => events.push(`${event}${ip}`));
    }
    await once(socket, 'connect');
    expect(events).toEqual(['fd09::77', 'Timeoutfd09::77', '10.9.0.2']);
    expect(socket.autoSelectFamilyAttemptedAddresses).toEqual(
      ['fd09::77', '10.9.0.2'].map((ip) => `${ip}:${socket.remotePort}`),
    );
    expect(socket.remoteAddress).toBe('10.9.0.2');
  });

  it('tells all errors when every address failed', async () => {
    stacks = linkedStacks();
    const socket = stacks.a.net.connect({
      port: 81,
      host: 'name.test',
      lookup: (_name, _options, callback) =>
        callback(null, [
          { address: '10.9.0.2', family: 4 },
          { address: 'fd09::2', family: 6 },
        ]),
    });
    const [error] = await once(socket, 'error');
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(error.errors.map((one: Error) => one.message)).toEqual([
      'connect ECONNREFUSED 10.9.0.2:81',
      'connect ECONNREFUSED fd09::2:81',
    ]);
  });
});

describe('settings', () => {
  it('reach the connection, set before or after it is there', async () => {
    const { client, served } = await pair({ noDelay: true, keepAlive: true });
    expect(client.tcpInfo()!.timer).toMatchObject({ name: 'keepalive' });
    expect(client.tcpInfo()!.timer!.ms).toBeGreaterThan(7_100_000);
    served.setKeepAlive(true, 2999);
    expect(served.tcpInfo()!.timer!.ms).toBeLessThanOrEqual(2000);
    served.setKeepAlive(false);
    expect(served.tcpInfo()!.timer).toBe(null);
  });

  it('finds out by keep-alive that the peer is gone', async () => {
    const { client } = await pair({ tcp: { keepAliveInterval: 20, keepAliveProbes: 3 } });
    client.setKeepAlive(true);
    // Whole seconds only, as in Node; the test is not so patient.
    const { core } = stacks.a;
    for (const connection of core.connections()) connection.setKeepAlive(true, 50);
    stacks.link.aToB.settings.loss = 1;
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({ message: 'read ETIMEDOUT', code: 'ETIMEDOUT', syscall: 'read' });
    expect(client.closeReason).toBe('timeout');
  });
});

it('is known by its class', async () => {
  const { client, server } = await pair();
  expect(client).toBeInstanceOf(stacks.a.net.Socket);
  expect(client.constructor.name).toBe('Socket');
  expect(server).toBeInstanceOf(stacks.b.net.Server);
});
