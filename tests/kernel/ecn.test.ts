// Explicit congestion notification with the kernel: who asks, what is marked on the way, and what both
// ends make of it. The kernel's own counters and `ss` are the witnesses.
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../src/device/impairment.js';
import { describeKernel, FAMILIES, IPV4, TEST_MS, until } from '../support/kernel.js';
import { digestOf } from '../support/kernel-bytes.mjs';
import { KernelPlace, type Pair } from '../support/kernel-place.js';

const MUCH = 3_000_001;

/** Both bits of the ECN field of an IPv4 packet of TCP, as a router would set them. */
function mark(packet: Uint8Array): void {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  view.setUint8(1, view.getUint8(1) | 3);
  view.setUint16(10, 0);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(10, ~sum & 0xffff);
}

const isEct = (packet: Uint8Array): boolean => packet[0] === 0x45 && (packet[1]! & 3) === 2;

/** Marks every n-th packet that may be marked. */
function marker(n: number): { filter: Filter; marked: () => number } {
  let [able, marked] = [0, 0];
  return {
    filter: (packet) => {
      if (isEct(packet) && able++ % n === n - 1) {
        mark(packet);
        marked += 1;
      }
      return 'pass';
    },
    marked: () => marked,
  };
}

describeKernel('ECN', ['ss', 'tcpdump'], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    place = await KernelPlace.open({ impaired: true });
    await place.sysctl('ipv4/tcp_ecn', '1');
    // BBR does not listen to marks; a namespace of one's own may always choose this one.
    await place.sysctl('ipv4/tcp_congestion_control', 'reno');
  }, TEST_MS);
  afterEach(() => place.heal());
  afterAll(() => place?.close());

  /** A counter of the namespace, as in /proc/net/netstat. */
  const counter = (name: string): number => {
    const folder = place.namespace.path.replace(/ns\/net$/, 'net');
    const lines = readFileSync(`${folder}/netstat`, 'latin1').split('\n');
    const at = lines.findIndex((line) => line.split(' ').includes(name));
    return Number(lines[at + 1]!.split(' ')[lines[at]!.split(' ').indexOf(name)]);
  };

  /** What `ss` says of the kernel's end. */
  const ss = async ({ kernelPort }: Pair): Promise<string> =>
    (await place.run('ss', ['-tineH', `sport = :${kernelPort}`])).stdout;

  const oursGetsThrough = async ({ ours, theirs }: Pair): Promise<void> => {
    ours.send(1, MUCH);
    await until(
      'all is acknowledged',
      () => ours.allWritten && ours.connection.info().unacknowledged === 0,
    );
    expect(await theirs.received(MUCH)).toMatchObject({ bytes: MUCH, sha256: digestOf(1, MUCH) });
  };

  describe.each(FAMILIES)('$name', (family) => {
    test('the kernel asks and we agree', async () => {
      const pair = await place.accept(family);
      expect(pair.ours.connection.info().ecn).toBe(true);
      expect(await ss(pair)).toMatch(/ ecn /);
      const [syn, synAck] = await place.wire(pair);
      expect([syn!.flags, synAck!.flags]).toEqual(['SEW', 'SAE']);
      await oursGetsThrough(pair);
      expect(await ss(pair)).toMatch(/ ecnseen /);
    });

    test('we ask and the kernel agrees', async () => {
      const pair = await place.connect(family, { tcp: { ecn: 'request' } });
      expect(pair.ours.connection.info().ecn).toBe(true);
      expect(await ss(pair)).toMatch(/ ecn /);
      const [syn, synAck] = await place.wire(pair);
      expect([syn!.flags, synAck!.flags]).toEqual(['SEW', 'SAE']);
    });

    test('we do not want it', async () => {
      const pair = await place.accept(family, { tcp: { ecn: 'off' } });
      expect(pair.ours.connection.info().ecn).toBe(false);
      expect(await ss(pair)).not.toMatch(/ ecn /);
    });
  });

  test('what we send is marked: the kernel echoes, we slow down, nothing is sent again', async () => {
    const pair = await place.accept(IPV4);
    const { filter, marked } = marker(100);
    place.impaired.out.settings.filter = filter;
    place.impaired.out.settings.delay = 1000;
    const before = counter('InCEPkts');
    await oursGetsThrough(pair);
    const { retransmits, ssthresh } = pair.ours.connection.info();
    expect(marked()).toBeGreaterThan(10);
    expect(counter('InCEPkts') - before).toBe(marked());
    expect(retransmits).toBe(0);
    expect(ssthresh).toBeLessThan(1_000_000);
    const wire = await place.wire(pair);
    const from = (end: 'stack' | 'kernel', flag: string) =>
      wire.filter(
        (each) => each.from === end && each.flags.includes(flag) && !each.flags.includes('S'),
      );
    expect(from('kernel', 'E').length).toBeGreaterThan(0);
    expect(from('stack', 'W').length).toBeGreaterThan(0);
    expect(from('stack', 'W').length).toBeLessThanOrEqual(marked());
  });

  test('what the kernel sends is marked: we echo until it says CWR, and it slows down', async () => {
    const pair = await place.accept(IPV4);
    // Super-segments: there are not so many.
    const { filter, marked } = marker(5);
    place.impaired.in.settings.filter = filter;
    place.impaired.in.settings.delay = 1000;
    expect(await pair.theirs.send(2, MUCH)).toBe(MUCH);
    await until('all has come', () => pair.ours.bytes === MUCH);
    expect(pair.ours.sha256).toBe(digestOf(2, MUCH));
    expect(marked()).toBeGreaterThan(2);
    // Segments: reno halves for each of them.
    expect(await ss(pair)).toMatch(/ ssthresh:\d{1,2} /);
    const wire = await place.wire(pair);
    const echoes = wire.filter(({ from, flags }) => from === 'stack' && /^F?P?AE$/.test(flags));
    const answers = wire.filter(({ from, flags }) => from === 'kernel' && flags.includes('W'));
    expect(echoes.length).toBeGreaterThan(0);
    // The SYN says CWR, too.
    expect(answers.length).toBeGreaterThan(1);
    // A while after the last mark nothing is echoed any more.
    place.heal();
    await pair.theirs.send(3, 200_000);
    await until('it has come', () => pair.ours.bytes === MUCH + 200_000);
    const later = (await place.wire(pair)).filter(({ from }) => from === 'stack').at(-1);
    expect(later!.flags).not.toContain('E');
  });
});
