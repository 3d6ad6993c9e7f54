// Segments that belong to nobody: resets for those who can use them, silence for all others.

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { internetChecksum } from '../support/trace-packet.js';
import { Acceptor, type Family, newCore, SECOND } from './host.js';
import { Peer, type SegmentFields } from './peer.js';

vi.setConfig({ testTimeout: 60_000 });

const STRANGE: Record<Family, { from?: string; to?: string }[]> = {
  4: [
    { from: '0.0.0.0' },
    { from: '255.255.255.255' },
    { from: '224.0.0.1' },
    { from: '239.255.255.255' },
    { from: '10.9.0.255' },
    { to: '10.9.0.255' },
    { to: '255.255.255.255' },
    { to: '224.0.0.1' },
    { to: '10.9.0.3' },
    { to: '0.0.0.0' },
  ],
  6: [{ from: '::' }, { from: 'ff02::1' }, { to: 'ff02::1' }, { to: 'fd09::3' }, { to: '::' }],
};

const FLAGS = fc.subarray(['F', 'S', 'R', 'P', '.', 'U', 'E', 'W']).map((list) => list.join(''));
const NUMBER = fc.nat(2 ** 32 - 1);

describe.each([4, 6] as const)('a segment that belongs to nobody (IPv%i)', (family) => {
  const segment = fc.record({ flags: FLAGS, seq: NUMBER, ack: NUMBER, data: fc.nat(100) });

  it('§3.10.7.1: any segment but a RST gets a RST that its sender will accept', () => {
    const core = newCore();
    fc.assert(
      fc.property(segment, (fields) => {
        const peer = new Peer(core, { family });
        const before = core.counters.resetsOut;
        const answer = peer.send(fields);
        const length = fields.data + (fields.flags.match(/[SF]/g) ?? []).length;
        if (fields.flags.includes('R')) {
          expect(answer).toEqual([]);
        } else if (fields.flags.includes('.')) {
          expect(answer).toMatchObject([{ flags: 'R', seq: fields.ack, ack: 0, options: [] }]);
        } else {
          const ack = (fields.seq + length) >>> 0;
          expect(answer).toMatchObject([{ flags: 'R.', seq: 0, ack, options: [] }]);
        }
        expect(core.counters.resetsOut - before).toBe(answer.length);
      }),
      { numRuns: 150 },
    );
  });

  it('MUST-57, MUST-63: silence for what is not to us alone, or from no host, SYNs among it', () => {
    const core = newCore();
    core.listen({ port: 80, handler: new Acceptor() });
    for (const stackPort of [80, 81]) {
      const peer = new Peer(core, { family, stackPort });
      for (const addresses of STRANGE[family]) {
        for (const flags of ['S', '.', 'F.', 'S.', '', 'R']) {
          core.receivePacket(peer.packet({ ...addresses, flags, data: 10 }), SECOND);
          expect(core.takePackets(), JSON.stringify({ addresses, flags })).toEqual([]);
        }
      }
    }
    expect([...core.connections()]).toEqual([]);
    expect(core.flows.count).toBe(0);
    expect(core.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it('LISTEN: the same silence for RST and for segments without SYN or ACK (§3.10.7.2)', () => {
    const core = newCore();
    core.listen({ port: 80, handler: new Acceptor() });
    const peer = new Peer(core, { family });
    for (const flags of ['R', 'R.', 'SR', 'F', 'P', '', 'FP', 'U']) {
      expect(peer.send({ flags }), flags).toEqual([]);
    }
    expect(peer.send({ ack: 77 })).toMatchObject([{ flags: 'R', seq: 77 }]);
    expect(peer.send({ flags: 'S.', ack: 78 })).toMatchObject([{ flags: 'R', seq: 78 }]);
    expect([...core.connections()]).toEqual([]);
  });

  it('MUST-3: a wrong checksum is silence, whatever the segment', () => {
    const core = newCore();
    core.listen({ port: 80, handler: new Acceptor() });
    for (const stackPort of [80, 81]) {
      const peer = new Peer(core, { family, stackPort });
      for (const flags of ['S', '.', 'F']) {
        expect(peer.send({ flags, badChecksum: true } as SegmentFields)).toEqual([]);
      }
    }
    expect(core.counters.badChecksum).toBe(6);
  });
});

describe('packets that are no packets', () => {
  it('any bytes are dropped or answered, and never throw', () => {
    const core = newCore();
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 120 }), { maxLength: 20 }),
        fc.constantFrom(0x45, 0x46, 0x60, 0x4f, 0x00),
        (packets, first) => {
          const before = core.counters.packetsIn;
          for (const packet of packets) {
            if (packet.length > 0) packet[0] = first;
            core.receivePacket(packet, SECOND);
          }
          expect(core.counters.packetsIn - before).toBe(packets.length);
          core.takePackets();
          expect(core.arena.used).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('an empty packet, and one longer than IP allows', () => {
    const core = newCore();
    core.receivePacket(new Uint8Array(0), SECOND);
    core.receivePacket(new Uint8Array(100_000).fill(0x45), SECOND);
    expect(core.counters).toMatchObject({ packetsIn: 2, badIp: 2 });
  });

  it('a TCP segment shorter than its header is dropped', () => {
    const core = newCore();
    const whole = new Peer(core).packet({ flags: 'S' });
    for (let length = 20; length < whole.length; length++) {
      const packet = whole.slice(0, length);
      const view = new DataView(packet.buffer);
      view.setUint16(2, length);
      view.setUint16(10, 0);
      view.setUint16(10, internetChecksum(packet.subarray(0, 20)));
      core.receivePacket(packet, SECOND);
    }
    expect(core.takePackets()).toEqual([]);
    expect(core.counters.badChecksum + core.counters.badTcp).toBe(20);
  });
});
