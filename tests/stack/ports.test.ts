// Local ports: RFC 6056 algorithm 3, and what is in use.

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { EPHEMERAL_FIRST, EPHEMERAL_LAST, PortTable } from '../../src/stack/ports.js';
import { TcpError } from '../../src/tcp/errors.js';
import { Application, address, HOST_A, HOST_B, newCore, repeatable } from './host.js';

vi.setConfig({ testTimeout: 60_000 });

const SIZE = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
const REMOTE = address('192.0.2.1');
const all = () => true;

function tableWith(seed: number): PortTable {
  const secret = new Uint8Array(16);
  repeatable(seed)(secret);
  return new PortTable(secret);
}

describe('ephemeral ports (RFC 6056)', () => {
  it('each port of the range comes once before any comes again', () => {
    const table = tableWith(1);
    const ports = Array.from({ length: SIZE }, () => table.ephemeral(REMOTE, 80, all));
    expect(new Set(ports).size).toBe(SIZE);
    expect(Math.min(...ports)).toBe(EPHEMERAL_FIRST);
    expect(Math.max(...ports)).toBe(EPHEMERAL_LAST);
    expect(table.ephemeral(REMOTE, 80, all)).toBe(ports[0]);
  });

  it('the same holds when destinations take turns', () => {
    const table = tableWith(2);
    const remotes = [REMOTE, address('192.0.2.2'), address('fd09::1')];
    const seen = remotes.map(() => new Set<number>());
    for (let i = 0; i < 9000; i++) {
      seen[i % 3]!.add(table.ephemeral(remotes[i % 3]!, 80, all));
    }
    expect(seen.map((ports) => ports.size)).toEqual([3000, 3000, 3000]);
  });

  it('passes over ports that are taken, and says when all are', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.uniqueArray(fc.nat(SIZE - 1), { maxLength: 5 }),
        (seed, free) => {
          const table = tableWith(seed);
          const ports = new Set(free.map((i) => EPHEMERAL_FIRST + i));
          const taken = new Set<number>();
          const isFree = (port: number) => ports.has(port) && !taken.has(port);
          for (let i = 0; i < ports.size; i++) taken.add(table.ephemeral(REMOTE, 7, isFree));
          expect(taken).toEqual(ports);
          expect(table.ephemeral(REMOTE, 7, isFree)).toBe(-1);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('where the walk begins depends on destination and secret', () => {
    const first = (seed: number, remote = REMOTE, port = 80) =>
      tableWith(seed).ephemeral(remote, port, all);
    const starts = [
      first(1),
      first(2),
      first(1, address('192.0.2.2')),
      first(1, REMOTE, 81),
      first(1, address('fd09::1')),
      first(1, address('fd09:0:1::1')),
    ];
    expect(new Set(starts).size).toBe(starts.length);
    expect(first(1)).toBe(starts[0]);
  });

  it('starts spread over the whole range', () => {
    const table = tableWith(3);
    const tenths = new Set<number>();
    for (let port = 1; port <= 200; port++) {
      const start = table.ephemeral(REMOTE, port, all);
      tenths.add(Math.floor(((start - EPHEMERAL_FIRST) * 10) / SIZE));
    }
    expect(tenths.size).toBe(10);
  });
});

describe('a stack and its ports', () => {
  it('gives no port twice to one destination, none of a listener, and refuses when none is left', () => {
    const core = newCore();
    const remote = address('10.9.0.1');
    const handler = { onConnection() {} };
    const ports = new Set<number>();
    for (let i = 0; i < 500; i++) ports.add(core.listen({ port: 0, handler }).port);
    const open = (remotePort = 80) =>
      core.connect({ remote, remotePort, handler: new Application() });
    for (let i = 0; i < SIZE - 500; i++) ports.add(open().localPort);
    expect(ports.size).toBe(SIZE);
    expect(open).toThrowError(TcpError);
    expect(open).toThrowError(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
    // Another destination has all ports to itself.
    expect(ports.has(open(81).localPort)).toBe(true);
    for (const connection of core.connections()) connection.abort();
    core.flush(0);
    expect(open().localPort).toBeGreaterThanOrEqual(EPHEMERAL_FIRST);
  });

  it('knows which ports have flows', () => {
    const table = tableWith(4);
    expect(table.hasFlows(80)).toBe(false);
    table.flowAdded(80);
    table.flowAdded(80);
    table.flowRemoved(80);
    expect(table.hasFlows(80)).toBe(true);
    table.flowRemoved(80);
    expect(table.hasFlows(80)).toBe(false);
  });
});

describe('a stack that shares its addresses with others', () => {
  const remote = address('10.9.0.1');
  const owns = (localPort: number, remotePort: number) => (localPort + remotePort) % 3 === 0;

  it('takes only ports whose answers come to it', () => {
    const core = newCore({ owns });
    for (let i = 0; i < 300; i++) {
      const { localPort } = core.connect({
        remote,
        remotePort: 80 + i,
        handler: new Application(),
      });
      expect(owns(localPort, 80 + i)).toBe(true);
    }
  });

  it('refuses a port whose answers would go to another one', () => {
    const core = newCore({ owns });
    const open = (localPort: number) =>
      core.connect({ remote, remotePort: 80, localPort, handler: new Application() });
    expect(() => open(40_001)).toThrowError(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
    expect(open(40_000).localPort).toBe(40_000);
  });

  it('says nothing to segments of flows that are not its own', () => {
    const core = newCore({ owns });
    const peer = newCore({}, HOST_B);
    core.listen({ port: 80, handler: { onConnection() {} } });
    for (const [port, answers] of [
      [40_001, 0],
      [40_000, 1],
    ] as const) {
      peer.connect({
        ...{ remote: address(HOST_A[4]), remotePort: 80, localPort: port },
        handler: new Application(),
      });
      peer.flush(0);
      const [syn] = peer.takePackets();
      core.receivePacket(syn!, 0);
      expect(core.takePackets().length).toBe(answers);
    }
    expect(core.counters.notForUs).toBe(1);
  });
});
