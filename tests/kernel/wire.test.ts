// What stands in our packets, as tshark reads them: checksums, options, and the fields of IP. Without
// offload, so that every checksum is our own and every packet goes as it is.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeKernel, FAMILIES, TEST_MS, until } from '../support/kernel.js';
import { KernelPlace } from '../support/kernel-place.js';

const GOOD = '1';

describeKernel('our packets', ['tcpdump', 'tshark'], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    // A small ring wraps often, and within segments: an odd number of bytes comes first.
    const tcp = { sendBuffer: 65_536, sendBufferMax: 65_536 };
    place = await KernelPlace.open({ offload: false, capture: { snapLength: 0 }, tcp });
  }, TEST_MS);
  afterAll(() => place?.close());

  const ours = '(ip.src == 10.9.0.2 || ipv6.src == fd09::2) && tcp';

  // All that has a checksum, for the tests that follow.
  test('handshakes, data of all lengths, resets and answers to nobody reach the kernel', async () => {
    for (const family of FAMILIES) {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.connection.noDelay = true;
      let total = 0;
      for (let length = 1; length <= 101; length++) {
        ours.write('x'.repeat(length));
        place.core.flush(place.clock.now());
        total += length;
      }
      ours.connection.noDelay = false;
      ours.send(1, 500_001);
      await theirs.received(total + 500_001);
      await theirs.send(2, 100_001);
      await ours.receives(100_001);
      ours.connection.shutdown();
      await theirs.sees('end');
      await theirs.end();
      await ours.isClosed();
      const reset = await place.accept(family);
      reset.ours.connection.abort();
      await place.kernelReaches(reset, 'CLOSED');
      await place.peer.connect({ host: family.stack, port: 4 }).catch(() => {});
      await place.connect(family);
    }
  });

  test('every checksum is right, of TCP and of IPv4 (MUST-2)', async () => {
    const wire = await place.recorded();
    const rows = await wire.tshark(ours, [
      'tcp.checksum.status',
      'ip.checksum.status',
      'ip.version',
    ]);
    expect(rows.length).toBeGreaterThan(700);
    const wrong = rows.filter(
      ([tcp, ip, version]) => tcp !== GOOD || (version === '4' && ip !== GOOD),
    );
    expect(wrong).toEqual([]);
  });

  test('SYNs carry MSS, SACK-permitted, timestamps and window scale; nothing else does (MUST-14, MUST-65)', async () => {
    const wire = await place.recorded();
    const fields = ['tcp.flags.syn', 'tcp.option_kind', 'tcp.options.mss_val', 'ip.version'];
    const rows = await wire.tshark(`${ours} && !(tcp.flags.reset == 1)`, fields);
    const syns = rows.filter(([syn]) => syn === '1' || syn === 'True');
    expect(syns.length).toBeGreaterThanOrEqual(6);
    for (const [, kinds, mss, version] of syns) {
      expect(
        kinds!
          .split(',')
          .filter((kind) => kind !== '1')
          .sort(),
      ).toEqual(['2', '3', '4', '8']);
      expect(mss).toBe(version === '4' ? '1460' : '1440');
    }
    const others = rows.filter((row) => !syns.includes(row));
    expect(new Set(others.map(([, kinds]) => kinds))).toEqual(new Set(['1,1,8']));
  });

  test('IP: hop limit 64, no fragments, plain traffic class, nothing above the MTU (MUST-49)', async () => {
    const wire = await place.recorded();
    const v4 = await wire.tshark(`${ours} && ip`, [
      'ip.ttl',
      'ip.flags.df',
      'ip.dsfield',
      'frame.len',
    ]);
    const v6 = await wire.tshark(`${ours} && ipv6`, ['ipv6.hlim', 'ipv6.tclass', 'frame.len']);
    const fields = new Set(v4.map((row) => row.slice(0, 3).join(' ').replace('True', '1')));
    expect(fields).toEqual(new Set(['64 1 0x00']));
    expect(new Set(v6.map((row) => Number(row[0])))).toEqual(new Set([64]));
    expect(new Set(v6.map((row) => Number(row[1])))).toEqual(new Set([0]));
    expect(Math.max(...[...v4, ...v6].map((row) => Number(row.at(-1))))).toBe(1500);
  });

  test('PSH on the last segment of what was written, and no urgent pointer (MUST-61)', async () => {
    const wire = await place.recorded();
    const rows = await wire.tshark(`${ours} && tcp.len > 0`, [
      'tcp.len',
      'tcp.flags.push',
      'tcp.flags.urg',
    ]);
    const small = rows.filter(([length]) => Number(length) <= 101);
    expect(small.length).toBeGreaterThan(100);
    expect(small.filter(([, push]) => push !== '1' && push !== 'True')).toEqual([]);
    expect(rows.filter(([, , urgent]) => urgent === '1' || urgent === 'True')).toEqual([]);
  });

  describe.each(FAMILIES)('over $name', (family) => {
    test('traffic class and hop limit can be set (MUST-48, MUST-49, SHOULD-21)', async () => {
      const pair = await place.accept(family);
      const { connection } = pair.ours;
      connection.setHeaderFields(0x88, 17);
      pair.ours.write('marked');
      await pair.theirs.received(6);
      await until('it is acknowledged', () => connection.unacknowledged === 0);
      const filter = `tcp.srcport == ${pair.ourPort} && tcp.dstport == ${pair.kernelPort} && tcp.len == 6`;
      const wire = await place.recorded();
      const rows = await wire.tshark(filter, ['ip.ttl', 'ip.dsfield', 'ipv6.hlim', 'ipv6.tclass']);
      const values = rows
        .flat()
        .filter((value) => value !== '')
        .map(Number);
      expect(values).toEqual([17, 0x88]);
    });
  });
});
