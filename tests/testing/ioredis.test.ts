// Questions that a test of a program with Redis may ask: answered by ioredis itself, unmodified.

import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { type FaultyPeer, type FaultyPeerOptions, faultyPeer } from '../../src/testing/index.js';
import { redis } from './redis.js';

const ends: (() => unknown)[] = [];

async function makePeer(options: FaultyPeerOptions = {}): Promise<FaultyPeer> {
  const peer = await faultyPeer({ serve: redis(new Map([['name', 'finwait']])), ...options });
  ends.push(() => peer.close());
  return peer;
}

interface Options {
  commandTimeout?: number;
  retryStrategy?: () => number | null;
}

/** Errors of connections are events as well: they are what these tests are about. */
function connect(peer: FaultyPeer, options: Options = {}): Redis {
  const client = new Redis(peer.port, peer.address, { retryStrategy: () => 1, ...options });
  client.on('error', () => {});
  ends.unshift(() => client.disconnect());
  return client;
}

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

test('it reads and writes, and leaves nothing open', async () => {
  const peer = await makePeer();
  const client = connect(peer);
  await client.set('name', 'TIME-WAIT');
  expect(await client.get('name')).toBe('TIME-WAIT');
  client.disconnect();
  await peer.closed();
});

test('a RST in mid-answer makes it connect again, and ask again', async () => {
  const peer = await makePeer();
  const client = connect(peer);
  await once(client, 'ready');
  // The answer is lost, and then the connection.
  const mend = peer.fault({
    on: { from: 'peer', data: true },
    do: 'drop',
    note: 'no answer comes',
  });
  const name = client.get('name');
  await peer.until({ seen: { from: 'peer', data: true }, times: 2 });
  mend();
  await peer.run({ call: 'abort' });
  expect(await name).toBe('finwait');
  expect(peer.connections).toHaveLength(2);
});

test('a server that goes away and comes back is found again', async () => {
  const peer = await makePeer();
  const client = connect(peer);
  await once(client, 'ready');
  const refused = once(client, 'error');
  await peer.run({ call: 'unlisten' }, { call: 'close' });
  expect(await refused).toMatchObject([{ code: 'ECONNREFUSED' }]);
  await peer.run({ call: 'listen' });
  expect(await client.get('name')).toBe('finwait');
});

test('commandTimeout ends a command on a network that stands still', async () => {
  const peer = await makePeer();
  const client = connect(peer, { commandTimeout: 500 });
  await once(client, 'ready');
  peer.stall();
  await expect(client.get('name')).rejects.toThrow('Command timed out');
  peer.resume();
  expect(await client.get('name')).toBe('finwait');
  expect(peer.connections).toHaveLength(1);
});

test('a server that closes its half gets the other half, too', async () => {
  const peer = await makePeer();
  const client = connect(peer, { retryStrategy: () => null });
  await once(client, 'ready');
  await peer.run({ call: 'shutdown' });
  await peer.closed();
  expect(peer.connections[0]!.client.path.slice(-3)).toEqual(['CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
});

test('quit ends, though the last ACK is lost', async () => {
  const note = 'the last ACK is lost';
  const peer = await makePeer({
    faults: [{ on: { from: 'peer', acknowledges: 'FIN', nth: 1 }, do: 'drop', note }],
  });
  const client = connect(peer);
  await once(client, 'ready');
  await client.quit();
  await peer.run({ call: 'shutdown', note: 'as a server of Redis does' });
  await once(client, 'end');
  await peer.until({ seen: { from: 'client', has: ['FIN'] }, times: 2 });
  await peer.closed();
  expect(peer.faults).toEqual([{ note, struck: 1 }]);
});
