// Network namespaces that end with the test process; must not know what is done inside.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** What a command left behind. `code` is null when a signal ended it. */
export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface ExecOptions extends SpawnOptions {
  /** What the command reads; nothing by default. */
  input?: string | Uint8Array;
}

const CAP_NET_ADMIN = 1n << 12n;
const CAP_SYS_ADMIN = 1n << 21n;

/** Whether this process can make namespaces and open TUN devices inside them, and if not, why. */
export function canUseNamespaces(): { ok: true } | { ok: false; why: string } {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const needed = CAP_NET_ADMIN | CAP_SYS_ADMIN;
  if ((effective & needed) !== needed) {
    return { ok: false, why: 'not privileged: run as root, or under `unshare --map-root-user`' };
  }
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
    return { ok: true };
  } catch (error) {
    return { ok: false, why: `cannot open /dev/net/tun: ${(error as Error).message}` };
  }
}

/**
 * A network namespace with nothing but loopback, which is up. A child process holds it; it and all
 * commands started here end when this process does, even by SIGKILL.
 */
export class Namespace {
  /** For `TunOptions.netns`. */
  readonly path: string;
  readonly #holder: ChildProcess;
  readonly #running = new Set<ChildProcess>();

  static async create(): Promise<Namespace> {
    const script = 'ip link set lo up && echo ready && exec cat';
    const user = process.getuid?.() === 0 ? [] : ['--map-root-user'];
    const holder = spawn('unshare', ['--net', ...user, 'sh', '-c', script]);
    let complaint = '';
    holder.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    const ready = once(holder.stdout, 'data');
    const failed = once(holder, 'close').then(() => {
      throw new Error(`Cannot make a network namespace: ${complaint}`);
    });
    await Promise.race([ready, failed]);
    failed.catch(() => {});
    return new Namespace(holder);
  }

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
    this.path = `/proc/${holder.pid}/ns/net`;
  }

  /** Starts a command inside. It is killed at `close()` if it still runs. */
  spawn(command: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcess {
    const user =
      process.getuid?.() === 0
        ? []
        : [`--user=/proc/${this.#holder.pid}/ns/user`, '--preserve-credentials'];
    const enter = ['--pdeathsig', 'KILL', 'nsenter', `--net=${this.path}`, ...user];
    const child = spawn('setpriv', [...enter, '--', command, ...args], options);
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    return child;
  }

  /** Runs a command inside to its end. */
  async exec(
    command: string,
    args: readonly string[] = [],
    options: ExecOptions = {},
  ): Promise<Finished> {
    const { input = '', ...rest } = options;
    const child = this.spawn(command, args, { ...rest, stdio: 'pipe' });
    const output = ['', ''];
    for (const [i, stream] of [child.stdout!, child.stderr!].entries()) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output[i] += text;
      });
    }
    child.stdin!.on('error', () => {}).end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout: output[0]!, stderr: output[1]! };
  }

  /** Runs `ip` with these arguments, such as `link set fw0 down`, and throws if it fails. */
  async ip(args: string): Promise<string> {
    const { code, stdout, stderr } = await this.exec('ip', args.split(' '));
    if (code !== 0) throw new Error(`ip ${args}: ${stderr}`);
    return stdout;
  }

  /** Kills what still runs inside; the namespace goes when its last device is closed. */
  async close(): Promise<void> {
    const ends = [...this.#running, this.#holder]
      .filter((child) => child.exitCode === null && child.signalCode === null)
      .map((child) => once(child, 'close'));
    for (const child of this.#running) child.kill('SIGKILL');
    this.#holder.stdin!.end();
    await Promise.all(ends);
  }
}
