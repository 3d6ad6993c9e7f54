// The built program, run in a namespace as users run it. Knows how to start it; must not know commands.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { type Finished, Namespace } from '../support/namespace.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const MAIN = join(ROOT, 'dist/cli/main.js');

/** Time that a build may take on a busy machine; a test that runs the program may be slow, too. */
export const BUILD_MS = 120_000;
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

/** Builds the program where sources are newer; several test files may ask for it at once. */
export function buildProgram(): void {
  const script =
    `find src package.json -newer ${MAIN} 2>&1 | grep -q . || exit 0; ` +
    'exec npx tsc -p tsconfig.build.json --noCheck';
  const lock = join(ROOT, 'node_modules', '.finwait-build.lock');
  const { status, stdout } = spawnSync('flock', [lock, 'sh', '-c', script], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The program cannot be built: ${stdout}`);
}

/** A namespace and a runtime directory for the program. */
export class Place {
  readonly namespace: Namespace;
  private readonly home = mkdtempSync(join(tmpdir(), 'finwait-test-'));

  private constructor(namespace: Namespace) {
    this.namespace = namespace;
  }

  static async create(): Promise<Place> {
    return new Place(await Namespace.create());
  }

  /** What the program finds in its environment. */
  get env(): NodeJS.ProcessEnv {
    const { NO_COLOR, FORCE_COLOR, ...env } = process.env;
    return { ...env, FINWAIT_RUNTIME_DIR: this.home };
  }

  /** Control sockets that exist now. */
  get sockets(): string[] {
    return readdirSync(this.home, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.sock'));
  }

  /** Runs `finwait` to its end. */
  finwait(args: string, input?: string | Uint8Array): Promise<Finished> {
    return this.run(process.execPath, [MAIN, ...words(args)], input);
  }

  /** Runs another program to its end. */
  run(
    command: string,
    args: readonly string[],
    input: string | Uint8Array = '',
  ): Promise<Finished> {
    return this.namespace.exec(command, args, { env: this.env, input });
  }

  /** Runs a line of shell. */
  sh(line: string, input?: string | Uint8Array): Promise<Finished> {
    return this.run('sh', ['-c', line], input);
  }

  /** Starts `finwait`, and waits until its output (stdout and stderr) holds `sign`. */
  start(args: string, sign: string): Promise<Running> {
    const options = { env: this.env, stdio: 'pipe' } as const;
    return Running.shown(
      this.namespace.spawn(process.execPath, [MAIN, ...words(args)], options),
      sign,
    );
  }

  /** The same, in the network namespace of the tests. */
  startOutside(args: string, sign: string): Promise<Running> {
    const options = { env: this.env, stdio: 'pipe' } as const;
    return Running.shown(spawn(process.execPath, [MAIN, ...words(args)], options), sign);
  }

  /** Names of the interfaces that exist now, without lo. */
  async interfaces(): Promise<string[]> {
    const links = JSON.parse(await this.namespace.ip('-j link')) as { ifname: string }[];
    return links.map(({ ifname }) => ifname).filter((name) => name !== 'lo');
  }

  async close(): Promise<void> {
    await this.namespace.close();
    rmSync(this.home, { recursive: true });
  }
}

function words(args: string): string[] {
  return args.split(' ').filter((word) => word !== '');
}

/** A program that runs. */
export class Running {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  private readonly finished: Promise<Finished>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    child.stdin!.on('error', () => {});
    this.finished = once(child, 'close').then(([code]) => ({
      code,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  static async shown(child: ChildProcess, sign: string): Promise<Running> {
    const running = new Running(child);
    await running.shows(sign);
    return running;
  }

  /** Waits until the output holds `sign`; throws when the program ends before. */
  async shows(sign: string): Promise<void> {
    let ended = false;
    void this.finished.then(() => {
      ended = true;
    });
    while (!(this.stdout + this.stderr).includes(sign)) {
      if (ended) throw new Error(`It ended without "${sign}":\n${this.stdout}${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** The end of the program, whenever it comes. */
  end(): Promise<Finished> {
    return this.finished;
  }

  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Finished> {
    this.child.kill(signal);
    return this.finished;
  }
}
