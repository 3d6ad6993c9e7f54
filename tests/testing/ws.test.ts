// Questions that a test of a program with WebSockets may ask: answered by ws itself, unmodified.

import { once } from 'node:events';
import http from 'node:http';
import { afterEach, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { type FaultyPeer, type FaultyPeerOptions, faultyPeer } from '../../src/testing/index.js';

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** It sends back what it gets. */
function echo(): http.Server {
  const server = http.createServer();
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  return server;
}

async function makePeer(options: FaultyPeerOptions = {}): Promise<FaultyPeer> {
  const peer = await faultyPeer({ serve: echo(), ...options });
  ends.push(() => peer.close());
  return peer;
}

/** @types/ws does not know it yet. */
interface Options extends WebSocket.ClientOptions {
  closeTimeout?: number;
}

async function connect(peer: FaultyPeer, options: Options = {}) {
  const socket = new WebSocket(peer.url, options);
  ends.unshift(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

test('a message comes back, and both ends close', async () => {
  const peer = await makePeer();
  const socket = await connect(peer);
  const message = once(socket, 'message');
  socket.send('FIN');
  expect(String((await message)[0])).toBe('FIN');
  socket.close();
  expect((await once(socket, 'close'))[0]).toBe(1005);
  await peer.closed();
});

test('a half-close without a close frame is an abnormal end, and no leak', async () => {
  const peer = await makePeer();
  const socket = await connect(peer);
  const closed = once(socket, 'close');
  await peer.run({ call: 'shutdown', note: 'without a word of WebSocket' });
  expect((await closed)[0]).toBe(1006);
  await peer.closed();
  expect(peer.connections[0]!.client.path).toContain('CLOSE-WAIT');
});

test('a RST between two frames is an abnormal end', async () => {
  const peer = await makePeer();
  const socket = await connect(peer);
  const closed = once(socket, 'close');
  await peer.run({ call: 'abort' });
  expect((await closed)[0]).toBe(1006);
  await peer.closed();
});

test('a heartbeat finds out that the network stands still', async () => {
  const peer = await makePeer();
  const socket = await connect(peer);
  const closed = once(socket, 'close');
  // As the README of ws has it: whoever does not answer a ping by the next one is gone.
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const heartbeat = setInterval(() => {
    if (!isAlive) socket.terminate();
    isAlive = false;
    socket.ping();
  }, 100);
  ends.push(() => clearInterval(heartbeat));
  await peer.until({ seen: { from: 'client', data: 6 }, times: 2 });
  expect(socket.readyState).toBe(WebSocket.OPEN);
  peer.stall();
  expect((await closed)[0]).toBe(1006);
  clearInterval(heartbeat);
  peer.resume();
  await peer.closed();
});

test('closing to a peer that never closes ends after closeTimeout', async () => {
  const peer = await makePeer();
  const socket = await connect(peer, { closeTimeout: 50 });
  await peer.run({ call: 'pause' });
  socket.close();
  expect((await once(socket, 'close'))[0]).toBe(1006);
  await peer.run({ call: 'read' });
  await peer.closed();
});

test('what a peer does not read waits in bufferedAmount, and no byte is lost', async () => {
  const peer = await makePeer({ tcp: { receiveBuffer: 65_536, receiveBufferMax: 65_536 } });
  const socket = await connect(peer);
  const bytes = 1_000_000;
  await peer.run({ call: 'pause' });
  socket.send(Buffer.alloc(bytes));
  await peer.until({ seen: { from: 'peer', zeroWindow: true }, times: 1 });
  expect(socket.bufferedAmount).toBeGreaterThan(0);
  const message = once(socket, 'message');
  await peer.run({ call: 'read' });
  expect((await message)[0]).toHaveLength(bytes);
  expect(socket.bufferedAmount).toBe(0);
});
