// A stream of packets as a device; the stream is a Duplex that can be filled up.
import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { PacketStreamDevice, type PacketStreamOptions } from '../../src/device/packet-stream.js';
import { TestPort } from './port.js';

class FakeTun extends Duplex {
  readonly written: number[][] = [];
  readonly #finish: ((error?: Error | null) => void)[] = [];

  constructor() {
    super({ readableObjectMode: true, writableHighWaterMark: 100 });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.written.push([...chunk]);
    this.#finish.push(done);
  }

  /** Lets the stream finish what it was given, until nothing more is written. */
  async drain(): Promise<void> {
    for (let i = 0; i < 100; i++) {
      this.#finish.shift()?.();
      await new Promise(setImmediate);
    }
  }
}

function setUp(options?: PacketStreamOptions) {
  const stream = new FakeTun();
  const device = new PacketStreamDevice(stream, options);
  const port = new TestPort(2, 2048);
  device.attach(port);
  return { stream, device, port };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
const packet = (number: number, size = 40) => new Uint8Array(size).fill(number);

describe('a device from a packet stream', () => {
  test('makes a packet of each chunk', async () => {
    const { stream, device, port } = setUp();
    for (const n of [1, 2, 3]) stream.push(packet(n));
    await settle();
    expect(port.packets).toEqual(
      [1, 2, 3].map((n) => ({ bytes: packet(n), flags: 0, gsoSize: 0 })),
    );
    expect(device.counters).toMatchObject({ rxPackets: 3, rxBytes: 120, rxDropped: 0 });
  });

  test('makes a chunk of each packet, put together from its pieces', async () => {
    const { stream, device, port } = setUp();
    const bytes = Uint8Array.from({ length: 60 }, (_, i) => i);
    port.send(device, { bytes, headerLength: 20, firstPiece: 7 });
    expect(stream.written).toEqual([[...bytes]]);
  });

  test('a full stream: packets wait in order, and what is too much is dropped', async () => {
    const { stream, device, port } = setUp({ queueLength: 5 });
    // Of 100 bytes, two packets and the one that fills the buffer go to the stream.
    for (let n = 0; n < 10; n++) port.send(device, packet(n));
    expect(device.counters).toMatchObject({ txPackets: 3, txDropped: 2 });
    await stream.drain();
    expect(stream.written.map(([n]) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(device.counters).toMatchObject({ txPackets: 8, txBytes: 320, txDropped: 2 });
    port.send(device, packet(10));
    await stream.drain();
    expect(stream.written.length).toBe(9);
  });

  test('refuses what is longer than the MTU, ignores what is no packet', async () => {
    const { stream, device, port } = setUp({ mtu: 100 });
    port.send(device, packet(1, 101), packet(2, 100));
    stream.push('text');
    stream.push(packet(3, 2049));
    await settle();
    expect(stream.written.length).toBe(1);
    expect(device.counters).toMatchObject({ txDropped: 1, rxDropped: 2, rxPackets: 0 });
  });

  test('takes name and MTU from the stream, or as given', () => {
    const tun = Object.assign(new FakeTun(), { name: 'tun7', mtu: 1400 });
    expect(new PacketStreamDevice(tun)).toMatchObject({
      name: 'tun7',
      mtu: 1400,
      maxSegmentBytes: 1400,
      checksumOffload: false,
    });
    expect(new PacketStreamDevice(tun, { name: 'x', mtu: 99 })).toMatchObject({
      name: 'x',
      mtu: 99,
    });
    expect(new PacketStreamDevice(new FakeTun())).toMatchObject({ name: 'stream', mtu: 1500 });
  });

  test.each([
    [
      'an error',
      (stream: FakeTun) => stream.destroy(Object.assign(new Error('x'), { code: 'EIO' })),
      'EIO',
    ],
    ['its end', (stream: FakeTun) => stream.push(null), undefined],
    ['its close', (stream: FakeTun) => stream.destroy(), undefined],
  ])('is down, once, after %s', async (_, act, code) => {
    const { stream, device, port } = setUp();
    act(stream);
    await settle();
    expect(port.statuses).toEqual([code === undefined ? { up: false } : { up: false, code }]);
    port.send(device, packet(1));
    expect(device.counters.txDropped).toBe(1);
    expect(stream.written).toEqual([]);
  });

  test('close ends the stream and tells nobody, not even of a late error', async () => {
    const { stream, device, port } = setUp();
    port.send(device, packet(1), packet(2), packet(3), packet(4));
    stream.push(packet(9));
    device.close();
    device.close();
    stream.emit('error', new Error('late'));
    await settle();
    expect(stream.destroyed).toBe(true);
    expect([port.statuses, port.packets]).toEqual([[], []]);
    expect(device.counters.txDropped).toBe(1);
  });
});
