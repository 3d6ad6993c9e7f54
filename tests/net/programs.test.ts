// What Node builds on sockets works over the stack's: http, keep-alive, pipelines of streams, TLS, http2.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type net from 'node:net';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Socket } from '../../src/net/socket.js';
import { linkedStacks } from './places.js';

let stacks: ReturnType<typeof linkedStacks>;
let connections: number;

const HOST = '10.9.0.2';

beforeEach(() => {
  stacks = linkedStacks();
  connections = 0;
});

afterEach(async () => {
  await stacks.close();
});

/** As a program of `node:net` sees it. */
const asNet = (socket: Socket) => socket as unknown as net.Socket;

/** Serves `server` at port 80 of the second stack. */
function serve(server: { emit(event: 'connection', socket: Socket): unknown }, port = 80): void {
  stacks.b.net
    .createServer({ allowHalfOpen: true }, (socket) => {
      connections += 1;
      server.emit('connection', socket);
    })
    .listen(port);
}

const createConnection = () => asNet(stacks.a.net.connect(80, HOST));

function request(options: http.RequestOptions, body?: Buffer): Promise<http.IncomingMessage> {
  const outgoing = http.request({ host: HOST, createConnection, ...options });
  outgoing.end(body);
  return once(outgoing, 'response').then(([response]) => response);
}

function httpServer(): http.Server {
  return http.createServer(async (incoming, response) => {
    if (incoming.url === '/sha256') {
      const hash = createHash('sha256');
      await pipeline(incoming, hash);
      response.end(hash.digest('hex'));
    } else if (incoming.url === '/large') {
      Readable.from(Array.from({ length: 100 }, (_, i) => Buffer.alloc(100_000, i))).pipe(response);
    } else {
      response.end(`${incoming.method} ${incoming.url} from ${incoming.socket.remoteAddress}`);
    }
  });
}

describe('http', () => {
  it('answers a request', async () => {
    serve(httpServer());
    const response = await request({ path: '/page' });
    expect(response.statusCode).toBe(200);
    expect(await text(response)).toBe('GET /page from 10.9.0.1');
  });

  it('carries large bodies both ways', async () => {
    serve(httpServer());
    const body = randomBytes(8_000_000);
    const response = await request({ path: '/sha256', method: 'POST' }, body);
    expect(await text(response)).toBe(createHash('sha256').update(body).digest('hex'));
    const large = await buffer(await request({ path: '/large' }));
    expect(large.length).toBe(10_000_000);
    expect([large.at(0), large.at(-1)]).toEqual([0, 99]);
  });

  it('uses a connection again', async () => {
    serve(httpServer());
    const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
    agent.createConnection = createConnection as unknown as typeof agent.createConnection;
    const options = { host: HOST, port: 80, agent };
    const answers = await Promise.all(
      Array.from(
        { length: 50 },
        (_, i) =>
          new Promise<string>((resolve, reject) => {
            http
              .get({ ...options, path: `/${i}` }, (response) => resolve(text(response)))
              .on('error', reject);
          }),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => `GET /${i} from 10.9.0.1`));
    expect(connections).toBe(2);
    agent.destroy();
  });

  it('notices a client that goes away', async () => {
    const gone = new Promise((resolve) => {
      const server = http.createServer((incoming, response) => {
        response.write('begun');
        incoming.on('close', () => resolve(incoming.destroyed));
      });
      serve(server);
    });
    const response = await request({});
    await once(response, 'data');
    response.destroy();
    expect(await gone).toBe(true);
  });

  it('says that a connection was refused', async () => {
    const failed = once(http.get({ host: HOST, createConnection }), 'error');
    expect((await failed)[0]).toMatchObject({
      code: 'ECONNREFUSED',
      message: `connect ECONNREFUSED ${HOST}:80`,
    });
  });
});

describe('tls', () => {
  // A key that both know, so that no certificate has to be made.
  const psk = randomBytes(32);
  const common = { ciphers: 'PSK', maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' } as const;

  it('encrypts both ways, and ends in order', async () => {
    const context = tls.createSecureContext(common);
    stacks.b.net
      .createServer((socket) => {
        const secure = new tls.TLSSocket(asNet(socket), {
          isServer: true,
          secureContext: context,
          pskCallback: () => psk,
        } as tls.TLSSocketOptions);
        secure.pipe(secure);
      })
      .listen(443);
    const raw = stacks.a.net.connect(443, HOST);
    const client = tls.connect({
      ...common,
      socket: asNet(raw),
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk, identity: 'test' }),
    });
    await once(client, 'secureConnect');
    const body = randomBytes(2_000_000);
    client.write(body);
    const received: Buffer[] = [];
    let bytes = 0;
    client.on('data', (chunk) => {
      received.push(chunk);
      bytes += chunk.length;
      if (bytes === body.length) client.end();
    });
    await once(raw, 'close');
    expect(Buffer.concat(received).equals(body)).toBe(true);
    expect(raw.closeReason).toBe('fin');
  });
});

it('http2 has many streams over one connection', async () => {
  const server = http2.createServer((incoming, response) => {
    response.end(`over ${incoming.httpVersion} to ${incoming.url}`);
  });
  serve(server as unknown as http.Server);
  const session = http2.connect(`http://${HOST}`, { createConnection });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => text(session.request({ ':path': `/${i}` }))),
  );
  expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => `over 2.0 to /${i}`));
  expect(connections).toBe(1);
  session.close();
  await once(session, 'close');
});

it('pipes echo, with back-pressure, as one line of code', async () => {
  stacks.b.net.createServer((socket) => socket.pipe(socket)).listen(7);
  const socket = stacks.a.net.connect(7, HOST);
  const body = randomBytes(20_000_000);
  socket.end(body);
  expect((await buffer(socket)).equals(body)).toBe(true);
});
