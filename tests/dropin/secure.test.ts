// TLS of Node's over a stack of ours, in this process. Knows node:tls and node:https; the stack has no device.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { SystemClock } from '../../src/device/system-clock.js';
import type { RoutedSocket } from '../../src/dropin/extras.js';
import { installRoutes } from '../../src/dropin/routing.js';
import { Stack } from '../../src/net/stack.js';

const OURS = '192.0.2.1';
const folder = mkdtempSync(join(tmpdir(), 'finwait-secure-'));
let key: Buffer;
let cert: Buffer;
let stack: Stack;
let undo: () => void;
const servers: net.Server[] = [];

beforeAll(() => {
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,DNS:b.test'];
  const args = ['req', '-x509', ...curve, ...names, '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', args, { stdio: 'pipe' });
  key = readFileSync(keyFile);
  cert = readFileSync(certFile);
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(() => {
  stack = new Stack({ clock: new SystemClock(), addresses: [`${OURS}/24`], tcp: { msl: 10 } });
  undo = installRoutes({
    connect: (address) => (address.startsWith('192.0.2.') ? stack : null),
    listen: (address) => (address === null || address.startsWith('192.0.2.') ? stack : null),
  });
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await stack.close(0);
  undo();
});

async function listening<S extends net.Server>(server: S): Promise<[S, number]> {
  servers.push(server);
  await once(server.listen(0, OURS), 'listening');
  return [server, (server.address() as net.AddressInfo).port];
}

/** What Node's https.Agent calls, and @types/node leaves out. */
type Unconnected = tls.TLSSocket & {
  setSession(session: Buffer): void;
  setServername(name: string): void;
};

const secureServer = (onConnection: (socket: tls.TLSSocket) => void) =>
  listening(tls.createServer({ key, cert }, onConnection));

/** As a real one, it takes a while: then a socket can be told things before it is connected. */
const lookup: net.LookupFunction = (_, options, done) => {
  setImmediate(() => {
    if (options.all) done(null, [{ address: OURS, family: 4 }]);
    else done(null, OURS, 4);
  });
};

test('what was set before the connection holds: name, session, listeners', async () => {
  const names: unknown[] = [];
  const [, port] = await secureServer((socket) => {
    names.push(socket.servername, socket.isSessionReused());
    socket.end('x');
  });
  let session: Buffer | undefined;
  const connect = async (prepare: (socket: Unconnected) => void) => {
    const socket = tls.connect({ port, host: 'localhost', lookup, ca: cert });
    prepare(socket as Unconnected);
    let keys = 0;
    socket.on('session', (data: Buffer) => {
      session = data;
    });
    socket.on('keylog', () => {
      keys += 1;
    });
    await once(socket.resume(), 'close');
    expect(keys).toBeGreaterThan(0);
    expect(socket.authorized).toBe(true);
  };
  await connect(() => {});
  expect(session).toBeDefined();
  await connect((socket) => {
    socket.setSession(session!);
    socket.setServername('b.test');
  });
  expect(names).toEqual([false, false, 'b.test', true]);
});

test('an agent keeps connections and sessions', async () => {
  const server = https.createServer({ key, cert }, (request, response) => request.pipe(response));
  const [, port] = await listening(server);
  const agent = new https.Agent({ keepAlive: true, ca: cert, lookup });
  const seen: unknown[] = [];
  for (const connection of ['keep-alive', 'close', 'close']) {
    const request = https.request({ host: 'localhost', port, agent, method: 'POST' });
    request.setHeader('connection', connection);
    request.end(Buffer.alloc(200_000, 'x'));
    const [response] = await once(request, 'response');
    seen.push(request.reusedSocket, response.socket.isSessionReused());
    let bytes = 0;
    for await (const chunk of response) bytes += chunk.length;
    expect(bytes).toBe(200_000);
  }
  expect(seen).toEqual([false, false, true, false, false, true]);
  agent.destroy();
});

test('states and errors are those of the connection below', async () => {
  const errors: (NodeJS.ErrnoException & { tcp?: { state: string } })[] = [];
  const [, port] = await secureServer((socket) => {
    socket.on('error', (error) => errors.push(error));
    socket.write('ready');
  });
  const below = net.connect(port, OURS);
  const socket = tls.connect({ socket: below, ca: cert, servername: 'localhost' });
  await once(socket, 'data');
  expect((socket as unknown as RoutedSocket).tcpState).toBe('ESTABLISHED');
  socket.on('error', () => {});
  below.resetAndDestroy();
  await new Promise((resolve) => socket.on('close', resolve));
  await vi.waitUntil(() => errors.length > 0);
  expect(errors).toMatchObject([{ message: 'read ECONNRESET', tcp: { state: 'ESTABLISHED' } }]);
});

test('a reset by the peer is the error of a socket of TLS’s own, and states are told there', async () => {
  const [, port] = await listening(
    net.createServer((below) => {
      const secure = new tls.TLSSocket(below, { isServer: true, key, cert });
      secure.on('error', () => {});
      secure.on('data', () => below.resetAndDestroy());
    }),
  );
  const socket = tls.connect({ port, host: 'localhost', lookup, ca: cert });
  const states: string[] = [];
  socket.on('tcpstate', (to: string) => states.push(to));
  socket.write('x');
  const [error] = await once(socket, 'error');
  expect(error).toMatchObject({ message: 'read ECONNRESET', tcp: { state: 'ESTABLISHED' } });
  expect(states).toEqual(['SYN-SENT', 'ESTABLISHED', 'CLOSED']);
});

test('a refused connection fails as without TLS', async () => {
  const socket = tls.connect({ port: 9, host: 'localhost', lookup });
  const [error] = await once(socket, 'error');
  expect(error).toMatchObject({
    message: `connect ECONNREFUSED ${OURS}:9`,
    tcp: { state: 'SYN-SENT' },
  });
});

test('TLS begins on a connection that was plain', async () => {
  const context = { key, cert };
  const [, port] = await listening(
    net.createServer((plain) => {
      plain.once('data', () => {
        plain.write('go on');
        const socket = new tls.TLSSocket(plain, { isServer: true, ...context });
        socket.pipe(socket);
      });
    }),
  );
  const plain = net.connect(port, OURS);
  plain.write('STARTTLS');
  await once(plain, 'data');
  const socket = tls.connect({ socket: plain, ca: cert, servername: 'localhost' });
  socket.end('secret');
  let all = '';
  for await (const chunk of socket) all += String(chunk);
  expect(all).toBe('secret');
});
