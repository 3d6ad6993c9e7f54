// Bulk data against the kernel over a network that loses, overtakes, repeats, damages, delays and falls
// silent: all that arrives has the digest of what was sent. `npm run test:soak` does it at length, with
// a silence of a minute.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Impairments } from '../../src/device/impairment.js';
import { describeKernel, IPV4, IPV6, TEST_MS } from '../support/kernel.js';
import { digestOf } from '../support/kernel-bytes.mjs';
import { KernelPlace, type Pair } from '../support/kernel-place.js';

const SOAK = process.env.FINWAIT_SOAK === '1';
/** Times as much data where there is time. */
const scaled = (count: number): number => (SOAK ? 10 * count : count);
const LONGEST_MS = SOAK ? 900_000 : TEST_MS;
const SILENCE_MS = SOAK ? 60_000 : 2000;
const MS = 1000;

const PERFECT: Partial<Impairments> = {
  ...{ delay: 0, jitter: 0, loss: 0, duplicate: 0, reorder: 0, corrupt: 0 },
  ...{ blackout: false, filter: null },
};

/** Waits for longer than other tests do: that is what a bad network is about. */
async function wait(what: string, done: () => boolean, details: () => unknown): Promise<void> {
  for (const end = Date.now() + LONGEST_MS; !done(); await sleep(5)) {
    if (Date.now() > end) throw new Error(`it never comes: ${what} ${JSON.stringify(details())}`);
  }
}

/** Both ways at once; answers what our end says of itself when all has arrived. */
async function exchange({ ours, theirs }: Pair, count: number) {
  const details = () => [ours.bytes, ours.connection.info()];
  ours.send(1, count);
  const sent = theirs.send(2, count);
  await wait('all from the kernel', () => ours.bytes === count, details);
  await wait('all from us', () => ours.connection.info().unacknowledged === 0, details);
  expect(ours.allWritten).toBe(true);
  expect(await sent).toBe(count);
  const info = ours.connection.info();
  expect(ours.sha256).toBe(digestOf(2, count));
  expect(await theirs.received(count)).toMatchObject({ bytes: count, sha256: digestOf(1, count) });
  return info;
}

async function end(pair: Pair): Promise<void> {
  pair.ours.connection.shutdown();
  await pair.theirs.end();
  await Promise.all([pair.ours.isClosed(), pair.theirs.sees('close')]);
  expect(pair.ours.closed).toEqual({ reason: 'fin', errorCode: null });
}

describeKernel('a bad network', [], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    place = await KernelPlace.open({ impaired: true, capture: false });
  }, TEST_MS);
  const spoil = (way: 'in' | 'out', settings: Partial<Impairments>): void => {
    Object.assign(place.impaired[way].settings, PERFECT, settings);
  };
  afterEach(() => {
    spoil('in', {});
    spoil('out', {});
  });
  afterAll(() => place?.close());

  describe.each(['in', 'out'] as const)('that loses packets on their way %s', (way) => {
    test.each([1, 5, 10, 20])(
      '%i in a hundred',
      async (percent) => {
        const pair = await place.accept(way === 'in' ? IPV4 : IPV6);
        spoil(way, { loss: percent / 100 });
        const info = await exchange(pair, scaled(percent < 10 ? 2_000_003 : 300_007));
        if (way === 'out') expect(info.retransmits).toBeGreaterThan(0);
        spoil(way, {});
        await end(pair);
      },
      LONGEST_MS,
    );
  });

  test.each([
    ['repeats a tenth', { duplicate: 0.1 }],
    ['damages a twentieth', { corrupt: 0.05 }],
    ['takes a millisecond', { delay: MS }],
    ['takes 200 ms', { delay: 200 * MS }],
    ['takes longer now and then', { delay: MS, jitter: 20 * MS }],
    [
      'does all of it',
      { delay: 2 * MS, jitter: 5 * MS, loss: 0.03, reorder: 0.1, duplicate: 0.05, corrupt: 0.02 },
    ],
  ] as [string, Partial<Impairments>][])(
    'that %s, both ways',
    async (_, settings) => {
      const pair = await place.connect(IPV4);
      spoil('in', settings);
      spoil('out', settings);
      await exchange(pair, scaled(1_000_003));
      spoil('in', {});
      spoil('out', {});
      await end(pair);
    },
    LONGEST_MS,
  );

  test(
    'where a fourth of all packets is overtaken, less than one in a hundred is sent twice',
    async () => {
      // From the start: a handshake without delay would say that the way is a tenth of a millisecond
      // long, and how much may be overtaken is measured by that (RFC 8985 §6.2 step 4).
      const settings = { delay: 5 * MS, reorder: 0.25, reorderDelay: 2 * MS };
      spoil('in', settings);
      spoil('out', settings);
      const pair = await place.connect(IPV6);
      // A few are, until it has learnt how far packets are overtaken.
      const { retransmits, segmentsOut, timeouts } = await exchange(pair, scaled(12_000_003));
      console.log(`${retransmits} of ${segmentsOut} segments were sent again for nothing`);
      expect(retransmits / segmentsOut).toBeLessThan(0.01);
      expect(timeouts).toBe(0);
      await end(pair);
    },
    LONGEST_MS,
  );

  test(
    `that is silent for ${SILENCE_MS / 1000} s`,
    async () => {
      const pair = await place.accept(IPV4);
      spoil('in', { delay: 2 * MS });
      spoil('out', { delay: 2 * MS });
      const done = exchange(pair, scaled(4_000_003));
      await wait(
        'some data',
        () => pair.ours.bytes > 100_000,
        () => pair.ours.bytes,
      );
      spoil('in', { blackout: true });
      spoil('out', { blackout: true });
      await sleep(SILENCE_MS);
      spoil('in', {});
      spoil('out', {});
      const info = await done;
      expect(info.timeouts).toBeGreaterThan(0);
      await end(pair);
    },
    LONGEST_MS,
  );
});
