// Starts programs and waits for them. Knows processes and pipes; must not know benchmarks.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const READY_MS = 20_000;
const STOP_MS = 5_000;
const SAID = 2000;
const NS_PER_S = 1e9;

/**
 * Runs a program to its end.
 * @returns what it wrote to stdout
 * @throws with its last words when it fails, or takes longer than `timeoutMs`
 */
export function run(command, args, { timeoutMs = 120_000, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args.map(String), {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      ...(env && { env: { ...process.env, ...env } }),
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (err = (err + text).slice(-SAID)));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new Error(lastWords(command, err) ?? ended(command, code, signal)));
    });
  });
}

/** A program that says a line when it is ready, answers lines, and ends with its input. */
export class Companion {
  pid;
  #child;
  #lines = [];
  #wanted = [];
  #rest = '';
  #said = '';
  #ended = null;
  #gone;

  /** @param ready what it says first, also without an end of line; or nothing, and any line will do */
  static async start(command, args, ready, timeoutMs = READY_MS) {
    const companion = new Companion(command, args.map(String), ready);
    try {
      companion.greeting = await companion.#next(timeoutMs);
      if (ready !== undefined && companion.greeting !== ready) {
        throw new Error(`${command} said '${companion.greeting}'`);
      }
      return companion;
    } catch (error) {
      await companion.stop();
      throw error;
    }
  }

  constructor(command, args, ready) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.pid = child.pid;
    child.stdin.on('error', () => {});
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#said = (this.#said + text).slice(-SAID);
    });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.at(-1) === ready ? '' : lines.pop();
      for (const line of lines) this.#heard(line);
    });
    this.#gone = new Promise((resolve) => {
      child.on('error', (error) => resolve(this.#over(error)));
      child.on('close', (code, signal) => {
        resolve(
          this.#over(new Error(lastWords(command, this.#said) ?? ended(command, code, signal))),
        );
      });
    });
  }

  /** Says a line and waits for the answer. */
  ask(line, timeoutMs = READY_MS) {
    this.#child.stdin.write(`${line}\n`);
    return this.#next(timeoutMs);
  }

  /** Processor seconds of all its threads so far. */
  cpuSeconds() {
    return cpuSeconds(this.pid);
  }

  /** The end of its input ends it; or a signal, when it does not listen. */
  async stop() {
    this.#child.stdin.end();
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#gone;
    clearTimeout(impatience);
  }

  #next(timeoutMs) {
    if (this.#lines.length > 0) return Promise.resolve(this.#lines.shift());
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`no answer for ${timeoutMs / 1000} s`));
      const timer = setTimeout(late, timeoutMs);
      this.#wanted.push((error, line) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve(line);
      });
    });
  }

  #heard(line) {
    const wanted = this.#wanted.shift();
    if (wanted) wanted(null, line);
    else this.#lines.push(line);
  }

  #over(error) {
    this.#ended = error;
    for (const wanted of this.#wanted.splice(0)) wanted(error);
  }
}

/** Processor seconds of all threads of a process; a finer clock than the ticks of /proc/PID/stat. */
function cpuSeconds(pid) {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  return ns / NS_PER_S;
}

/** Where a program is, or nothing. */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function lastWords(command, said) {
  // Node ends what it says with its version.
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !/^Node\.js v/.test(line));
  const line = lines.findLast((each) => /error/i.test(each)) ?? lines.at(-1);
  return line ? `${command.split('/').at(-1)}: ${line}` : undefined;
}

function ended(command, code, signal) {
  return `${command.split('/').at(-1)} ended with ${signal ?? code}`;
}
