// The packets of the lab as one file, run after run. Knows captures; must not know scenarios.

import { isatty } from 'node:tty';
import type { Tap } from '../lab/world.js';
import { Capture } from '../trace/capture.js';
import type { RecordFile } from '../trace/record-file.js';
import { environment, errorCode } from './failure.js';
import { openTarget, packetsToTerminal } from './recording.js';
import { readVersion } from './version.js';

/** What our stack sends and what it gets, changes of state as comments: a section of pcapng for each run. */
export class LabCapture {
  /** Whether standard output is the file, so that there is no room for anything else. */
  readonly takesOutput: boolean;
  private readonly path: string;
  private readonly file: RecordFile;
  private capture: Capture | null = null;
  /** Why nothing more could be written. */
  private obstacle: Error | null = null;

  /** @throws Failure when the file cannot be written */
  constructor(path: string) {
    if (path === '-' && isatty(1)) throw packetsToTerminal('lab run active-close');
    this.path = path;
    this.takesOutput = path === '-';
    this.file = openTarget(path, () => {})!.file;
    this.file.onfailure = (error) => {
      this.obstacle = error;
    };
  }

  /** For one run after the other: the file has one section at a time. */
  readonly tap: Tap = (device, now) => {
    this.capture?.finish();
    const application = `finwait ${readVersion()}`;
    const write = (block: Uint8Array) => this.file.write(block);
    this.capture = new Capture(device, { application, write, now });
    return { device: this.capture, probe: this.capture.comments };
  };

  /** @throws Failure when a part of it could not be written, unless its reader wanted no more */
  async close(): Promise<void> {
    this.capture?.finish();
    const lost = await this.file.close();
    const { obstacle } = this;
    if (lost === 0 || errorCode(obstacle) === 'EPIPE') return;
    const name = this.path === '-' ? 'standard output' : this.path;
    const why = obstacle === null ? 'it takes them too slowly' : obstacle.message;
    const what = `${name} lacks the last ${lost} bytes of packets: ${why}`;
    throw environment(what, 'make room there, or write elsewhere', obstacle);
  }
}
