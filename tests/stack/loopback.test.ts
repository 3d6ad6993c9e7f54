// Connections of a stack with itself: its own addresses reach its own listeners, without a device.

import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { StackCore } from '../../src/stack/core.js';
import type { Connection } from '../../src/tcp/connection.js';
import { FIN_WAIT_1, TIME_WAIT } from '../../src/tcp/state.js';
import { Invariants } from '../tcp/invariants.js';
import {
  Acceptor,
  Application,
  address,
  advanceTo,
  type Family,
  HOST_A,
  newCore,
  RESERVED,
  repeatable,
  SECOND,
} from './host.js';

vi.setConfig({ testTimeout: 60_000 });

/** Runs turns as long as there is work, as whoever drives a stack does; answers how many. */
function settle(core: StackCore, now = SECOND, limit = 100_000): number {
  let work = true;
  core.onWork = () => {
    work = true;
  };
  let turns = 0;
  for (; work && turns < limit; turns++) {
    work = false;
    core.flush(now);
  }
  expect(turns, 'the loopback never falls silent').toBeLessThan(limit);
  return turns;
}

function connectTo(core: StackCore, family: Family, handler: Application): Connection {
  return core.connect({ remote: address(HOST_A[family]), remotePort: 80, handler });
}

function randomBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  repeatable(seed)(bytes);
  return bytes;
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.each([4, 6] as const)('a stack that talks to itself (IPv%i)', (family) => {
  it('opens, carries data both ways, and closes, without a packet to the device', () => {
    const core = newCore();
    const invariants = new Invariants(core);
    const acceptor = new Acceptor();
    core.listen({ port: 80, handler: acceptor });
    const client = new Application();
    const connection = connectTo(core, family, client);
    settle(core);
    invariants.check();
    const served = acceptor.connections[0]!;
    expect([connection.stateName, served.stateName]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
    expect(connection.localAddress.toString()).toBe(HOST_A[family]);
    expect(served.remotePort).toBe(connection.localPort);

    connection.write(Buffer.from('ping'));
    served.write(Buffer.from('pong'));
    settle(core);
    expect(acceptor.applications[0]!.received.toString()).toBe('ping');
    expect(client.received.toString()).toBe('pong');

    connection.shutdown();
    settle(core);
    expect(connection.state).toBe(TIME_WAIT);
    expect(served.stateName).toBe('CLOSED');
    expect(client.told.at(-1)).toBe('closed fin');
    expect(acceptor.applications[0]!.told.at(-1)).toBe('closed fin');
    invariants.check();
    expect(core.takePackets()).toEqual([]);
    expect(core.arena.used).toBe(0);
    expect(core.timeWaits()).toHaveLength(1);
    advanceTo(core, 62 * SECOND);
    expect(core.timeWaits()).toEqual([]);
    expect(core.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it('is closed by the side that accepted: TIME-WAIT is there', () => {
    const core = newCore();
    const acceptor = new Acceptor();
    core.listen({ port: 80, handler: acceptor });
    const connection = connectTo(core, family, new Application());
    settle(core);
    acceptor.connections[0]!.shutdown();
    settle(core);
    expect(acceptor.connections[0]!.state).toBe(TIME_WAIT);
    expect(connection.stateName).toBe('CLOSED');
    const [record] = core.timeWaits();
    expect([record!.localPort, record!.remotePort]).toEqual([80, connection.localPort]);
    expect(core.arena.used).toBe(0);
  });

  it('is closed by both sides at once', () => {
    const core = newCore();
    const acceptor = new Acceptor();
    core.listen({ port: 80, handler: acceptor });
    const client = new Application();
    const connection = connectTo(core, family, client);
    settle(core);
    const [served] = acceptor.connections as [Connection];
    connection.shutdown();
    served.shutdown();
    expect([connection.state, served.state]).toEqual([FIN_WAIT_1, FIN_WAIT_1]);
    settle(core);
    expect([connection.state, served.state]).toEqual([TIME_WAIT, TIME_WAIT]);
    expect(client.states).toContain('CLOSING');
    expect(core.timeWaits()).toHaveLength(2);
    expect(core.arena.used).toBe(0);
    advanceTo(core, 62 * SECOND);
    expect(core.timeWaits()).toEqual([]);
  });

  it('carries 16 MiB each way at once, far more than all buffers', () => {
    const core = newCore({ memory: 32 << 20 });
    const toServer = randomBytes(16 << 20, 5);
    const toClient = randomBytes(16 << 20, 6);
    const acceptor = new Acceptor(() => sender(toClient));
    core.listen({ port: 80, handler: acceptor });
    const client = sender(toServer);
    connectTo(core, family, client);
    settle(core);
    expect(digest(acceptor.applications[0]!.received)).toBe(digest(toServer));
    expect(digest(client.received)).toBe(digest(toClient));
    expect(client.told.at(-1)).toBe('closed fin');
    expect(core.counters.loopbackDropped).toBe(0);
    expect(core.arena.used).toBe(0);
    expect(core.takePackets()).toEqual([]);
  });

  it('a port without a listener refuses', () => {
    const core = newCore();
    const client = new Application();
    connectTo(core, family, client);
    settle(core);
    expect(client.told).toEqual(['closed ECONNREFUSED']);
    expect(core.counters.resetsOut).toBe(1);
    expect([...core.connections()]).toEqual([]);
  });

  it('an abort reaches the other side', () => {
    const core = newCore();
    const acceptor = new Acceptor();
    core.listen({ port: 80, handler: acceptor });
    const connection = connectTo(core, family, new Application());
    settle(core);
    connection.write(new Uint8Array(1000));
    connection.abort();
    settle(core);
    expect(acceptor.applications[0]!.told.at(-1)).toBe('closed ECONNRESET');
    expect(core.arena.used).toBe(0);
  });

  it('a connection from a port to itself is a simultaneous open (MUST-10)', () => {
    const core = newCore();
    const both = new Application();
    const connection = core.connect({
      ...{ remote: address(HOST_A[family]), remotePort: 5000, localPort: 5000, handler: both },
    });
    settle(core);
    expect(both.states).toEqual(['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED']);
    connection.write(Buffer.from('echo of itself'));
    settle(core);
    expect(both.received.toString()).toBe('echo of itself');
    connection.shutdown();
    settle(core);
    expect(both.states.slice(3)).toEqual(['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT']);
    expect(core.arena.used).toBe(0);
  });
});

describe('the loopback', () => {
  it('a hundred connections at once, each with its own data', () => {
    const core = newCore({ memory: 64 << 20 });
    const acceptor = new Acceptor();
    core.listen({ port: 80, handler: acceptor });
    for (let i = 0; i < 100; i++) {
      connectTo(core, i % 2 === 0 ? 4 : 6, sender(Buffer.alloc(20_000, i)));
    }
    settle(core);
    const fills = acceptor.applications.map(({ received }) => {
      expect(received.length).toBe(20_000);
      expect(received.every((byte) => byte === received[0])).toBe(true);
      return received[0]!;
    });
    expect(fills.sort((x, y) => x - y)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(core.arena.used).toBe(0);
    expect(core.timeWaits()).toHaveLength(100);
  });

  it('a turn comes to an end though both sides never stop: the rest is left for the next one', () => {
    const core = newCore();
    const acceptor = new Acceptor(() => new Echo());
    core.listen({ port: 80, handler: acceptor });
    const connection = connectTo(core, 4, new Echo());
    settle(core);
    connection.write(Buffer.from('for ever'));
    let work = 0;
    core.onWork = () => void work++;
    for (let turn = 1; turn <= 5; turn++) {
      core.flush(SECOND);
      expect(work).toBe(turn);
    }
  });

  it('full memory loses packets, which are sent again', () => {
    // What the stack itself needs, and 256 KiB for data and packets under way.
    const core = newCore({ memory: RESERVED + (256 << 10) });
    const acceptor = new Acceptor();
    core.listen({ port: 80, handler: acceptor });
    const data = randomBytes(2 << 20, 9);
    const client = sender(data);
    connectTo(core, 4, client);
    let now = SECOND;
    settle(core, now);
    for (let i = 0; i < 10_000 && core.nextDeadline() < 600 * SECOND; i++) {
      if (client.told.includes('closed fin')) break;
      now = Math.max(now, core.nextDeadline());
      core.advance(now);
      settle(core, now);
    }
    expect(digest(acceptor.applications[0]!.received)).toBe(digest(data));
    expect(core.arena.used).toBe(0);
  });
});

/** An application that sends something and closes behind it. */
function sender(bytes: Uint8Array): Application {
  const application = new Application();
  application.outbox = Uint8Array.from(bytes);
  application.thenShutdown = true;
  return application;
}

class Echo extends Application {
  override onReadable(connection: Connection): void {
    const piece = new Uint8Array(connection.readable);
    connection.read(piece);
    connection.write(piece);
  }
}
