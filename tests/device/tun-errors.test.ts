// What can go wrong when a TUN device is opened: each has its own message and a way to mend it.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findAddressClash } from '../../src/device/address-clash.js';
import { DeviceError } from '../../src/device/device-error.js';
import { TunDevice, type TunOptions } from '../../src/device/tun.js';
import { Subnet } from '../../src/wire/address.js';
import { canUseNamespaces } from '../support/namespace.js';
import { Scenarios } from './children/start.js';
import { IPV4_ONLY, ping, TunFixture } from './tun-fixture.js';

// Several programs are started in some tests.
vi.setConfig({ testTimeout: 30_000 });

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`tun-errors.test.ts is skipped: ${possible.why}`);

const WITHOUT_DRIVER = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount -t tmpfs none /dev/net; exec "$@"',
  'sh',
];
const WITHOUT_RIGHTS = ['setpriv', '--bounding-set=-net_admin', '--'];

test.each<[TunOptions, string]>([
  [{ name: '' }, 'cannot be the name'],
  [{ name: 'sixteen-bytes-xx' }, 'cannot be the name'],
  [{ name: 'ünïcödé-lông' }, 'cannot be the name'],
  [{ name: 'a/b' }, 'cannot be the name'],
  [{ name: 'a b' }, 'cannot be the name'],
  [{ name: 'a:b' }, 'cannot be the name'],
  [{ name: '..' }, 'cannot be the name'],
  [{ name: 'fw%s' }, 'cannot be the name'],
  [{ name: '%d%d' }, 'cannot be the name'],
  [{ mtu: 67 }, 'The MTU is 67'],
  [{ mtu: 65_536 }, 'from 68 to 65535'],
  [{ mtu: 1500.5 }, 'The MTU is 1500.5'],
  [{ queueLength: 0 }, 'The queue length is 0'],
  [{ queue: { index: 0, count: 1 } }, 'The number of queues is 1'],
  [{ queue: { index: 0, count: 65 } }, 'from 2 to 64'],
  [{ queue: { index: 2, count: 2 } }, 'The number of the queue is 2'],
  [{ address: '10.9.0.1' }, 'write it as 10.9.0.1/24'],
  [{ address: ['10.9.0.1/24', '10.9.0.1/33'] }, "'10.9.0.1/33' is not an address"],
])('refuses %j', (options, message) => {
  expect(() => TunDevice.open(options)).toThrow(message);
  expect(() => TunDevice.open(options)).toThrow(DeviceError);
});

describe.skipIf(!possible.ok)('a TUN device that cannot be opened', () => {
  let scenarios: Scenarios;
  const fixture = new TunFixture();

  beforeAll(() => {
    scenarios = new Scenarios();
  });

  afterAll(() => scenarios.remove());

  function open(options: TunOptions = {}): TunDevice {
    return fixture.open({ ...IPV4_ONLY, ...options });
  }

  function errorOf(options: TunOptions = {}): DeviceError {
    try {
      open(options);
    } catch (error) {
      if (error instanceof DeviceError) return error;
      throw error;
    }
    throw new Error('it opened');
  }

  test('name in use by another program', () => {
    open();
    const error = errorOf();
    expect(error).toMatchObject({ code: 'EBUSY', syscall: 'TUNSETIFF' });
    expect(error.message).toBe(
      'Cannot open the TUN device fw0: another program is using an interface of that name; ' +
        'end that program or choose another name',
    );
    expect(error.hint).toBe('end that program or choose another name');
  });

  test('name of an interface of another kind', () => {
    expect(errorOf({ name: 'lo' })).toMatchObject({
      code: 'EINVAL',
      message: expect.stringContaining('exists and is no TUN device'),
    });
  });

  test('several queues of what has one, and a first one too many', async () => {
    const [first, second] = [0, 1].map((index) => ({ queue: { index, count: 2 } }));
    await fixture.namespace.ip('tuntap add fws mode tun');
    const single = errorOf({ name: 'fws', ...first });
    expect(single).toMatchObject({ code: 'EINVAL', syscall: 'TUNSETIFF' });
    expect(single.message).toContain('is no TUN device with several queues');
    expect(single.hint).toContain('ip tuntap add fws mode tun multi_queue');
    await fixture.namespace.ip('tuntap add fwm mode tun multi_queue');
    open(first);
    expect(errorOf(first)).toMatchObject({
      code: 'EBUSY',
      message: expect.stringContaining('another program is using'),
    });
    open(second);
    const persistent = { name: 'fwm', address: '10.8.0.1/24' };
    const queues = [open({ ...persistent, ...first }), open({ ...persistent, ...second })];
    expect(errorOf({ ...persistent, ...first })).toMatchObject({ code: 'EBUSY' });
    expect(errorOf(persistent)).toMatchObject({ code: 'EBUSY' });
    for (const queue of queues) queue.close();
    // One queue is enough for what could have several.
    open(persistent);
    expect(errorOf(persistent)).toMatchObject({ code: 'EBUSY' });
    await fixture.namespace.ip('link del fws');
    await fixture.namespace.ip('link del fwm');
  });

  test('no such fixture.namespace, or something else in its place', () => {
    expect(errorOf({ netns: '/run/netns/none' })).toMatchObject({
      code: 'ENOENT',
      message: expect.stringContaining('no network namespace /run/netns/none'),
    });
    expect(errorOf({ netns: '/dev/null' })).toMatchObject({ code: 'EINVAL', syscall: 'setns' });
  });

  test('no driver', async () => {
    const { result } = await scenarios.run(fixture.namespace, 'open', WITHOUT_DRIVER);
    expect(result).toMatchObject({
      name: 'DeviceError',
      code: 'ENOENT',
      syscall: 'open',
      message: expect.stringContaining('/dev/net/tun is missing'),
      hint: expect.stringContaining('modprobe tun'),
    });
  });

  test('no rights', async () => {
    const { result } = await scenarios.run(fixture.namespace, 'open', WITHOUT_RIGHTS);
    expect(result).toMatchObject({
      code: 'EPERM',
      syscall: 'TUNSETIFF',
      message: expect.stringContaining('no permission'),
      hint: expect.stringContaining('ip tuntap add fw0 mode tun user $USER'),
    });
  });

  test('a persistent interface needs no rights if it is as it should be', async () => {
    await fixture.namespace.ip('tuntap add fw0 mode tun');
    const denied = await scenarios.run(fixture.namespace, 'open', WITHOUT_RIGHTS);
    expect(denied.result).toMatchObject({ code: 'EPERM', syscall: 'SIOCSIFFLAGS' });
    await fixture.namespace.ip('link set fw0 up');
    const addressless = await scenarios.run(fixture.namespace, 'open', WITHOUT_RIGHTS);
    expect(addressless.result).toMatchObject({ code: 'EPERM', syscall: 'RTM_NEWADDR' });
    await fixture.namespace.ip('addr add 10.9.0.1/24 dev fw0');
    const { result } = await scenarios.run(fixture.namespace, 'open', WITHOUT_RIGHTS);
    expect(result).toMatchObject({ answered: true, maxSegmentBytes: 65_535 });
  });

  test('a persistent interface stays, and can be opened again', async () => {
    await fixture.namespace.ip('tuntap add fw0 mode tun');
    open({ mtu: 1400 }).close();
    open({ mtu: 1300, offload: false }).close();
    expect(JSON.parse(await fixture.namespace.ip('-j link show fw0'))[0].mtu).toBe(1300);
    expect(open().maxSegmentBytes).toBe(65_535);
  });

  test('a persistent interface is ready when it is open, however often', async () => {
    await fixture.namespace.ip('tuntap add fw0 mode tun');
    await fixture.namespace.ip('link set fw0 up');
    for (let times = 0; times < 2; times++) {
      // Who goes and comes soon is not missed: the kernel does not look at every moment.
      let seen = '';
      while (!seen.includes('NO-CARRIER')) seen = await fixture.namespace.ip('link show fw0');
      const { device, port } = fixture.openAttached(IPV4_ONLY);
      await ping(device, port); // which is asked once, and would not be answered before it is noticed
      device.close();
    }
  });

  test.each([
    ['10.9.0.1/24', 'addr add 10.9.0.1/32 dev lo', '10.9.0.1 is already an address of lo'],
    ['fd09::1/64', 'addr add fd09::1/128 dev lo', 'fd09::1 is already an address of lo'],
    ['127.0.0.7/24', 'link show', '127.0.0.7 is already an address of lo'],
    ['10.9.0.1/24', 'route add 10.9.0.0/24 dev lo', '10.9.0.0/24 leads to lo'],
    ['10.9.0.1/24', 'route add 10.9.0.128/25 dev lo', '10.9.0.128/25 leads to lo'],
    ['10.9.0.1/24', 'route add blackhole 10.9.0.9', '10.9.0.9/32 leads to nowhere'],
    ['fd09::1/64', 'route add fd09::/64 dev lo', 'fd09::/64 leads to lo'],
  ])('%s is taken: %s', async (address, command, message) => {
    await fixture.namespace.ip(command);
    const error = errorOf({ address: ['10.77.0.1/24', address] });
    expect(error).toMatchObject({ code: 'EADDRINUSE', hint: expect.stringContaining('another') });
    expect(error.message).toContain(message);
    await expect(fixture.namespace.ip('link show fw0')).rejects.toThrow('does not exist');
  });

  test('the same address on two devices', () => {
    open();
    expect(errorOf({ name: 'fw1' }).message).toContain('10.9.0.1 is already an address of fw0');
  });

  test('a network inside of one that leads elsewhere is worth a warning', async () => {
    await fixture.namespace.ip('route add 10.0.0.0/8 dev lo');
    await fixture.namespace.ip('route add default dev lo');
    expect(open().warnings).toEqual(['10.9.0.1/24 hides a part of 10.0.0.0/8, which leads to lo']);
  });

  test('clashes can be looked for beforehand', async () => {
    await fixture.namespace.ip('addr add 10.9.0.1/32 dev lo');
    await fixture.namespace.ip('route add fd00::/8 dev lo');
    const subnets = ['10.9.0.1/24', '10.9.0.2/24', '10.8.0.1/24', 'fd09::1/64'];
    const clashes = findAddressClash(
      subnets.map((text) => Subnet.parse(text)!),
      fixture.namespace.path,
    );
    expect(clashes.map(({ subnet, existing, kind }) => `${subnet} ${kind} ${existing}`)).toEqual([
      '10.9.0.1/24 address 10.9.0.1/32',
      '10.9.0.2/24 route 10.9.0.1/32',
      'fd09::1/64 hides fd00::/8',
    ]);
  });

  test('IPv6 is left out where it is disabled, or does not fit', async () => {
    const address = ['10.9.0.1/24', 'fd09::1/64'];
    const [small] = [open({ address, mtu: 1279 })];
    expect(small!.warnings).toEqual(['No IPv6: it needs an MTU of at least 1280 bytes']);
    expect(small!.addresses.map(String)).toEqual(['10.9.0.1/24']);
    small!.close();
    const disable = 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6';
    expect((await fixture.namespace.exec('sh', ['-c', disable])).code).toBe(0);
    const device = open({ address });
    expect(device.warnings).toEqual([
      'No fd09::1/64: IPv6 is disabled in this kernel or namespace',
    ]);
    expect(device.addresses.map(String)).toEqual(['10.9.0.1/24']);
  });
});
