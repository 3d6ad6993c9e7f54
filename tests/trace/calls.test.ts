// The OPEN calls, and the numbers that the stack chooses: RFC 9293 §3.4.1 and §3.9.1, RFC 6528, 6056.

import { expect, test } from 'vitest';
import { StackCore } from '../../src/stack/core.js';
import { type Connection, IdleHandler } from '../../src/tcp/connection.js';
import { SYN_RECEIVED, SYN_SENT } from '../../src/tcp/state.js';
import { IpAddress, Subnet } from '../../src/wire/address.js';
import {
  addressBytes,
  addressText,
  buildIp,
  buildTcp,
  parseIp,
  parseTcp,
  TCP,
  type TcpFields,
} from '../support/trace-packet.js';

const ip = (text: string) => IpAddress.parse(text)!;

function makeCore(secret = 1, addresses = ['10.9.0.2/24', 'fd09::2/64']): StackCore {
  return new StackCore({
    addresses: addresses.map((text) => Subnet.parse(text)!),
    memory: 16 * 1024 * 1024,
    random(bytes) {
      for (let i = 0; i < bytes.length; i++) bytes[i] = secret * 37 + i * 11;
    },
  });
}

interface Sent extends TcpFields {
  source: string;
  destination: string;
}

function taken(core: StackCore): Sent[] {
  return core.takePackets().map((packet) => {
    const header = parseIp(packet);
    const source = addressText(header.source);
    return { ...parseTcp(header), source, destination: addressText(header.destination) };
  });
}

function packet(from: string, to: string, fields: Partial<TcpFields>): Uint8Array {
  const ends = { source: addressBytes(from), destination: addressBytes(to) };
  const segment: TcpFields = {
    ...{ sourcePort: 40001, destinationPort: 80, seq: 1000, ack: 0, flags: 'S', window: 1000 },
    ...{ urgent: 0, options: [], payload: new Uint8Array(0) },
    ...fields,
  };
  const payload = buildTcp(ends, segment);
  return buildIp({ ...ends, protocol: TCP, trafficClass: 0, hopLimit: 64, payload });
}

/** The initial sequence number of a connection that is opened at `us`; it is given up at once. */
function isnAt(core: StackCore, us: number, remotePort = 80, localPort = 5000): number {
  core.flush(us);
  const connection = core.connect({
    ...{ remote: ip('10.9.0.1'), remotePort, localPort, handler: new IdleHandler() },
  });
  core.flush(us);
  connection.abort();
  core.flush(us);
  return taken(core)[0]!.seq;
}

test('MUST-8: initial sequence numbers follow a clock of 4 µs, around its wrap', () => {
  const core = makeCore();
  const start = 1_000_000;
  const first = isnAt(core, start);
  const minute = 60e6;
  for (const us of [4, 1000, minute, 71 * minute, 72 * minute, 144 * minute, 285 * minute]) {
    const expected = (first + Math.floor(us / 4)) % 2 ** 32;
    expect([us, isnAt(core, start + us)]).toEqual([us, expected]);
  }
});

test('MUST-8: they do not fall back when the same four numbers come again later', () => {
  const core = makeCore();
  let before = isnAt(core, 1_000_000);
  for (let minutes = 10; minutes < 1000; minutes += 10) {
    const now = isnAt(core, minutes * 60e6);
    expect((now - before) | 0).toBeGreaterThan(0);
    before = now;
  }
});

test('MUST-9, SHOULD-1: the offset depends on all four numbers and on the secret', () => {
  const core = makeCore();
  const isns = [
    isnAt(core, 1000),
    isnAt(core, 1000, 81),
    isnAt(core, 1000, 80, 5001),
    isnAt(makeCore(2), 1000),
  ];
  const distances = isns.map((isn, i) => Math.abs((isn - isns[(i + 1) % isns.length]!) | 0));
  expect(Math.min(...distances)).toBeGreaterThan(1_000_000);
  expect(isnAt(makeCore(), 1000)).toBe(isns[0]);
});

test('MUST-44: the stack chooses the address that can reach the peer', () => {
  const core = makeCore(1, ['192.168.7.2/24', '10.9.0.2/24', 'fd09::2/64', 'fd77::2/64']);
  const source = (remote: string) => {
    core.connect({ remote: ip(remote), remotePort: 80, handler: new IdleHandler() });
    core.flush(0);
    return taken(core)[0]!.source;
  };
  expect(source('10.9.0.1')).toBe('10.9.0.2');
  expect(source('192.168.7.9')).toBe('192.168.7.2');
  expect(source('fd77::9')).toBe('fd77:0:0:0:0:0:0:2');
});

test('MUST-43: the caller may choose the local address', () => {
  const core = makeCore(1, ['10.9.0.2/24', '10.9.0.3/24']);
  const options = { remote: ip('10.9.0.1'), remotePort: 80, handler: new IdleHandler() };
  core.connect({ ...options, local: ip('10.9.0.3') });
  core.flush(0);
  expect(taken(core)[0]!.source).toBe('10.9.0.3');
  const code = (local: string) => () => core.connect({ ...options, local: ip(local) });
  expect(code('10.9.0.4')).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
  expect(code('fd09::2')).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
});

test('MUST-45: a connection keeps the address to which the SYN was sent', () => {
  const core = makeCore(1, ['10.9.0.2/24', '10.9.0.3/24']);
  core.listen({ port: 80, handler: { onConnection() {} } });
  core.receivePacket(packet('10.9.0.1', '10.9.0.3', {}), 0);
  expect(taken(core)).toMatchObject([{ flags: 'S.', source: '10.9.0.3', destination: '10.9.0.1' }]);
});

test('MUST-46: OPEN to an address that is no single host is refused', () => {
  const core = makeCore();
  for (const text of ['0.0.0.0', '255.255.255.255', '224.0.0.1', '10.9.0.255', '::', 'ff02::1']) {
    const open = () =>
      core.connect({ remote: ip(text), remotePort: 80, handler: new IdleHandler() });
    expect(open, text).toThrow(expect.objectContaining({ code: 'ENETUNREACH' }));
  }
  expect([...core.connections()]).toEqual([]);
});

test('a port that is none is refused', () => {
  const core = makeCore();
  for (const port of [0, -1, 65536, 1.5, Number.NaN]) {
    const open = () =>
      core.connect({ remote: ip('10.9.0.1'), remotePort: port, handler: new IdleHandler() });
    expect(open, `${port}`).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  }
});

test('without an address of the family there is no way', () => {
  const core = makeCore(1, ['10.9.0.2/24']);
  const open = () =>
    core.connect({ remote: ip('fd09::1'), remotePort: 80, handler: new IdleHandler() });
  expect(open).toThrow(expect.objectContaining({ code: 'ENETUNREACH' }));
});

test('MUST-42: several LISTENs on a port, each on an address of its own', () => {
  const core = makeCore(1, ['10.9.0.2/24', '10.9.0.3/24']);
  const handler = { onConnection() {} };
  const first = core.listen({ port: 80, address: ip('10.9.0.2'), handler });
  const second = core.listen({ port: 80, address: ip('10.9.0.3'), handler });
  core.receivePacket(packet('10.9.0.1', '10.9.0.3', {}), 0);
  core.receivePacket(packet('10.9.0.1', '10.9.0.3', { sourcePort: 40002 }), 0);
  core.receivePacket(packet('10.9.0.1', '10.9.0.2', {}), 0);
  expect([first.halfOpen, second.halfOpen]).toEqual([1, 2]);
  const twice = () => core.listen({ port: 80, address: ip('10.9.0.2'), handler });
  expect(twice).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
  const any = () => core.listen({ port: 80, handler });
  expect(any).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
});

test('MUST-41: a LISTEN does not disturb a connection that is opening from its port', () => {
  const core = makeCore();
  const connection = core.connect({
    ...{ remote: ip('10.9.0.1'), remotePort: 40001, localPort: 80, handler: new IdleHandler() },
  });
  core.flush(0);
  taken(core);
  const listener = core.listen({ port: 80, handler: { onConnection() {} }, reuseAddress: true });
  expect(connection.state).toBe(SYN_SENT);
  core.receivePacket(packet('10.9.0.1', '10.9.0.2', {}), 0);
  expect([connection.state, listener.halfOpen]).toEqual([SYN_RECEIVED, 0]);
});

test('a listener on one address is no listener on the others', () => {
  const core = makeCore(1, ['10.9.0.2/24', '10.9.0.3/24']);
  core.listen({ port: 80, address: ip('10.9.0.3'), handler: { onConnection() {} } });
  core.receivePacket(packet('10.9.0.1', '10.9.0.2', {}), 0);
  expect(taken(core)).toMatchObject([{ flags: 'R.', seq: 0, ack: 1001 }]);
  const elsewhere = () =>
    core.listen({ port: 81, address: ip('10.9.0.9'), handler: { onConnection() {} } });
  expect(elsewhere).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
});

test('ephemeral ports differ, lie in their range, and cannot be guessed from each other (RFC 6056)', () => {
  const core = makeCore();
  const ports = Array.from({ length: 200 }, (_, i) => {
    const options = { remote: ip('10.9.0.1'), handler: new IdleHandler() };
    return core.connect({ ...options, remotePort: 1000 + (i % 10) }).localPort;
  });
  const pairs = new Set(ports.map((port, i) => `${port} ${i % 10}`));
  expect(pairs.size).toBe(200);
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(32768);
  expect(Math.max(...ports)).toBeLessThanOrEqual(60999);
  const steps = ports.slice(1, 10).map((port, i) => Math.abs(port - ports[i]!));
  expect(Math.max(...steps)).toBeGreaterThan(100);
});

test('a connection of the stack with itself needs no device', () => {
  const core = makeCore();
  const accepted: Connection[] = [];
  core.listen({
    port: 80,
    handler: { onConnection: (listener) => void accepted.push(listener.accept()!) },
  });
  const connection = core.connect({
    ...{ remote: ip('10.9.0.2'), remotePort: 80, handler: new IdleHandler() },
  });
  core.flush(1000);
  expect([connection.stateName, accepted[0]?.stateName]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
  accepted[0]!.handler = new IdleHandler();
  connection.write(new Uint8Array([1, 2, 3]));
  connection.shutdown();
  core.flush(1000);
  const target = new Uint8Array(10);
  expect([accepted[0]!.read(target), target[2]]).toEqual([3, 3]);
  accepted[0]!.shutdown();
  core.flush(1000);
  expect(core.timeWaits().length).toBe(1);
  expect([...core.connections()]).toEqual([]);
  expect(core.takePackets()).toEqual([]);
});

test('onWork asks once for a flush, when the application left work outside of a turn', () => {
  const core = makeCore();
  let asked = 0;
  core.onWork = () => {
    asked += 1;
  };
  core.connect({ remote: ip('10.9.0.1'), remotePort: 80, handler: new IdleHandler() });
  core.connect({ remote: ip('10.9.0.1'), remotePort: 81, handler: new IdleHandler() });
  expect(asked).toBe(1);
  core.flush(0);
  expect(taken(core).length).toBe(2);
  expect(asked).toBe(1);
});

test('MUST-47: each way in which a connection can end has a code of its own', () => {
  const core = makeCore();
  const ends: string[] = [];
  class Handler extends IdleHandler {
    override onClosed(_connection: Connection, reason: string, code: string | null): void {
      ends.push(`${reason} ${code}`);
    }
  }
  const open = () => {
    const options = { remote: ip('10.9.0.1'), remotePort: 80, handler: new Handler() };
    const connection = core.connect({ ...options, tcp: { synTimeout: 1000 } });
    core.flush(0);
    return { connection, syn: taken(core).at(-1)! };
  };
  const refused = open().syn;
  const reply = { sourcePort: 80, destinationPort: refused.sourcePort, ack: refused.seq + 1 };
  core.receivePacket(packet('10.9.0.1', '10.9.0.2', { ...reply, flags: 'R.' }), 0);
  open().connection.abort();
  core.flush(0);
  open();
  for (let at = core.nextDeadline(); Number.isFinite(at); at = core.nextDeadline())
    core.advance(at);
  expect(ends).toEqual(['rst ECONNREFUSED', 'abort ECONNABORTED', 'timeout ETIMEDOUT']);
});

test('connections in TIME-WAIT can be listed, of both families', () => {
  const core = makeCore();
  for (const [text, port] of [
    ['10.9.0.1', 80],
    ['fd09::1', 81],
  ] as const) {
    const connection = core.connect({
      ...{ remote: ip(text), remotePort: port, localPort: 7000, handler: new IdleHandler() },
    });
    core.flush(0);
    const { source, seq } = taken(core)[0]!;
    const reply = { sourcePort: port, destinationPort: 7000 };
    const arrives = (fields: Partial<TcpFields>) =>
      core.receivePacket(packet(text, source, { ...reply, ...fields }), 0);
    arrives({ flags: 'S.', ack: seq + 1 });
    connection.shutdown();
    core.flush(0);
    arrives({ flags: 'F.', seq: 1001, ack: seq + 2 });
    taken(core);
  }
  core.flush(20_000_000);
  const infos = core.timeWaits().map((info) => ({
    local: `${info.localAddress} ${info.localPort}`,
    remote: `${info.remoteAddress} ${info.remotePort}`,
    ms: info.remainingMs,
  }));
  expect(infos).toEqual([
    { local: '10.9.0.2 7000', remote: '10.9.0.1 80', ms: 40_000 },
    { local: 'fd09::2 7000', remote: 'fd09::1 81', ms: 40_000 },
  ]);
});
