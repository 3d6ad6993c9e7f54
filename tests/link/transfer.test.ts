// Bulk data in both directions at once over networks that lose, reorder, repeat, spoil and fall
// silent: all bytes arrive, both sides close in order, and nothing is left.

import { describe, expect, it, vi } from 'vitest';
import type { Impairments } from '../../src/device/impairment.js';
import { SECOND } from '../stack/host.js';
import { Run, type Transfer } from './transfer.js';

vi.setConfig({ testTimeout: 60_000 });

const MS = 1000;
const MIB = 1 << 20;

/** Small buffers, so that two megabytes are far more than all of them. */
const BUFFERS = {
  sendBuffer: 96 << 10,
  sendBufferMax: 96 << 10,
  receiveBuffer: 32 << 10,
  receiveBufferMax: 64 << 10,
};

interface Scenario extends Omit<Transfer, 'family' | 'seed' | 'isn' | 'bytes'> {
  /** Default 2 MiB. */
  bytes?: number;
  /** Virtual seconds that it may take: some two or three times as long as it did. Default 60. */
  within?: number;
}

const lossy = (settings: Partial<Impairments>): Scenario => ({
  network: { delay: 10 * MS, ...settings },
});

const SCENARIOS: Record<string, Scenario> = {
  'a perfect wire': {},
  'a way of 100 ms': lossy({ delay: 100 * MS }),
  '1 % loss': { ...lossy({ loss: 0.01 }), within: 12 },
  '5 % loss': { ...lossy({ loss: 0.05 }), within: 35 },
  '20 % loss': { ...lossy({ loss: 0.2 }), bytes: MIB / 2, within: 400 },
  '30 % loss on the way back only': { ...lossy({}), back: { loss: 0.3 }, within: 600 },
  'SHOULD-31: every tenth packet is overtaken': lossy({ reorder: 0.1, reorderDelay: 5 * MS }),
  'every tenth packet is overtaken by far': lossy({ reorder: 0.1, reorderDelay: 150 * MS }),
  'every fifth packet comes twice': lossy({ duplicate: 0.2 }),
  'MUST-3: every twentieth packet is damaged': lossy({ corrupt: 0.05 }),
  'bursts of loss': { ...lossy({ burst: { p: 0.01, r: 0.25 } }), bytes: MIB },
  'all at once': {
    ...lossy({ loss: 0.03, reorder: 0.05, duplicate: 0.05, corrupt: 0.02, jitter: 8 * MS }),
    bytes: MIB,
  },
  'a bottleneck of 8 Mbit/s with a short queue': lossy({ rate: 8e6, queue: 12_000 }),
  'a blackout of 60 s': {
    ...lossy({ rate: 4e7, blackout: [[SECOND + 100 * MS, SECOND + 60_100 * MS]] }),
    within: 200,
  },
  'super-segments': { offload: true },
  'super-segments, 2 % of them lost': { ...lossy({ loss: 0.02, reorder: 0.02 }), offload: true },
  'without any option': {
    ...lossy({ loss: 0.02, reorder: 0.05 }),
    tcp: { windowScaling: false, timestamps: false, sack: false },
  },
  'without header prediction': { ...lossy({ loss: 0.02 }), tcp: { headerPrediction: false } },
  'MUST-38: windows smaller than a segment': {
    ...{ network: { delay: MS, loss: 0.01 }, bytes: 100_000 },
    tcp: { receiveBuffer: 1000, receiveBufferMax: 1000 },
  },
  'windows of one byte': {
    ...{ network: { delay: MS, loss: 0.01 }, bytes: 300 },
    tcp: { receiveBuffer: 1, receiveBufferMax: 1 },
  },
  'buffers of one byte to send from': {
    ...{ network: { delay: MS, loss: 0.01 }, bytes: 1000 },
    tcp: { sendBuffer: 1, sendBufferMax: 1 },
  },
  'slow readers': {
    ...{ ...lossy({ loss: 0.02 }), bytes: MIB / 2 },
    reader: { bytes: 4000, every: 20 * MS },
  },
  'MUST-37: a reader that sleeps for five minutes': {
    ...lossy({ loss: 0.02 }),
    sleepsUntil: 300 * SECOND,
    within: 500,
  },
  'MUST-36: a reader whose waking nobody hears; only a probe finds out': {
    network: { delay: 10 * MS, blackout: [[99 * SECOND, 115 * SECOND]] },
    ...{ sleepsUntil: 100 * SECOND, within: 300 },
  },
  'a wire of 1280 bytes': { ...lossy({ loss: 0.01 }), link: { mtu: 1280 } },
  'a wire of 9000 bytes': { ...lossy({ loss: 0.01 }), link: { mtu: 9000 } },
};
/** RFC 791: every IPv4 network takes 68 bytes. */
const IPV4_ONLY: Record<string, Scenario> = {
  'a wire of 100 bytes': {
    ...{ ...lossy({ loss: 0.01 }), bytes: MIB / 8 },
    link: { mtu: 100 },
  },
};

/** Families, and where sequence numbers begin: anywhere, below the wrap, below the sign. */
const VARIANTS = [
  { family: 4, name: 'IPv4', isn: undefined },
  { family: 6, name: 'IPv6, just below the wrap', isn: -40_000 },
  { family: 4, name: 'IPv4, just below 2^31', isn: 2 ** 31 - 40_000 },
] as const;

function expectNothingLeft(run: Run): void {
  for (const core of [run.a, run.b]) {
    expect(core.arena.used).toBe(0);
    expect([...core.connections()]).toEqual([]);
    // No timer but those of TIME-WAIT.
    const ends = core.timeWaits().map(({ remainingMs }) => remainingMs);
    if (ends.length === 0) expect(core.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    expect(ends.length).toBeLessThanOrEqual(1);
  }
  expect(run.a.timeWaits().length + run.b.timeWaits().length).toBeGreaterThanOrEqual(1);
  run.runOut();
  for (const core of [run.a, run.b]) {
    expect(core.timeWaits()).toEqual([]);
    expect(core.flows.count).toBe(0);
    expect(core.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  }
  expect(run.simulation.next).toBe(Number.POSITIVE_INFINITY);
}

function transferOf(
  scenario: Scenario,
  variant: (typeof VARIANTS)[number],
  seed: number,
): Transfer {
  const bytes = scenario.bytes ?? 2 * MIB;
  const numbers = variant.isn === undefined ? {} : { isn: variant.isn };
  const tcp = { ...BUFFERS, ...scenario.tcp };
  return { ...scenario, family: variant.family, seed, bytes, tcp, ...numbers };
}

describe.each(VARIANTS)('$name', (variant) => {
  const scenarios = { ...SCENARIOS, ...(variant.family === 4 ? IPV4_ONLY : {}) };
  it.each(Object.entries(scenarios))('%s', (name, scenario) => {
    const transfer = transferOf(scenario, variant, name.length);
    const run = new Run(transfer);
    const outcome = run.finish();
    expect(outcome).toMatchObject({
      told: ['fin', 'fin'],
      received: [transfer.bytes, transfer.bytes],
    });
    expect(outcome.seconds).toBeLessThan(scenario.within ?? 60);
    for (const state of run.connectionStates) expect(['TIME-WAIT', 'CLOSED']).toContain(state);
    expectNothingLeft(run);
  });
});

describe('a simulation', () => {
  it('is the same for the same seed, and another one for another', () => {
    const outcome = (seed: number) => {
      const scenario = { ...SCENARIOS['all at once']!, bytes: 200_000 };
      return new Run(transferOf(scenario, VARIANTS[0], seed)).finish();
    };
    const first = outcome(1);
    expect(first.spoiled).toBeGreaterThan(20);
    expect(outcome(1)).toEqual(first);
    expect(outcome(2)).not.toEqual(first);
  });

  it('a wire without defects carries each byte once', () => {
    const run = new Run(transferOf(SCENARIOS['a perfect wire']!, VARIANTS[0], 1));
    expect(run.finish()).toMatchObject({ retransmits: 0, spoiled: 0 });
  });
});
