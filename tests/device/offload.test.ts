// Segmentation and checksums in software, against segments that are built one by one.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryLink } from '../../src/device/link.js';
import { SoftwareOffload, withSoftwareOffload } from '../../src/device/offload.js';
import { Random } from '../../src/device/random.js';
import { Simulation } from '../../src/device/virtual-clock.js';
import { type TcpFields, tcpPacket } from './packets.js';
import { type Outgoing, TestPort } from './port.js';

const MTU = 1500;
const NO_OFFLOAD = { mtu: MTU, checksumOffload: false, maxSegmentBytes: MTU };
const [FIN, PSH, ACK, CWR] = [1, 8, 16, 128];

function setUp() {
  const simulation = new Simulation();
  const link = new MemoryLink(simulation.clock(), NO_OFFLOAD);
  const device = new SoftwareOffload(link.a);
  const [a, b] = [new TestPort(), new TestPort()];
  device.attach(a);
  link.b.attach(b);
  const send = (...packets: Outgoing[]): Uint8Array[] => {
    const before = b.packets.length;
    a.send(device, ...packets);
    simulation.run();
    return b.packets.slice(before).map(({ bytes }) => bytes);
  };
  return { simulation, link, device, a, b, send };
}

/** The segments that a super-segment stands for. */
function segmentsOf(fields: TcpFields & { payload: Uint8Array }, gsoSize: number): Uint8Array[] {
  const { payload, seq = 0, flags = ACK, identification = 0 } = fields;
  const segments: Uint8Array[] = [];
  for (let from = 0; from < payload.length; from += gsoSize) {
    const last = from + gsoSize >= payload.length;
    const segment = tcpPacket({
      ...fields,
      payload: payload.subarray(from, from + gsoSize),
      seq: seq + from,
      identification: identification + segments.length,
      flags: flags & (last ? 255 : ~(FIN | PSH)) & (from === 0 ? 255 : ~CWR),
    });
    segments.push(new Uint8Array(segment));
  }
  return segments;
}

/** Bytes that look random; generating them one by one would take most of the time. */
const payloads = (length: number) =>
  fc.integer().map((seed) => {
    const random = new Random(seed);
    return Uint8Array.from({ length }, () => random.below(256));
  });

const anyFields = fc
  .record({
    ipv6: fc.boolean(),
    payload: fc.integer({ min: 1, max: 5000 }).chain(payloads),
    seq: fc.oneof(fc.integer(), fc.integer({ min: -5000, max: 0 })),
    identification: fc.oneof(fc.nat(65_535), fc.integer({ min: 65_530, max: 65_535 })),
    flags: fc.nat(255),
    options: fc.constantFrom(new Uint8Array(0), new Uint8Array(12).fill(1)),
  })
  .map(({ ipv6, ...fields }) => ({
    ...fields,
    from: ipv6 ? 'fd09::2' : '10.9.0.2',
    to: ipv6 ? 'fd09::1' : '10.9.0.1',
  }));

function headerLength({ from, options }: TcpFields): number {
  return (from.includes(':') ? 40 : 20) + 20 + (options?.length ?? 0);
}

describe('software offload', () => {
  test('cuts a super-segment into the segments that it stands for', () => {
    const { send, device } = setUp();
    fc.assert(
      fc.property(
        anyFields,
        fc.integer({ min: 1, max: 1428 }),
        fc.nat(5000),
        (fields, size, cut) => {
          fc.pre(fields.payload.length / size < 100);
          const header = headerLength(fields);
          const sent = {
            bytes: tcpPacket({ ...fields, partial: true }),
            headerLength: header,
            firstPiece: Math.min(cut, fields.payload.length),
            gsoSize: size,
            checksumStart: fields.from.includes(':') ? 40 : 20,
          };
          expect(send(sent)).toEqual(segmentsOf(fields, size));
        },
      ),
    );
    expect(device.counters.txDropped).toBe(0);
  });

  test('completes the checksum of an ordinary segment, and leaves a complete one alone', () => {
    const { send } = setUp();
    fc.assert(
      fc.property(anyFields, fc.nat(1400), (given, cut) => {
        const fields = { ...given, payload: given.payload.subarray(0, 1400) };
        const complete = tcpPacket(fields);
        const sent = {
          bytes: tcpPacket({ ...fields, partial: true }),
          headerLength: headerLength(fields),
          firstPiece: Math.min(cut, fields.payload.length),
          checksumStart: fields.from.includes(':') ? 40 : 20,
        };
        expect(send(sent, { bytes: complete })).toEqual([
          new Uint8Array(complete),
          new Uint8Array(complete),
        ]);
      }),
    );
  });

  test('counts packets as they were handed to it', () => {
    const { send, device, link, a, b } = setUp();
    const payload = new Uint8Array(3000).fill(7);
    const bytes = tcpPacket({ from: '10.9.0.2', to: '10.9.0.1', payload, partial: true });
    const whole = { bytes, headerLength: 40, gsoSize: 1000, checksumStart: 20 };
    // Segments of more than the MTU are refused by the device.
    expect(send(whole, { ...whole, gsoSize: 2000 }).length).toBe(4);
    expect(device.counters).toMatchObject({ txPackets: 1, txBytes: 3040, txDropped: 1 });
    b.send(link.b, tcpPacket({ from: '10.9.0.1', to: '10.9.0.2' }));
    send();
    expect(device.counters).toMatchObject({ rxPackets: 1, rxBytes: 40, rxDropped: 0 });
    expect(a.packets.length).toBe(1);
  });

  test('is put only before devices that need it', () => {
    const able = new MemoryLink(new Simulation().clock());
    expect(withSoftwareOffload(able.a)).toBe(able.a);
    for (const options of [{ checksumOffload: false }, { maxSegmentBytes: MTU }]) {
      const link = new MemoryLink(new Simulation().clock(), options);
      const device = withSoftwareOffload(link.a);
      expect(device).toBeInstanceOf(SoftwareOffload);
      expect(device).toMatchObject({ mtu: MTU, checksumOffload: true, maxSegmentBytes: 65_535 });
      expect(device.name).toBe('a');
    }
  });
});
