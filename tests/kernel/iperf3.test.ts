// Debian's iperf3 against our server: what both sides count, with the options that people use.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Iperf3Server } from '../../src/services/iperf3.js';
import type { TestSummary } from '../../src/services/iperf3-results.js';
import { describeKernel, FAMILIES, TEST_MS, until } from '../support/kernel.js';
import { KernelPlace } from '../support/kernel-place.js';

const MB = 2 ** 20;

interface Sum {
  bytes: number;
  bits_per_second: number;
  seconds: number;
  retransmits?: number;
}

interface Report {
  intervals: { sum: { omitted: boolean } }[];
  end: {
    streams: { sender: Sum; receiver: Sum }[];
    sum_sent: Sum;
    sum_received: Sum;
    sum_sent_bidir_reverse: Sum;
    sum_received_bidir_reverse: Sum;
    cpu_utilization_percent: { remote_total: number };
  };
  server_output_text?: string;
  error?: string;
}

describeKernel('iperf3', ['iperf3'], () => {
  let place: KernelPlace;
  let server: Iperf3Server;
  let summaries: TestSummary[];

  beforeAll(async () => {
    place = await KernelPlace.open({ capture: false });
    summaries = [];
    server = new Iperf3Server(place.core, { onTest: (_, summary) => summaries.push(summary) });
  }, TEST_MS);

  afterAll(async () => {
    await server?.close();
    await place?.close();
  });

  async function iperf3(line: string, host = '10.9.0.2'): Promise<Report> {
    const { stdout } = await place.run('iperf3', ['-c', host, '-J', ...line.split(' ')]);
    return JSON.parse(stdout) as Report;
  }

  /** Runs it; what we count is what the client is told, and shows. */
  async function run(line: string, host?: string): Promise<{ report: Report; ours: TestSummary }> {
    summaries.length = 0;
    const report = await iperf3(line, host);
    expect(report.error).toBeUndefined();
    await until('our summary', () => summaries.length === 1);
    const ours = summaries[0]!;
    expect(ours.failure).toBeNull();
    expect(report.end.streams.length).toBe(ours.streams.length);
    for (const [i, { sent, bytes, retransmits }] of ours.streams.entries()) {
      const { sender, receiver } = report.end.streams[i]!;
      expect((sent ? sender : receiver).bytes).toBe(bytes);
      if (sent) expect(sender.retransmits).toBe(retransmits);
      // What is under way when counting begins or ends is in the count of one side only.
      if (!line.includes('-O')) expect(sender.bytes).toBeGreaterThanOrEqual(receiver.bytes);
      expect(receiver.bytes).toBeGreaterThan(0);
    }
    expect(report.end.cpu_utilization_percent.remote_total).toBeGreaterThan(0);
    return { report, ours };
  }

  /** The client looks at its counts after a round of blocks. */
  function expectAbout(bytes: number, wanted: number): void {
    expect(bytes).toBeGreaterThanOrEqual(wanted);
    expect(bytes).toBeLessThan(wanted * 1.1);
  }

  test.each(FAMILIES)('sends and receives over $name', async ({ stack }) => {
    const there = await run('-t 1', stack);
    expect(there.ours.streams).toMatchObject([{ sent: false }]);
    expect(there.ours.seconds).toBeCloseTo(1, 0);
    const back = await run('-t 1 -R', stack);
    expect(back.ours.streams).toMatchObject([{ sent: true }]);
  });

  test('--bidir: both at once', async () => {
    const { report, ours } = await run('-t 1 --bidir');
    expect(ours.streams).toMatchObject([{ sent: false }, { sent: true }]);
    expect(report.end.sum_received_bidir_reverse.bytes).toBeGreaterThan(MB);
  });

  test.each(['-P 4', '-P 4 -R', '-P 16 -R', '-P 3 --bidir'])(
    '%s: several streams',
    async (line) => {
      const { ours } = await run(`-t 1 ${line}`);
      const each = Number(line.split(' ')[1]);
      expect(ours.streams.length).toBe(line.includes('bidir') ? 2 * each : each);
    },
  );

  test('-n: so many bytes', async () => {
    const { report } = await run('-n 50M');
    expectAbout(report.end.sum_sent.bytes, 50 * MB);
    const back = await run('-n 50M -R');
    expect(back.report.end.sum_sent.bytes).toBe(50 * MB);
    expect(back.report.end.sum_received.bytes).toBe(50 * MB);
    const several = await run('-n 50M -R -P 3');
    expect(several.report.end.sum_received.bytes).toBe(50 * MB);
  });

  test('-k: so many blocks of -l bytes', async () => {
    const { report } = await run('-k 300 -l 40000');
    expectAbout(report.end.sum_sent.bytes, 300 * 40_000);
    const back = await run('-k 300 -l 40000 -R');
    expect(back.report.end.sum_sent.bytes).toBe(300 * 40_000);
  });

  test('-l: small blocks', async () => {
    await run('-t 1 -l 100');
    await run('-t 1 -l 100 -R');
  });

  test.each(['-O 1 -t 1', '-O 1 -t 1 -R'])('%s: the start does not count', async (line) => {
    const { report, ours } = await run(line);
    expect(report.intervals.some(({ sum }) => sum.omitted)).toBe(true);
    expect(ours.seconds).toBeLessThan(1.5);
  });

  test('-i: its intervals', async () => {
    const { report } = await run('-t 1 -i 0.25 -R');
    expect(report.intervals.length).toBeGreaterThanOrEqual(4);
  });

  test('-R -b: no faster than asked', async () => {
    const { report } = await run('-t 2 -R -b 20M');
    const { bits_per_second: rate } = report.end.sum_received;
    expect(rate / 20e6).toBeGreaterThan(0.8);
    expect(rate / 20e6).toBeLessThan(1.1);
  });

  test('-N, -M and -w change nothing', async () => {
    await run('-t 1 -N -M 900');
    await run('-t 1 -R -w 64K');
  });

  test('--get-server-output: our line', async () => {
    const { report } = await run('-t 1 -P 2 --get-server-output');
    expect(report.server_output_text).toMatch(
      /^iperf3 10\.9\.0\.1:\d+: 2 streams, 1\.\d\d s, .* in /,
    );
  });

  test.each([
    ['-u -t 1', 'not implemented yet'],
    ['-C reno -t 1', 'unable to set TCP_CONGESTION'],
  ])('%s: refused with a reason', async (line, why) => {
    const report = await iperf3(line);
    expect(report.error).toContain(why);
  });

  test('a second client is told that the server is busy', async () => {
    summaries.length = 0;
    const first = iperf3('-t 2');
    await until('the first one runs', () => server.connections > 0);
    const second = await iperf3('-t 1');
    expect(second.error).toContain('the server is busy running a test');
    expect((await first).error).toBeUndefined();
    await until('our summary', () => summaries.length === 1);
  });

  test('a client that is killed leaves nothing; the next one is served', async () => {
    summaries.length = 0;
    const child = place.namespace.spawn('iperf3', ['-c', '10.9.0.2', '-t', '60', '-P', '2']);
    await until('it runs', () => [...place.core.connections()].length === 3);
    child.kill('SIGKILL');
    await until('our summary', () => summaries.length === 1);
    expect(summaries[0]!.failure).not.toBeNull();
    await until('all connections are gone', () => [...place.core.connections()].length === 0);
    await run('-t 1');
  });

  test('Ctrl-C in the client ends the test', async () => {
    summaries.length = 0;
    const child = place.namespace.spawn('iperf3', ['-c', '10.9.0.2', '-t', '60', '-R']);
    await until('it runs', () => [...place.core.connections()].length === 2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill('SIGINT');
    await until('our summary', () => summaries.length === 1);
    expect(summaries[0]!.failure).toBe('its user has ended it');
  });
});
