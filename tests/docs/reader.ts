// Somebody who reads a page and types what it says: a network, a folder and a shell of their own. Knows how
// commands run; must not know pages.

import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAIN, Place } from '../cli/program.js';
import { asUser, UID } from '../support/ordinary-user.js';
import { agrees } from './page.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Longest that a command may take, or that one which goes on may need for what the page shows, ms. */
export const PATIENCE_MS = 40_000;

/** Programs that stand for what a reader has. npx takes half a second to find what is there, and says that it is npx. */
const SHIMS = {
  sudo: '#!/bin/sh\nexec "$@"\n',
  npx: `#!/bin/sh
[ -x "node_modules/.bin/$1" ] || PATH=\${PATH#*:} exec npx "$@"
program=node_modules/.bin/$1
shift
npm_command=exec exec "$program" "$@"
`,
};

export interface ReaderOptions {
  inClone: boolean;
  asUser: boolean;
}

export interface Ended {
  printed: string;
  /** Null while it still runs. */
  code: number | null;
}

export class Reader {
  /** Where commands run. */
  readonly folder = mkdtempSync(join(tmpdir(), 'finwait-page-'));
  private readonly tools = mkdtempSync(join(tmpdir(), 'finwait-tools-'));
  private readonly options: ReaderOptions;
  private readonly place: Place;
  private readonly jobs: Job[] = [];

  static async create(options: ReaderOptions): Promise<Reader> {
    return new Reader(options, await Place.create());
  }

  private constructor(options: ReaderOptions, place: Place) {
    this.options = options;
    this.place = place;
    for (const [name, text] of Object.entries(SHIMS)) {
      writeFileSync(join(this.tools, name), text, { mode: 0o755 });
    }
    if (options.inClone) copyRepository(this.folder);
    else linkPackages(this.folder);
    mkdirSync(join(this.folder, '.run'), { mode: 0o700 });
    if (!options.asUser) return;
    for (const folder of [this.tools, this.folder]) chmodSync(folder, 0o755);
    spawnSync('chown', ['-R', `${UID}:${UID}`, this.folder]);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  /** Runs a command; `running`: until it has printed what is shown. */
  async run(command: string, running: boolean, shown: string): Promise<Ended> {
    const job = new Job(this.spawn(command));
    if (!running) return job.end();
    this.jobs.push(job);
    return job.begin(shown);
  }

  /** Ctrl-C for the command that was left running last. */
  interrupt(): Promise<Ended> {
    return this.jobs.pop()!.interrupt();
  }

  async close(): Promise<void> {
    for (const job of this.jobs.splice(0).reverse()) await job.interrupt();
    await this.place.close();
    for (const folder of [this.tools, this.folder]) {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  private spawn(command: string): ChildProcess {
    const env = withoutNpm(this.place.env);
    const script = `exec 2>&1\n${command}`;
    const shell = ['bash', '-c', script] as const;
    const [program, args] = this.options.asUser ? asUser({}, ...shell) : [shell[0], shell.slice(1)];
    return this.place.namespace.spawn(program, args, {
      cwd: this.folder,
      detached: true, // Ctrl-C is for a whole group of processes
      env: {
        ...env,
        ...(this.options.asUser && {
          HOME: this.folder,
          FINWAIT_RUNTIME_DIR: join(this.folder, '.run'),
        }),
        PATH: `${this.tools}:${env.PATH}`,
        NO_COLOR: '1',
        npm_config_loglevel: 'error',
        npm_config_update_notifier: 'false',
        LC_ALL: 'C.UTF-8',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }
}

/** What npm has told the tests is nothing that a reader's shell knows. */
function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('npm_')));
}

/** A shell command that prints to one stream, as a terminal shows it. */
class Job {
  private readonly child: ChildProcess;
  private printed = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.printed += text;
    });
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** What it has printed since the last call, once it has ended. */
  async end(): Promise<Ended> {
    const timer = setTimeout(() => this.signal('SIGKILL'), PATIENCE_MS);
    if (!this.child.stdout!.closed) await once(this.child, 'close');
    clearTimeout(timer);
    return { printed: this.printed, code: this.child.exitCode ?? 128 };
  }

  /** What it prints, until that is as much as the page shows. */
  async begin(shown: string): Promise<Ended> {
    const last = performance.now() + PATIENCE_MS;
    while (!agrees(shown, this.printed, true) && performance.now() < last && !this.hasEnded) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const printed = this.printed;
    this.printed = '';
    return { printed, code: this.child.exitCode };
  }

  interrupt(): Promise<Ended> {
    this.signal('SIGINT');
    return this.end();
  }

  private signal(signal: NodeJS.Signals): void {
    if (!this.hasEnded) process.kill(-this.child.pid!, signal);
  }
}

/** A folder in which `finwait` is installed, and what its own tests have besides. */
export function linkPackages(folder: string): void {
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const name of Object.keys(devDependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  symlinkSync(join(ROOT, 'node_modules/.bin/vitest'), join(modules, '.bin/vitest'));
  symlinkSync(ROOT, join(modules, 'finwait'));
  symlinkSync(MAIN, join(modules, '.bin/finwait'));
}

/** What a clone is after `npm ci`. */
export function copyRepository(folder: string): void {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const { stdout } = spawnSync('git', list, { cwd: ROOT, encoding: 'utf8' });
  const files = stdout.trim().split('\n');
  spawnSync('cp', ['--parents', ...files, folder], { cwd: ROOT });
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'build'), join(folder, 'build'), { recursive: true });
  const [from, to] = [join(ROOT, 'node_modules'), join(folder, 'node_modules')];
  mkdirSync(join(to, '.bin'), { recursive: true });
  const names = readdirSync(from).filter((name) => name !== '.bin');
  const programs = readdirSync(join(from, '.bin')).filter((name) => name !== 'finwait');
  for (const name of [...names, ...programs.map((program) => join('.bin', program))]) {
    symlinkSync(join(from, name), join(to, name));
  }
  symlinkSync('../../dist/cli/main.js', join(to, '.bin/finwait')); // as `prepare` makes it
}
