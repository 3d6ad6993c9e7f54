// Node's own sockets and servers over a stack of ours, in this process. Knows node:net; the stack has no device.

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SystemClock } from '../../src/device/system-clock.js';
import type { RoutedSocket } from '../../src/dropin/extras.js';
import { installRoutes } from '../../src/dropin/routing.js';
import { Stack } from '../../src/net/stack.js';

/** Ours alone: not even the kernel's loopback has them. */
const OURS = '192.0.2.1';
const OURS6 = '2001:db8::1';

let stack: Stack;
let undo: () => void;
const servers: net.Server[] = [];

beforeEach(() => {
  stack = new Stack({
    clock: new SystemClock(),
    addresses: [`${OURS}/24`, `${OURS6}/64`],
    tcp: { msl: 10 },
  });
  const ours = (address: string | null) =>
    address === null || /^(192\.0\.2\.|2001:db8:)/.test(address);
  undo = installRoutes({
    connect: (address) => (ours(address) ? stack : null),
    listen: (address) => (ours(address) ? stack : null),
  });
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await stack.close(0);
  undo();
});

async function listen(
  onConnection: (socket: net.Socket) => void,
  options: net.ListenOptions & net.ServerOpts = {},
): Promise<number> {
  const server = net.createServer(options, onConnection);
  servers.push(server);
  server.listen({ port: 0, ...options });
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

const connections = () => [...stack.core.connections()].length;

/** All that comes, up to the FIN. */
function text(socket: net.Socket): Promise<string> {
  let all = '';
  socket.on('data', (chunk) => {
    all += String(chunk);
  });
  return new Promise((resolve, reject) => socket.on('end', () => resolve(all)).on('error', reject));
}

const closed = (socket: net.Socket) => new Promise((resolve) => socket.on('close', resolve));

describe('sockets and servers', () => {
  test('they are those of node:net, and what they send goes through the stack', async () => {
    const accepted: net.Socket[] = [];
    const port = await listen((socket) => {
      accepted.push(socket);
      socket.pipe(socket);
    });
    const socket = net.connect(port, OURS);
    expect(socket).toBeInstanceOf(net.Socket);
    expect(socket.constructor).toBe(net.Socket);
    await once(socket, 'connect');
    expect(accepted.every((each) => each.constructor === net.Socket)).toBe(true);
    expect(connections()).toBe(2);
    expect(socket.address()).toEqual({ address: OURS, family: 'IPv4', port: socket.localPort });
    expect([socket.remoteAddress, socket.remotePort]).toEqual([OURS, port]);
    socket.end('there and back');
    expect(await text(socket)).toBe('there and back');
    expect([socket.bytesRead, socket.bytesWritten]).toEqual([14, 14]);
  });

  test('IPv6 goes there as well, and IPv4 peers of a server for both look as the kernel shows them', async () => {
    const peers: (string | undefined)[] = [];
    const port = await listen((socket) => {
      peers.push(socket.remoteAddress, socket.remoteFamily);
      socket.end();
    });
    for (const host of [OURS6, OURS, `::ffff:${OURS}`]) {
      const socket = net.connect(port, host);
      await once(socket.resume(), 'close');
    }
    expect(peers.sort()).toEqual(
      [`::ffff:${OURS}`, 'IPv6', `::ffff:${OURS}`, 'IPv6', OURS6, 'IPv6'].sort(),
    );
  });

  test('what was ended or written before the connection is sent, and the FIN with it', async () => {
    const port = await listen(
      (socket) => void text(socket).then((all) => socket.end(`got ${all}`)),
      {
        allowHalfOpen: true,
      },
    );
    const socket = net.connect({ port, host: OURS, allowHalfOpen: true });
    socket.write('a');
    socket.end('b');
    expect(await text(socket)).toBe('got ab');
  });

  test('buffers, text in each encoding and both together arrive as they are', async () => {
    const port = await listen((socket) => socket.pipe(socket));
    const socket = net.connect(port, OURS);
    await once(socket, 'connect');
    socket.cork();
    socket.write('é', 'latin1');
    socket.write('é', 'utf8');
    socket.write(Buffer.from([0]));
    socket.uncork();
    socket.write('é', 'utf16le');
    socket.write('7a', 'hex');
    socket.end('a', 'ascii');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString('hex')).toBe('e9c3a900e9007a61');
  });

  test('a name with several addresses is tried one after the other', async () => {
    const port = await listen((socket) => socket.end('here'));
    const socket = net.connect({
      port,
      host: 'several.test',
      autoSelectFamily: true,
      lookup: (_, __, done) =>
        (done as unknown as (e: null, a: object[]) => void)(null, [
          { address: '2001:db8::9', family: 6 },
          { address: OURS, family: 4 },
        ]),
    });
    expect(await text(socket)).toBe('here');
    expect(socket.autoSelectFamilyAttemptedAddresses).toEqual([
      `2001:db8::9:${port}`,
      `${OURS}:${port}`,
    ]);
  });

  test('reading stops where nobody takes, and onread reads into the buffer of the user', async () => {
    const total = 3_000_000;
    let waited = false;
    const port = await listen((socket) => {
      waited = !socket.write(Buffer.alloc(total, 'x'));
      socket.end();
    });
    let bytes = 0;
    let calls = 0;
    const buffer = Buffer.alloc(10_000);
    const socket = net.connect({
      port,
      host: OURS,
      onread: {
        buffer,
        callback(count: number) {
          bytes += count;
          calls += 1;
          if (calls % 50 !== 0) return true;
          setImmediate(() => socket.resume());
          return false;
        },
      },
    });
    await once(socket, 'close');
    expect(waited).toBe(true);
    expect(bytes).toBe(total);
    expect(calls).toBeGreaterThanOrEqual(total / buffer.length);
  });

  test('an address and a port of ours can be chosen to connect from', async () => {
    const port = await listen((socket) => socket.end(`${socket.remotePort}`));
    const socket = net.connect({ port, host: OURS, localAddress: OURS, localPort: 5555 });
    expect(await text(socket)).toBe('5555');
    expect(await text(net.connect({ port, host: OURS, localPort: 5556 }))).toBe('5556');
    const other = net.connect({ port, host: OURS, localAddress: '192.0.2.77' });
    const [error] = await once(other, 'error');
    expect(error.message).toBe('bind EADDRNOTAVAIL 192.0.2.77');
    const six = net.connect({ port, host: OURS, localAddress: OURS6 });
    expect((await once(six, 'error'))[0].message).toBe(`bind EINVAL ${OURS6}`);
    const taken = net.connect({ port, host: OURS, localAddress: OURS, localPort: port });
    expect((await once(taken, 'error'))[0].message).toBe(`bind EADDRINUSE ${OURS}:${port}`);
    const nowhere = net.connect(0, OURS);
    expect((await once(nowhere, 'error'))[0].message).toBe(`connect ECONNREFUSED ${OURS}`);
  });

  test('maxConnections, drop, pauseOnConnect and noDelay are Node’s', async () => {
    const dropped: net.DropArgument[] = [];
    const server = net.createServer({ pauseOnConnect: true, noDelay: true });
    servers.push(server);
    server.maxConnections = 1;
    server.on('drop', (data) => dropped.push(data!));
    server.on('connection', (socket) => setTimeout(() => socket.resume().end('late'), 20));
    await once(server.listen(0, OURS), 'listening');
    const { port } = server.address() as net.AddressInfo;
    const first = net.connect(port, OURS);
    await once(first, 'connect');
    first.end('x');
    const second = net.connect(port, OURS).resume();
    await once(second, 'close');
    expect(await text(first)).toBe('late');
    expect(dropped).toMatchObject([{ localPort: port, remoteAddress: OURS }]);
  });

  test('a socket that was unreferenced before its connection stays so', async () => {
    const port = await listen((socket) => socket.resume());
    const socket = net.connect(port, OURS).unref();
    await once(socket, 'connect');
    const { _handle: handle } = socket as unknown as { _handle: { hasRef(): boolean } };
    expect(handle.hasRef()).toBe(false);
    socket.ref();
    expect(handle.hasRef()).toBe(true);
    socket.destroy();
  });

  test('a storage of AsyncLocalStorage holds across events', async () => {
    const storage = new AsyncLocalStorage<string>();
    const port = await listen((socket) => socket.end('x'));
    const seen = await storage.run('mine', async () => {
      const socket = net.connect(port, OURS);
      const all: (string | undefined)[] = [];
      for (const event of ['connect', 'data', 'end', 'close']) {
        socket.on(event, () => all.push(storage.getStore()));
      }
      await once(socket, 'close');
      return all;
    });
    expect(seen).toEqual(['mine', 'mine', 'mine', 'mine']);
  });
});

describe('ends', () => {
  test('a reset is a reset: ECONNRESET, with what TCP knows about it', async () => {
    const port = await listen((socket) => socket.on('data', () => socket.resetAndDestroy()));
    const socket = net.connect(port, OURS) as RoutedSocket;
    socket.write('x');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({
      message: 'read ECONNRESET',
      code: 'ECONNRESET',
      syscall: 'read',
    });
    expect(error.tcp).toMatchObject({ state: 'ESTABLISHED' });
    expect(error.tcp.segment).toContain('RST');
    expect(socket.closeReason).toBe('rst');
  });

  test('a refused connection fails as with the kernel', async () => {
    const [error] = await once(net.connect(9, OURS), 'error');
    expect(error).toMatchObject({
      message: `connect ECONNREFUSED ${OURS}:9`,
      code: 'ECONNREFUSED',
      errno: -111,
      tcp: { state: 'SYN-SENT' },
    });
  });

  test('an error of the program’s own is left as it is', async () => {
    const port = await listen((socket) => socket.resume());
    const socket = net.connect(port, OURS);
    await once(socket, 'connect');
    const own = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    socket.destroy(own);
    const [error] = await once(socket, 'error');
    expect(error).toBe(own);
    expect(error).not.toHaveProperty('tcp');
  });

  test('a write behind the FIN of both ends in EPIPE', async () => {
    const port = await listen((socket) => socket.resetAndDestroy());
    const socket = net.connect({ port, host: OURS, allowHalfOpen: true });
    const errors: string[] = [];
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code!));
    socket.on('connect', () => socket.write(Buffer.alloc(1_000_000)));
    await closed(socket);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^(EPIPE|ECONNRESET)$/);
  });

  test('states are told, and the way that a connection ended', async () => {
    const port = await listen((socket) => socket.end());
    const socket = net.connect(port, OURS) as RoutedSocket;
    const states: string[] = [];
    socket.on('tcpstate', (to: string) => states.push(to));
    expect(socket.tcpState).toBeUndefined(); // nobody knows yet whose it will be
    await once(socket, 'connect');
    expect(socket.tcpState).toBe('ESTABLISHED');
    expect(socket.tcpInfo()).toMatchObject({ state: 'ESTABLISHED' });
    socket.resume();
    await once(socket, 'close');
    expect(states.slice(0, 3)).toEqual(['SYN-SENT', 'ESTABLISHED', 'CLOSE-WAIT']);
    expect(socket.closeReason).toBe('fin');
  });

  test('destroying while connecting sends no more, and calls of the past are answered', async () => {
    const port = await listen(() => {});
    const socket = net.connect(port, OURS);
    const written = new Promise((resolve) => socket.write('x', resolve));
    socket.on('connectionAttempt', () => process.nextTick(() => socket.destroy()));
    socket.on('connect', () => expect.unreachable('it was destroyed'));
    await closed(socket);
    expect(await written).toMatchObject({ code: 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION' });
    expect(connections()).toBe(0);
  });

  test('a port that is taken is reported as by the kernel', async () => {
    const port = await listen(() => {});
    const second = net.createServer();
    const [error] = await once(second.listen(port), 'error');
    expect(error).toMatchObject({
      code: 'EADDRINUSE',
      message: `listen EADDRINUSE: address already in use :::${port}`,
      syscall: 'listen',
      address: '::',
      port,
    });
    expect(second.listening).toBe(false);
  });

  test('a server for IPv6 only leaves the port to one for IPv4', async () => {
    const six = await listen((socket) => socket.end('six'), { host: '::', ipv6Only: true });
    const four = await listen((socket) => socket.end('four'), { host: '0.0.0.0', port: six });
    expect(four).toBe(six);
    expect(await text(net.connect(six, OURS6))).toBe('six');
    expect(await text(net.connect(six, OURS))).toBe('four');
  });

  test('the stack closes what Node’s sockets and servers still hold', async () => {
    const port = await listen((socket) => socket.resume());
    const socket = net.connect(port, OURS);
    await once(socket, 'connect');
    const gone = Promise.all([closed(socket), once(servers[0]!, 'close')]);
    await stack.close(100);
    await gone;
    expect(connections()).toBe(0);
    const [error] = await once(net.connect(port, OURS), 'error');
    expect(error.code).toBe('ENETDOWN');
  });
});

describe('routes', () => {
  test('what they do not name is the kernel’s, as ever', async () => {
    const port = await listen((socket) => socket.end('kernel'), { host: '127.0.0.1' });
    const socket = net.connect(port, '127.0.0.1') as unknown as RoutedSocket;
    expect(await text(socket)).toBe('kernel');
    expect(socket.tcpState).toBeUndefined();
    expect(socket.tcpInfo()).toBeNull();
    expect(connections()).toBe(0);
  });

  test('a stack on the loopback is all of 127.0.0.0/8, as Linux is', async () => {
    const loopback = new Stack({ clock: new SystemClock(), addresses: ['127.0.0.1/8'] });
    const routes = { connect: () => loopback, listen: () => loopback };
    const undoLoopback = installRoutes(routes);
    const peers: unknown[] = [];
    const serve = (socket: net.Socket) => {
      peers.push(socket.localAddress, socket.remoteAddress);
      socket.end();
    };
    const port = await listen(serve, { host: '127.0.0.2' });
    await listen(serve, { host: '127.0.0.3', port });
    await closed(net.connect(port, '127.0.0.2').resume());
    const socket = net.connect({ port, host: '127.0.0.3', localAddress: '127.9.9.9' });
    await closed(socket.resume());
    expect(peers).toEqual(['127.0.0.2', '127.0.0.1', '127.0.0.3', '127.9.9.9']);
    const outside = net.connect(port, '10.1.1.1');
    const [error] = await once(outside, 'error');
    expect(error.message).toBe(`connect ENETUNREACH 10.1.1.1:${port} - Local (0.0.0.0:0)`);
    await loopback.close(0);
    undoLoopback();
  });

  test('a stack that cannot be had is an error of the call that needed it', async () => {
    const busy = () => {
      throw Object.assign(new Error('the device is taken'), { code: 'EBUSY' });
    };
    const undoBusy = installRoutes({ connect: busy, listen: busy });
    const [warned] = await Promise.all([
      once(process, 'warning'),
      once(net.connect(1, OURS), 'error'),
    ]);
    expect(warned[0]).toMatchObject({ name: 'FinwaitWarning', message: 'the device is taken' });
    const [error] = await once(net.connect(1, OURS), 'error');
    expect(error).toMatchObject({ code: 'EBUSY', syscall: 'connect' });
    const [again] = await once(net.createServer().listen(0), 'error');
    expect(again).toMatchObject({ code: 'EBUSY', syscall: 'listen' });
    undoBusy();
  });

  test('later ones are asked first; the last to go leaves Node as it was', async () => {
    const before = Object.getOwnPropertyNames(net.Socket.prototype);
    const asked: string[] = [];
    const undoSecond = installRoutes({
      connect: (address, port) => {
        asked.push(`${address}:${port}`);
        return null;
      },
      listen: () => null,
    });
    const port = await listen((socket) => socket.end());
    await once(net.connect(port, OURS).resume(), 'close');
    expect(asked).toEqual([`${OURS}:${port}`]);
    undoSecond();
    undoSecond(); // twice does no harm
    expect(before).toContain('tcpState');
    undo();
    expect(Object.getOwnPropertyNames(net.Socket.prototype)).not.toContain('tcpState');
    const there = await listen((socket) => socket.end('x'), { host: '127.0.0.1' });
    expect(await text(net.connect(there, '127.0.0.1'))).toBe('x');
  });
});
