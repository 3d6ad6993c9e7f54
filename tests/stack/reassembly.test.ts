// Fragments: in any order, within bounds of number, size and time; overlaps are attacks (RFC 5722).

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Reassembly } from '../../src/stack/reassembly.js';
import { Arena } from '../../src/storage/arena.js';
import { IpHeader } from '../../src/wire/ip.js';
import {
  addressBytes,
  buildIcmp,
  buildIp,
  concat,
  ICMP,
  ICMPV6,
  type IpFields,
  internetChecksum,
  parseIcmp,
  TCP,
} from '../support/trace-packet.js';
import { Acceptor, type Family, HOST_A, HOST_B, newCore, SECOND } from './host.js';
import { Peer } from './peer.js';

vi.setConfig({ testTimeout: 60_000 });

interface Fragment {
  from: number;
  to: number;
  /** More fragments follow. */
  more: boolean;
}

const byteAt = (i: number) => (i * 11 + (i >> 8)) & 0xff;

/** A reassembly, and a place in its arena where fragments arrive. */
function setUp(bytes = 4 << 20) {
  const arena = new Arena(bytes);
  const slot = arena.reserve(65_536);
  const reassembly = new Reassembly(arena, () => {});
  const ip = new IpHeader();
  /** True when the datagram is complete; `ip` describes it then. */
  function add({ from, to, more }: Fragment, identification = 1, nowMs = 0, src = 9): boolean {
    for (let i = from; i < to; i++) arena.bytes[slot + i - from] = byteAt(i);
    ip.family = 4;
    ip.src3 = src;
    ip.dst3 = 2;
    ip.protocol = TCP;
    ip.identification = identification;
    ip.payloadOffset = slot;
    ip.payloadLength = to - from;
    ip.fragmentOffset = from;
    ip.moreFragments = more;
    return reassembly.add(ip, nowMs);
  }
  function isWhole(length: number): boolean {
    const { payloadOffset, payloadLength } = ip;
    const bytes = arena.bytes.subarray(payloadOffset, payloadOffset + payloadLength);
    return payloadLength === length && bytes.every((byte, i) => byte === byteAt(i));
  }
  return { arena, reassembly, ip, add, isWhole };
}

/** Cuts of a datagram at multiples of eight, in some order. */
const pieces = fc
  .record({
    length: fc.integer({ min: 1, max: 20_000 }),
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: 2499 }), { maxLength: 30 }),
  })
  .chain(({ length, cuts }) => {
    const edges = cuts.map((cut) => cut * 8).filter((edge) => edge < length);
    const all = [0, ...edges.sort((a, b) => a - b), length];
    const fragments = all.slice(1).map((to, i) => ({ from: all[i]!, to, more: to < length }));
    const order = fc.shuffledSubarray(fragments, { minLength: fragments.length });
    return fc.record({ length: fc.constant(length), order });
  });

describe('a datagram in fragments', () => {
  it('is complete with its last missing fragment, whatever the order', () => {
    fc.assert(
      fc.property(pieces, ({ length, order }) => {
        const { arena, reassembly, ip, add, isWhole } = setUp();
        order.forEach((fragment, i) => {
          expect(add(fragment)).toBe(i === order.length - 1);
        });
        expect(isWhole(length)).toBe(true);
        expect([ip.moreFragments, ip.fragmentOffset]).toEqual([false, 0]);
        reassembly.release(ip);
        expect([reassembly.waiting, arena.used]).toEqual([0, 0]);
      }),
      { numRuns: 100 },
    );
  });

  it('is not mixed with others: identification, protocol and addresses tell them apart', () => {
    const { add, isWhole } = setUp();
    const [first, last] = [
      { from: 0, to: 8, more: true },
      { from: 8, to: 20, more: false },
    ] as const;
    expect(add(first, 1)).toBe(false);
    expect(add(last, 2)).toBe(false);
    expect(add(last, 1, 0, 10)).toBe(false);
    expect(add(last, 1)).toBe(true);
    expect(isWhole(20)).toBe(true);
    expect(add(first, 2)).toBe(true);
    expect(add(first, 1, 0, 10)).toBe(true);
  });
});

describe('what is not put together', () => {
  it('RFC 5722: a datagram with overlapping fragments is forgotten', () => {
    fc.assert(
      fc.property(pieces, fc.nat(), fc.nat(), ({ length, order }, at, by) => {
        fc.pre(length > 32 && order.length > 2);
        const { arena, reassembly, add } = setUp();
        for (const fragment of order.slice(0, -1)) add(fragment);
        const victim = order[at % (order.length - 1)]!;
        // Overlaps what is there by one byte at least.
        const from = Math.max(0, (victim.from & -8) - 8 * (by % 3));
        expect(add({ from, to: victim.from + 1, more: true })).toBe(false);
        expect([reassembly.waiting, arena.used]).toEqual([0, 0]);
        expect(add(order.at(-1)!)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('two last fragments that disagree about the end', () => {
    for (const order of [
      [96, 160],
      [160, 96],
    ] as const) {
      const { add } = setUp();
      add({ from: 0, to: 80, more: true });
      const complete = order.map((to) => add({ from: to - 8, to, more: false }));
      expect(complete).toEqual([false, false]);
      expect(add({ from: 80, to: 88, more: true })).toBe(false);
      expect(add({ from: 96, to: 152, more: true })).toBe(false);
    }
  });

  it('a last fragment that ends before what has come already', () => {
    const { add } = setUp();
    add({ from: 800, to: 1600, more: true });
    expect(add({ from: 0, to: 400, more: false })).toBe(false);
  });

  it('a fragment beyond the last one, an empty one, or one beyond 65,535 bytes', () => {
    const { add, reassembly } = setUp();
    add({ from: 8, to: 16, more: false });
    expect(add({ from: 16, to: 24, more: true })).toBe(false);
    expect(add({ from: 0, to: 8, more: true })).toBe(false);
    expect(add({ from: 64, to: 64, more: true }, 2)).toBe(false);
    expect(add({ from: 65_528, to: 65_544, more: false }, 3)).toBe(false);
    expect(reassembly.waiting).toBe(1);
  });

  it('what does not come within its time', () => {
    const { add, arena } = setUp();
    add({ from: 0, to: 8, more: true }, 1, 0);
    add({ from: 0, to: 8, more: true }, 2, 20_000);
    expect(add({ from: 8, to: 16, more: false }, 1, 31_000)).toBe(false);
    expect(add({ from: 8, to: 16, more: false }, 2, 49_000)).toBe(true);
    expect(arena.used).toBeGreaterThan(0);
  });

  it('what does not come within its time, while the clock wraps', () => {
    const { add } = setUp();
    const late = 2 ** 31 - 10_000;
    add({ from: 0, to: 8, more: true }, 1, late | 0);
    add({ from: 0, to: 8, more: true }, 2, late | 0);
    expect(add({ from: 8, to: 16, more: false }, 1, (late + 20_000) | 0)).toBe(true);
    expect(add({ from: 8, to: 16, more: false }, 2, (late + 31_000) | 0)).toBe(false);
  });
});

describe('bounds', () => {
  it('a few datagrams at once: the oldest goes for a new one', () => {
    const { add, reassembly, arena } = setUp();
    for (let id = 0; id < 1000; id++) add({ from: 0, to: 8, more: true }, id);
    const most = reassembly.waiting;
    expect(most).toBeLessThanOrEqual(64);
    expect(arena.used).toBe(most * 65_536);
    expect(add({ from: 8, to: 16, more: false }, 1000 - most - 1)).toBe(false);
    expect(add({ from: 8, to: 16, more: false }, 999)).toBe(true);
  });

  it('a datagram of very many holes', () => {
    const { add, reassembly } = setUp();
    let most = 0;
    for (let i = 0; i < 4000; i++) {
      add({ from: i * 16, to: i * 16 + 8, more: true });
      most = Math.max(most, reassembly.waiting);
    }
    expect(most).toBe(1);
  });

  it('no memory: a fragment is dropped', () => {
    const { add, reassembly, arena } = setUp(65_536 + 65_536);
    while (arena.allocate(2048) >= 0);
    expect(add({ from: 0, to: 8, more: true })).toBe(false);
    expect(add({ from: 8, to: 16, more: false })).toBe(false);
    expect(reassembly.waiting).toBe(0);
  });
});

/** Cuts a packet into fragments of at most `size` bytes of payload each. */
function fragmentsOf(packet: Uint8Array, size: number, identification: number): Uint8Array[] {
  const v4 = packet[0]! >> 4 === 4;
  const headerLength = v4 ? 20 : 40;
  const payload = packet.subarray(headerLength);
  const fragments: Uint8Array[] = [];
  for (let from = 0; from < payload.length; from += size) {
    const part = payload.subarray(from, from + size);
    const more = from + size < payload.length ? 1 : 0;
    const head = packet.slice(0, headerLength);
    const view = new DataView(head.buffer);
    if (v4) {
      view.setUint16(2, 20 + part.length);
      view.setUint16(4, identification);
      view.setUint16(6, (more << 13) | (from >> 3));
      view.setUint16(10, 0);
      view.setUint16(10, internetChecksum(head));
      fragments.push(concat(head, part));
    } else {
      const extension = new Uint8Array(8);
      const fields = new DataView(extension.buffer);
      extension[0] = head[6]!;
      fields.setUint16(2, from | more);
      fields.setUint32(4, identification);
      head[6] = 44;
      view.setUint16(4, 8 + part.length);
      fragments.push(concat(head, extension, part));
    }
  }
  return fragments;
}

/** Puts the fragments of one packet together that the stack sent, in order, and none above `mtu`. */
function joined(packets: Uint8Array[], mtu: number): IpFields {
  const v4 = packets[0]![0]! >> 4 === 4;
  const parts: Uint8Array[] = [];
  let length = 0;
  let identification = -1;
  packets.forEach((packet, i) => {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    expect(packet.length).toBeLessThanOrEqual(mtu);
    expect(view.getUint16(v4 ? 2 : 4)).toBe(packet.length - (v4 ? 0 : 40));
    if (v4) expect(internetChecksum(packet.subarray(0, 20))).toBe(0);
    else expect(packet[6]).toBe(44);
    const id = v4 ? view.getUint16(4) : view.getUint32(44);
    if (i > 0) expect(id).toBe(identification);
    identification = id;
    const word = v4 ? view.getUint16(6) : view.getUint16(42);
    const last = i === packets.length - 1;
    const [offset, more] = v4 ? [length >> 3, 0x2000] : [length, 1];
    expect(word).toBe(last ? offset : offset | more);
    const payload = packet.subarray(v4 ? 20 : 48);
    if (!last) expect(payload.length % 8).toBe(0);
    parts.push(payload);
    length += payload.length;
  });
  const [first] = packets as [Uint8Array];
  const at = v4 ? 12 : 8;
  const size = v4 ? 4 : 16;
  return {
    source: first.slice(at, at + size),
    destination: first.slice(at + size, at + 2 * size),
    protocol: v4 ? first[9]! : first[40]!,
    trafficClass: 0,
    hopLimit: 64,
    payload: concat(...parts),
  };
}

function echoRequest(family: Family, length: number): Uint8Array {
  const source = addressBytes(HOST_B[family]);
  const destination = addressBytes(HOST_A[family]);
  const body = Uint8Array.from({ length }, (_, i) => byteAt(i));
  const ip = { source, destination };
  const payload = buildIcmp(ip, family === 4 ? 8 : 128, 0, 0x12340001, body);
  const protocol = family === 4 ? ICMP : ICMPV6;
  return buildIp({ ...ip, protocol, trafficClass: 0, hopLimit: 64, payload });
}

describe.each([4, 6] as const)('through the stack (IPv%i)', (family) => {
  it('an echo request of 60,000 bytes in fragments, backwards, is answered whole', () => {
    const core = newCore();
    for (const fragment of fragmentsOf(echoRequest(family, 60_000), 1400, 77).reverse()) {
      expect(core.takePackets()).toEqual([]);
      core.receivePacket(fragment, SECOND);
    }
    const { type, body } = parseIcmp(joined(core.takePackets(), 1500));
    expect(type).toBe(family === 4 ? 0 : 129);
    expect(body.length).toBe(60_000);
    expect(body.every((byte, i) => byte === byteAt(i))).toBe(true);
    expect(core.arena.used).toBe(0);
    expect(core.counters).toMatchObject({ fragments: 43, reassembled: 1 });
  });

  it('a TCP segment in fragments', () => {
    const core = newCore();
    const acceptor = new Acceptor();
    core.listen({ port: 80, handler: acceptor });
    const peer = new Peer(core, { family });
    peer.open();
    for (const fragment of fragmentsOf(peer.packet({ data: 1000 }), 256, 5)) {
      core.receivePacket(fragment, peer.now);
    }
    const expected = Buffer.from(peer.bytes(peer.nxt, 1000));
    expect(acceptor.applications[0]!.received.equals(expected)).toBe(true);
    expect(core.arena.used).toBe(0);
  });

  it('a damaged one is dropped like any segment', () => {
    const core = newCore();
    core.listen({ port: 80, handler: new Acceptor() });
    const peer = new Peer(core, { family });
    peer.open();
    const fragments = fragmentsOf(peer.packet({ data: 1000 }), 256, 5);
    fragments[2]![100]! ^= 1;
    for (const fragment of fragments) core.receivePacket(fragment, peer.now);
    expect(core.counters.badChecksum).toBe(1);
    expect(core.arena.used).toBe(0);
  });

  it('fragments for others are not kept', () => {
    const core = newCore();
    const [fragment] = fragmentsOf(echoRequest(family, 5000), 1400, 7) as [Uint8Array];
    const destination = family === 4 ? 19 : 39;
    fragment[destination]! ^= 4;
    if (family === 4) {
      fragment.set([0, 0], 10);
      const sum = internetChecksum(fragment.subarray(0, 20));
      fragment.set([sum >> 8, sum & 0xff], 10);
    }
    core.receivePacket(fragment, SECOND);
    expect(core.arena.used).toBe(0);
  });

  it('what is never complete gives its memory back when its time is over', () => {
    const core = newCore();
    const [fragment] = fragmentsOf(echoRequest(family, 5000), 1400, 7) as [Uint8Array];
    core.receivePacket(fragment, SECOND);
    expect(core.arena.used).toBe(65_536);
    core.receivePacket(echoRequest(family, 100), 40 * SECOND);
    core.advance(100 * SECOND);
    expect(core.arena.used).toBe(0);
  });
});
