// What is recorded while a stack runs: its packets, and what its TCP does. Knows options and files; must
// not know services.

import { isatty } from 'node:tty';
import type { StackCore } from '../stack/core.js';
import type { Device } from '../stack/device.js';
import { Capture } from '../trace/capture.js';
import { bothProbes } from '../trace/probes.js';
import { RecordFile } from '../trace/record-file.js';
import { Recorder } from '../trace/recorder.js';
import { Timeline } from '../trace/timeline.js';
import { TraceLines } from '../trace/trace-lines.js';
import { wallClock } from '../trace/wall-clock.js';
import type { Input, OptionSpec } from './command.js';
import { EXIT_ENVIRONMENT, errorCode, Failure, usage } from './failure.js';
import { readVersion } from './version.js';

/** Each event goes into the file at once, and nobody looks back. */
const KEPT_EVENTS = 1;

export const RECORDING_OPTIONS = {
  pcap: {
    value: 'FILE',
    help: 'write all packets, with changes of state as comments (pcapng); -: standard output',
  },
  trace: {
    value: 'FILE',
    help: 'write all that TCP does, an event a line (JSON); -: standard output',
  },
} satisfies Record<string, OptionSpec>;

/** A file, and what was asked for with it. */
interface Target {
  readonly path: string;
  readonly file: RecordFile;
}

/** Stands between a device and the stack that is opened on it. */
export class Recording {
  private readonly pcap: Target | null;
  private readonly trace: Target | null;
  private capture: Capture | null = null;
  private lines: TraceLines | null = null;

  private constructor(pcap: Target | null, trace: Target | null) {
    this.pcap = pcap;
    this.trace = trace;
  }

  /**
   * Opens the files; throws failures.
   * @param warn is told, a line, when a file takes no more
   */
  static open(input: Input, workers: number, warn: (line: string) => void): Recording | null {
    const paths = { pcap: input.text('pcap'), trace: input.text('trace') };
    if (paths.pcap === undefined && paths.trace === undefined) return null;
    checkOptions(paths, workers);
    const pcap = openTarget(paths.pcap, warn);
    try {
      return new Recording(pcap, openTarget(paths.trace, warn));
    } catch (error) {
      void pcap?.file.close();
      throw error;
    }
  }

  /** Whether standard output belongs to a recording, so that people are to be told elsewhere. */
  get takesOutput(): boolean {
    return this.pcap?.path === '-' || this.trace?.path === '-';
  }

  /** The device as the stack is to have it. */
  wrap(device: Device): Device {
    if (this.pcap === null) return device;
    const { file } = this.pcap;
    this.capture = new Capture(device, {
      application: `finwait ${readVersion()}`,
      write: (block) => file.write(block),
      now: wallClock(),
    });
    return this.capture;
  }

  /** Looks at the stack from now on. */
  watch(core: StackCore): void {
    if (this.capture !== null) core.probe = bothProbes(core.probe, this.capture.comments);
    if (this.trace === null) return;
    const { file } = this.trace;
    const lines = new TraceLines((line) => file.write(line));
    const timeline = new Timeline(KEPT_EVENTS);
    timeline.onEvent = (event) => lines.add(event);
    core.renewClock();
    lines.start(new Date(), core.nowUs, core.device.name);
    core.probe = bothProbes(core.probe, new Recorder(timeline));
    this.lines = lines;
  }

  /** Writes the end of the files. @returns what is to be said about what is missing in them */
  async finish(): Promise<string[]> {
    this.pcap?.file.admitAll();
    this.trace?.file.admitAll();
    this.capture?.finish();
    this.lines?.finish();
    const unwritten = await Promise.all([this.pcap?.file.close(), this.trace?.file.close()]);
    const said = [
      this.pcap && this.capture && missing(this.pcap, this.capture, 'packets', unwritten[0]!),
      this.trace && this.lines && missing(this.trace, this.lines, 'events', unwritten[1]!),
    ];
    return said.filter((line) => line !== null);
  }
}

function checkOptions(
  { pcap, trace }: { pcap?: string | undefined; trace?: string | undefined },
  workers: number,
): void {
  const given = pcap === undefined ? '--trace' : '--pcap';
  if (workers > 1) {
    throw usage(
      `${given} records one thread, and --workers asks for ${workers}`,
      'leave out --workers',
    );
  }
  if (pcap === trace) {
    throw usage(`--pcap and --trace cannot both write to ${pcap}`, 'give one of them another file');
  }
  if (pcap === '-' && isatty(1)) {
    throw packetsToTerminal('serve');
  }
}

export function packetsToTerminal(call: string): Failure {
  return usage(
    'packets are not text, and standard output is a terminal',
    `give a file, or a reader: finwait ${call} --pcap - | tshark -r -`,
  );
}

export function openTarget(path: string | undefined, warn: (line: string) => void): Target | null {
  if (path === undefined) return null;
  try {
    const file = RecordFile.open(path);
    file.onfailure = (error) => warn(`${nameOf(path)} takes no more: ${error.message}`);
    return { path, file };
  } catch (error) {
    const isPipe = errorCode(error) === 'ENXIO';
    const why = isPipe ? 'nobody reads from this pipe' : (error as Error).message;
    const fix = isPipe ? 'start its reader first' : 'give a file in a folder that you may write to';
    throw new Failure(EXIT_ENVIRONMENT, `${path} cannot be written: ${why}`, fix, error);
  }
}

function missing(
  { path }: Target,
  counts: { packets: number; lost: number } | { events: number; lost: number },
  what: string,
  unwritten: number,
): string | null {
  const all = 'packets' in counts ? counts.packets : counts.events;
  const parts: string[] = [];
  if (counts.lost > 0) parts.push(`${counts.lost} of ${all} ${what}`);
  if (unwritten > 0) parts.push(`the last ${unwritten} bytes`);
  if (parts.length === 0) return null;
  return `${nameOf(path)} lacks ${parts.join(' and ')}: it was written too slowly, or not at all`;
}

function nameOf(path: string): string {
  return path === '-' ? 'standard output' : path;
}
