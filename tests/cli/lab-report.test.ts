// What the lab shows of a scenario that failed, which no scenario does on purpose. Knows results as data.

import { describe, expect, it } from 'vitest';
import { progress, report, summary } from '../../src/cli/lab-report.js';
import type { Result } from '../../src/lab/result.js';
import { scenarioNamed } from '../../src/lab/scenarios/index.js';

const scenario = scenarioNamed('active-close')!;
const failed: Result = {
  ...{ name: scenario.name, passed: false, why: scenario.why },
  ...{ ours: ['SYN-SENT'], kernel: [], segments: [], connections: [], waiting: [] },
  failures: [
    'we went SYN-SENT, where SYN-SENT → ESTABLISHED → FIN-WAIT-1 → FIN-WAIT-2 → TIME-WAIT was expected',
    'RST from the peer: none expected, one seen',
  ],
};
const passed: Result = { ...failed, name: 'handshake', passed: true, failures: [] };
const finished = {
  ...{ scenario, result: failed, ms: 1234 },
  view: { kind: 'kernel', events: [], sockets: [] } as const,
};

describe('a scenario that failed', () => {
  it('has its reasons at the end of its report, in lines of 80 columns', () => {
    expect(report(finished)).toMatch(
      /\n\nFAILED after 1\.23 s\n {2}we went SYN-SENT, where .*\n {2}.* was expected\n {2}RST .* one seen\n$/,
    );
    for (const line of report(finished).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('has a line among many that says so', () => {
    expect(progress(finished)).toMatch(/^FAILED {2}active-close +1\.23 s {2}We close first\n$/);
  });

  it('has its title in a column of its own on a terminal', () => {
    const long = { ...finished, scenario: scenarioNamed('syn-in-last-ack')! };
    const lines = progress(long, 80).trimEnd().split('\n');
    const [first, ...rest] = lines;
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    for (const line of rest)
      expect(line.search(/\S/)).toBe(first!.indexOf(long.scenario.title[0]!, 45));
    expect(progress(long).split('\n')).toHaveLength(2);
  });

  it('is named in the summary', () => {
    expect(summary([passed, failed], false, 2000)).toBe(
      '\n1 of 2 scenarios passed against the kernel, in 2.0 s; failed: active-close\n',
    );
    expect(summary([passed], true, 10)).toBe('\n1 of 1 scenarios passed in simulation, in 0.0 s\n');
  });
});
