// The gate in front of one end of a perfect memory link: what passes, what waits, and in which order.
import { describe, expect, test } from 'vitest';
import { Gate, type HeldPacket } from '../../src/device/gate.js';
import { MemoryLink } from '../../src/device/link.js';
import { Simulation } from '../../src/device/virtual-clock.js';
import { RX_CHECKSUM_TRUSTED, RX_DATA } from '../../src/stack/device.js';
import { plainChecksum, pseudoHeader, tcpPacket } from './packets.js';
import { TestPort } from './port.js';

function setUp() {
  const simulation = new Simulation();
  const link = new MemoryLink(simulation.clock());
  const gate = new Gate(link.a);
  const [a, b] = [new TestPort(4), new TestPort(4)];
  gate.attach(a);
  link.b.attach(b);
  return {
    ...{ gate, a, b },
    /** Sends numbered packets and lets time pass. */
    out: (...numbers: number[]) => {
      a.send(gate, ...numbers.map(numbered));
      simulation.run();
    },
    in: (...numbers: number[]) => {
      b.send(link.b, ...numbers.map(numbered));
      simulation.run();
    },
    run: () => simulation.run(),
    link,
  };
}

function numbered(number: number): Buffer {
  const bytes = Buffer.alloc(40);
  bytes[0] = 0x45;
  bytes.writeUInt32BE(number, 20);
  return bytes;
}

const numberIn = (bytes: Uint8Array) => Buffer.from(bytes).readUInt32BE(20);
const numbersIn = (port: TestPort) => port.packets.map(({ bytes }) => numberIn(bytes));
const waiting = (gate: Gate) =>
  gate.held.map(({ direction, packet }) => `${direction} ${numberIn(packet.bytes)}`);

describe('an open gate', () => {
  test('hands batches on as they are, in both directions', () => {
    const { gate, a, b, out, in: arrive } = setUp();
    out(1, 2, 3);
    arrive(4, 5);
    expect([numbersIn(b), numbersIn(a)]).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(a.batches).toEqual([2]);
    expect(gate.counters).toMatchObject({ txPackets: 3, rxPackets: 2 });
  });
});

describe('a gate that is shut', () => {
  test('keeps packets of both directions, in order, and lets each go when it is told to', () => {
    const { gate, a, b, out, in: arrive, run } = setUp();
    gate.shut();
    out(1, 2);
    arrive(3);
    expect(waiting(gate)).toEqual(['out 1', 'out 2', 'in 3']);
    expect([numbersIn(b), numbersIn(a)]).toEqual([[], []]);
    gate.release(gate.held[2]!);
    gate.release(gate.held[1]!);
    run();
    expect([numbersIn(b), numbersIn(a)]).toEqual([[2], [3]]);
    expect(waiting(gate)).toEqual(['out 1']);
  });

  test('tells of each packet that comes to wait', () => {
    const { gate, out, in: arrive } = setUp();
    const seen: number[] = [];
    gate.onHeld = ({ id }) => seen.push(id);
    gate.shut();
    out(1);
    arrive(2, 3);
    expect(seen).toEqual([1, 2, 3]);
  });

  test('copies: what the sender does with its memory afterwards changes nothing', () => {
    const { gate, a, b, run } = setUp();
    gate.shut();
    a.send(gate, numbered(1));
    new Uint8Array(a.memory).fill(0xff);
    gate.open();
    run();
    expect(numbersIn(b)).toEqual([1]);
  });

  test('opens: all that waits goes in order, and nothing waits any more', () => {
    const { gate, a, b, out, in: arrive, run } = setUp();
    gate.shut();
    out(1, 2);
    arrive(3);
    gate.open();
    out(4);
    arrive(5);
    run();
    expect([numbersIn(b), numbersIn(a)]).toEqual([
      [1, 2, 4],
      [3, 5],
    ]);
    expect(gate.isShut).toBe(false);
  });

  test('lets answers to what it releases wait, and go when it opens', () => {
    const { gate, a, b, in: arrive, run } = setUp();
    gate.shut();
    arrive(1);
    a.onReceive = () => a.send(gate, numbered(2));
    gate.release(gate.held[0]!);
    expect(waiting(gate)).toEqual(['out 2']);
    gate.open();
    run();
    expect(numbersIn(b)).toEqual([2]);
  });

  test('gathers a packet whose data have landed apart from its header', () => {
    const { gate, a, arrived } = setUpByHand();
    const whole = tcpPacket({ from: '10.9.0.1', to: '10.9.0.2', payload: Buffer.from('landed') });
    const memory = new Uint8Array(a.memory);
    memory.set(whole.subarray(0, -6), a.rxSlots[0]!);
    memory.set(whole.subarray(-6), a.rxSlots[3]!);
    a.rx.set([a.rxSlots[0]!, whole.length, 0, 0, a.rxSlots[3]!]);
    gate.shut();
    arrived(1);
    memory.fill(0);
    gate.release(gate.held[0]!);
    expect(Buffer.from(a.packets[0]!.bytes)).toEqual(whole);
    expect(a.rx[RX_DATA]).toBe(0);
  });
});

/** A gate in front of a device that does nothing; `arrived` is what it would call. */
function setUpByHand() {
  const a = new TestPort(4);
  let arrived = (_count: number): void => {};
  const device = new MemoryLink(new Simulation().clock()).a;
  device.attach = (port) => {
    arrived = port.receive;
  };
  const gate = new Gate(device);
  gate.attach(a);
  return { gate, a, arrived: (count: number) => arrived(count) };
}

describe('the keeper of a gate', () => {
  /** A shut gate with 1, 2 and 3 on their way out, and 4 on its way in. */
  function four() {
    const place = setUp();
    place.gate.shut();
    place.out(1, 2, 3);
    place.in(4);
    return { ...place, held: [...place.gate.held] as HeldPacket[] };
  }

  test('drops', () => {
    const { gate, held, b, run } = four();
    gate.drop(held[1]!);
    gate.open();
    run();
    expect(numbersIn(b)).toEqual([1, 3]);
  });

  test('duplicates: the copy has a number of its own and comes right behind', () => {
    const { gate, held } = four();
    const copy = gate.duplicate(held[0]!);
    expect(copy.id).toBe(5);
    expect(waiting(gate)).toEqual(['out 1', 'out 1', 'out 2', 'out 3', 'in 4']);
    held[0]!.packet.bytes[23] = 9;
    expect(waiting(gate)[1]).toBe('out 1');
  });

  test('swaps with the next of the same direction, if there is one', () => {
    const { gate, held } = four();
    expect(gate.swap(held[1]!)).toBe(true);
    expect(waiting(gate)).toEqual(['out 1', 'out 3', 'out 2', 'in 4']);
    expect(gate.swap(held[3]!)).toBe(false);
  });

  test('delays: the packet goes behind all that waits', () => {
    const { gate, held } = four();
    gate.delay(held[0]!);
    expect(waiting(gate)).toEqual(['out 2', 'out 3', 'in 4', 'out 1']);
  });

  test('injects behind what waits, or before it', () => {
    const { gate, a, run } = four();
    gate.inject('in', numbered(5));
    gate.inject('in', numbered(6), true);
    expect(waiting(gate)).toEqual(['in 6', 'out 1', 'out 2', 'out 3', 'in 4', 'in 5']);
    gate.open();
    run();
    expect(numbersIn(a)).toEqual([6, 4, 5]);
    expect(a.packets.every(({ flags }) => (flags & RX_CHECKSUM_TRUSTED) === 0)).toBe(true);
  });

  test('cannot move what does not wait any more', () => {
    const { gate, held } = four();
    gate.release(held[0]!);
    for (const move of ['release', 'drop', 'duplicate', 'swap', 'delay'] as const) {
      expect(() => gate[move](held[0]!)).toThrow('packet 1 does not wait at the gate');
    }
  });
});

describe('a corrupted packet', () => {
  test.each([
    ['IPv4', { from: '10.9.0.2', to: '10.9.0.1' }, 20],
    ['IPv6', { from: 'fd09::2', to: 'fd09::1' }, 40],
  ])('has a TCP checksum that is wrong, and nobody vouches for it: %s', (_, ends, ipLength) => {
    const { gate, a, b, link, run } = setUp();
    const good = tcpPacket({ ...ends, payload: Buffer.from('hello') });
    gate.shut();
    a.send(gate, { bytes: good, headerLength: ipLength + 20, checksumStart: ipLength });
    b.send(link.b, { bytes: good, headerLength: ipLength + 20, checksumStart: ipLength });
    run();
    for (const held of gate.held) gate.corrupt(held);
    gate.open();
    run();
    for (const { bytes, flags } of [...a.packets, ...b.packets]) {
      expect(flags & RX_CHECKSUM_TRUSTED).toBe(0);
      const pseudo = pseudoHeader(ends.from, ends.to, 6, bytes.length - ipLength);
      expect(plainChecksum(pseudo, bytes.subarray(ipLength))).not.toBe(0);
      bytes[ipLength + 16]! ^= 1;
      expect(plainChecksum(pseudo, bytes.subarray(ipLength))).toBe(0);
    }
    expect([a.packets.length, b.packets.length]).toEqual([1, 1]);
  });

  test('cannot be a super-segment on its way out', () => {
    const { gate, a } = setUp();
    const bytes = tcpPacket({ from: '10.9.0.2', to: '10.9.0.1', payload: Buffer.alloc(3000) });
    gate.shut();
    a.send(gate, { bytes, headerLength: 40, checksumStart: 20, gsoSize: 1460 });
    expect(() => gate.corrupt(gate.held[0]!)).toThrow(TypeError);
  });
});
