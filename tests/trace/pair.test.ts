// Two of these stacks against each other: what only shows when both sides move.

import { describe, expect, test } from 'vitest';
import type { Connection, ConnectionHandler } from '../../src/tcp/connection.js';
import { STATE_NAMES } from '../../src/tcp/state.js';
import { type Pair, type PairOptions, pair } from '../support/pair.js';
import { ourByte, ourBytes } from '../support/trace-flow.js';

/** Writes `total` bytes as room comes, reads and checks what the other side writes, then closes. */
class Talker implements Partial<ConnectionHandler> {
  received = 0;
  ended = false;
  closed: string | null = null;
  readonly states: string[] = [];
  private written = 0;
  private readonly total: number;
  private readonly buffer = new Uint8Array(65536);

  constructor(total: number) {
    this.total = total;
  }

  onEstablished(connection: Connection): void {
    this.write(connection);
  }

  onWritable(connection: Connection): void {
    this.write(connection);
  }

  onReadable(connection: Connection): void {
    for (;;) {
      const count = connection.read(this.buffer);
      if (count === 0) return;
      for (let i = 0; i < count; i++) {
        if (this.buffer[i] === ourByte(this.received + i)) continue;
        throw new Error(`byte ${this.received + i} is wrong`);
      }
      this.received += count;
    }
  }

  onEnd(): void {
    this.ended = true;
  }

  onClosed(_connection: Connection, reason: string, code: string | null): void {
    this.closed = code ?? reason;
  }

  onState(_connection: Connection, _from: number, to: number): void {
    this.states.push(STATE_NAMES[to]!);
  }

  private write(connection: Connection): void {
    while (this.written < this.total) {
      const wanted = Math.min(this.total - this.written, 100_000);
      const taken = connection.write(ourBytes(this.written, wanted));
      this.written += taken;
      if (taken < wanted) return;
    }
    connection.shutdown();
  }
}

/** Both sides send at once; answers the virtual seconds that it took. */
function exchange(options: PairOptions, bytes: number): { p: Pair; a: Talker; b: Talker } {
  const p = pair(options);
  const a = new Talker(bytes);
  const b = new Talker(bytes);
  p.b.listen(7, () => b);
  p.a.connect(7, a);
  p.drive(() => a.closed !== null && b.closed !== null);
  return { p, a, b };
}

const WRAP: PairOptions = { isn: [-100_000, -50_000] };

describe('bulk data both ways at once', () => {
  const cases: [name: string, options: PairOptions, bytes: number][] = [
    [
      'far more than all buffers',
      { tcp: { sendBuffer: 65536, sendBufferMax: 65536, receiveBuffer: 65536 } },
      1_500_000,
    ],
    ['over IPv6', { family: 6 }, 600_000],
    ['without any delay', { network: { delay: 0 } }, 600_000],
    [
      'tiny buffers',
      {
        tcp: { sendBuffer: 2048, sendBufferMax: 2048, receiveBuffer: 2048, receiveBufferMax: 2048 },
      },
      100_000,
    ],
    ['a small MTU without offload', { link: { mtu: 576, maxSegmentBytes: 576 } }, 300_000],
    ['jitter', { network: { delay: 5000, jitter: 4000 } }, 500_000],
    ['loss of 1 %', { network: { loss: 0.01 } }, 600_000],
    ['loss of 5 %', { network: { loss: 0.05 } }, 300_000],
    ['loss of 20 %', { network: { loss: 0.2 } }, 60_000],
    ['reordering', { network: { reorder: 0.1, reorderDelay: 3000 } }, 500_000],
    ['duplication', { network: { duplicate: 0.1 } }, 500_000],
    ['corruption', { network: { corrupt: 0.02 } }, 300_000],
    [
      'all of it',
      { network: { loss: 0.05, reorder: 0.1, duplicate: 0.1, corrupt: 0.01 } },
      100_000,
    ],
    [
      'SACK and timestamps off',
      { network: { loss: 0.02 }, tcp: { sack: false, timestamps: false } },
      300_000,
    ],
  ];

  for (const [where, more] of [
    ['', {}],
    [' (below the wrap)', WRAP],
  ] as const) {
    test.each(cases)(`%s${where}`, (_name, options, bytes) => {
      const { p, a, b } = exchange({ ...options, ...more }, bytes);
      expect([a.received, b.received]).toEqual([bytes, bytes]);
      expect([a.closed, b.closed]).toEqual(['fin', 'fin']);
      p.drive(() => p.a.core.timeWaits().length + p.b.core.timeWaits().length === 0);
      expect([...p.a.core.connections(), ...p.b.core.connections()]).toEqual([]);
      expect([p.a.core.arena.used, p.b.core.arena.used]).toEqual([0, 0]);
    });
  }
});

describe('both sides at once', () => {
  test('MUST-10: simultaneous open', () => {
    const p = pair();
    const a = new Talker(1000);
    const b = new Talker(1000);
    p.a.connect(5001, a, 5000);
    p.b.connect(5000, b, 5001);
    p.drive(() => a.closed !== null && b.closed !== null);
    expect(a.states.slice(0, 3)).toEqual(['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED']);
    expect([a.received, b.received]).toEqual([1000, 1000]);
    expect(p.a.core.counters.packetsOut + p.b.core.counters.packetsOut).toBeLessThan(20);
  });

  test('simultaneous close, through CLOSING', () => {
    const p = pair();
    const a = new Talker(0);
    const b = new Talker(0);
    let passive: Connection | undefined;
    p.b.listen(7, (connection) => {
      passive = connection;
      return { onState: b.onState.bind(b), onClosed: b.onClosed.bind(b) };
    });
    const active = p.a.connect(7, { onState: a.onState.bind(a), onClosed: a.onClosed.bind(a) });
    p.drive(() => passive !== undefined && active.stateName === 'ESTABLISHED');
    active.shutdown();
    passive!.shutdown();
    p.drive(() => a.closed !== null && b.closed !== null);
    const close = ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT'];
    expect(a.states.slice(-3)).toEqual(close);
    expect(b.states.slice(-3)).toEqual(close);
  });

  test('a blackout of ten seconds in the middle', () => {
    const p = pair();
    const a = new Talker(500_000);
    const b = new Talker(500_000);
    p.b.listen(7, () => b);
    p.a.connect(7, a);
    p.drive(() => a.received > 50_000);
    p.link.aToB.settings.blackout = true;
    p.link.bToA.settings.blackout = true;
    p.simulation.run(p.simulation.now + 10_000_000);
    p.link.aToB.settings.blackout = false;
    p.link.bToA.settings.blackout = false;
    p.drive(() => a.closed !== null && b.closed !== null);
    expect([a.received, b.received]).toEqual([500_000, 500_000]);
  });

  test('a hundred connections at once, closed by either side', () => {
    const p = pair({ network: { loss: 0.02 } });
    const talkers: Talker[] = [];
    p.b.listen(7, () => talkers[talkers.push(new Talker(3000)) - 1]!);
    for (let i = 0; i < 100; i++) {
      const talker = new Talker(2000);
      talkers.push(talker);
      p.a.connect(7, talker);
    }
    p.drive(() => talkers.length === 200 && talkers.every(({ closed }) => closed !== null));
    expect(talkers.map(({ closed }) => closed)).toEqual(new Array(200).fill('fin'));
  });
});

/** Sends a request of `bytes` in `writes` calls, waits for an answer of one byte, `rounds` times. */
function askAndAnswer(bytes: number, writes: number, rounds: number): number {
  const p = pair();
  const target = new Uint8Array(65_536);
  let asked = 0;
  const ask = (connection: Connection) => {
    asked += 1;
    for (let i = 0; i < writes; i++) connection.write(ourBytes(0, bytes / writes));
  };
  p.b.listen(7, () => {
    let received = 0;
    return {
      onReadable(connection) {
        received += connection.read(target);
        if (received < bytes) return;
        received = 0;
        connection.write(ourBytes(0, 1));
      },
    };
  });
  let answers = 0;
  p.a.connect(7, {
    onEstablished: ask,
    onReadable(connection) {
      answers += connection.read(target);
      if (answers === asked && asked < rounds) ask(connection);
    },
  });
  const start = p.simulation.now;
  p.drive(() => answers === rounds);
  return (p.simulation.now - start) / 1000;
}

describe('no stalls', () => {
  test.each([
    ['a small request in one write', 100, 1],
    ['a small request in several writes', 100, 4],
    ['a request of one segment and a half', 2190, 1],
    ['a request of several segments, in several writes', 10_000, 4],
  ])('Nagle and the delayed ACK do not wait for each other: %s', (_name, bytes, writes) => {
    const rounds = 100;
    // A round trip of 10 ms for each, and one for the handshake.
    expect(askAndAnswer(bytes, writes, rounds)).toBeLessThanOrEqual((rounds + 1) * 10 + 1);
  });

  test('little memory for many connections: all get through, and give it back', () => {
    const p = pair({ memory: 3 * 1024 * 1024 });
    const talkers: Talker[] = [];
    p.b.listen(7, () => talkers[talkers.push(new Talker(100_000)) - 1]!);
    for (let i = 0; i < 40; i++) {
      const talker = new Talker(100_000);
      talkers.push(talker);
      p.a.connect(7, talker);
    }
    p.drive(() => talkers.length === 80 && talkers.every(({ closed }) => closed !== null));
    expect(talkers.map(({ closed }) => closed)).toEqual(new Array(80).fill('fin'));
    expect(talkers.every(({ received }) => received === 100_000)).toBe(true);
    for (const { core } of [p.a, p.b]) {
      expect(core.arena.peak).toBeGreaterThan(core.arena.capacity / 2);
      expect(core.arena.used).toBe(0);
    }
  });
});
