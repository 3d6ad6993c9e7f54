// The wire as tcpdump records and reads it, and what tshark thinks of it. Knows both programs; must not
// know the stack.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATIENCE_MS, until } from './kernel.js';
import type { Finished, Namespace } from './namespace.js';

/** One segment of a conversation; sequence numbers count from 0, the SYN's, on each side. */
export interface WireSegment {
  from: 'stack' | 'kernel';
  /** Letters: `S`, `SA`, `FA`, `FPA`, `R` ... */
  flags: string;
  /** NaN where tcpdump leaves it out: of a bare ACK. */
  seq: number;
  /** 0 without an ACK. */
  ack: number;
  length: number;
}

export interface WireOptions {
  /** Bytes of each packet that are kept; default 120, 0 for all. */
  snapLength?: number;
}

/** What tshark says of segments that are not as they should be, its `tcp.analysis` fields. */
const SUSPICIONS = [
  'retransmission',
  'fast_retransmission',
  'spurious_retransmission',
  'out_of_order',
  'lost_segment',
  'ack_lost_segment',
  'duplicate_ack',
  'reused_ports',
];

/** As in `IP 10.9.0.1.400 > 10.9.0.2.7: Flags [F.], seq 1:5, ack 1, win 64, options [nop], length 4`. */
const LINE =
  /^IP6? \S+\.(\d+) > \S+\.(\d+): Flags \[([A-Z.]+)\],(?: seq (\d+)(?::\d+)?,)?(?: ack (\d+),)?.* length (\d+)/;

/** A capture on one interface, from its start to `stop()`. */
export class Wire {
  readonly #namespace: Namespace;
  readonly #folder = mkdtempSync(join(tmpdir(), 'finwait-wire-'));
  readonly #file = join(this.#folder, 'wire.pcap');
  readonly #stop: () => void;
  #heard = '';

  static async start(
    namespace: Namespace,
    device: string,
    { snapLength = 120 }: WireOptions = {},
  ): Promise<Wire> {
    const wire = new Wire(namespace, device, snapLength);
    await until(
      'tcpdump listens',
      () => wire.#heard.includes('listening on'),
      () => wire.#heard,
    );
    return wire;
  }

  private constructor(namespace: Namespace, device: string, snapLength: number) {
    this.#namespace = namespace;
    const args = ['-i', device, '-s', `${snapLength}`, '-B', '32768', '--immediate-mode'];
    // -U: each packet is in the file at once. -Z: the file belongs to us, not to a user tcpdump.
    const child = namespace.spawn('tcpdump', [...args, '-U', '-Z', 'root', '-w', this.#file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr!.on('data', (text) => {
      this.#heard += text;
    });
    this.#stop = () => child.kill('SIGKILL');
  }

  /** Whether a text has passed the wire, and with it all that was sent before. */
  hasRecorded(text: string): boolean {
    return readFileSync(this.#file).includes(text, 0, 'latin1');
  }

  /** The segments between our port and, if given, one port of the kernel. */
  async segments(ourPort: number, kernelPort?: number): Promise<WireSegment[]> {
    const filter = kernelPort === undefined ? '' : ` and tcp port ${kernelPort}`;
    const args = ['-n', '-t', '-S', '-r', this.#file, `tcp port ${ourPort}${filter}`];
    const lines = await this.#read('tcpdump', args);
    const reader = new SegmentReader(ourPort);
    return lines.map((line) => reader.read(line));
  }

  /** All that tshark finds strange: `frame 12 from port 7: retransmission`. */
  async suspicions(): Promise<string[]> {
    const fields = SUSPICIONS.map((name) => `tcp.analysis.${name}`);
    const rows = await this.tshark('tcp.analysis.flags', [
      'frame.number',
      'tcp.srcport',
      ...fields,
    ]);
    return rows.flatMap(([number, port, ...opinions]) => {
      const found = SUSPICIONS.filter((_, i) => opinions[i] !== '');
      return found.map((name) => `frame ${number} from port ${port}: ${name}`);
    });
  }

  /** These fields of all packets that a display filter selects, a row each; checksums are verified. */
  async tshark(filter: string, fields: readonly string[]): Promise<string[][]> {
    const preferences = ['tcp.check_checksum:TRUE', 'ip.check_checksum:TRUE'];
    const lines = await this.#read('tshark', [
      ...['-n', '-r', this.#file, '-Y', filter, '-T', 'fields', '-E', 'separator=|'],
      ...preferences.flatMap((preference) => ['-o', preference]),
      ...fields.flatMap((field) => ['-e', field]),
    ]);
    return lines.map((line) => line.split('|'));
  }

  async #read(command: string, args: string[]): Promise<string[]> {
    // tshark reads and writes settings at home.
    const env = { ...process.env, HOME: this.#folder };
    const options = { timeout: PATIENCE_MS, env };
    const { code, stdout, stderr }: Finished = await this.#namespace.exec(command, args, options);
    if (code !== 0) throw new Error(`${command}: ${code} ${stderr}`);
    return stdout.split('\n').filter((line) => line !== '');
  }

  stop(): void {
    this.#stop();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Reads what tcpdump prints, and counts from the SYN of each side on. */
class SegmentReader {
  readonly #ourPort: number;
  /** Initial sequence numbers by source and destination port. */
  readonly #initial = new Map<string, number>();

  constructor(ourPort: number) {
    this.#ourPort = ourPort;
  }

  read(line: string): WireSegment {
    const match = LINE.exec(line);
    if (match === null) throw new Error(`tcpdump says: ${line}`);
    const [, source, destination, flags, seq, ack, length] = match as string[];
    const [there, back] = [`${source} ${destination}`, `${destination} ${source}`];
    if (flags!.includes('S')) this.#initial.set(there, Number(seq));
    return {
      from: Number(source) === this.#ourPort ? 'stack' : 'kernel',
      flags: flags!.replace('.', 'A'),
      seq: this.#relative(there, Number(seq)),
      ack: ack === undefined ? 0 : this.#relative(back, Number(ack)),
      length: Number(length),
    };
  }

  #relative(direction: string, number: number): number {
    const distance = number - (this.#initial.get(direction) ?? 0);
    return distance < 0 ? distance + 2 ** 32 : distance;
  }
}

/** Those that open, end or reset: `stack FA`. Pushes are left out. */
export function controlOf(segments: readonly WireSegment[]): string[] {
  return segments
    .filter(({ flags }) => /[SFR]/.test(flags))
    .map(({ from, flags }) => `${from} ${flags.replace('P', '')}`);
}
