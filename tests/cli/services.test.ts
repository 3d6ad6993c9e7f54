// The services over node:net on 127.0.0.1: what they answer, and how they stop.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BYTES_PERIOD, bytesBlock, bytesDigest } from '../../src/services/bytes.js';
import { chargenService } from '../../src/services/chargen.js';
import { discardService } from '../../src/services/discard.js';
import { echoService } from '../../src/services/echo.js';
import { HttpService } from '../../src/services/http.js';
import { RunningService, type Service } from '../../src/services/service.js';

let running: RunningService | null = null;

async function start(service: Service): Promise<number> {
  running = await RunningService.start(net, service, { port: 0, host: '127.0.0.1' });
  return running.port;
}

afterEach(async () => {
  await running?.close(0);
  running = null;
});

function connect(port: number): net.Socket {
  return net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

async function ask(
  port: number,
  path: string,
  options: http.RequestOptions = {},
  body?: Buffer,
): Promise<Answer> {
  const request = http.request({ host: '127.0.0.1', port, path, agent: false, ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return {
    status: response.statusCode!,
    headers: response.headers,
    body: await readAll(response),
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('the bytes of /bytes/N', () => {
  it('are those of the documented generator', () => {
    const block = bytesBlock();
    let x = 0n;
    for (let i = 0; i < 1000; i++) {
      x = (1664525n * x + 1013904223n) % 2n ** 32n;
      expect(block[i]).toBe(Number(x >> 24n));
    }
  });

  it('have the digest that bytesDigest tells, across the period', () => {
    const block = bytesBlock();
    const three = Buffer.concat([block, block, block]);
    for (const count of [0, 1, BYTES_PERIOD, BYTES_PERIOD + 1, 2 * BYTES_PERIOD + 77]) {
      expect(bytesDigest(count)).toBe(sha256(three.subarray(0, count)));
    }
  });
});

describe('http', () => {
  it('says at / which connection carries it, as text', async () => {
    const port = await start(new HttpService());
    const { status, headers, body } = await ask(port, '/?x=1');
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/plain');
    expect(body.toString()).toContain(`here  127.0.0.1:${port}`);
    expect(body.toString()).toContain('GET /bytes/N');
  });

  it('says it to a browser in HTML', async () => {
    const port = await start(new HttpService());
    const { headers, body } = await ask(port, '/', {
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
    });
    expect(headers['content-type']).toContain('text/html');
    expect(body.toString()).toMatch(/^<!doctype html>.*127\.0\.0\.1:.*<\/html>\n$/s);
  });

  it('streams /bytes/N with its length and digest', async () => {
    const port = await start(new HttpService());
    for (const count of [0, 1, 100_000, 3_000_001]) {
      const { status, headers, body } = await ask(port, `/bytes/${count}`);
      expect(status).toBe(200);
      expect(headers['content-length']).toBe(String(count));
      expect(sha256(body)).toBe(bytesDigest(count));
    }
  });

  it('announces up to 2^53 bytes, and stops when the client goes', async () => {
    const port = await start(new HttpService());
    const { headers } = await ask(port, '/bytes/9007199254740992', { method: 'HEAD' });
    expect(headers['content-length']).toBe('9007199254740992');
    const request = http.get({ host: '127.0.0.1', port, path: '/bytes/9007199254740992' });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    await once(response, 'data');
    response.destroy();
    while (running!.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('waits for a slow reader instead of piling up memory', async () => {
    const port = await start(new HttpService());
    const socket = connect(port);
    socket.write('GET /bytes/9007199254740992 HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'readable');
    const before = process.memoryUsage().rss;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    socket.destroy();
  });

  it.each([
    '',
    '-1',
    '1e3',
    '0x10',
    '1.5',
    'abc',
    '9007199254740993',
    '99999999999999999999',
    '1/2',
  ])('refuses /bytes/%s with 400', async (text) => {
    const port = await start(new HttpService());
    const { status, body } = await ask(port, `/bytes/${text}`);
    expect(status).toBe(400);
    expect(body.toString()).toContain('0 to 2^53');
  });

  it('answers POST /sha256, chunked or with a length, also for nothing', async () => {
    const port = await start(new HttpService());
    for (const body of [Buffer.alloc(0), randomBytes(1), randomBytes(5_000_000)]) {
      for (const headers of [
        { 'transfer-encoding': 'chunked' },
        { 'content-length': body.length },
      ]) {
        const answer = await ask(port, '/sha256', { method: 'POST', headers }, body);
        expect(answer.status).toBe(200);
        expect(answer.headers['content-type']).toBe('application/json');
        expect(answer.body.toString()).toBe(
          `{"bytes":${body.length},"sha256":"${sha256(body)}"}\n`,
        );
      }
    }
  });

  it('answers HEAD without a body, 405 with what is allowed, 404 with a list', async () => {
    const port = await start(new HttpService());
    const head = await ask(port, '/', { method: 'HEAD' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(100);
    const wrong = await ask(port, '/sha256');
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST, PUT']);
    expect((await ask(port, '/', { method: 'DELETE' })).status).toBe(405);
    const nothing = await ask(port, '/nothing');
    expect(nothing.status).toBe(404);
    expect(nothing.body.toString()).toContain('POST /sha256');
  });

  it('stops in order: idle connections end, the answer under way is finished', async () => {
    const port = await start(new HttpService());
    const idle = connect(port);
    idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(idle, 'data');
    const idleEnd = once(idle.resume(), 'end').then(() => idle.end());
    const request = http.request({ host: '127.0.0.1', port, path: '/sha256', method: 'POST' });
    request.write('half, ');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const stopped = running!.close(5000);
    await idleEnd;
    request.end('other half');
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(response.headers.connection).toBe('close');
    expect((await readAll(response)).toString()).toContain('"bytes":16');
    await stopped;
  });
});

describe('http at its end', () => {
  it('finishes a long answer, then ends the connection that was to stay', async () => {
    const port = await start(new HttpService());
    const socket = connect(port);
    socket.write('GET /bytes/20000000 HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'readable');
    const started = Date.now();
    const stopped = running!.close(4000);
    expect((await readAll(socket)).length).toBeGreaterThan(20_000_000);
    await stopped;
    expect(Date.now() - started).toBeLessThan(3500);
  });
});

describe('echo (RFC 862)', () => {
  it('sends everything back, and its FIN after ours', async () => {
    const socket = connect(await start(echoService));
    const sent = randomBytes(3_000_000);
    socket.end(sent);
    expect(sha256(await readAll(socket))).toBe(sha256(sent));
  });
});

describe('discard (RFC 863)', () => {
  it('takes all, sends nothing, and closes after the peer', async () => {
    const socket = connect(await start(discardService));
    socket.end(randomBytes(3_000_000));
    expect((await readAll(socket)).length).toBe(0);
  });
});

describe('chargen (RFC 864)', () => {
  it('sends the pattern until the peer closes', async () => {
    const socket = connect(await start(chargenService));
    socket.write('ignored');
    let text = '';
    for await (const piece of socket) {
      text += (piece as Buffer).toString('latin1');
      if (text.length > 1_000_000) break;
    }
    const lines = text.split('\r\n').slice(0, -1);
    expect(lines[0]).toMatch(/^ !"#\$%.*efg$/);
    const ring = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
      .join('')
      .repeat(2);
    for (const [i, line] of lines.entries()) expect(line).toBe(ring.slice(i % 95, (i % 95) + 72));
    while (running!.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('stops at the peer’s FIN with its own', async () => {
    const socket = connect(await start(chargenService));
    await once(socket, 'readable');
    socket.end('ignored');
    expect((await readAll(socket)).length).toBeGreaterThan(0);
  });
});

describe('a running service', () => {
  it('refuses a port that is taken', async () => {
    const port = await start(echoService);
    const second = RunningService.start(net, echoService, { port, host: '127.0.0.1' });
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('resets those who do not close within the grace time', async () => {
    const socket = connect(await start(echoService));
    socket.write('x');
    await once(socket, 'data');
    const ended = once(socket.resume(), 'end');
    const failed = once(socket, 'error');
    const started = Date.now();
    await running!.close(100);
    expect(Date.now() - started).toBeLessThan(1000);
    await ended;
    socket.write('too late');
    await failed;
  });
});
