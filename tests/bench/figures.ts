// Results of a benchmark that never was, for the tests of what is made of them.

import { Results } from '../../bench/results.mjs';

const ROWS = [
  { id: 'bulk-in', group: 'throughput', label: 'bulk in', unit: 'Gbit/s', better: 'more' },
  { id: 'bulk-out', group: 'throughput', label: 'bulk out', unit: 'Gbit/s', better: 'more' },
  { id: 'close-p50', group: 'close', label: 'close, p50', unit: 'µs', better: 'less' },
];

/** Values by `row|contender` or `row|contender|idle`. */
export function figures(values: Record<string, number[]>): Results {
  const keys = Object.keys(values);
  const names = [...new Set(keys.map((key) => key.split('|')[1]!))];
  const results = new Results({
    machine: { cpu: 'abacus', cores: 2, memoryGiB: 1, kernel: '6', node: 'v20', commit: 'c0ffee' },
    rounds: 5,
    seconds: 2,
    contenders: names.map((name) => ({ name, about: '', onTun: /lwIP|gVisor/.test(name) })),
    missing: [{ name: 'slirp4netns', reason: 'needs the Debian package slirp4netns' }],
    rows: ROWS,
    loss: [
      {
        ...{ congestion: 'cubic', lossPercent: 1, mbits: 2, expected: 2.5, ratio: 0.8 },
        ...{ slowest: 1, fastest: 3 },
      },
    ],
    distributions: [{ load: 'close', contender: names[0], percentiles: [30, 40, 50, 90] }],
  });
  for (const [key, list] of Object.entries(values)) {
    const [row, contender, idle = '0'] = key.split('|') as [string, string, string?];
    for (const value of list) results.add(row, contender, Number(idle), value);
  }
  return results;
}
