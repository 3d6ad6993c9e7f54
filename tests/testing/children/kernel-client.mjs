// Tests by node:test of clients that use the kernel's TCP, over a TUN device. To be run where one may be opened.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { faultyPeer } from 'finwait/testing';

test('fetch closes what the peer closes', async (t) => {
  const serve = http.createServer((_, response) => response.end('hello'));
  const peer = await faultyPeer({ network: 'tun', serve });
  t.after(() => peer.close());
  const response = await fetch(peer.url, { headers: { connection: 'close' } });
  assert.equal(await response.text(), 'hello');
  await peer.closed();
});

test('a socket of the kernel that is forgotten stays in CLOSE-WAIT', async (t) => {
  const peer = await faultyPeer({ network: 'tun' });
  t.after(() => peer.close());
  const socket = peer.connect({ allowHalfOpen: true });
  await once(socket, 'connect');
  await peer.run({ call: 'shutdown' }, { until: { end: 'client', state: 'CLOSE-WAIT' } });
  await assert.rejects(peer.closed({ timeoutMs: 50 }), /the client is in CLOSE-WAIT/);
  socket.end();
  await peer.closed();
});

test('a RST in mid-response is an error of fetch', async (t) => {
  const serve = http.createServer((_, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 });
    response.write(Buffer.alloc(1000));
  });
  const peer = await faultyPeer({ network: 'tun', serve });
  t.after(() => peer.close());
  const response = await fetch(peer.url);
  const failed = assert.rejects(response.text(), ({ cause }) => cause.code === 'ECONNRESET');
  await peer.run({ call: 'abort' });
  await failed;
  await peer.closed();
});

test('the kernel repeats its FIN when the last ACK is lost', async (t) => {
  const note = 'the last ACK is lost';
  const peer = await faultyPeer({
    network: 'tun',
    faults: [{ on: { from: 'peer', acknowledges: 'FIN', nth: 1 }, do: 'drop', note }],
  });
  t.after(() => peer.close());
  const socket = peer.connect();
  await once(socket, 'connect');
  await peer.run({ call: 'shutdown' });
  await peer.until({ seen: { from: 'client', has: ['FIN'] }, times: 2 });
  await peer.closed();
  assert.deepEqual(peer.faults, [{ note, struck: 1 }]);
  // The kernel is looked at after each segment: nothing of its close is missed.
  const path = ['SYN-SENT', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'];
  assert.deepEqual(peer.connections[0].client.path, path);
});

test('IPv6 is no different', async (t) => {
  const peer = await faultyPeer({ network: 'tun', family: 6 });
  t.after(() => peer.close());
  const socket = peer.connect();
  await once(socket, 'connect');
  socket.end();
  await peer.run({ call: 'shutdown', atEnd: true });
  await peer.closed();
  assert.equal(peer.connections.length, 1);
  assert.deepEqual(peer.connections[0].client.path.slice(-2), ['FIN-WAIT-2', 'TIME-WAIT']);
});

test('a peer knows nothing of those before it, which the kernel remembers', async () => {
  for (let i = 0; i < 2; i++) {
    const peer = await faultyPeer({ network: 'tun', port: 9999 });
    const socket = peer.connect();
    await once(socket, 'connect');
    socket.end();
    await peer.run({ call: 'shutdown', atEnd: true });
    await peer.closed();
    assert.deepEqual(
      peer.connections.map(({ client }) => client.path.slice(-2)),
      [['FIN-WAIT-2', 'TIME-WAIT']],
    );
    await peer.close();
  }
});

test('two peers at once have networks of their own', async (t) => {
  const peers = await Promise.all([faultyPeer({ network: 'tun' }), faultyPeer({ network: 'tun' })]);
  t.after(() => Promise.all(peers.map((peer) => peer.close())));
  assert.notEqual(peers[0].address, peers[1].address);
  for (const peer of peers) {
    const socket = peer.connect();
    await once(socket, 'connect');
    await peer.until({ end: 'client', state: 'ESTABLISHED' });
    socket.destroy();
    await peer.until({ end: 'peer', state: 'CLOSE-WAIT' });
  }
});
