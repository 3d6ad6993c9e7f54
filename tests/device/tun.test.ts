// The TUN device against the kernel, in a namespace of its own.
import { once } from 'node:events';
import { openSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { native, type Route } from '../../src/device/native.js';
import { TunDevice } from '../../src/device/tun.js';
import { canUseNamespaces } from '../support/namespace.js';
import { echoRequest, IPV4_ECHO_REPLY, IPV6_ECHO_REPLY, tcpPacket } from './packets.js';
import { attachNative, TestPort } from './port.js';
import { IPV4_ONLY, KERNEL, ping, TunFixture, US, until } from './tun-fixture.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`tun.test.ts is skipped: ${possible.why}`);

describe.skipIf(!possible.ok)('a TUN device', () => {
  const fixture = new TunFixture();

  test('is configured as asked', async () => {
    const device = fixture.open({ name: 'fwa', mtu: 1400, queueLength: 77 });
    const [link] = JSON.parse(await fixture.namespace.ip('-j addr show dev fwa'));
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
    expect(link.addr_info[1]).toMatchObject({ nodad: true });
    expect(link.addr_info[1].tentative).toBeUndefined();
    expect(device).toMatchObject({ name: 'fwa', mtu: 1400, checksumOffload: true, warnings: [] });
    expect(device.offload).toEqual({ checksum: true, tso4: true, tso6: true });
    expect(device.maxSegmentBytes).toBe(65_535);
    expect(device.addresses.map(String)).toEqual(['10.9.0.1/24', 'fd09::1/64']);
  });

  test('comes back to its own namespace, also after an error', () => {
    const own = readlinkSync('/proc/thread-self/ns/net');
    fixture.open();
    expect(() => fixture.open()).toThrow();
    expect(() => fixture.open({ netns: '/proc/self/ns/mnt' })).toThrow(
      'is not a network namespace',
    );
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(own);
  });

  test.each([
    ['IPv4', '10.9.0.2', '10.9.0.1', IPV4_ECHO_REPLY],
    ['IPv6', 'fd09::2', 'fd09::1', IPV6_ECHO_REPLY],
  ])('carries packets both ways: %s echo', async (_, from, to, isReply) => {
    const { device, port } = fixture.openAttached();
    const request = echoRequest(from, to, 'is anybody there?');
    port.send(device, { bytes: request, headerLength: 48, firstPiece: 5 });
    await until(() => port.packets.some((packet) => isReply(packet.bytes)));
    const reply = port.packets.find((packet) => isReply(packet.bytes))!;
    expect(Buffer.from(reply.bytes).toString('latin1')).toContain('is anybody there?');
    expect(device.counters).toMatchObject({ txPackets: 1, txBytes: request.length, txDropped: 0 });
    expect(device.counters.rxPackets).toBe(port.packets.length);
    const received = port.packets.reduce((sum, packet) => sum + packet.bytes.length, 0);
    expect(device.counters.rxBytes).toBe(received);
  });

  test('its IPv6 address is ready when it is open', () => {
    for (let i = 0; i < 20; i++) {
      const device = fixture.open();
      // rtnetlink(7): type 2 is RTN_LOCAL.
      const isReady = (route: Route) => route.destination === 'fd09::1' && route.type === 2;
      expect(native().routes(fixture.namespace.path).some(isReady)).toBe(true);
      device.close();
    }
  });

  test('reads in batches, however few slots there are', async () => {
    const { device, port } = fixture.openAttached(IPV4_ONLY, new TestPort(3, 2048));
    const requests = Array.from({ length: 50 }, (_, i) => echoRequest(US, KERNEL, `number ${i}`));
    port.send(device, ...requests);
    const replies = () => port.packets.filter(({ bytes }) => IPV4_ECHO_REPLY(bytes));
    await until(() => replies().length === 50);
    const texts = replies().map(({ bytes }) => Buffer.from(bytes.subarray(28)).toString());
    expect(texts).toEqual(requests.map((_, i) => `number ${i}`));
    expect(Math.max(...port.batches)).toBe(3);
  });

  test('drops what does not fit its slot', async () => {
    const { device, port } = fixture.openAttached(IPV4_ONLY, new TestPort(2, 100));
    port.send(device, echoRequest(US, KERNEL, 'x'.repeat(73)), echoRequest(US, KERNEL, 'fits'));
    await until(() => port.packets.length === 1);
    expect(device.counters).toMatchObject({ rxPackets: 1, rxDropped: 1, txPackets: 2 });
  });

  test('drops descriptors that make no sense', async () => {
    const { device, port } = fixture.openAttached(IPV4_ONLY);
    const good = echoRequest(US, KERNEL, 'good');
    const segment = tcpPacket({ from: US, to: KERNEL, partial: true });
    const end = port.memory.byteLength;
    const bad: [word: number, value: number][] = [
      [0, -1],
      [0, end],
      [0, end - 1],
      [0, 0x7fffffff],
      [1, 0],
      [1, -1],
      [1, end],
      [1, 0x7fffffff],
      [3, 0x7fffffff],
      [3, -5],
      [5, end + 1],
      [5, -0x80000000],
      [6, 1000],
      [7, 41],
      [7, 21],
      [7, -1],
    ];
    for (const [word, value] of bad) {
      port.describe(0, { bytes: segment });
      port.tx[word] = value;
      device.transmit(1);
    }
    port.describe(0, { bytes: segment, gsoSize: 65_536, checksumStart: 20 });
    device.transmit(1);
    // A packet that would be good, but for its last byte, which is not there.
    new Uint8Array(port.memory).set(good.subarray(0, -1), end - good.length + 1);
    port.describe(0, { bytes: good });
    port.tx[0] = end - good.length + 1;
    device.transmit(1);
    expect(device.counters).toMatchObject({ txPackets: 0, txDropped: bad.length + 2 });
    // More descriptors than the table has, and fewer than none.
    for (let i = 0; i < 64; i++) port.describe(i, { bytes: good });
    device.transmit(1_000_000);
    device.transmit(-1);
    expect(device.counters.txPackets).toBe(64);
    // What the kernel refuses is dropped too, and what comes after it is sent.
    port.send(device, new Uint8Array(60).fill(0x10), good);
    expect(device.counters).toMatchObject({ txPackets: 65, txDropped: bad.length + 3 });
  });

  test('refuses slots outside of the memory, and a second port', () => {
    const device = fixture.open();
    for (const slot of [-1, 17 * 65_536, 16 * 65_536 - 1]) {
      const port = new TestPort(16, 65_536, 0);
      port.rxSlots[7] = slot;
      expect(() => device.attach(port)).toThrow(TypeError);
    }
    device.attach(new TestPort());
    expect(() => device.attach(new TestPort())).toThrow(TypeError);
    device.close();
    expect(() => device.attach(new TestPort())).toThrow(TypeError);
  });

  test.each([0, 1000])('with %i µs to spin: sleeps when nothing comes', async (spin) => {
    const { device, port } = fixture.openAttached({ ...IPV4_ONLY, spin });
    let left = 500;
    port.onReceive = () => {
      if (left-- > 0) port.send(device, echoRequest(US, KERNEL, 'again'));
    };
    await ping(device, port);
    await until(() => left < 0);
    port.onReceive = null;
    // The kernel answers at once: hardly any answer needs the thread to be woken.
    expect(device.counters.rxWakeups).toBeLessThan(100);
    const before = process.cpuUsage();
    await sleep(200);
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(100_000);
  });

  test.each([-1, 1001, 0.5])('does not spin for %s µs', (spin) => {
    expect(() => fixture.open({ spin })).toThrow(/The time to spin is/);
  });

  test('refuses descriptors that cannot be waited for', () => {
    const port = new TestPort();
    const handle = native().adopt(openSync('/dev/null', 'r+'));
    const attach = () => attachNative(handle, port);
    expect(attach).toThrow(expect.objectContaining({ code: 'EPERM', syscall: 'uv_poll_init' }));
    expect(attach).toThrow(TypeError);
  });

  test('tells when the interface goes down and comes up, and works again', async () => {
    const { device, port } = fixture.openAttached(IPV4_ONLY);
    const told: boolean[] = [];
    device.onstatus = (up) => told.push(up);
    await ping(device, port);
    await fixture.namespace.ip('link set fw0 down');
    // Whether or not we have been told: nothing can be sent.
    port.send(device, echoRequest(US, KERNEL, 'lost'));
    await until(() => port.statuses.length === 1);
    port.send(device, echoRequest(US, KERNEL, 'lost'));
    expect(device.counters).toMatchObject({ txPackets: 1, txDropped: 2 });
    const before = performance.eventLoopUtilization();
    await sleep(100);
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
    await fixture.namespace.ip('link set fw0 up');
    await until(() => port.statuses.length === 2);
    await ping(device, port, 'again');
    expect(port.statuses).toEqual([{ up: false, code: 'ENETDOWN' }, { up: true }]);
    expect(told).toEqual([false, true]);
  });

  test('knows its interface by any name', async () => {
    const { device, port } = fixture.openAttached(IPV4_ONLY);
    await fixture.namespace.ip('link set fw0 down');
    await fixture.namespace.ip('link set fw0 name other');
    await fixture.namespace.ip('link set other up');
    await until(() => port.statuses.length === 2);
    await ping(device, port);
  });

  test('tells once when the interface is deleted, and stays quiet', async () => {
    const { device, port } = fixture.openAttached(IPV4_ONLY);
    await fixture.namespace.ip('link delete fw0');
    await until(() => port.statuses.length === 1);
    expect(port.statuses).toEqual([{ up: false, code: 'EBADFD' }]);
    port.send(device, echoRequest(US, KERNEL, 'lost'));
    const before = performance.eventLoopUtilization();
    await sleep(100);
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
    expect(device.counters).toMatchObject({ txPackets: 0, txDropped: 1 });
    expect(port.statuses.length).toBe(1);
    device.close();
    const next = fixture.openAttached(IPV4_ONLY);
    await ping(next.device, next.port);
  });

  test('several devices do not meet', async () => {
    const all = [1, 2, 3].map((i) =>
      fixture.openAttached({ name: 'fw%d', address: `10.9.${i}.1/24`, mtu: 1400 + i }),
    );
    expect(all.map(({ device }) => device.name)).toEqual(['fw0', 'fw1', 'fw2']);
    for (const [i, { device, port }] of all.entries()) {
      port.send(device, echoRequest(`10.9.${i + 1}.2`, `10.9.${i + 1}.1`, `device ${i}`));
    }
    await until(() => all.every(({ port }) => port.packets.length > 0));
    for (const [i, { port }] of all.entries()) {
      const texts = port.packets
        .filter(({ bytes }) => IPV4_ECHO_REPLY(bytes))
        .map(({ bytes }) => Buffer.from(bytes.subarray(28)).toString());
      expect(texts).toEqual([`device ${i}`]);
    }
  });

  test('may be closed by whoever it hands packets to', async () => {
    const { device, port } = fixture.openAttached(IPV4_ONLY, new TestPort(1, 2048));
    port.onReceive = () => device.close();
    const request = echoRequest(US, KERNEL, 'once');
    port.send(device, request, request, request);
    await until(() => port.packets.length > 0);
    await sleep(20);
    expect(port.packets.length).toBe(1);
    expect(device.counters).toMatchObject({ rxPackets: 1, rxDropped: 0 });
    port.send(device, request);
    expect(port.statuses).toEqual([]);
  });

  test('leaves nothing behind when it is closed', async () => {
    const { device } = fixture.openAttached();
    device.close();
    expect(await fixture.namespace.ip('-j link show type tun')).toMatch(/^\[[\s{},]*\]\s*$/);
    const count = () => readdirSync('/proc/self/fd').length;
    const before = count();
    for (let i = 0; i < 100; i++) {
      const again = TunDevice.open({ netns: fixture.namespace.path, ...IPV4_ONLY });
      if (i % 2 === 0) again.attach(new TestPort(1, 2048, 1));
      again.close();
      again.close();
      expect(() => TunDevice.open({ netns: fixture.namespace.path, name: 'lo' })).toThrow(
        'is no TUN device',
      );
      const multicast = { netns: fixture.namespace.path, address: 'ff02::1/64' };
      if (i % 10 === 0) expect(() => TunDevice.open(multicast)).toThrow('refused the address');
    }
    expect(count()).toBe(before);
  });

  test('works in several threads, however they end', async () => {
    const threads = ['idle', 'close', 'stay', 'exit'].map(async (end, i) => {
      const network = `10.9.${i}`;
      const workerData = {
        end,
        name: `fw${i}`,
        netns: fixture.namespace.path,
        address: `${network}.1/24`,
        request: echoRequest(`${network}.2`, `${network}.1`, end),
      };
      const worker = new Worker(new URL('./children/thread.mjs', import.meta.url), {
        workerData,
        execArgv: [],
      });
      const exited = once(worker, 'exit');
      const [message] = await once(worker, 'message');
      if (end === 'stay') await worker.terminate();
      await exited;
      return message;
    });
    expect(await Promise.all(threads)).toEqual(new Array(4).fill('answered'));
    // Their interfaces are gone with them.
    for (let i = 0; i < 4; i++) fixture.open({ name: `fw${i}`, address: `10.9.${i}.1/24` });
  });
});
