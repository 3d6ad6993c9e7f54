// What happens to the link while connections are open: the interface goes down and comes back, and a
// narrower link lies behind the kernel.
import { afterEach, describe, expect, test } from 'vitest';
import { describeKernel, FAMILIES, type Family, IPV4, until } from '../support/kernel.js';
import { digestOf } from '../support/kernel-bytes.mjs';
import { KernelPlace } from '../support/kernel-place.js';
import { KernelPeer } from '../support/kernel-socket.js';
import type { User } from '../support/kernel-user.js';
import { Namespace } from '../support/namespace.js';

const COUNT = 30_000_000;

describeKernel('the link', [], () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function openPlace(tcp = {}): Promise<KernelPlace> {
    const place = await KernelPlace.open({ capture: false, tcp });
    closing.push(() => place.close());
    return place;
  }

  test.each(FAMILIES)('the interface goes down and up during a transfer: $name', async (family) => {
    const place = await openPlace();
    const { tun, namespace } = place;
    const told: boolean[] = [];
    place.stack.on('down', () => told.push(false));
    place.stack.on('up', () => told.push(true));
    // Else the kernel forgets its IPv6 addresses.
    await place.sysctl(`ipv6/conf/${tun.name}/keep_addr_on_down`, '1');
    const { ours, theirs } = await place.accept(family);
    ours.send(1, COUNT);
    const sent = theirs.send(2, COUNT);
    await until('it is under way', () => ours.bytes > COUNT / 10);
    await namespace.ip(`link set ${tun.name} down`);
    await until('we are told', () => told.length === 1);
    const before = ours.bytes;
    await namespace.ip(`link set ${tun.name} up`);
    await until('it goes on', () => ours.bytes > before);
    expect(await sent).toBe(COUNT);
    await until('all is written', () => ours.allWritten);
    ours.connection.shutdown();
    await theirs.end();
    await Promise.all([ours.isClosed(), theirs.sees('close')]);
    expect(ours.sha256).toBe(digestOf(2, COUNT));
    expect((await theirs.status()).sha256).toBe(digestOf(1, COUNT));
    expect(told).toEqual([false, true]);
  });

  test('the interface is deleted: told, nothing crashes, and the stack closes', async () => {
    const place = await openPlace();
    const { ours } = await place.accept(IPV4);
    const errors: string[] = [];
    place.stack.on('down', (error: NodeJS.ErrnoException) => errors.push(error.code!));
    ours.send(1, COUNT);
    await place.namespace.ip(`link del ${place.tun.name}`);
    await until('we are told', () => errors.length > 0);
    expect(errors).toEqual(['EBADFD']);
    expect(ours.closed).toBeNull();
    ours.connection.abort();
    await ours.isClosed();
  });

  /**
   * Another machine behind the kernel, which forwards: the kernel's side of the link to it takes
   * packets of `mtu` bytes only, of which the machine itself knows nothing. Answers its address.
   */
  async function narrowLink(place: KernelPlace, family: Family, mtu: number) {
    const far = await Namespace.create();
    closing.push(() => far.close());
    const [ip, near, there, us] =
      family === IPV4
        ? ['', '10.78.0.1/24', '10.78.0.2/24', '10.9.0.0/24']
        : ['-6 ', 'fd78::1/64', 'fd78::2/64', 'fd09::/64'];
    const gateway = near.split('/')[0]!;
    const nodad = family === IPV4 ? '' : ' nodad';
    await place.sysctl('ipv4/ip_forward', '1');
    await place.sysctl('ipv6/conf/all/forwarding', '1');
    const pid = far.path.split('/')[2]!;
    await place.namespace.ip(
      `link add narrow0 mtu ${mtu} type veth peer name narrow1 netns ${pid}`,
    );
    await place.namespace.ip(`${ip}addr add ${near} dev narrow0${nodad}`);
    await place.namespace.ip('link set narrow0 up');
    await far.ip('link set narrow1 mtu 1500 up');
    await far.ip(`${ip}addr add ${there} dev narrow1${nodad}`);
    await far.ip(`${ip}route add ${us} via ${gateway}`);
    return { far, address: there.split('/')[0]! };
  }

  describe.each(FAMILIES)('over $name', (family) => {
    test('a narrower link on the way: smaller segments, and all arrives (RFC 1191, RFC 8201)', async () => {
      const place = await openPlace();
      const { far, address } = await narrowLink(place, family, 1300);
      const peer = await KernelPeer.start(far);
      const server = await peer.listen({ host: address });
      const ours: User = place.dial(address, server.port);
      const theirs = await server.accept();
      ours.send(3, 2_000_000);
      const { sha256 } = await theirs.received(2_000_000);
      expect(sha256).toBe(digestOf(3, 2_000_000));
      const headers = family === IPV4 ? 20 + 20 + 12 : 40 + 20 + 12;
      expect(ours.connection.info().sendMss).toBe(1300 - headers);
      expect(ours.closed).toBeNull();
      ours.connection.shutdown();
      await theirs.end();
      await ours.isClosed();
      peer.stop();
    });
  });
});
