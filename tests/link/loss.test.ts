// Goodput over a path that loses packets, beside what the response functions of CUBIC (RFC 9438 §5.1)
// and Reno say: a smaller version of `bench/loss.mjs`.

import { expect, it, vi } from 'vitest';
import { lossRows, responseFunction } from '../../bench/loss.mjs';
import { MemoryLink } from '../../src/device/link.js';
import { Simulation } from '../../src/device/virtual-clock.js';
import { StackCore } from '../../src/stack/core.js';
import { wind } from '../../src/stack/winding.js';
import { IdleHandler } from '../../src/tcp/connection.js';
import { IpAddress, Subnet } from '../../src/wire/address.js';

vi.setConfig({ testTimeout: 60_000 });

const modules = { StackCore, wind, IdleHandler, MemoryLink, Simulation, IpAddress, Subnet };

// Windows are whole segments and do not grow while a loss is repaired, of which the functions know
// nothing: at 10 % a sender without any other flaw would come to 0.82.
it.each([
  ['cubic', 1, 0.95],
  ['cubic', 5, 0.9],
  ['cubic', 10, 0.75],
  ['newreno', 1, 0.9],
  ['newreno', 5, 0.85],
  ['newreno', 10, 0.72],
] as const)(
  '%s, %i in a hundred lost: at least %f of the response function',
  async (name, loss, least) => {
    const settings = { modules, seeds: [1, 2, 3], bytes: 4 << 20 };
    const [row] = await lossRows({ ...settings, controllers: [name], lossPercents: [loss] });
    expect(row!.ratio).toBeGreaterThan(least);
    // It is a response to loss, after all.
    expect(row!.ratio).toBeLessThan(1.5);
  },
);

it('few losses are repaired without a timeout', async () => {
  const settings = { modules, seeds: [1, 2, 3], bytes: 4 << 20 };
  const [row] = await lossRows({ ...settings, controllers: ['cubic'], lossPercents: [1] });
  expect(row!.retransmits).toBeGreaterThan(60);
  expect(row!.timeouts).toBe(0);
});

it('the functions are those of the literature', () => {
  // RFC 9438 Table 4 and Table 5: RTT 0.1 s, C of 0.4; segments, here as Mbit/s.
  const mbits = (segments: number) => (segments * 1448 * 8) / 0.1 / 1e6;
  expect(responseFunction('cubic', 1e-2, 0.1)).toBeCloseTo(mbits(12.25), 1);
  expect(responseFunction('newreno', 1e-4, 0.1)).toBeCloseTo(mbits(122.5), 0);
  expect(responseFunction('cubic', 1e-6, 0.1)).toBeCloseTo(mbits(5926), -1);
});
