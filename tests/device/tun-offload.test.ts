// What the kernel does for a TUN device: partial checksums and super-segments, both ways.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { RX_CHECKSUM_TRUSTED } from '../../src/stack/device.js';
import { canUseNamespaces } from '../support/namespace.js';
import { plainChecksum, pseudoHeader, tcpPacket } from './packets.js';
import type { Received, TestPort } from './port.js';
import { IPV4_ONLY, KERNEL, ping, TunFixture, US, until } from './tun-fixture.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`tun-offload.test.ts is skipped: ${possible.why}`);

const [UDP, TCP] = [17, 6];

const isUdp = ({ bytes }: Received) => bytes[0] === 0x45 && bytes[9] === UDP;
const isReset = ({ bytes }: Received) => {
  const header = bytes[0]! >> 4 === 4 ? 20 : 40;
  return bytes[header === 20 ? 9 : 6] === TCP && (bytes[header + 13]! & 4) !== 0;
};

describe.skipIf(!possible.ok)('the offload of a TUN device', () => {
  const fixture = new TunFixture();

  test('receives what programs send, with checksums still partial', async () => {
    const { port } = fixture.openAttached(IPV4_ONLY);
    await fixture.namespace.exec('bash', ['-c', `printf hello > /dev/udp/${US}/9`]);
    await until(() => port.packets.some(isUdp));
    const { bytes, flags, gsoSize } = port.packets.find(isUdp)!;
    expect(Buffer.from(bytes.subarray(28)).toString()).toBe('hello');
    expect([flags, gsoSize]).toEqual([RX_CHECKSUM_TRUSTED, 0]);
    const pseudo = pseudoHeader(KERNEL, US, UDP, 13);
    expect(plainChecksum(pseudo, bytes.subarray(20))).not.toBe(0);
  });

  test('without offload every packet is complete', async () => {
    const { device, port } = fixture.openAttached({ ...IPV4_ONLY, offload: false });
    expect(device).toMatchObject({ checksumOffload: false, maxSegmentBytes: 1500, warnings: [] });
    expect(device.offload).toEqual({ checksum: false, tso4: false, tso6: false });
    await fixture.namespace.exec('bash', ['-c', `printf hello > /dev/udp/${US}/9`]);
    await until(() => port.packets.some(isUdp));
    const { bytes, flags } = port.packets.find(isUdp)!;
    expect(flags).toBe(0);
    expect(plainChecksum(pseudoHeader(KERNEL, US, UDP, 13), bytes.subarray(20))).toBe(0);
    await ping(device, port);
    const partial = tcpPacket({ from: US, to: KERNEL, partial: true });
    port.send(device, { bytes: partial, checksumStart: 20 }, { bytes: partial, gsoSize: 10 });
    expect(device.counters.txDropped).toBe(2);
  });

  test.each([
    ['IPv4', US, KERNEL],
    ['IPv6', 'fd09::2', 'fd09::1'],
  ])('the kernel completes checksums and takes super-segments: %s', async (_, from, to) => {
    const { device, port } = fixture.openAttached();
    const header = from === US ? 40 : 60;
    // To a closed port and without an ACK: the RST acknowledges as much as has arrived.
    const probe = async (length: number, gsoSize: number, partial: boolean) => {
      const payload = new Uint8Array(length).fill(length);
      const bytes = tcpPacket({ from, to, payload, seq: 1000, flags: 8, partial });
      const before = port.packets.length;
      port.send(device, {
        bytes,
        headerLength: header,
        firstPiece: length >> 1,
        gsoSize,
        checksumStart: header - 20,
      });
      await until(() => port.packets.slice(before).some(isReset));
      const reset = port.packets.slice(before).find(isReset)!;
      return Buffer.from(reset.bytes).readUInt32BE(header - 20 + 8);
    };
    expect(await probe(1000, 0, true)).toBe(2000);
    expect(await probe(30_001, 1400, true)).toBe(31_001);
    expect(device.counters).toMatchObject({ txPackets: 2, txDropped: 0 });
    const damaged = tcpPacket({ from, to, flags: 8, payload: new Uint8Array(10) });
    damaged[damaged.length - 1] = 1;
    port.packets.length = 0;
    port.send(device, damaged);
    await sleep(50);
    expect(port.packets.some(isReset)).toBe(false);
  });

  test.each([
    ['IPv4', '10.9.1.2', '10.9.2.2', '10.9.3.2'],
    ['IPv6', 'fd09:1::2', 'fd09:2::2', 'fd09:3::2'],
  ])('super-segments cross the kernel, whole or cut: %s', async (family, from, plain, able) => {
    const forward =
      'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding';
    await fixture.namespace.exec('sh', ['-c', forward]);
    const [sender, cutter, taker] = [1, 2, 3].map((i) =>
      fixture.openAttached({
        name: `fw${i}`,
        address: [`10.9.${i}.1/24`, `fd09:${i}::1/64`],
        offload: i !== 2,
      }),
    );
    const header = family === 'IPv4' ? 40 : 60;
    const payload = Uint8Array.from({ length: 10_000 }, (_, i) => i * 7 + (i >> 8));
    const cross = async (to: string, port: TestPort, count: number) => {
      const fields = { from, to, payload, seq: -5000, flags: 0x19 };
      sender!.port.send(sender!.device, {
        bytes: tcpPacket({ ...fields, partial: true }),
        headerLength: header,
        firstPiece: 4321,
        gsoSize: 1300,
        checksumStart: header - 20,
      });
      const isOurs = ({ bytes }: Received) => bytes.length > header && bytes[header - 20 + 1] === 7;
      await until(() => port.packets.filter(isOurs).length >= count);
      const packets = port.packets.filter(isOurs);
      const received = Buffer.concat(packets.map(({ bytes }) => bytes.subarray(header)));
      expect(received).toEqual(Buffer.from(payload));
      return packets;
    };
    const [whole] = await cross(able, taker!.port, 1);
    expect(whole).toMatchObject({ gsoSize: 1300, flags: RX_CHECKSUM_TRUSTED });
    const cut = await cross(plain, cutter!.port, 8);
    expect(cut.map(({ bytes }) => bytes.length - header)).toEqual([
      ...new Array(7).fill(1300),
      900,
    ]);
    for (const { bytes, gsoSize, flags } of cut) {
      const pseudo = pseudoHeader(from, plain, TCP, bytes.length - header + 20);
      expect(plainChecksum(pseudo, bytes.subarray(header - 20))).toBe(0);
      expect([gsoSize, flags]).toEqual([0, 0]);
    }
  });
});
