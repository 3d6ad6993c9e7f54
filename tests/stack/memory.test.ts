// A stack with very little memory: its arena is the limit, and being full is an everyday matter.

import { describe, expect, it, vi } from 'vitest';
import type { StackCore } from '../../src/stack/core.js';
import { Arena } from '../../src/storage/arena.js';
import type { Connection } from '../../src/tcp/connection.js';
import { Invariants } from '../tcp/invariants.js';
import {
  Acceptor,
  Application,
  address,
  type Family,
  HOST_A,
  newCore,
  Pair,
  RESERVED,
  SECOND,
} from './host.js';
import { Peer } from './peer.js';

vi.setConfig({ testTimeout: 60_000 });

const withRoomFor = (bytes: number) => ({ memory: RESERVED + bytes });

function reader(): Application {
  return new Application();
}

function sleeper(): Application {
  const application = new Application();
  application.reads = false;
  return application;
}

/** An application that sends something and closes behind it. */
function sender(bytes: Uint8Array): Application {
  const application = new Application();
  application.outbox = Uint8Array.from(bytes);
  application.thenShutdown = true;
  return application;
}

function connect(core: StackCore, handler: Application, family: Family = 4): Connection {
  return core.connect({ remote: address(HOST_A[family]), remotePort: 80, handler });
}

/** Takes blocks until none of any size is left; answers how to give them back. */
function fill({ arena }: StackCore): () => void {
  const blocks: [number, number][] = [];
  for (let size = 8 << 20; size >= 2048; size >>= 1) {
    for (let at = arena.allocate(size); at >= 0; at = arena.allocate(size)) blocks.push([at, size]);
  }
  return () => {
    for (const [at, size] of blocks.splice(0)) arena.free(at, size);
  };
}

describe('many senders, and an application that does not read', () => {
  it.each([4, 6] as const)(
    'windows close before memory ends, and all arrives later (IPv%i)',
    (family) => {
      const pair = new Pair(withRoomFor(256 << 10), { memory: 64 << 20 });
      const invariants = new Invariants(pair.a);
      const acceptor = new Acceptor(sleeper);
      pair.a.listen({ port: 80, handler: acceptor });
      const clients = Array.from({ length: 40 }, (_, i) => sender(Buffer.alloc(60_000, i)));
      for (const client of clients) connect(pair.b, client, family);
      pair.exchange();
      invariants.check();
      for (let i = 0; i < 60; i++) {
        pair.pass(SECOND);
        invariants.check();
        expect(pair.a.arena.used).toBeLessThanOrEqual(pair.a.arena.capacity);
      }
      // 2.4 MB for 256 KiB: most of it still waits where it was sent.
      const unsent = [...pair.b.connections()].filter(
        ({ unacknowledged, unsent }) => unacknowledged + unsent > 0,
      );
      expect(unsent.length).toBeGreaterThan(30);

      acceptor.connections.forEach((connection, i) => {
        acceptor.applications[i]!.reads = true;
        acceptor.applications[i]!.drain(connection);
      });
      for (let i = 0; i < 400 && pair.a.arena.used + pair.b.arena.used > 0; i++) pair.pass(SECOND);
      const received = acceptor.applications.map((application) => application.received);
      for (const bytes of received) {
        expect(bytes.length).toBe(60_000);
        expect(bytes.equals(Buffer.alloc(60_000, bytes[0]))).toBe(true);
      }
      expect(new Set(received.map((bytes) => bytes[0])).size).toBe(40);
      expect(clients.map(({ told }) => told.at(-1))).toEqual(clients.map(() => 'closed fin'));
      expect([pair.a.arena.used, pair.b.arena.used]).toEqual([0, 0]);
    },
  );
});

describe('a write when memory is short', () => {
  it('takes what there is room for, though one block for all of it does not exist', () => {
    const pair = new Pair(withRoomFor(512 << 10), withRoomFor(512 << 10));
    pair.a.listen({ port: 80, handler: new Acceptor(reader) });
    const connection = connect(pair.b, new Application());
    pair.exchange();
    const taken = connection.write(new Uint8Array(2 << 20));
    expect(taken).toBeGreaterThanOrEqual(64 << 10);
    expect(taken).toBeLessThanOrEqual(512 << 10);
  });

  it('far more than all memory arrives, each side having 256 KiB', () => {
    const pair = new Pair(withRoomFor(256 << 10), withRoomFor(256 << 10));
    const invariants = [new Invariants(pair.a), new Invariants(pair.b)];
    const acceptor = new Acceptor(reader);
    pair.a.listen({ port: 80, handler: acceptor });
    const data = Buffer.alloc(5_000_000, 'finwait');
    const client = sender(data);
    connect(pair.b, client);
    for (let i = 0; i < 600 && !client.told.includes('closed fin'); i++) {
      pair.exchange();
      for (const each of invariants) each.check();
      pair.pass(SECOND / 10);
    }
    expect(acceptor.applications[0]!.received.equals(data)).toBe(true);
    expect([pair.a.arena.used, pair.b.arena.used]).toEqual([0, 0]);
  });

  it('writers on both sides leave memory to readers: all arrives both ways at once', () => {
    const pair = new Pair(withRoomFor(256 << 10), withRoomFor(256 << 10));
    const data = Buffer.alloc(3_000_000, 'finwait');
    const acceptor = new Acceptor(() => sender(data));
    pair.a.listen({ port: 80, handler: acceptor });
    const clients = [sender(data), sender(data), sender(data)];
    for (const client of clients) connect(pair.b, client);
    const all = () => [...clients, ...acceptor.applications];
    for (let i = 0; i < 600 && !all().every(({ told }) => told.includes('closed fin')); i++) {
      pair.exchange();
      pair.pass(SECOND / 10);
    }
    for (const { received } of all()) expect(received.equals(data)).toBe(true);
    expect([pair.a.arena.used, pair.b.arena.used]).toEqual([0, 0]);
  });

  it('that took nothing is told when there is memory again, by whomever it was held', () => {
    const pair = new Pair({}, withRoomFor(128 << 10));
    const acceptor = new Acceptor(reader);
    pair.a.listen({ port: 80, handler: acceptor });
    const client = new Application();
    const connection = connect(pair.b, client);
    pair.exchange();
    const release = fill(pair.b);
    client.outbox = new Uint8Array(5000);
    client.pour(connection);
    expect(client.outbox.length).toBe(5000);
    pair.pass(2 * SECOND);
    release();
    pair.pass(10 * SECOND);
    expect(client.outbox.length).toBe(0);
    expect(acceptor.applications[0]!.received.length).toBe(5000);
  });
});

describe('no memory at all', () => {
  it('SYNs are dropped, and come through when they come again later', () => {
    const core = newCore();
    core.listen({ port: 80, handler: new Acceptor() });
    const release = fill(core);
    const peer = new Peer(core);
    expect(peer.send({ flags: 'S', ack: 0 })).toEqual([]);
    expect(core.counters.synDropped).toBe(1);
    release();
    expect(peer.send({ flags: 'S', seq: peer.iss, ack: 0 })).toHaveLength(1);
  });

  it('data are not acknowledged, a window is not moved, and later all is well', () => {
    const core = newCore();
    const acceptor = new Acceptor();
    core.listen({ port: 80, handler: acceptor });
    const peer = new Peer(core);
    peer.open();
    const release = fill(core);
    const data = 1000;
    const seq = peer.nxt;
    for (const what of [{ seq }, { seq: seq + 2000 }, { seq, flags: 'P.' }]) {
      for (const { ack } of peer.send({ ...what, data })) expect(ack).toBe(seq);
    }
    expect(acceptor.connections[0]!.readable).toBe(0);
    release();
    expect(peer.send({ data })).toMatchObject([{ ack: seq + data }]);
    expect(acceptor.applications[0]!.received.length).toBe(data);
    peer.send({ flags: 'F.' });
    expect(peer.heard.at(-1)).toMatchObject({ flags: 'F.', ack: seq + data + 1 });
  });

  it('handshakes, echo, resets, acknowledgments, closes and aborts need none', () => {
    const pair = new Pair();
    const acceptor = new Acceptor();
    pair.a.listen({ port: 80, handler: acceptor });
    const clients = [0, 1, 2].map(() => new Application());
    const connections = clients.map((client) => connect(pair.b, client));
    pair.exchange();
    const releases = [fill(pair.a), fill(pair.b)];
    connections[0]!.shutdown();
    acceptor.connections[1]!.shutdown();
    connections[2]!.abort();
    pair.exchange();
    expect(clients.map(({ told }) => told.at(-1))).toEqual([
      'closed fin',
      'closed fin',
      'closed ECONNABORTED',
    ]);
    const refused = new Application();
    pair.b.connect({ remote: address(HOST_A[4]), remotePort: 81, handler: refused });
    pair.exchange();
    expect(refused.told).toEqual(['closed ECONNREFUSED']);
    for (const release of releases) release();
    expect([pair.a.arena.used, pair.b.arena.used]).toEqual([0, 0]);
  });

  it('connections within the stack lose their packets, and go on when there is memory', () => {
    const core = newCore();
    core.listen({ port: 80, handler: new Acceptor() });
    const client = new Application();
    const release = fill(core);
    connect(core, client);
    core.flush(SECOND);
    expect(core.counters.loopbackDropped).toBe(1);
    release();
    for (let at = core.nextDeadline(); at < 3 * SECOND; at = core.nextDeadline()) core.advance(at);
    expect(client.told).toEqual(['established']);
  });
});

describe('all memory comes back', () => {
  it('after every kind of end, with data in every ring and beyond gaps', () => {
    const core = newCore(withRoomFor(4 << 20));
    const invariants = new Invariants(core);
    const acceptor = new Acceptor(sleeper);
    core.listen({ port: 80, handler: acceptor });
    const peers = Array.from({ length: 30 }, (_, i) => new Peer(core, { port: 1000 + i }));
    for (const peer of peers) {
      peer.open();
      peer.send({ data: 500 });
      peer.send({ data: 500, seq: peer.nxt + 1000 });
      acceptor.connections.at(-1)!.write(new Uint8Array(30_000));
      core.flush(peer.now);
    }
    expect(core.arena.used).toBeGreaterThan(30 * 4096);
    invariants.check();
    const ends: ((peer: Peer, connection: Connection) => void)[] = [
      (_, connection) => connection.abort(),
      (_, connection) => connection.close(),
      (_, connection) => connection.close(0),
      (peer, connection) => {
        peer.send({ flags: 'R' });
        connection.close();
      },
      (peer, connection) => {
        connection.skip(500);
        connection.close();
        peer.send({ flags: 'R' });
      },
    ];
    peers.forEach((peer, i) => {
      ends[i % ends.length]!(peer, acceptor.connections[i]!);
      core.flush(peer.now);
      invariants.check();
    });
    expect(core.arena.used).toBe(0);
    expect([...core.connections()]).toEqual([]);
  });

  it('when nobody answers any more', () => {
    const core = newCore();
    const acceptor = new Acceptor();
    core.listen({ port: 80, handler: acceptor });
    const peer = new Peer(core);
    peer.open();
    acceptor.connections[0]!.write(new Uint8Array(300_000));
    peer.listen();
    expect(core.arena.used).toBeGreaterThan(100_000);
    peer.pass(1200 * SECOND);
    expect(acceptor.applications[0]!.told.at(-1)).toBe('closed ETIMEDOUT');
    expect(core.arena.used).toBe(0);
    expect(core.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it('of idle connections at once: no ring is kept while nothing is in it', () => {
    const pair = new Pair();
    const acceptor = new Acceptor();
    pair.a.listen({ port: 80, handler: acceptor });
    for (let i = 0; i < 50; i++) connect(pair.b, new Application(), i % 2 === 0 ? 4 : 6);
    pair.exchange();
    for (const connection of [...pair.b.connections(), ...pair.a.connections()]) {
      connection.write(new Uint8Array(10_000));
    }
    pair.exchange();
    pair.pass(SECOND);
    expect([pair.a.arena.used, pair.b.arena.used]).toEqual([0, 0]);
    expect([...pair.a.connections()]).toHaveLength(50);
  });
});

describe('the smallest stack', () => {
  it('says so when the memory is less than it needs for itself', () => {
    expect(() => newCore({ memory: RESERVED - 64 })).toThrowError(RangeError);
    expect(new Arena(2048).capacity).toBe(2048);
  });

  it('works with 16 KiB', () => {
    const pair = new Pair(withRoomFor(16 << 10), withRoomFor(16 << 10));
    const acceptor = new Acceptor();
    pair.a.listen({ port: 80, handler: acceptor });
    const data = Buffer.alloc(50_000, '16 KiB');
    const client = sender(data);
    pair.b.connect({ remote: address(HOST_A[4]), remotePort: 80, handler: client });
    for (let i = 0; i < 3000 && !client.told.includes('closed fin'); i++) pair.pass(SECOND);
    expect(acceptor.applications[0]!.received.equals(data)).toBe(true);
  });
});
