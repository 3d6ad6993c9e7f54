// What a recorder tells of a stack that is driven by hand: segments with what they left behind, calls, and
// everything that was thrown away.

import { describe, expect, it } from 'vitest';
import type { StackCounters } from '../../src/stack/counters.js';
import { IdleHandler } from '../../src/tcp/connection.js';
import type { TraceEvent } from '../../src/trace/event.js';
import { Recorder } from '../../src/trace/recorder.js';
import { decodeSegment, describeSegment } from '../../src/trace/segment.js';
import { Timeline } from '../../src/trace/timeline.js';
import { echoRequest, ipPacket, tcpPacket } from '../device/packets.js';
import { Acceptor, address, newCore, SECOND } from '../stack/host.js';
import { Peer } from '../stack/peer.js';
import type { TcpOption } from '../support/trace-packet.js';

function recorded(capacity?: number) {
  const timeline = new Timeline(capacity);
  const core = newCore({ probe: new Recorder(timeline), isn: () => 0x7fff_fff0 });
  const acceptor = new Acceptor();
  const listener = core.listen({ port: 80, handler: acceptor, backlog: 2 });
  const peer = new Peer(core);
  return { timeline, core, acceptor, listener, peer };
}

/** An event in a line. */
function line(event: TraceEvent): string {
  switch (event.kind) {
    case 'segment':
      return `${event.direction} ${event.segment.flags}`;
    case 'state':
      return `${event.from} → ${event.to}`;
    case 'timer':
      return `${event.timer} ${event.action}`;
    case 'call':
      return `call ${event.call}`;
    case 'drop':
      return `drop ${event.reason}`;
    default:
      return event.kind;
  }
}

const linesOf = ({ events }: Timeline) =>
  events.filter(({ kind }) => kind !== 'timer').map((event) => line(event));

describe('a connection', () => {
  it('is told from its SYN to the end of TIME-WAIT, with the calls of its user', () => {
    const { timeline, peer, acceptor, core } = recorded();
    peer.open();
    const connection = acceptor.connections[0]!;
    connection.close();
    peer.listen();
    peer.send();
    peer.send({ flags: 'F.' });
    core.advance(peer.now + 61 * SECOND);
    expect(linesOf(timeline)).toEqual([
      'call listen *:80',
      'CLOSED → LISTEN',
      'in SYN',
      'LISTEN → SYN-RECEIVED',
      'out SYN,ACK',
      'in ACK',
      'SYN-RECEIVED → ESTABLISHED',
      'call accept',
      'call close',
      'ESTABLISHED → FIN-WAIT-1',
      'out FIN,ACK',
      'in ACK',
      'FIN-WAIT-1 → FIN-WAIT-2',
      'in FIN,ACK',
      'FIN-WAIT-2 → TIME-WAIT',
      // The application has heard of the end, and ends its own side.
      'call shutdown',
      'out ACK',
      'TIME-WAIT → CLOSED',
    ]);
    expect(timeline.events.filter((event) => event.kind === 'timer').map(line)).toContain(
      '2MSL armed',
    );
    expect(line(timeline.events.at(-2)!)).toBe('2MSL fired');
    const about = new Set(timeline.events.slice(2).map(({ connection: ends }) => ends));
    expect([...about]).toEqual(['10.9.0.2:80 10.9.0.1:40000']);
  });

  it('has its control block with each event, a copy that does not change', () => {
    const { timeline, peer, acceptor } = recorded();
    peer.open();
    acceptor.connections[0]!.write(new Uint8Array(100));
    peer.listen();
    const sent = timeline.events.findLast((event) => event.kind === 'segment')!;
    // Past 2^31, and with what was sent in it.
    expect(sent.tcb).toMatchObject({
      state: 'ESTABLISHED',
      iss: 0x7fff_fff0,
      sndUna: 0x7fff_fff1,
      sndNxt: 0x8000_0055,
      sendQueue: 100,
      fin: 'none',
    });
    const copy = structuredClone(sent.tcb);
    peer.send();
    acceptor.connections[0]!.close();
    peer.listen();
    expect(sent.tcb).toEqual(copy);
    const fin = timeline.events.findLast((event) => event.kind === 'segment')!;
    expect(fin.tcb).toMatchObject({ fin: 'sent', sndUna: 0x8000_0055, sndNxt: 0x8000_0056 });
    expect(fin.tcb!.timers.map(({ name }) => name)).toEqual([]);
    expect(timeline.events.at(-1)!.tcb!.timers[0]).toMatchObject({ name: 'retransmit' });
  });

  it('tells of calls that fail, which make nothing', () => {
    const { timeline, core } = recorded();
    expect(() => core.listen({ port: 80, handler: new Acceptor() })).toThrow();
    const target = { remote: address('224.0.0.1'), remotePort: 9, handler: new IdleHandler() };
    expect(() => core.connect(target)).toThrow();
    expect(linesOf(timeline).slice(2)).toEqual([
      'call listen *:80: EADDRINUSE',
      'call connect 224.0.0.1:9: ENETUNREACH',
    ]);
  });
});

describe('strangers', () => {
  it('are told with their ends, and so is what we answer', () => {
    const { timeline, core, peer } = recorded();
    core.receivePacket(new Peer(core, { stackPort: 81 }).packet({ flags: 'S', ack: 0 }), SECOND);
    core.receivePacket(new Peer(core, { stackPort: 82 }).packet({ flags: 'F.' }), SECOND);
    expect(linesOf(timeline).slice(2)).toEqual(['in SYN', 'out RST,ACK', 'in FIN,ACK', 'out RST']);
    const [syn, reset] = timeline.events.slice(2);
    expect(syn!.connection).toBe('10.9.0.2:81 10.9.0.1:40000');
    expect(reset!.connection).toBe(syn!.connection);
    expect(reset!).toMatchObject({ segment: { ack: peer.iss + 1, seq: 0 } });
  });

  it('of TIME-WAIT are told as well, and 2MSL that begin anew', () => {
    const { timeline, peer, acceptor } = recorded();
    peer.open();
    acceptor.connections[0]!.close();
    peer.listen();
    peer.send({ flags: 'F.' });
    const before = timeline.events.length;
    peer.send({ flags: 'F.', seq: peer.nxt - 1 });
    peer.send({ flags: 'R', seq: peer.nxt });
    expect(timeline.events.slice(before).map(line)).toEqual([
      'in FIN,ACK',
      '2MSL armed',
      'out ACK',
      'in RST',
      'drop means nothing in TIME-WAIT',
    ]);
  });
});

describe('what is thrown away', () => {
  /** What the stack counts as thrown away when a packet comes. */
  const COUNTED = [
    ...['badIp', 'notForUs', 'unknownProtocol', 'badAddress', 'badTcp', 'badChecksum', 'badIcmp'],
    ...[
      'icmpErrorsIgnored',
      'synDropped',
      'acceptQueueFull',
      'fragmentsDropped',
      'loopbackDropped',
    ],
  ] as const as readonly (keyof StackCounters)[];

  const counted = (counters: StackCounters) =>
    COUNTED.reduce((sum, name) => sum + counters[name], 0);

  const [from, to] = ['10.9.0.1', '10.9.0.2'];
  const shortTcp = ipPacket(from, to, 6, Buffer.alloc(10));
  const overlapping = [0, 1].map(() => {
    const fragment = ipPacket(from, to, 17, Buffer.alloc(64), 77);
    fragment.writeUInt16BE(0x2000, 6);
    fragment.writeUInt16BE(0, 10);
    fragment.writeUInt16BE(sumOf(fragment.subarray(0, 20)), 10);
    return fragment;
  });

  it.each([
    ['no IP', [Buffer.from('hello')]],
    ['for somebody else', [echoRequest(from, '10.9.0.3', 'x')]],
    ['TCP for somebody else', [tcpPacket({ from, to: '10.9.0.3' })]],
    ['from nobody in particular', [echoRequest('224.0.0.1', to, 'x')]],
    ['TCP from nobody in particular', [tcpPacket({ from: '255.255.255.255', to })]],
    ['a protocol that we do not have', [ipPacket(from, to, 132, Buffer.alloc(8))]],
    ['half a header', [shortTcp]],
    ['a damaged segment', [damaged(tcpPacket({ from, to }))]],
    ['a damaged ping', [damaged(echoRequest(from, to, 'x'))]],
    ['fragments that overlap', overlapping],
  ])('is told where it is counted: %s', (_, packets) => {
    const { timeline, core } = recorded();
    const events = timeline.events.length;
    for (const packet of packets) core.receivePacket(packet, SECOND);
    const drops = timeline.events.slice(events).filter(({ kind }) => kind === 'drop');
    expect(counted(core.counters)).toBeGreaterThan(0);
    expect(drops).toHaveLength(counted(core.counters));
  });

  it('is told of SYNs for which there is no room', () => {
    const { timeline, core } = recorded();
    for (let port = 1; port <= 5; port++) {
      core.receivePacket(new Peer(core, { port }).packet({ flags: 'S', ack: 0 }), SECOND);
    }
    expect(core.counters.synDropped).toBe(3);
    expect(linesOf(timeline).filter((text) => text === 'drop backlog full')).toHaveLength(3);
  });

  it.each([
    ['outside the window', { seq: 1, data: 10 }, 'outside window'],
    ['a RST beside the mark', { flags: 'R', seq: 1_000_011 }, 'RST not at RCV.NXT'],
    ['a SYN in the window', { flags: 'S', seq: 1_000_011 }, 'SYN in the window'],
    ['an ACK of the future', { ack: 0x7fff_ffff, data: 1 }, 'ACK outside what was sent'],
    ['neither ACK nor anything', { flags: '', data: 1 }, 'no ACK'],
    ['half of it known', { seq: 1_000_001 - 5, data: 10 }, 'received before'],
    ['more than was asked for', { seq: 1_000_001 + 65_530, data: 100 }, 'beyond the window'],
  ] as const)('is told of a segment of a connection: %s', (_, fields, reason) => {
    const { timeline, peer } = recorded();
    peer.open();
    peer.send(fields);
    expect(linesOf(timeline)).toContain(`drop ${reason}`);
  });

  it('is told with what a damaged segment seems to be', () => {
    const { timeline, core, peer } = recorded();
    core.receivePacket(peer.packet({ flags: 'S', ack: 0, badChecksum: true }), SECOND);
    expect(linesOf(timeline).slice(2)).toEqual(['in SYN', 'drop bad checksum']);
  });
});

it('a timeline keeps the newest, and says how many it has forgotten', () => {
  const { timeline, peer, acceptor } = recorded(10);
  peer.open();
  for (let i = 0; i < 50; i++) {
    acceptor.connections[0]!.write(new Uint8Array(1));
    peer.listen();
    peer.send();
  }
  const { events, forgotten } = timeline;
  expect(events.length).toBeGreaterThanOrEqual(10);
  expect(events.length).toBeLessThan(20);
  expect(forgotten).toBe(events[0]!.index);
  expect(events.map(({ index }) => index)).toEqual(events.map((_, i) => forgotten + i));
});

describe('a segment', () => {
  it('is decoded from a whole packet, options and all', () => {
    const { core } = recorded();
    const peer = new Peer(core, { family: 6 });
    const options: TcpOption[] = [
      { kind: 'mss', value: 1220 },
      { kind: 'sackOK' },
      { kind: 'TS', val: 0xffff_ffff, ecr: 0 },
      { kind: 'wscale', value: 9 },
    ];
    const bytes = peer.packet({ flags: 'S', ack: 0, data: 3, options });
    expect(decodeSegment(bytes)).toEqual({
      ...{ source: 'fd09::1', sourcePort: 40_000, destination: 'fd09::2', destinationPort: 80 },
      ...{ flags: 'SYN', seq: 1_000_000, ack: 0, window: 65_535, length: 3, gsoSize: 0 },
      options: { mss: 1220, sackPermitted: true, timestamps: [0xffff_ffff, 0], windowScale: 9 },
    });
    expect(decodeSegment(echoRequest('10.9.0.1', '10.9.0.2', 'x'))).toBeNull();
    expect(decodeSegment(bytes.subarray(0, 50))).toBeNull();
  });

  it('is one line, in numbers of the wire or counted from both SYNs', () => {
    const bytes = tcpPacket({ from: '10.9.0.1', to: '10.9.0.2', seq: 1001, flags: 0x11 });
    const segment = decodeSegment(bytes)!;
    expect(describeSegment(segment)).toBe('FIN,ACK seq 1001 ack 1');
    expect(describeSegment(segment, { seq: 1000, ack: 2 })).toBe('FIN,ACK seq 1 ack -1');
  });
});

function damaged(packet: Buffer): Buffer {
  packet[packet.length - 1]! ^= 0x55;
  return packet;
}

/** The checksum that goes with a header, the straightforward way. */
function sumOf(header: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < header.length; i += 2) sum += (header[i]! << 8) | header[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
