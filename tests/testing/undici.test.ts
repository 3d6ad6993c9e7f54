// Questions that a test of a program with undici may ask: answered by undici itself, unmodified.

import http from 'node:http';
import { Agent, errors, RetryAgent, request } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { type FaultyPeer, type FaultyPeerOptions, faultyPeer } from '../../src/testing/index.js';

const peers: FaultyPeer[] = [];

async function makePeer(options: FaultyPeerOptions): Promise<FaultyPeer> {
  const peer = await faultyPeer(options);
  peers.push(peer);
  return peer;
}

afterEach(async () => {
  for (const peer of peers.splice(0)) await peer.close();
});

const hello = () => http.createServer((_, response) => response.end('hello'));

/** Answers with so many bytes, or what is asked for of them. */
function download(bytes: number): http.Server {
  const content = Buffer.alloc(bytes, 'finwait ');
  return http.createServer((request, response) => {
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': bytes - from,
      'content-range': `bytes ${from}-${bytes - 1}/${bytes}`,
      etag: '"1"',
    });
    response.end(content.subarray(from));
  });
}

test('fetch reaches the peer by its address alone', async () => {
  const peer = await makePeer({ serve: hello() });
  const response = await fetch(peer.url, { headers: { connection: 'close' } });
  expect(await response.text()).toBe('hello');
  await peer.closed();
});

test('a pooled connection that the peer closes is closed by undici, too', async () => {
  const peer = await makePeer({ serve: hello() });
  const agent = new Agent();
  const { body } = await request(peer.url, { dispatcher: agent });
  expect(await body.text()).toBe('hello');
  expect(peer.connections[0]!.client.state).toBe('ESTABLISHED');
  await peer.run({ call: 'shutdown' });
  await peer.closed();
  expect(peer.connections[0]!.client.path).toContain('CLOSE-WAIT');
  await agent.close();
});

test('a RST in mid-response is reported', async () => {
  const peer = await makePeer({ serve: download(200_000) });
  const agent = new Agent();
  const { body } = await request(peer.url, { dispatcher: agent });
  const reset = peer.run(
    { until: { seen: { from: 'peer', data: true }, times: 5 } },
    { call: 'abort' },
  );
  await expect(body.text()).rejects.toMatchObject({ code: 'ECONNRESET' });
  await reset;
  await peer.closed();
  await agent.close();
});

test('and RetryAgent asks for the rest', async () => {
  const peer = await makePeer({ serve: download(200_000) });
  const agent = new RetryAgent(new Agent(), { minTimeout: 1, maxRetries: 1 });
  const reset = peer.run(
    { until: { seen: { from: 'peer', data: true }, times: 5 } },
    { call: 'abort' },
  );
  const { body } = await request(peer.url, { dispatcher: agent });
  expect((await body.text()).length).toBe(200_000);
  await reset;
  expect(peer.connections).toHaveLength(2);
  await agent.close();
  await peer.closed();
});

test('a lost final ACK is nothing that a client sees', async () => {
  const peer = await makePeer({
    serve: hello(),
    faults: [
      {
        on: { from: 'peer', acknowledges: 'FIN', nth: 1 },
        do: 'drop',
        note: 'the last ACK is lost',
      },
    ],
  });
  const agent = new Agent({ pipelining: 0 });
  const { body } = await request(peer.url, { dispatcher: agent });
  expect(await body.text()).toBe('hello');
  await agent.close();
  await peer.until({ seen: { from: 'client', has: ['FIN'] }, times: 2 });
  await peer.closed();
  expect(peer.faults).toEqual([{ note: 'the last ACK is lost', struck: 1 }]);
});

test('a peer that never answers is given up, and its connection closed', async () => {
  const peer = await makePeer({});
  const agent = new Agent({ headersTimeout: 50 });
  const answer = request(peer.url, { dispatcher: agent });
  await expect(answer).rejects.toBeInstanceOf(errors.HeadersTimeoutError);
  await peer.run({ call: 'shutdown', atEnd: true });
  await peer.closed();
  await agent.close();
});

test('an upload to a peer that does not read stops at the closed window', async () => {
  const peer = await makePeer({ tcp: { receiveBuffer: 16_384, receiveBufferMax: 16_384 } });
  await peer.run({ call: 'pause' });
  const agent = new Agent({ headersTimeout: 100 });
  const upload = request(peer.url, {
    dispatcher: agent,
    method: 'POST',
    body: Buffer.alloc(10_000_000),
  }).catch((error: unknown) => error);
  await peer.until({ seen: { from: 'peer', zeroWindow: true }, times: 1 });
  expect(await upload).toBeInstanceOf(errors.HeadersTimeoutError);
  await agent.destroy();
});
