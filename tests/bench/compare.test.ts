// What is said of two results, and of one and its targets.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compare, renderComparison } from '../../bench/compare.mjs';
import { plot } from '../../bench/plots.mjs';
import { Results } from '../../bench/results.mjs';
import { judge } from '../../bench/targets.mjs';
import { figures } from './figures.js';

const RAW = 'finwait raw';
const IN = `bulk-in|${RAW}`;
const CLOSE = `close-p50|${RAW}`;
const FIVE = [40, 41, 42, 43, 44];

/** Each of the numbers, times a factor. */
const times = (values: number[], factor: number) => values.map((each) => each * factor);

function verdict(key: string, before: number[], after: number[]) {
  return compare(figures({ [key]: before }), figures({ [key]: after }))[0]!.verdict;
}

describe('a comparison', () => {
  it('calls less throughput slower, and more faster', () => {
    expect(verdict(IN, FIVE, times(FIVE, 0.8))).toBe('slower');
    expect(verdict(IN, FIVE, times(FIVE, 1.2))).toBe('faster');
  });

  it('calls a longer close slower', () => {
    expect(verdict(CLOSE, FIVE, times(FIVE, 1.2))).toBe('slower');
    expect(verdict(CLOSE, FIVE, times(FIVE, 0.8))).toBe('faster');
  });

  it('calls noise the same, however far the medians are apart', () => {
    expect(verdict(IN, [20, 30, 40, 50, 60], [15, 25, 34, 52, 58])).toBe('same');
  });

  it('does not mind a certain difference of a percent or two', () => {
    expect(
      verdict(
        IN,
        FIVE.map((each) => 4000 + each),
        FIVE.map((each) => 3950 + each),
      ),
    ).toBe('same');
  });

  it('is unsure with few rounds', () => {
    expect(verdict(IN, [40, 41, 42], [20, 21, 22])).toBe('unsure');
    expect(verdict(IN, FIVE, [20])).toBe('unsure');
  });

  it('leaves out what only one of them has', () => {
    expect(compare(figures({ [IN]: FIVE }), figures({ [CLOSE]: FIVE }))).toEqual([]);
  });

  it('keeps figures beside idle connections apart', () => {
    const before = figures({ [IN]: FIVE, [`${IN}|1000`]: FIVE });
    const after = figures({ [IN]: FIVE, [`${IN}|1000`]: times(FIVE, 0.5) });
    expect(compare(before, after).map(({ idle, verdict }) => [idle, verdict])).toEqual([
      [0, 'same'],
      [1000, 'slower'],
    ]);
  });

  it('tells what got slower first, and how much, and other machines', () => {
    const before = figures({ [IN]: FIVE, [CLOSE]: FIVE });
    const after = figures({ [IN]: times(FIVE, 1.5), [CLOSE]: times(FIVE, 2) });
    after.data.machine.node = 'v22';
    const { text, slower } = renderComparison(before, after);
    expect(slower).toBe(1);
    expect(text).toBe(
      [
        'Not the same node: v20, then v22',
        'slower:',
        '  close, p50, finwait raw  42.0 (40.0 to 44.0)  →  84.0 (80.0 to 88.0)  +100.0 %  µs',
        '',
        'faster:',
        '  bulk in, finwait raw  42.0 (40.0 to 44.0)  →  63.0 (60.0 to 66.0)  +50.0 %  Gbit/s',
        '',
        '2 figures: 1 slower, 1 faster, 0 same, 0 unsure',
      ].join('\n'),
    );
  });
});

describe('targets', () => {
  it('compare with the named one, and with the best peer on a TUN', () => {
    const verdicts = judge(
      figures({ [IN]: [30], 'bulk-in|C epoll': [40], 'bulk-in|lwIP': [4], 'bulk-in|gVisor': [11] }),
    );
    expect(verdicts.map(({ reference, ratio, met }) => [reference, ratio, met])).toEqual([
      ['C epoll', 0.75, false],
      ['gVisor', 30 / 11, false],
    ]);
  });

  it('allow what should be less to be a little more beside idle connections', () => {
    const verdicts = judge(figures({ [CLOSE]: [100], [`${CLOSE}|1000`]: [104] }));
    expect(verdicts).toMatchObject([{ idle: 1000, ratio: 1.04, met: true }]);
  });

  it('only look at the most idle connections', () => {
    const verdicts = judge(figures({ [IN]: [10], [`${IN}|1000`]: [1], [`${IN}|2000`]: [9] }));
    expect(verdicts).toMatchObject([{ idle: 2000, ratio: 0.9, met: false }]);
  });
});

describe('results', () => {
  it('come back from their file as they were, numbers of a set on one line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'finwait-results-'));
    try {
      const file = join(folder, 'results.json');
      const results = figures({ [IN]: [1.5, 2e9, 3e-7] });
      results.write(file);
      expect(Results.read(file).data).toEqual(results.data);
      expect(readFileSync(file, 'utf8')).toContain('[ 1.5, 2000000000, 3e-7 ]');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are drawn, the same way each time, also for dark pages', () => {
    const results = figures({ [IN]: FIVE, [`bulk-out|${RAW}`]: FIVE, [`${IN}|1000`]: FIVE });
    const first = plot(results);
    expect(first.map(([name]) => name)).toEqual(['throughput', 'close', 'connections', 'loss']);
    for (const [, svg] of first) {
      expect(svg).toMatch(/^<svg [^>]*><style>@media \(prefers-color-scheme:dark\)/);
      expect(svg).not.toContain('NaN');
    }
    expect(plot(results)).toEqual(first);
  });
});
