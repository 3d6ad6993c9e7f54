// The packets of the lab as one file, run after run. Knows captures; must not know scenarios.

import { isatty } from 'node:tty';
import type { Tap } from '../lab/world.js';
import { Capture } from '../trace/capture.js';
import type { RecordFile } from '../trace/record-file.js';
import { openTarget, packetsToTerminal } from './recording.js';
import { readVersion } from './version.js';

/** What our stack sends and what it gets, changes of state as comments: a section of pcapng for each run. */
export class LabCapture {
  /** Whether standard output is the file, so that there is no room for anything else. */
  readonly takesOutput: boolean;
  private readonly path: string;
  private readonly file: RecordFile;
  private capture: Capture | null = null;

  /** @throws Failure when the file cannot be written */
  constructor(path: string) {
    if (path === '-' && isatty(1)) throw packetsToTerminal('lab run active-close');
    this.path = path;
    this.takesOutput = path === '-';
    this.file = openTarget(path, (line) => this.warn(line))!.file;
  }

  /** For one run after the other: the file has one section at a time. */
  readonly tap: Tap = (device, now) => {
    this.capture?.finish();
    const application = `finwait ${readVersion()}`;
    const write = (block: Uint8Array) => this.file.write(block);
    this.capture = new Capture(device, { application, write, now });
    return { device: this.capture, probe: this.capture.comments };
  };

  async close(): Promise<void> {
    this.capture?.finish();
    const lost = await this.file.close();
    if (lost > 0) this.warn(`${this.path} lacks the last ${lost} bytes`);
  }

  private warn(line: string): void {
    process.stderr.write(`finwait lab: ${line}\n`);
  }
}
