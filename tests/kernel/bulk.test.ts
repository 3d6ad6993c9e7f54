// Much data in both directions at once, against the kernel: every MTU, both families, with and without
// offload, and over a network that loses packets. What arrives has the digest of what was sent.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeKernel, FAMILIES, IPV4, IPV6, TEST_MS, until } from '../support/kernel.js';
import { digestOf } from '../support/kernel-bytes.mjs';
import { KernelPlace, type Pair } from '../support/kernel-place.js';

const MUCH = 100_000_006;
const SOME = 16_000_001;

/** Sends both ways at once, ends both ways, and compares. */
async function exchange({ ours, theirs }: Pair, count: number): Promise<void> {
  ours.send(1, count);
  const sent = theirs.send(2, count);
  await until(
    'we have written all',
    () => ours.allWritten,
    () => ours.connection.info(),
  );
  ours.connection.shutdown();
  expect(await sent).toBe(count);
  await theirs.end();
  await Promise.all([ours.isClosed(), theirs.sees('close')]);
  expect([ours.bytes, ours.sha256]).toEqual([count, digestOf(2, count)]);
  expect(await theirs.status()).toMatchObject({ bytes: count, sha256: digestOf(1, count) });
  expect(ours.closed).toEqual({ reason: 'fin', errorCode: null });
}

describeKernel('bulk', [], () => {
  describe.each([
    { mtu: 1500, offload: true, counts: [MUCH, MUCH / 2] },
    { mtu: 1500, offload: false, counts: [MUCH, SOME] },
    { mtu: 1280, offload: true, counts: [SOME, SOME] },
    { mtu: 1280, offload: false, counts: [SOME, SOME] },
    { mtu: 9000, offload: true, counts: [SOME, SOME] },
    { mtu: 9000, offload: false, counts: [SOME, SOME] },
  ])('with an MTU of $mtu, offload: $offload', ({ mtu, offload, counts }) => {
    let place: KernelPlace;
    beforeAll(async () => {
      place = await KernelPlace.open({ mtu, offload, capture: false });
    }, TEST_MS);
    afterAll(() => place?.close());

    test('both directions at once over IPv4', async () => {
      const pair = await place.accept(IPV4);
      await exchange(pair, counts[0]!);
    });

    test('most data land in the connection they are for', () => {
      const { rxLanded, rxAstray, rxPackets } = place.tun.counters;
      // Without super-segments there is nothing that is worth a guess.
      if (offload) expect(rxLanded).toBeGreaterThan(rxPackets / 20);
      else expect(rxLanded).toBe(0);
      expect(rxAstray).toBeLessThan(rxPackets / 20);
    });

    test('five connections at once', async () => {
      const pairs = await Promise.all(
        [IPV4, IPV6, IPV4, IPV6, IPV4].map((family, i) =>
          i % 2 === 0 ? place.accept(family) : place.connect(family),
        ),
      );
      await Promise.all(pairs.map((pair, i) => exchange(pair, SOME + i)));
    });

    test('both directions at once over IPv6', async () => {
      const pair = await place.connect(IPV6);
      await exchange(pair, counts[1]!);
    });
  });

  describe('over a network that loses 5 % of all packets each way', () => {
    let place: KernelPlace;
    beforeAll(async () => {
      place = await KernelPlace.open({ impaired: true, capture: false });
    }, TEST_MS);
    afterEach(() => place.heal());
    afterAll(() => place?.close());

    test.each(FAMILIES)('$name', async (family) => {
      const pair = await place.accept(family);
      for (const path of [place.impaired.in, place.impaired.out]) path.settings.loss = 0.05;
      await exchange(pair, 1_000_003);
      const { retransmits, rttMinUs, rttUs } = pair.ours.connection.info();
      expect(retransmits).toBeGreaterThan(0);
      expect(rttMinUs).toBeGreaterThan(10);
      expect(rttUs).toBeGreaterThan(rttMinUs);
    });
  });
});
