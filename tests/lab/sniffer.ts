// tcpdump on the kernel's side of a run of the lab. Knows the program; must not know the lab.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until } from '../support/kernel.js';

/** As in `Out IP 10.9.0.1.8000 > 10.9.0.2.7000: Flags [S.], seq …`; seen from the kernel. */
const LINE = /^\S+\s+(In|Out)\s+IP \S+ > \S+: Flags \[([A-Z.]+)\]/;

export class Sniffer {
  /** `in SA`: direction as our stack sees it, and flags without PSH, in the order of the diagram. */
  readonly flags: string[] = [];
  readonly #child: ChildProcess;
  #heard = '';

  /** @param pid a process in the network namespace of the device */
  static async start(pid: number, device: string): Promise<Sniffer> {
    const sniffer = new Sniffer(pid, device);
    await until('tcpdump listens', () => sniffer.#heard.includes('listening on'));
    return sniffer;
  }

  private constructor(pid: number, device: string) {
    const dump = ['tcpdump', '-i', 'any', '-n', '-l', '-t', '--immediate-mode', 'tcp'];
    const enter = ['--pdeathsig', 'KILL', 'nsenter', `--net=/proc/${pid}/ns/net`, '--', ...dump];
    this.#child = spawn('setpriv', enter, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr!.on('data', (text) => {
      this.#heard += text;
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (line.startsWith(device)) this.#read(line);
    });
  }

  #read(line: string): void {
    const [, direction, flags] = LINE.exec(line) ?? [];
    if (flags === undefined) throw new Error(`tcpdump says: ${line}`);
    const letters = flags.replace('P', '').replace('.', 'A');
    this.flags.push(`${direction === 'Out' ? 'in' : 'out'} ${letters}`);
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
