// Where and with what a run was made. Knows the system; must not know what was measured.

import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

/** All that figures depend on, for the header of a table and for `--json`. */
export function describeMachine() {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    congestionControl: 'cubic',
    mtu: 1500,
    date: new Date().toISOString().slice(0, 19).concat('Z'),
    commit: commit(),
  };
}

function commit() {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const git = (...args) => execFileSync('git', args, { cwd, encoding: 'utf8', stdio: 'pipe' });
  try {
    const changed = git('status', '--porcelain', '--', '../src', '../native') !== '';
    return git('rev-parse', '--short=10', 'HEAD').trim() + (changed ? ' and changes' : '');
  } catch {
    return 'unknown';
  }
}

/** One line for people. */
export function machineLine({ cpu, cores, memoryGiB, kernel, node, date, commit }) {
  const system = `${cpu}, ${cores} cores, ${memoryGiB} GiB; Linux ${kernel}; Node ${node}`;
  return `${system}; ${date}, commit ${commit}`;
}
