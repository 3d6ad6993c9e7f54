// Ping, small and in fragments, both families, as the wire has it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeKernel, FAMILIES, TEST_MS } from '../support/kernel.js';
import { KernelPlace } from '../support/kernel-place.js';

const MTU = 1500;

describeKernel('ping', ['ping', 'tcpdump', 'tshark'], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    place = await KernelPlace.open({ mtu: MTU });
  }, TEST_MS);
  afterAll(() => place?.close());

  describe.each(FAMILIES)('over $name', (family) => {
    // The last two come in fragments, the last one in more than forty.
    test.each([0, 56, 1400, 5000, 65_000])('with %d bytes', async (bytes) => {
      const args = ['-q', '-n', '-c', '1', '-W', '15', '-s', `${bytes}`, family.stack];
      // One after the other: ping's socket takes the replies to others too, and is full soon.
      for (let i = 0; i < 3; i++) {
        const { stdout } = await place.run('ping', args);
        expect(stdout).toContain('1 packets transmitted, 1 received, 0% packet loss');
      }
    });
  });

  test('checksums are right, and no packet is larger than the MTU', async () => {
    const wire = await place.recorded();
    const filter = 'ip.src == 10.9.0.2 || ipv6.src == fd09::2';
    const rows = await wire.tshark(filter, [
      'frame.len',
      'icmp.checksum.status',
      'icmpv6.checksum.status',
    ]);
    expect(rows.length).toBeGreaterThanOrEqual(30);
    const BAD = '0';
    expect(rows.filter(([, v4, v6]) => v4 === BAD || v6 === BAD)).toEqual([]);
    expect(Math.max(...rows.map(([length]) => Number(length)))).toBeLessThanOrEqual(MTU);
  });
});
