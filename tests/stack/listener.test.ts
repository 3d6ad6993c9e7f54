// Listeners: two queues that are bounded, and places that come free however a connection ends.

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Listener, StackCore } from '../../src/stack/core.js';
import { Invariants } from '../tcp/invariants.js';
import { Acceptor, Application, address, type Family, newCore, SECOND } from './host.js';
import { Peer } from './peer.js';

vi.setConfig({ testTimeout: 60_000 });

const nobody = { onConnection() {} };

/** As many peers as ports, all towards one listener. */
function peersOf(core: StackCore, count: number, family: Family = 4): Peer[] {
  return Array.from({ length: count }, (_, i) => new Peer(core, { port: 20_000 + i, family }));
}

function expectEmpty(core: StackCore, listener: Listener): void {
  expect([listener.halfOpen, listener.waiting]).toEqual([0, 0]);
  expect([...core.connections()]).toEqual([]);
  expect(core.arena.used).toBe(0);
  expect(core.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
}

describe('the backlog', () => {
  it('bounds connections that are half open: a SYN that finds no room is dropped in silence', () => {
    const core = newCore();
    const listener = core.listen({ port: 80, backlog: 3, handler: nobody });
    const answers = peersOf(core, 5).map((peer) => peer.send({ flags: 'S', ack: 0 }).length);
    expect(answers).toEqual([1, 1, 1, 0, 0]);
    expect(listener.halfOpen).toBe(3);
    expect(core.counters.synDropped).toBe(2);
  });

  it('bounds connections that wait for accept(): further handshakes are not completed', () => {
    const core = newCore();
    const listener = core.listen({ port: 80, backlog: 2, handler: nobody });
    const peers = peersOf(core, 4);
    // Both queues have two places: two SYNs, their ACKs, and then two more.
    for (const two of [peers.slice(0, 1), peers.slice(1, 3)]) {
      for (const peer of two) peer.send({ flags: 'S', ack: 0 });
      for (const peer of two) peer.send();
    }
    expect([listener.waiting, listener.halfOpen]).toEqual([2, 1]);
    expect(core.counters.acceptQueueFull).toBe(1);
    // While nobody accepts, new SYNs find no room either.
    expect(peers[3]!.send({ flags: 'S', ack: 0 })).toEqual([]);
    listener.accept();
    expect(peers[3]!.send({ flags: 'S', seq: peers[3]!.iss, ack: 0 })).toHaveLength(1);
    // The third one is half open still: the peer's next segment completes its handshake.
    peers[2]!.send({ data: 10 });
    expect([listener.waiting, listener.halfOpen]).toEqual([2, 1]);
  });

  it('connections are accepted in the order in which they were established', () => {
    const core = newCore();
    const listener = core.listen({ port: 80, handler: nobody });
    const peers = peersOf(core, 4);
    for (const peer of peers) peer.send({ flags: 'S', ack: 0 });
    for (const i of [2, 0, 3, 1]) peers[i]!.send();
    const order = [1, 2, 3, 4].map(() => listener.accept()!.remotePort - 20_000);
    expect(order).toEqual([2, 0, 3, 1]);
    expect(listener.accept()).toBeNull();
  });

  it('its owner is told of connections that wait, again for each', () => {
    const core = newCore();
    let told = 0;
    const listener = core.listen({ port: 80, handler: { onConnection: () => void told++ } });
    for (const peer of peersOf(core, 3)) peer.open();
    expect([told, listener.waiting]).toEqual([3, 3]);
  });
});

/** Ends of a connection that leave a place in a queue, by what is done to it. */
const ENDS: Record<string, (peer: Peer) => void> = {
  'a reset while it is half open': (peer) => {
    peer.send({ flags: 'S', ack: 0 });
    peer.send({ flags: 'R' });
  },
  'another SYN while it is half open': (peer) => {
    peer.send({ flags: 'S', ack: 0 });
    peer.send({ flags: 'S', seq: peer.nxt + 5, ack: 0 });
  },
  'a port unreachable while it is half open': (peer) => {
    peer.send({ flags: 'S', ack: 0 });
    peer.unreachable(peer.family === 4 ? 3 : 4);
  },
  'no answer for three minutes while it is half open': (peer) => {
    peer.send({ flags: 'S', ack: 0 });
    peer.pass(400 * SECOND);
  },
  'a reset before it is accepted': (peer) => {
    peer.open();
    peer.send({ flags: 'R' });
  },
  'a reset before it is accepted, behind data': (peer) => {
    peer.open();
    peer.send({ data: 3000 });
    peer.send({ flags: 'R' });
  },
  'a reset before it is accepted, behind data beyond a gap': (peer) => {
    peer.open();
    peer.send({ data: 100, seq: peer.nxt + 100 });
    peer.send({ flags: 'R' });
  },
  'a FIN, and then a reset, before it is accepted': (peer) => {
    peer.open();
    peer.send({ flags: 'F.', data: 10 });
    peer.send({ flags: 'R' });
  },
};

describe.each([4, 6] as const)('a place in a queue comes free after (IPv%i)', (family) => {
  for (const [name, end] of Object.entries(ENDS)) {
    it(name, () => {
      const core = newCore();
      const invariants = new Invariants(core);
      const listener = core.listen({ port: 80, backlog: 1, handler: nobody });
      let now = SECOND;
      for (const peer of peersOf(core, 3, family)) {
        peer.now = now;
        end(peer);
        now = peer.now;
        expect(peer.heard.length).toBeGreaterThan(0);
        invariants.check();
        expectEmpty(core, listener);
      }
    });
  }

  it('a thousand times SYN, SYN,ACK and RST', () => {
    const core = newCore();
    const listener = core.listen({ port: 80, backlog: 10, handler: nobody });
    for (const peer of peersOf(core, 1000, family)) {
      expect(peer.send({ flags: 'S', ack: 0 })).toHaveLength(1);
      peer.send({ flags: 'R' });
    }
    expectEmpty(core, listener);
    expect(core.counters.synDropped).toBe(0);
    expect(core.ports.hasFlows(80)).toBe(false);
  });

  it('accept() and an abort', () => {
    const core = newCore();
    const acceptor = new Acceptor();
    const listener = core.listen({ port: 80, backlog: 1, handler: acceptor });
    for (const peer of peersOf(core, 3, family)) {
      peer.open();
      acceptor.connections.at(-1)!.abort();
      expect(peer.listen().map(({ flags }) => flags)).toEqual(['R']);
      expectEmpty(core, listener);
    }
  });
});

describe('closing a listener', () => {
  it('resets what it has not handed over, and nothing else', () => {
    const core = newCore();
    const acceptor = new Acceptor();
    const peers = peersOf(core, 4);
    const listener = core.listen({ port: 80, handler: acceptor });
    peers[0]!.open();
    listener.handler.onConnection = () => {};
    peers[1]!.open();
    peers[2]!.open();
    peers[2]!.send({ data: 500 });
    peers[3]!.send({ flags: 'S', ack: 0 });
    expect([listener.waiting, listener.halfOpen]).toEqual([2, 1]);
    listener.close();
    const resets: number[] = [];
    core.flush(SECOND);
    for (const packet of core.takePackets()) {
      expect(packet[33]! & 4, 'a RST').toBe(4);
      resets.push(new DataView(packet.buffer).getUint16(22));
    }
    expect(resets.sort()).toEqual([20_001, 20_002, 20_003]);
    expect([...core.connections()]).toEqual([acceptor.connections[0]]);
    expect(peers[0]!.send({ data: 5 })).toHaveLength(1);
    expect([listener.waiting, listener.halfOpen]).toEqual([0, 0]);
    expect(core.arena.used).toBe(0);
  });

  it('a SYN finds nobody afterwards; the port can be listened on again', () => {
    const core = newCore();
    const listener = core.listen({ port: 80, handler: nobody });
    expect(() => core.listen({ port: 80, handler: nobody })).toThrowError(
      expect.objectContaining({ code: 'EADDRINUSE' }),
    );
    listener.close();
    listener.close();
    const [first, second] = peersOf(core, 2) as [Peer, Peer];
    expect(first.send({ flags: 'S', ack: 0 })[0]!.flags).toBe('R.');
    core.listen({ port: 80, handler: nobody });
    expect(second.send({ flags: 'S', ack: 0 })[0]!.flags).toBe('S.');
  });

  it('can be done while it is told of a connection', () => {
    const core = newCore();
    const handler = { onConnection: (listener: Listener) => listener.close() };
    const listener = core.listen({ port: 80, handler });
    const [peer] = peersOf(core, 1) as [Peer];
    peer.open();
    expect(peer.heard.at(-1)!.flags).toBe('R');
    expectEmpty(core, listener);
  });
});

describe('who answers', () => {
  it('MUST-41, MUST-42: listeners on other ports or addresses are not disturbed', () => {
    const core = newCore();
    const onV4 = core.listen({ port: 80, address: address('10.9.0.2'), handler: nobody });
    const onV6 = core.listen({ port: 80, address: address('fd09::2'), handler: nobody });
    const other = core.listen({ port: 81, handler: nobody });
    new Peer(core).open();
    new Peer(core, { family: 6 }).open();
    new Peer(core, { family: 6, stackPort: 81 }).open();
    new Peer(core, { stackPort: 81 }).open();
    expect([onV4.waiting, onV6.waiting, other.waiting]).toEqual([1, 1, 2]);
    onV4.close();
    new Peer(core, { family: 6, port: 41_000 }).open();
    expect([onV6.waiting, other.waiting]).toEqual([2, 2]);
  });

  it('0.0.0.0 is all of IPv4, :: is all of both families', () => {
    const core = newCore();
    const v4 = core.listen({ port: 80, address: address('0.0.0.0'), handler: nobody });
    const both = core.listen({ port: 81, address: address('::'), handler: nobody });
    for (const family of [4, 6] as const) {
      for (const stackPort of [80, 81]) new Peer(core, { family, stackPort }).open();
    }
    expect([v4.waiting, both.waiting]).toEqual([1, 2]);
  });
});

describe('any sequence of events', () => {
  type Event = { peer: number; what: string };
  const DO: Record<string, (peer: Peer, listener: Listener) => void> = {
    syn: (peer) => peer.send({ flags: 'S', seq: peer.iss, ack: 0 }),
    ack: (peer) => peer.send({ seq: peer.iss + 1 }),
    data: (peer) => peer.send({ seq: peer.iss + 1, data: 700 }),
    gap: (peer) => peer.send({ seq: peer.iss + 701, data: 700 }),
    fin: (peer) => peer.send({ seq: peer.iss + 1, flags: 'F.' }),
    reset: (peer) => peer.send({ seq: peer.heard.at(-1)?.ack ?? peer.iss, flags: 'R' }),
    seconds: (peer) => peer.pass(5 * SECOND),
    minutes: (peer) => peer.pass(300 * SECOND),
    accept: (_, listener) => {
      const connection = listener.accept();
      if (connection !== null) connection.handler = new Application();
    },
    refuse: (_, listener) => listener.accept()?.abort(),
  };
  const event: fc.Arbitrary<Event> = fc.record({
    peer: fc.nat(2),
    what: fc.constantFrom(...Object.keys(DO)),
  });

  it('keeps both queues within the backlog, and leaves nothing behind', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const core = newCore();
        const invariants = new Invariants(core);
        const listener = core.listen({ port: 80, backlog: 2, handler: nobody });
        const peers = peersOf(core, 3);
        let now = SECOND;
        for (const { peer, what } of events) {
          const one = peers[peer]!;
          one.now = now;
          DO[what]!(one, listener);
          core.flush(one.now);
          now = one.now;
          invariants.check();
          expect(listener.halfOpen).toBeLessThanOrEqual(2);
          expect(listener.waiting).toBeLessThanOrEqual(2);
        }
        listener.close();
        for (const connection of core.connections()) connection.abort();
        core.flush(now);
        expectEmpty(core, listener);
      }),
      { numRuns: 150 },
    );
  });
});
