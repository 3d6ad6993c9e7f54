// Impairments in front of a device; the device is one end of a perfect memory link.
import { describe, expect, test } from 'vitest';
import { type ImpairOptions, impair } from '../../src/device/impaired.js';
import { MemoryLink } from '../../src/device/link.js';
import { withSoftwareOffload } from '../../src/device/offload.js';
import { Simulation } from '../../src/device/virtual-clock.js';
import { RX_CHECKSUM_TRUSTED } from '../../src/stack/device.js';
import { tcpPacket } from './packets.js';
import { TestPort } from './port.js';

function setUp(options: ImpairOptions) {
  const simulation = new Simulation();
  const link = new MemoryLink(simulation.clock());
  const device = impair(link.a, options, simulation.clock());
  const [a, b] = [new TestPort(4), new TestPort(4)];
  device.attach(a);
  link.b.attach(b);
  return { simulation, link, device, a, b };
}

function numbered(number: number, size = 40): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32BE(number, 20);
  return bytes;
}

const numbersIn = (port: TestPort) =>
  port.packets.map(({ bytes }) => Buffer.from(bytes).readUInt32BE(20));

describe('an impaired device', () => {
  test('delays each direction by its own time', () => {
    const { simulation, device, link, a, b } = setUp({ in: { delay: 100 }, out: { delay: 30 } });
    const arrivals: string[] = [];
    a.onReceive = () => arrivals.push(`in ${simulation.now}`);
    b.onReceive = () => arrivals.push(`out ${simulation.now}`);
    a.send(device, numbered(1));
    b.send(link.b, numbered(2));
    simulation.run();
    expect(arrivals).toEqual(['out 30', 'in 100']);
    expect([numbersIn(b), numbersIn(a)]).toEqual([[1], [2]]);
  });

  test('carries more packets than fit a batch, in order', () => {
    const { simulation, device, link, a, b } = setUp({});
    const many = Array.from({ length: 40 }, (_, i) => numbered(i, 40 + i));
    a.send(device, ...many);
    b.send(link.b, ...many);
    simulation.run();
    for (const port of [a, b]) {
      expect(port.packets.map(({ bytes }) => bytes)).toEqual(many.map((m) => new Uint8Array(m)));
    }
    expect(device.counters).toMatchObject({ txPackets: 40, rxPackets: 40, txDropped: 0 });
    expect(device.counters.txBytes).toBe(device.counters.rxBytes);
  });

  test('loses as it is told, also while it runs', () => {
    const { simulation, device, link, a, b } = setUp({ in: { loss: 1 } });
    b.send(link.b, numbered(0));
    simulation.run();
    device.in.settings.loss = 0;
    device.out.settings.blackout = true;
    b.send(link.b, numbered(1));
    a.send(device, numbered(2));
    simulation.run();
    expect([numbersIn(a), numbersIn(b)]).toEqual([[1], []]);
  });

  test('takes no super-segments and no partial checksums unless it is told to', () => {
    const { device, a, b, simulation } = setUp({});
    expect(device).toMatchObject({ checksumOffload: false, maxSegmentBytes: 1500, mtu: 1500 });
    a.send(device, numbered(1, 1501));
    simulation.run();
    expect(b.packets).toEqual([]);
    expect(device.counters.txDropped).toBe(1);
  });

  test('lets super-segments through whole, both ways', () => {
    const { simulation, device, link, a, b } = setUp({ superSegments: true, out: { delay: 5 } });
    expect(device).toMatchObject({ checksumOffload: true, maxSegmentBytes: 65_535 });
    const addresses = { from: 'fd09::2', to: 'fd09::1' };
    const bytes = tcpPacket({ ...addresses, payload: new Uint8Array(5000).fill(3), partial: true });
    const packet = { bytes, headerLength: 60, firstPiece: 10, gsoSize: 1000, checksumStart: 40 };
    a.send(device, packet);
    b.send(link.b, packet);
    simulation.run();
    const expected = [{ bytes: new Uint8Array(bytes), gsoSize: 1000, flags: RX_CHECKSUM_TRUSTED }];
    expect(a.packets).toEqual(expected);
    expect(b.packets).toEqual(expected);
  });

  test('leaves super-segments such that they can be cut behind it', () => {
    const simulation = new Simulation();
    const options = { checksumOffload: false, maxSegmentBytes: 1500 };
    const link = new MemoryLink(simulation.clock(), options);
    const inner = withSoftwareOffload(link.a);
    const device = impair(inner, { superSegments: true, out: { delay: 5 } }, simulation.clock());
    const [a, b] = [new TestPort(), new TestPort()];
    device.attach(a);
    link.b.attach(b);
    const fields = { from: '10.9.0.2', to: '10.9.0.1', payload: new Uint8Array(2500).fill(9) };
    const bytes = tcpPacket({ ...fields, options: new Uint8Array(4).fill(1), partial: true });
    a.send(device, { bytes, headerLength: 44, gsoSize: 1000, checksumStart: 20 });
    simulation.run();
    expect(b.packets.map((packet) => packet.bytes.length)).toEqual([1044, 1044, 544]);
  });

  test('damage to what was trusted shows', () => {
    const { simulation, link, a, b } = setUp({ in: { corrupt: 1 } });
    const addresses = { from: '10.9.0.1', to: '10.9.0.2', payload: new Uint8Array(100) };
    const packet = { bytes: tcpPacket({ ...addresses, partial: true }), checksumStart: 20 };
    b.send(link.b, packet);
    simulation.run();
    const intact = tcpPacket(addresses);
    expect(a.packets[0]!.flags).toBe(0);
    expect(intact.filter((byte, i) => byte !== a.packets[0]!.bytes[i]).length).toBe(1);
  });

  test('closes the device, and hands over nothing afterwards', () => {
    const { simulation, device, link, a, b } = setUp({ in: { delay: 100 } });
    b.send(link.b, numbered(0));
    simulation.run(50);
    device.close();
    device.close();
    expect(simulation.next).toBe(Number.POSITIVE_INFINITY);
    b.send(link.b, numbered(1));
    a.send(device, numbered(2));
    simulation.run();
    expect([a.packets, b.packets]).toEqual([[], []]);
  });
});
