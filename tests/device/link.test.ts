// The memory link: each impairment by itself, in virtual time.
import { describe, expect, test } from 'vitest';
import type { Impairments } from '../../src/device/impairment.js';
import { type LinkOptions, MemoryLink } from '../../src/device/link.js';
import { Simulation } from '../../src/device/virtual-clock.js';
import { RX_CHECKSUM_TRUSTED } from '../../src/stack/device.js';
import { plainChecksum, pseudoHeader, tcpPacket } from './packets.js';
import { TestPort } from './port.js';

/** A link with a port at each end, and the arrival times at `b`. */
function setUp(aToB: Partial<Impairments> = {}, options: LinkOptions = {}) {
  const simulation = new Simulation();
  const link = new MemoryLink(simulation.clock(), { ...options, aToB });
  const [a, b] = [new TestPort(4), new TestPort(4)];
  const times: number[] = [];
  b.onReceive = () => {
    while (times.length < b.packets.length) times.push(simulation.now);
  };
  link.a.attach(a);
  link.b.attach(b);
  /** Sends packets of `size` bytes, numbered from `first`, one every `gap` microseconds. */
  function send(count: number, { size = 100, gap = 0, first = 0 } = {}): void {
    for (let i = 0; i < count; i++) {
      simulation.at(simulation.now + i * gap, () => a.send(link.a, numbered(first + i, size)));
    }
  }
  return { simulation, link, a, b, times, send, arrived: () => b.packets.map(numberOf) };
}

function numbered(number: number, size = 100): Uint8Array {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32BE(number, 20);
  return bytes;
}

function numberOf({ bytes }: { bytes: Uint8Array }): number {
  return Buffer.from(bytes).readUInt32BE(20);
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('a memory link', () => {
  test('carries packets unchanged, in both directions, in batches of what is due', () => {
    const { simulation, link, a, b } = setUp({ delay: 10 });
    const sent = range(6).map((i) => ({ bytes: numbered(i), headerLength: 30, firstPiece: i * 5 }));
    a.send(link.a, ...sent);
    b.send(link.b, numbered(77));
    expect(b.packets).toEqual([]);
    simulation.run();
    expect(b.packets.map((packet) => packet.bytes)).toEqual(
      sent.map(({ bytes }) => new Uint8Array(bytes)),
    );
    expect(b.batches).toEqual([4, 2]);
    expect(a.packets.map(numberOf)).toEqual([77]);
    expect(link.a.counters).toMatchObject({ txPackets: 6, txBytes: 600, rxPackets: 1 });
    expect(link.b.counters).toMatchObject({ rxPackets: 6, rxBytes: 600, txPackets: 1 });
  });

  test('delivers later, never within transmit, even without delay', () => {
    const { simulation, link, a, b } = setUp();
    for (let i = 0; i < 3; i++) a.send(link.a, numbered(i));
    expect(b.packets.length).toBe(0);
    expect(simulation.next).toBe(0);
    // All at once: nothing is left to do afterwards.
    simulation.step();
    expect(b.batches).toEqual([3]);
    expect(simulation.next).toBe(Number.POSITIVE_INFINITY);
  });

  test('delay and jitter: within bounds, order kept', () => {
    const { simulation, send, times, arrived } = setUp({ delay: 1000, jitter: 500 });
    send(200, { gap: 100 });
    simulation.run();
    expect(arrived()).toEqual(range(200));
    const delays = times.map((time, i) => time - i * 100);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(1500);
    expect(new Set(delays).size).toBeGreaterThan(50);
  });

  test('rate: packets take their time, the queue has an end', () => {
    // 100 bytes at 8 Mbit/s: 100 µs each.
    const { simulation, link, send, times } = setUp({ rate: 8e6, queue: 1000, delay: 7 });
    send(20);
    simulation.run();
    expect(times).toEqual(range(10).map((i) => (i + 1) * 100 + 7));
    expect(link.aToB.counters).toMatchObject({ offered: 20, passed: 10, overflowed: 10 });
  });

  test.each([0.01, 0.2, 0.5])('loss of %d', (loss) => {
    const { simulation, link, send, arrived } = setUp({ loss });
    const count = 10_000;
    send(count);
    simulation.run();
    const deviation = Math.sqrt(count * loss * (1 - loss));
    expect(Math.abs(link.aToB.counters.lost - count * loss)).toBeLessThan(4 * deviation);
    expect(arrived().length).toBe(count - link.aToB.counters.lost);
  });

  test('bursts: as many and as long as the model of Gilbert and Elliott says', () => {
    const { simulation, link, send, arrived } = setUp({ burst: { p: 0.01, r: 0.25 } });
    const count = 20_000;
    send(count);
    simulation.run();
    // In the long run p / (p + r) of the time is bad.
    expect(link.aToB.counters.lost / count).toBeCloseTo(0.01 / 0.26, 2);
    const numbers = [...arrived(), count];
    const gaps = numbers.map((n, i) => n - (numbers[i - 1] ?? -1) - 1).filter((gap) => gap > 0);
    const average = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(average).toBeGreaterThan(3.3);
    expect(average).toBeLessThan(4.9);
  });

  test('duplicate: so many arrive twice', () => {
    const { simulation, link, send, arrived } = setUp({ duplicate: 0.1 });
    send(2000);
    simulation.run();
    const { duplicated } = link.aToB.counters;
    expect(duplicated).toBeGreaterThan(140);
    expect(duplicated).toBeLessThan(260);
    expect(arrived().length).toBe(2000 + duplicated);
    expect(new Set(arrived()).size).toBe(2000);
  });

  test('reorder: some are overtaken, none is lost', () => {
    const { simulation, link, send, arrived } = setUp({ reorder: 0.1, reorderDelay: 350 });
    send(1000, { gap: 100 });
    simulation.run();
    const numbers = arrived();
    expect([...numbers].sort((a, b) => a - b)).toEqual(range(1000));
    const late = numbers.filter((n, i) => numbers.slice(0, i).some((before) => before > n));
    expect(late.length).toBeGreaterThan(60);
    expect(late.length).toBeLessThanOrEqual(link.aToB.counters.reordered);
  });

  test('corrupt: one bit is different, and another one in a copy', () => {
    const { simulation, link, a, b } = setUp({ corrupt: 1, duplicate: 1 });
    for (let i = 0; i < 50; i++) a.send(link.a, numbered(0));
    simulation.run();
    expect(b.packets.length).toBe(100);
    for (const { bytes } of b.packets) {
      const ones = [...bytes].reduce(
        (sum, byte) => sum + byte.toString(2).replace(/0/g, '').length,
        0,
      );
      expect(ones).toBe(1);
    }
  });

  test.each(['10.9.0.2', 'fd09::2'])('corrupt: damage to a partial checksum shows (%s)', (from) => {
    const to = from.replace('2', '1');
    const { simulation, link, a, b } = setUp({ delay: 5 });
    const packet = tcpPacket({ from, to, payload: Buffer.from('payload'), partial: true });
    const start = packet.length - 27;
    link.aToB.settings.corrupt = 1;
    a.send(link.a, { bytes: packet, checksumStart: start });
    link.aToB.settings.corrupt = 0;
    a.send(link.a, { bytes: packet, checksumStart: start });
    simulation.run();
    const [damaged, whole] = b.packets;
    expect(whole).toMatchObject({ flags: RX_CHECKSUM_TRUSTED, bytes: new Uint8Array(packet) });
    expect(damaged!.flags).toBe(0);
    const intact = tcpPacket({ from, to, payload: Buffer.from('payload') });
    const different = intact.filter((byte, i) => byte !== damaged!.bytes[i]);
    expect(different.length).toBe(1);
    expect(plainChecksum(pseudoHeader(from, to, 6, 27), intact.subarray(start))).toBe(0);
  });

  test('mtu: longer packets vanish; of a super-segment its segments count', () => {
    const { simulation, link, a, b } = setUp({ mtu: 1000 });
    const big = tcpPacket({ from: '10.9.0.2', to: '10.9.0.1', payload: Buffer.alloc(3000) });
    a.send(link.a, numbered(0, 1000), numbered(1, 1001));
    a.send(link.a, { bytes: big, gsoSize: 960 }, { bytes: big, gsoSize: 961 });
    simulation.run();
    expect(b.packets.map(({ bytes, gsoSize }) => [bytes.length, gsoSize])).toEqual([
      [1000, 0],
      [3040, 960],
    ]);
  });

  test('blackout: by hand and by the clock', () => {
    const { simulation, link, send, arrived } = setUp({
      blackout: [
        [100, 200],
        [400, 500],
      ],
    });
    send(6, { gap: 100 });
    simulation.run();
    link.aToB.settings.blackout = true;
    send(1, { first: 6 });
    simulation.run();
    link.aToB.settings.blackout = false;
    send(1, { first: 7 });
    simulation.run();
    expect(arrived()).toEqual([0, 2, 3, 5, 7]);
  });

  test('filter: a test decides about each packet', () => {
    const verdicts = ['pass', 'drop', 'duplicate', 50, 'pass'] as const;
    const { simulation, send, arrived, times } = setUp({
      delay: 10,
      filter: (packet, index) => {
        expect(numberOf({ bytes: packet })).toBe(index);
        return verdicts[index]!;
      },
    });
    send(5);
    simulation.run();
    expect(arrived()).toEqual([0, 2, 2, 4, 3]);
    expect(times).toEqual([10, 10, 10, 10, 60]);
  });

  test('the same seed makes the same run, another one another', () => {
    const all: Partial<Impairments> = {
      delay: 1000,
      jitter: 300,
      rate: 1e8,
      loss: 0.1,
      burst: { p: 0.01, r: 0.3, lossGood: 0.01, lossBad: 0.9 },
      duplicate: 0.05,
      reorder: 0.05,
      corrupt: 0.05,
    };
    const run = (seed: number) => {
      const { simulation, send, b, times } = setUp(all, { seed });
      send(500, { gap: 10 });
      simulation.run();
      return { packets: b.packets.map(({ bytes }) => bytes.join()), times: [...times] };
    };
    expect(run(42)).toEqual(run(42));
    expect(run(42).times).not.toEqual(run(43).times);
  });

  test('the directions do not disturb each other', () => {
    const alone = setUp({ loss: 0.3 });
    alone.send(100);
    alone.simulation.run();
    const busy = setUp({ loss: 0.3 }, { bToA: { loss: 0.5 } });
    for (let i = 0; i < 100; i++) {
      busy.a.send(busy.link.a, numbered(i));
      busy.b.send(busy.link.b, numbered(i), numbered(i));
    }
    busy.simulation.run();
    expect(busy.arrived()).toEqual(alone.arrived());
  });

  test('the directions do not lose the same packets', () => {
    const { simulation, link, a, b, arrived } = setUp({ loss: 0.5 }, { bToA: { loss: 0.5 } });
    for (let i = 0; i < 100; i++) {
      a.send(link.a, numbered(i));
      b.send(link.b, numbered(i));
    }
    simulation.run();
    expect(a.packets.map(numberOf)).not.toEqual(arrived());
  });

  test('refuses what its ends do not take', () => {
    const { simulation, link, a, b } = setUp(
      {},
      { mtu: 1000, maxSegmentBytes: 1000, checksumOffload: false },
    );
    expect(link.a).toMatchObject({ mtu: 1000, maxSegmentBytes: 1000, checksumOffload: false });
    a.send(link.a, numbered(0, 1001), { bytes: numbered(1), checksumStart: 20 }, numbered(2, 1000));
    simulation.run();
    expect(b.packets.map(numberOf)).toEqual([2]);
    expect(link.a.counters).toMatchObject({ txPackets: 1, txDropped: 2 });
    // An ordinary packet is never longer than the MTU, whatever super-segments may be.
    const able = setUp();
    able.a.send(able.link.a, numbered(0, 1501), { bytes: numbered(1, 1501), gsoSize: 1000 });
    able.simulation.run();
    expect(able.b.packets.map(numberOf)).toEqual([1]);
  });

  test('drops what does not fit a slot, and what nobody reads', () => {
    const simulation = new Simulation();
    const link = new MemoryLink(simulation.clock());
    const [a, b] = [new TestPort(), new TestPort(4, 512)];
    link.a.attach(a);
    a.send(link.a, numbered(0));
    simulation.run();
    link.b.attach(b);
    a.send(link.a, numbered(1, 513), numbered(2, 512));
    simulation.run();
    expect(b.packets.map(numberOf)).toEqual([2]);
    expect(link.b.counters).toMatchObject({ rxPackets: 1, rxDropped: 2 });
  });

  test('hands over nothing after close, though packets are under way', () => {
    const { simulation, link, a, b, send } = setUp({ delay: 10 });
    send(10);
    simulation.at(5, () => b.send(link.b, numbered(0)));
    b.onReceive = () => link.b.close();
    simulation.run();
    expect(b.packets.length).toBe(4);
    expect(a.packets.length).toBe(1);
    send(1);
    simulation.step();
    link.a.close();
    link.a.close();
    expect(simulation.next).toBe(Number.POSITIVE_INFINITY);
  });
});
