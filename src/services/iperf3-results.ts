// What both ends of an iperf3 test tell each other at its end, and what we tell people. Knows numbers and
// words; must not know connections.

import type { StreamCount } from './iperf3-stream.js';

/** A stream of a finished test. */
export interface StreamResult extends StreamCount {
  /** We have sent. */
  readonly sent: boolean;
}

/** A test that is over. */
export interface TestSummary {
  /** The client's end of the control connection. */
  readonly peer: string;
  /** How long it was measured. */
  readonly seconds: number;
  readonly streams: readonly StreamResult[];
  /** Why it ended before its time; null when it did not. */
  readonly failure: string | null;
}

/** Processor time of this process since it was made, in percent of one core. */
export class CpuMeter {
  private readonly start = process.cpuUsage();
  private readonly startedAt = performance.now();

  read(): { total: number; user: number; system: number } {
    const { user, system } = process.cpuUsage(this.start);
    const elapsed = Math.max(performance.now() - this.startedAt, 1) * 10;
    return { total: (user + system) / elapsed, user: user / elapsed, system: system / elapsed };
  }
}

/** iperf3 numbers streams 1, 3, 4, 5 … and looks for its own by these numbers. */
function streamId(index: number): number {
  return index === 0 ? 1 : index + 2;
}

/** Our results as `get_results` of iperf3 reads them. */
export function resultsFor(
  streams: readonly StreamResult[],
  seconds: number,
  cpu: ReturnType<CpuMeter['read']>,
  congestion: string,
): Record<string, unknown> {
  return {
    cpu_util_total: cpu.total,
    cpu_util_user: cpu.user,
    cpu_util_system: cpu.system,
    sender_has_retransmits: streams.some(({ sent }) => sent) ? 1 : -1,
    congestion_used: congestion,
    streams: streams.map(({ sent, bytes, retransmits }, i) => ({
      id: streamId(i),
      bytes,
      retransmits: sent ? retransmits : -1,
      // Of UDP only, but required.
      jitter: 0,
      errors: 0,
      omitted_errors: 0,
      packets: 0,
      omitted_packets: 0,
      start_time: 0,
      end_time: seconds,
    })),
  };
}

/** `4 streams, 10.00 s, 11.72 GB in (9.37 Gbit/s), 11.80 GB out (9.44 Gbit/s, 0 sent again)`. */
export function formatSummary({ peer, seconds, streams, failure }: TestSummary): string {
  const parts = [
    streams.length === 1 ? '1 stream' : `${streams.length} streams`,
    `${seconds.toFixed(2)} s`,
    ...formatDirection(streams, false, seconds),
    ...formatDirection(streams, true, seconds),
    ...(failure === null ? [] : [`ended early: ${failure}`]),
  ];
  return `iperf3 ${peer}: ${parts.join(', ')}`;
}

function formatDirection(all: readonly StreamResult[], sent: boolean, seconds: number): string[] {
  const streams = all.filter((stream) => stream.sent === sent);
  if (streams.length === 0) return [];
  const bytes = streams.reduce((sum, stream) => sum + stream.bytes, 0);
  const again = streams.reduce((sum, { retransmits }) => sum + retransmits, 0);
  const rate = seconds === 0 ? 0 : (bytes * 8) / seconds;
  const notes = [`${formatMetric(rate)}bit/s`, ...(sent ? [`${again} sent again`] : [])];
  return [`${formatMetric(bytes)}B ${sent ? 'out' : 'in'} (${notes.join(', ')})`];
}

/** Three significant digits or more, and the prefix of a unit: `11.72 G`. */
function formatMetric(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  const unit = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), units.length - 1);
  return `${(value / 1000 ** unit).toFixed(unit === 0 ? 0 : 2)} ${units[unit]}`;
}
