// The TUN device against the kernel, in namespaces of its own.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TunDevice, type TunOptions } from '../../src/device/tun.js';
import { canUseNamespaces, Namespace } from '../support/namespace.js';
import { echoRequest, IPV4_ECHO_REPLY, IPV6_ECHO_REPLY } from './packets.js';
import { TestPort } from './port.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`tun.test.ts is skipped: ${possible.why}`);

describe.skipIf(!possible.ok)('a TUN device', () => {
  let namespace: Namespace;
  let open: TunDevice[] = [];

  beforeEach(async () => {
    namespace = await Namespace.create();
  });

  afterEach(async () => {
    for (const device of open) device.close();
    open = [];
    await namespace.close();
  });

  function openDevice(options: TunOptions = {}): TunDevice {
    const device = TunDevice.open({ netns: namespace.path, ...options });
    open.push(device);
    device.ref();
    return device;
  }

  async function until(done: () => boolean): Promise<void> {
    for (let i = 0; i < 200 && !done(); i++) await sleep(5);
    expect(done()).toBe(true);
  }

  test('is configured as asked', async () => {
    const device = openDevice({ name: 'fwa', mtu: 1400, queueLength: 77 });
    const [link] = JSON.parse(await namespace.ip('-j addr show dev fwa'));
    expect(link).toMatchObject({ ifname: 'fwa', mtu: 1400, txqlen: 77 });
    expect(link.flags).toContain('UP');
    const addresses = link.addr_info.map((a: { local: string; prefixlen: number }) => [
      a.local,
      a.prefixlen,
    ]);
    expect(addresses).toEqual([
      ['10.9.0.1', 24],
      ['fd09::1', 64],
    ]);
    expect(link.addr_info[1].tentative).toBeUndefined();
    expect(device).toMatchObject({ name: 'fwa', mtu: 1400, checksumOffload: true, warnings: [] });
    expect(device.offload).toEqual({ checksum: true, tso4: true, tso6: true });
    expect(device.maxSegmentBytes).toBe(65_535);
    expect(device.addresses.map(String)).toEqual(['10.9.0.1/24', 'fd09::1/64']);
  });

  test.each([
    ['IPv4', '10.9.0.2', '10.9.0.1', IPV4_ECHO_REPLY],
    ['IPv6', 'fd09::2', 'fd09::1', IPV6_ECHO_REPLY],
  ])('carries packets both ways: %s echo', async (_, from, to, isReply) => {
    const device = openDevice();
    const port = new TestPort();
    device.attach(port);
    const request = echoRequest(from, to, 'is anybody there?');
    port.send(device, { bytes: request, headerLength: 48, firstPiece: 5 });
    await until(() => port.packets.some((packet) => isReply(packet.bytes)));
    const reply = port.packets.find((packet) => isReply(packet.bytes))!;
    expect(Buffer.from(reply.bytes).toString('latin1')).toContain('is anybody there?');
    expect(device.counters).toMatchObject({ txPackets: 1, txBytes: request.length, txDropped: 0 });
    expect(device.counters.rxPackets).toBe(port.packets.length);
  });

  test('does not leak descriptors', () => {
    const count = () => readdirSync('/proc/self/fd').length;
    openDevice().close();
    const before = count();
    for (let i = 0; i < 100; i++) {
      const device = TunDevice.open({ netns: namespace.path });
      if (i % 2 === 0) device.attach(new TestPort(1, 2048, 1));
      device.close();
      device.close();
    }
    expect(count()).toBe(before);
  });
});
