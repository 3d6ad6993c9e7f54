// A capture between a device and a stack: every packet, in its order, and each change of state with the
// packet that it belongs to. The stack is driven by hand, in batches.

import { describe, expect, it } from 'vitest';
import { type Packet, PacketPort } from '../../src/device/packet.js';
import type { Device, DeviceCounters, DevicePort } from '../../src/stack/device.js';
import type { Connection } from '../../src/tcp/connection.js';
import { TRANSITIONS } from '../../src/tcp/transitions.js';
import { Capture } from '../../src/trace/capture.js';
import { IpHeader, parseIp, verifyTransportChecksum } from '../../src/wire/ip.js';
import { ipPacket, plainChecksum, pseudoHeader, tcpPacket } from '../device/packets.js';
import { Acceptor, newCore, SECOND } from '../stack/host.js';
import { Peer, type SegmentFields } from '../stack/peer.js';
import { type ReadPacket, readPcapng } from './pcapng-reader.js';

const ISS = 5000;

/** A device whose batches a test makes. */
class Wire implements Device {
  readonly name = 'wire0';
  readonly mtu = 1500;
  readonly checksumOffload = true;
  readonly maxSegmentBytes = 65_535;
  readonly counters: DeviceCounters = {
    ...{ rxPackets: 0, rxBytes: 0, rxDropped: 0, txPackets: 0, txBytes: 0, txDropped: 0 },
  };
  /** Packets in each call, either way. */
  readonly batches: number[] = [];
  #port: PacketPort | null = null;

  attach(port: DevicePort): void {
    this.#port = new PacketPort(port, this.counters);
  }
  deliver(packets: readonly Uint8Array[], more: Partial<Packet> = {}): void {
    const whole = { gsoSize: 0, checksumStart: 0, trusted: false, ...more };
    this.#port!.deliver(packets.map((bytes) => ({ bytes, ...whole })));
  }
  transmit(count: number): void {
    this.batches.push(count);
  }
  close(): void {}
  ref(): void {}
  unref(): void {}
}

/** A stack with a listener on port 80, behind a capture. */
function captured({ room = Number.POSITIVE_INFINITY } = {}) {
  const wire = new Wire();
  const blocks: Uint8Array[] = [];
  let now = 1_700_000_000_123_456;
  let kept = 0;
  const capture = new Capture(wire, {
    now: () => now,
    write: (block) => {
      kept += 1;
      // The header of the file is the first one.
      if (kept - 1 > room && kept - 1 <= room + 2) return false;
      blocks.push(block);
      return true;
    },
  });
  const core = newCore({ device: capture, probe: capture.comments, isn: () => ISS });
  const received: number[] = [];
  core.onDevice(
    (count) => {
      received.push(count);
      core.receive(count, now);
    },
    () => {},
  );
  const acceptor = new Acceptor();
  core.listen({ port: 80, handler: acceptor });
  const peers = [40_001, 40_002].map((port) => {
    const peer = new Peer(core, { port });
    peer.stackNxt = ISS + 1;
    return peer;
  });
  const file = () => readPcapng(blocks);
  const pass = (us: number) => {
    now += us;
    core.advance(now);
  };
  return {
    wire,
    capture,
    core,
    received,
    acceptor,
    peers,
    file,
    pass,
    flush: () => core.flush(now),
  };
}

/** The next segment of a peer, which is not sent yet. */
function next(peer: Peer, fields: SegmentFields): Uint8Array {
  const packet = peer.packet(fields);
  const data = typeof fields.data === 'number' ? fields.data : 0;
  peer.nxt += data + (/[SF]/.test(fields.flags ?? '.') ? 1 : 0);
  return packet;
}

function establish({ wire, peers }: ReturnType<typeof captured>): void {
  for (const peer of peers) {
    wire.deliver([next(peer, { flags: 'S', ack: 0 })]);
    wire.deliver([next(peer, {})]);
  }
}

/** Direction, flags of TCP in letters, and comments without the section. */
function shown({ bytes, direction, comments }: ReadPacket): string {
  const flags = bytes[33]!;
  const letters = [...'FSRPA'].filter((_, bit) => (flags & (1 << bit)) !== 0).join('');
  const short = comments.map((comment) => comment.replace(/ \(RFC.*?\)/, ''));
  return [direction, letters, ...short].join(' | ');
}

describe('comments', () => {
  it('stand with the segment that causes the change, though it comes in the middle of a batch', () => {
    const place = captured();
    const { wire, peers, received, file } = place;
    const [a, b] = peers as [Peer, Peer];
    wire.deliver([next(a, { flags: 'S', ack: 0 }), next(b, { flags: 'S', ack: 0 })]);
    wire.deliver([
      next(a, {}),
      ipPacket('10.9.0.1', '10.9.0.2', 17, Buffer.alloc(12)),
      next(b, {}),
      next(a, { data: 10 }),
      next(a, { flags: 'F.' }),
      next(b, { flags: 'R' }),
    ]);
    expect(received).toEqual([2, 6]);
    const packets = file().packets.filter(({ bytes }) => bytes[9] === 6);
    expect(packets.slice(0, 2).map(shown)).toEqual([
      'in | S | 10.9.0.2:80 LISTEN → SYN-RECEIVED: rcv SYN',
      'in | S | 10.9.0.2:80 LISTEN → SYN-RECEIVED: rcv SYN',
    ]);
    expect(packets.slice(4).map(shown)).toEqual([
      'in | A | 10.9.0.2:80 SYN-RECEIVED → ESTABLISHED: rcv ACK of SYN',
      'in | A | 10.9.0.2:80 SYN-RECEIVED → ESTABLISHED: rcv ACK of SYN',
      'in | A',
      'in | FA | 10.9.0.2:80 ESTABLISHED → CLOSE-WAIT: rcv FIN',
      'in | R | 10.9.0.2:80 ESTABLISHED → CLOSED: rcv RST',
      // The application closes when the peer has: the ACK that says so is our FIN.
      'out | FA | 10.9.0.2:80 CLOSE-WAIT → LAST-ACK: CLOSE',
    ]);
  });

  it('of a call stand with the next packet of the connection, of a call to abort with its RST', () => {
    const place = captured();
    establish(place);
    const [first, second] = place.acceptor.connections as [Connection, Connection];
    const before = place.file().packets.length;
    second.abort();
    first.close();
    place.flush();
    const sent = place.file().packets.slice(before).map(shown).sort();
    expect(sent).toEqual([
      'out | FA | 10.9.0.2:80 ESTABLISHED → FIN-WAIT-1: CLOSE',
      'out | R | 10.9.0.2:80 ESTABLISHED → CLOSED: ABORT',
    ]);
  });

  it('of a change that no packet follows go with another one later, and say whom they are about', () => {
    const place = captured();
    establish(place);
    const { wire, peers, acceptor, pass, file, flush } = place;
    const [a, b] = peers as [Peer, Peer];
    acceptor.connections[0]!.close();
    flush();
    wire.deliver([next(a, { ack: ISS + 2 })]);
    wire.deliver([next(a, { flags: 'F.', ack: ISS + 2 })]);
    pass(61 * SECOND);
    expect(
      file()
        .packets.flatMap(({ comments }) => comments)
        .join(),
    ).not.toContain('2MSL');
    pass(2 * SECOND);
    wire.deliver([next(b, { data: 10 })]);
    const late = file().packets.flatMap(({ comments }) =>
      comments.filter((c) => c.includes('2MSL')),
    );
    expect(late).toEqual([
      '10.9.0.2:80 TIME-WAIT → CLOSED: timeout 2MSL (RFC 9293 §3.10.8); the other end was ' +
        '10.9.0.1:40001, 2.000 s before this packet',
    ]);
  });

  it('of very many connections do not crowd one packet, and none is lost', () => {
    const place = captured();
    establish(place);
    const { wire, peers, capture, core, file, pass } = place;
    const rule = TRANSITIONS.find(({ event }) => event === 'timeout 2MSL')!;
    for (let port = 1; port <= 1200; port++) {
      capture.comments.timeWaitEnded(core, '10.9.0.2:80', `10.9.0.1:${port}`, rule);
      if (port === 100) {
        pass(2 * SECOND);
        wire.deliver([next(peers[0]!, { data: 10 })]);
        expect(file().packets.at(-2)!.comments).toHaveLength(8);
      }
    }
    wire.deliver([next(peers[0]!, { data: 10 })]);
    expect(file().comments.length).toBeGreaterThan(1000);
    capture.finish();
    const told = [...file().comments, ...file().packets.flatMap(({ comments }) => comments)];
    const ends = new Set(told.map((comment) => /10\.9\.0\.1:\d+/.exec(comment)?.[0]));
    for (let port = 1; port <= 1200; port++) expect(ends).toContain(`10.9.0.1:${port}`);
  });

  it('of which no packet comes at all stand in the statistics at the end', () => {
    const place = captured();
    const core = place.core;
    place.wire.deliver([next(place.peers[0]!, { flags: 'S', ack: 0 })]);
    place.pass(400 * SECOND);
    for (let i = 0; i < 10; i++) place.pass(100 * SECOND);
    expect([...core.connections()]).toEqual([]);
    place.capture.finish();
    const { comments, statistics, packets } = place.file();
    expect(comments.join()).toContain('SYN-RECEIVED → CLOSED: timeout user');
    expect(statistics).toEqual({ received: packets.length, dropped: 0 });
  });
});

describe('packets', () => {
  it('have times of the wall clock, and what came stands before what it causes', () => {
    const place = captured();
    establish(place);
    const { packets, interfaceName, linkType } = place.file();
    expect([interfaceName, linkType]).toEqual(['wire0', 101]);
    expect(packets.map(({ direction }) => direction)).toEqual([
      'in',
      'out',
      'in',
      'in',
      'out',
      'in',
    ]);
    expect(packets[0]!.timeUs).toBe(1_700_000_000_123_456);
  });

  it('go to the device in the batches in which they came', () => {
    const place = captured();
    establish(place);
    const [first] = place.acceptor.connections as [Connection];
    const { batches } = place.wire;
    batches.length = 0;
    first.write(new Uint8Array(20_000));
    place.flush();
    // One call, and in it one super-segment.
    expect(batches).toEqual([1]);
    const { bytes } = place.file().packets.at(-1)!;
    expect(bytes.length).toBeGreaterThan(5000);
    expect(isComplete(bytes)).toBe(true);
  });

  it.each([
    ['TCP', tcpPacket({ from: '10.9.0.1', to: '10.9.0.2', partial: true })],
    ['TCP over IPv6', tcpPacket({ from: 'fd09::1', to: 'fd09::2', partial: true })],
    ['UDP', partialUdp('10.9.0.1', '10.9.0.2')],
    ['UDP over IPv6', partialUdp('fd09::1', 'fd09::2')],
  ])('of %s whose checksum the kernel has left to us are complete in the file', (_, packet) => {
    const place = captured();
    expect(isComplete(packet)).toBe(false);
    place.wire.deliver([packet], { trusted: true });
    expect(isComplete(place.file().packets[0]!.bytes)).toBe(true);
  });

  it('that are damaged are kept as they are', () => {
    const place = captured();
    const damaged = next(place.peers[0]!, { flags: 'S', ack: 0, badChecksum: true });
    place.wire.deliver([damaged]);
    expect(Buffer.compare(place.file().packets[0]!.bytes, damaged)).toBe(0);
  });

  it('that cannot be kept are counted, at their place and at the end', () => {
    const place = captured({ room: 1 });
    establish(place);
    place.capture.finish();
    const { packets, statistics } = place.file();
    expect(packets.map(({ dropped }) => dropped)).toEqual([0, 2, 0, 0]);
    expect(statistics).toEqual({ received: 6, dropped: 2 });
    expect(place.capture.lost).toBe(2);
  });
});

function partialUdp(from: string, to: string): Buffer {
  const datagram = Buffer.from([0, 7, 0, 7, 0, 12, 0, 0, 1, 2, 3, 4]);
  const pseudo = pseudoHeader(from, to, 17, datagram.length);
  datagram.writeUInt16BE(~plainChecksum(pseudo) & 0xffff, 6);
  return ipPacket(from, to, 17, datagram);
}

const ip = new IpHeader();

function isComplete(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return parseIp(view, 0, bytes.length, ip) === 0 && verifyTransportChecksum(view, ip);
}
