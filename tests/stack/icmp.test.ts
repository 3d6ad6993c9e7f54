// ICMP and ICMPv6 by hand: echo is answered, errors reach the connection that they are about.

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  addressBytes,
  addressText,
  buildIcmp,
  buildIp,
  ICMP,
  ICMPV6,
  parseIcmp,
  parseIp,
} from '../support/trace-packet.js';
import { Application, address, type Family, HOST_A, HOST_B, newCore, SECOND } from './host.js';
import { Peer } from './peer.js';

vi.setConfig({ testTimeout: 60_000 });

const ECHO_REQUEST = { 4: 8, 6: 128 } as const;
const ECHO_REPLY = { 4: 0, 6: 129 } as const;
const PROTOCOL = { 4: ICMP, 6: ICMPV6 } as const;

interface Message {
  from?: string;
  to?: string;
  type?: number;
  code?: number;
  rest?: number;
  body?: Uint8Array;
}

function icmpPacket(family: Family, message: Message = {}): Uint8Array {
  const source = addressBytes(message.from ?? HOST_B[family]);
  const destination = addressBytes(message.to ?? HOST_A[family]);
  const { type = ECHO_REQUEST[family], code = 0, rest = 0x00070001 } = message;
  const body = message.body ?? new Uint8Array(0);
  const payload = buildIcmp({ source, destination }, type, code, rest, body);
  const protocol = PROTOCOL[family];
  return buildIp({ source, destination, protocol, trafficClass: 0, hopLimit: 64, payload });
}

const idle = newCore();

/** What a stack sends that has nothing to do. */
function answers(packet: Uint8Array): Uint8Array[] {
  idle.receivePacket(packet, SECOND);
  return idle.takePackets();
}

describe.each([4, 6] as const)('echo (IPv%i)', (family) => {
  it('is answered with the same identifier, number and data, of any length', () => {
    const body = fc.uint8Array({ maxLength: 1400 });
    fc.assert(
      fc.property(body, fc.nat(2 ** 31), (body, rest) => {
        const [packet, ...more] = answers(icmpPacket(family, { body, rest }));
        expect(more).toEqual([]);
        const ip = parseIp(packet!);
        expect(addressText(ip.source)).toBe(addressText(addressBytes(HOST_A[family])));
        expect(addressText(ip.destination)).toBe(addressText(addressBytes(HOST_B[family])));
        expect(parseIcmp(ip)).toEqual({ type: ECHO_REPLY[family], code: 0, rest, body });
      }),
      { numRuns: 50 },
    );
  });

  it('a thousand requests get a thousand answers, and take no memory', () => {
    const core = newCore();
    for (let rest = 0; rest < 1000; rest++) {
      core.receivePacket(icmpPacket(family, { rest, body: Buffer.alloc(56, rest) }), SECOND);
    }
    const numbers = core.takePackets().map((packet) => parseIcmp(parseIp(packet)).rest);
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(core.counters.echoReplies).toBe(1000);
    expect(core.arena.used).toBe(0);
  });

  it('no answer to what is not for us alone, or comes from no host', () => {
    const strange =
      family === 4
        ? [
            { to: '10.9.0.3' },
            { to: '10.9.0.255' },
            { to: '255.255.255.255' },
            { to: '224.0.0.1' },
            { from: '0.0.0.0' },
            { from: '255.255.255.255' },
            { from: '10.9.0.255' },
            { from: '224.0.0.1' },
          ]
        : [{ to: 'fd09::3' }, { to: 'ff02::1' }, { from: '::' }, { from: 'ff02::1' }];
    for (const addresses of strange) {
      expect(answers(icmpPacket(family, addresses)), JSON.stringify(addresses)).toEqual([]);
    }
  });

  it('no answer to an answer, an unknown message, or a damaged one', () => {
    const damaged = icmpPacket(family, { body: Uint8Array.of(1, 2, 3) });
    damaged[damaged.length - 1]! ^= 1;
    expect(answers(damaged)).toEqual([]);
    expect(answers(icmpPacket(family, { type: ECHO_REPLY[family] }))).toEqual([]);
    for (let type = 0; type < 256; type++) {
      if (type === ECHO_REQUEST[family]) continue;
      expect(answers(icmpPacket(family, { type, body: new Uint8Array(40) }))).toEqual([]);
    }
    const short = icmpPacket(family);
    const length = short.length - 5;
    const header = short.slice(0, length);
    const view = new DataView(header.buffer);
    if (family === 6) view.setUint16(4, length - 40);
    expect(answers(header)).toEqual([]);
  });

  it('the other family of ICMP is an unknown protocol', () => {
    const core = newCore();
    const source = addressBytes(HOST_B[family]);
    const destination = addressBytes(HOST_A[family]);
    const other = family === 4 ? 6 : 4;
    const payload = buildIcmp({ source, destination }, ECHO_REQUEST[other], 0, 1, source);
    const ip = { source, destination, trafficClass: 0, hopLimit: 64, payload };
    core.receivePacket(buildIp({ ...ip, protocol: PROTOCOL[other] }), SECOND);
    core.receivePacket(buildIp({ ...ip, protocol: 17 }), SECOND);
    expect(core.takePackets()).toEqual([]);
    expect(core.counters.unknownProtocol).toBe(2);
  });
});

describe.each([4, 6] as const)('errors (IPv%i)', (family) => {
  const PORT_UNREACHABLE = family === 4 ? 3 : 4;

  function connecting() {
    const core = newCore();
    const application = new Application();
    const connection = core.connect({
      ...{ remote: address(HOST_B[family]), remotePort: 40_000, localPort: 80 },
      handler: application,
    });
    const peer = new Peer(core, { family });
    peer.listen();
    return { core, application, connection, peer };
  }

  it('MUST-54, SHOULD-26: a port unreachable refuses a connection that is opening', () => {
    const { core, application, peer } = connecting();
    peer.unreachable(PORT_UNREACHABLE);
    expect(application.told).toEqual(['closed ECONNREFUSED']);
    expect([...core.connections()]).toEqual([]);
    expect(core.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it('MUST-56, SHOULD-25: no route is only told, and the connection goes on', () => {
    const { application, connection, peer } = connecting();
    peer.unreachable(0);
    expect(application.told).toEqual(['advice ENETUNREACH']);
    peer.send({ flags: 'S.' });
    expect(connection.stateName).toBe('ESTABLISHED');
  });

  it('RFC 5927: once established, hard errors are soft', () => {
    const { application, connection, peer } = connecting();
    peer.send({ flags: 'S.' });
    connection.write(new Uint8Array(100));
    peer.listen();
    peer.unreachable(PORT_UNREACHABLE);
    expect(application.told).toEqual(['established', 'advice ECONNREFUSED']);
    expect(connection.stateName).toBe('ESTABLISHED');
  });

  it('RFC 5927: what quotes nothing that is in flight is ignored', () => {
    const { core, application, connection, peer } = connecting();
    const [syn] = peer.heard;
    for (const seq of [syn!.seq - 1, syn!.seq + 1, syn!.seq + 0x80000000]) {
      peer.heard.push({ ...syn!, seq: seq >>> 0 });
      peer.unreachable(PORT_UNREACHABLE);
    }
    for (const port of [{ sourcePort: 81 }, { destinationPort: 39_999 }]) {
      peer.heard.push({ ...syn!, ...port });
      peer.unreachable(PORT_UNREACHABLE);
    }
    expect(application.told).toEqual([]);
    expect(connection.stateName).toBe('SYN-SENT');
    expect(core.counters).toMatchObject({ icmpErrorsIn: 5, icmpErrorsIgnored: 5 });
  });

  it('MUST-55: Source Quench, and any error with too little of a quote, is thrown away', () => {
    const { core, application } = connecting();
    const types = family === 4 ? [3, 4, 5, 11, 12] : [1, 2, 3, 4];
    for (const type of types) {
      for (const length of [0, 7, 19, 20, 27, 39, 40, 47]) {
        const body = new Uint8Array(length).fill(0x45);
        core.receivePacket(icmpPacket(family, { type, code: 3, body }), SECOND);
      }
    }
    expect(application.told).toEqual([]);
    expect(core.counters.icmpErrorsIgnored).toBe(core.counters.icmpErrorsIn);
  });
});
