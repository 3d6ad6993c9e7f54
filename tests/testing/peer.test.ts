// What a peer does to its client, seen from a plain socket of node:net; and what it says when something
// that was expected does not happen.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type Fault,
  type FaultyPeer,
  FaultyPeerError,
  type FaultyPeerOptions,
  faultyPeer,
} from '../../src/testing/index.js';

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function makePeer(options: FaultyPeerOptions = {}): Promise<FaultyPeer> {
  const peer = await faultyPeer(options);
  ends.push(() => peer.close());
  return peer;
}

/** A socket that is connected, and keeps what it reads. */
async function connect(peer: FaultyPeer, options: Parameters<FaultyPeer['connect']>[0] = {}) {
  const socket = peer.connect(options);
  ends.unshift(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function textOf(socket: net.Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

const echo = (socket: net.Socket) => void socket.pipe(socket);

async function failureOf(promise: Promise<unknown>): Promise<FaultyPeerError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FaultyPeerError);
  return error as FaultyPeerError;
}

describe('faults', () => {
  /** What is written in four pieces comes back whole, whatever happens to one of them. */
  async function survives(fault: Fault): Promise<FaultyPeer> {
    const peer = await makePeer({ serve: echo, faults: [fault] });
    const socket = await connect(peer, { noDelay: true });
    for (const piece of ['a', 'b', 'c']) {
      socket.write(piece.repeat(1000));
      await peer.until({ seen: { from: 'client', data: true }, times: 'abc'.indexOf(piece) + 1 });
    }
    socket.end('d'.repeat(1000));
    const text = await textOf(socket);
    expect(text).toBe(['a', 'b', 'c', 'd'].map((piece) => piece.repeat(1000)).join(''));
    expect(peer.faults).toEqual([{ note: fault.note, struck: 1 }]);
    await peer.closed();
    return peer;
  }
  const third = { from: 'client', data: true, nth: 3 } as const;

  test('a segment is lost', async () => {
    const peer = await survives({ on: third, do: 'drop', note: 'lost' });
    expect(peer.ladder()).toMatch(/│ +X── PSH seq 2001 ack \d+ len 1000 ─+┤\n/);
  });

  test('a segment comes twice', async () => {
    await survives({ on: third, do: 'duplicate', note: 'twice' });
  });

  test('a segment is damaged', async () => {
    await survives({ on: third, do: 'corrupt', note: 'damaged' });
  });

  test('a segment is overtaken', async () => {
    await survives({ on: third, do: 'swap', note: 'overtaken' });
  });

  test('each segment is overtaken by the next one, and none waits for ever', async () => {
    const peer = await makePeer();
    const note = 'every FIN is overtaken';
    peer.fault({ on: { from: 'client', has: ['FIN'] }, do: 'swap', note });
    const socket = await connect(peer);
    socket.end();
    await peer.until({ end: 'peer', state: 'CLOSE-WAIT' });
    expect(peer.faults).toEqual([{ note, struck: 1 }]);
  });

  test('a segment waits for another one', async () => {
    const fourth = { from: 'client', has: ['FIN'] } as const;
    await survives({ on: third, do: { holdUntil: fourth }, note: 'held back' });
  });

  test('of either end, where it is not said of which', async () => {
    const peer = await makePeer();
    const socket = await connect(peer);
    const mend = peer.fault({ on: { has: ['FIN'] }, do: 'drop', note: 'no FIN arrives' });
    socket.end();
    await peer.run({ call: 'shutdown' });
    await peer.until({ seen: { from: 'peer', has: ['FIN'] }, times: 1 });
    await peer.until({ seen: { from: 'client', has: ['FIN'] }, times: 1 });
    expect(peer.connections[0]!.waitsFor).toBe('the peer, to acknowledge the FIN of the client');
    mend();
    await peer.closed();
    expect(peer.faults[0]!.struck).toBeGreaterThanOrEqual(2);
    // Both have sent a FIN before that of the other one came.
    expect(peer.connections[0]!.peer.path).toEqual(
      expect.arrayContaining(['FIN-WAIT-1', 'TIME-WAIT']),
    );
  });

  test('the first of several strikes, and all of them count', async () => {
    const on = { from: 'client', has: ['SYN'] } as const;
    const peer = await makePeer({
      faults: [
        { on: { ...on, nth: 1 }, do: 'drop', note: 'the first' },
        { on: { ...on, nth: 1 }, do: 'drop', note: 'never' },
        { on: { ...on, nth: 2 }, do: 'drop', note: 'the second' },
      ],
    });
    await connect(peer);
    expect(peer.faults.map(({ struck }) => struck)).toEqual([1, 0, 1]);
  });
});

describe('the peer', () => {
  test('stalls, and goes on', async () => {
    const peer = await makePeer({ serve: echo });
    const socket = await connect(peer);
    await peer.until({ end: 'peer', state: 'ESTABLISHED' });
    peer.stall();
    socket.end('hello');
    const waits = /┊── \S+ seq 1 ack 1 len 5 \(waits\)/;
    await vi.waitFor(() => expect(peer.ladder()).toMatch(waits), 4000);
    await failureOf(peer.until({ end: 'peer', received: 5 }, { timeoutMs: 20 }));
    await peer.run({ holds: { unseen: { data: true } }, note: 'nothing passes' });
    peer.resume();
    expect(await textOf(socket)).toBe('hello');
  });

  test('reads nothing until it is told to, and then all of it in order', async () => {
    const read: string[] = [];
    const peer = await makePeer({
      serve: (socket) => void socket.on('data', (chunk) => read.push(String(chunk))),
      tcp: { receiveBuffer: 8192, receiveBufferMax: 8192 },
    });
    const socket = await connect(peer);
    socket.write('first ');
    await peer.run({ until: { end: 'peer', received: 6 } }, { call: 'pause' });
    const text = Array.from({ length: 20_000 }, (_, i) => `${i} `).join('');
    socket.end(text);
    await peer.until({ seen: { from: 'peer', zeroWindow: true }, times: 1 });
    expect(read).toEqual(['first ']);
    await peer.run({ call: 'read' }, { until: { end: 'peer', sees: 'end' } });
    expect(read.join('')).toBe(`first ${text}`);
    expect(peer.connections[0]!.peer.state).toBe('CLOSE-WAIT');
  });

  test('writes, and ends its half as soon as the client has', async () => {
    const peer = await makePeer();
    const socket = await connect(peer, { allowHalfOpen: true });
    await peer.run({ call: 'write', bytes: 3 }, { call: 'shutdown', atEnd: true });
    const text = textOf(socket);
    await peer.until({ seen: { from: 'peer', data: 3 }, times: 1 });
    socket.end('bye');
    expect(await text).toBe('!!!');
    expect(peer.connections[0]!.peer.path).toContain('LAST-ACK');
    await peer.run({ until: { end: 'peer', received: 3 } });
    await peer.closed();
  });

  test('resets all connections at once, as a server that is killed', async () => {
    const peer = await makePeer();
    const sockets = [await connect(peer), await connect(peer)];
    const ended = sockets.map((socket) => once(socket, 'close').catch((error: unknown) => error));
    await peer.until({ end: 'peer', state: 'ESTABLISHED', connections: 2 });
    await peer.run({ call: 'unlisten' }, { call: 'abort', all: true });
    for (const error of await Promise.all(ended))
      expect(error).toMatchObject({ code: 'ECONNRESET' });
    await peer.closed();
  });

  test('listens no longer, and again', async () => {
    const peer = await makePeer();
    await peer.run({ call: 'unlisten' });
    const refused = peer.connect();
    await expect(once(refused, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await peer.run({ call: 'listen' });
    await connect(peer);
    expect(peer.connections.map(({ client }) => client.state)).toEqual(['CLOSED', 'ESTABLISHED']);
  });

  test('a forged RST ends the connection of a client, one with a wrong number does not', async () => {
    const peer = await makePeer();
    const socket = await connect(peer);
    const failed = once(socket, 'close').catch((error: unknown) => error);
    const forged = { from: 'peer', flags: ['RST'] } as const;
    // RFC 5961 §3.2: inside of the window, and yet not the next number.
    await peer.run(
      { inject: { ...forged, seqOffset: 10 }, note: 'somebody guesses' },
      { until: { seen: { from: 'client', has: ['ACK'], data: false }, times: 2 } },
      { holds: { end: 'client', state: 'ESTABLISHED' }, note: 'it was asked for a better one' },
      { inject: forged, note: 'somebody knows' },
      { until: { end: 'client', state: 'CLOSED' } },
    );
    expect(await failed).toMatchObject({ code: 'ECONNRESET' });
  });

  test('tells connections between the same ports apart', async () => {
    const peer = await makePeer();
    const first = await connect(peer);
    const { localAddress, localPort } = first as { localAddress: string; localPort: number };
    first.resume();
    await peer.run({ call: 'shutdown' });
    await once(first, 'close');
    await peer.closed();
    expect(peer.connections[0]!.peer.state).toBe('TIME-WAIT');
    await connect(peer, { localAddress, localPort });
    await peer.until({ end: 'peer', state: 'ESTABLISHED' });
    const [old, renewed] = peer.connections;
    expect(old!.name).toBe(renewed!.name);
    expect(old!.peer.path.slice(-2)).toEqual(['TIME-WAIT', 'CLOSED']);
    expect(renewed!.peer.path).toEqual(['SYN-RECEIVED', 'ESTABLISHED']);
    expect(renewed!.client.path).toEqual(['SYN-SENT', 'ESTABLISHED']);
  });

  test('has an address of its own, and nobody is there when it is closed', async () => {
    const [one, two] = [await makePeer({ serve: echo }), await makePeer()];
    expect(one.address).not.toBe(two.address);
    const socket = await connect(one);
    const reset = once(socket, 'close').catch((error: unknown) => error);
    await one.close();
    expect(await reset).toMatchObject({ code: 'ECONNRESET' });
    const late = net.connect(one.port, one.address);
    await expect(once(late, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await connect(two);
  });

  test('has an IPv6 address, where that is asked for', async () => {
    const peer = await makePeer({ family: 6, serve: http.createServer((_, to) => to.end('six')) });
    expect(net.isIPv6(peer.address)).toBe(true);
    const response = await fetch(peer.url, { headers: { connection: 'close' } });
    expect(await response.text()).toBe('six');
    await peer.closed();
    expect(peer.connections[0]!.name).toMatch(/^\[100::.*:2\]:8080 \[100::.*:1\]:/);
  });

  test('tells a client whose SYN is lost that nobody is there any more', async () => {
    const note = 'no SYN arrives';
    const peer = await makePeer({ faults: [{ on: { has: ['SYN'] }, do: 'drop', note }] });
    const socket = peer.connect();
    const refused = once(socket, 'connect').catch((error: unknown) => error);
    await peer.until({ seen: { has: ['SYN'] }, times: 1 });
    await peer.close();
    expect(await refused).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('has nothing more to do when it is closed', async () => {
    const peer = await makePeer();
    await peer.close();
    const closed = { code: 'ERR_PEER_CLOSED', message: 'the peer is closed' };
    expect(await failureOf(peer.run({ call: 'listen' }))).toMatchObject(closed);
    expect(await failureOf(peer.until({ quiet: true }))).toMatchObject(closed);
    expect(await failureOf(peer.closed())).toMatchObject(closed);
    expect(() => peer.stall()).toThrow('the peer is closed');
    expect(() => peer.resume()).toThrow('the peer is closed');
    expect(() => peer.fault({ on: {}, do: 'drop', note: 'too late' })).toThrow('is closed');
  });

  test('leaves all other addresses to the kernel, and may stand before a server there', async () => {
    const server = net.createServer({ allowHalfOpen: true }, echo).listen(0, '127.0.0.1');
    ends.push(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const peer = await makePeer({
      serve: (socket) => void socket.pipe(net.connect(port, '127.0.0.1')).pipe(socket),
    });
    const socket = await connect(peer);
    socket.end('kernel');
    expect(await textOf(socket)).toBe('kernel');
    await peer.closed();
  });
});

describe('what is said', () => {
  test('of a client that forgets to close', async () => {
    const note = 'every RST is lost';
    const peer = await makePeer({ faults: [{ on: { has: ['RST'] }, do: 'drop', note }] });
    await connect(peer, { allowHalfOpen: true });
    await peer.run({ call: 'shutdown' }, { until: { end: 'client', state: 'CLOSE-WAIT' } });
    const { message, code } = await failureOf(peer.closed({ timeoutMs: 20 }));
    expect(code).toBe('ERR_PEER_TIMEOUT');
    expect(message).toMatch(/^after 20 ms it was not so that all connections are closed\n/);
    expect(message).toMatch(
      /: the client is in CLOSE-WAIT, the peer in FIN-WAIT-2; it waits for the program of the client, which has to close\n/,
    );
    expect(message).toContain('  fault "every RST is lost": has struck nothing\n');
    expect(message).toMatch(/FIN-WAIT-1 +├── FIN,ACK seq 1 ack 1 ─+▶│ CLOSE-WAIT\n/);
  });

  test('of a client that never came', async () => {
    const peer = await makePeer();
    const { message } = await failureOf(peer.closed({ timeoutMs: 1 }));
    expect(message).toContain('\n  the client has made no connection');
  });

  test('of a step that does not come to its end, or is not so', async () => {
    const peer = await makePeer({ timeoutMs: 20 });
    const nothing = await failureOf(peer.run({ call: 'abort' }));
    expect(nothing.message).toMatch(
      /there is a connection for step 1 of 1 \(the peer calls abort\)/,
    );
    const inject = { from: 'peer', flags: ['RST'] } as const;
    const nobody = await failureOf(peer.run({ inject, note: 'too early' }));
    expect(nobody.code).toBe('ERR_PEER_STEP');
    await connect(peer);
    const until = { end: 'client', state: 'CLOSED' } as const;
    const late = await failureOf(peer.run({ call: 'read' }, { until }));
    expect(late.message).toMatch(
      /^after 20 ms it was not so that the client is in CLOSED, at step 2 of 2/,
    );
    const wrong = await failureOf(peer.run({ holds: until, note: 'it gives up' }));
    expect(wrong.message).toMatch(
      /^step 1 of 1 \(the client is in CLOSED\) does not hold: it gives up\n/,
    );
  });

  test('when the peer is closed meanwhile', async () => {
    const peer = await makePeer();
    const failure = failureOf(peer.closed());
    await peer.close();
    expect((await failure).message).toMatch(/^when the peer was closed it was not so/);
  });
});
