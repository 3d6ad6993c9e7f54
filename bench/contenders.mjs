// Who is measured, and who cannot be. Knows peers and what each needs; must not know rows.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { peers as epoll } from './peers/epoll.mjs';
import { peers as finwait } from './peers/finwait.mjs';
import { peers as gvisor } from './peers/gvisor.mjs';
import { peers as lwip } from './peers/lwip.mjs';
import { peers as node } from './peers/node.mjs';
import { peers as pasta } from './peers/pasta.mjs';
import { peers as slirp4netns } from './peers/slirp4netns.mjs';
import { findProgram } from './processes.mjs';

/**
 * In the order of their turns. Each has a `name`; files that it `needs`, with their Debian packages;
 * `build(folder)` and `start(server, folder)`, which launches a `Server`; `services` beyond echo,
 * discard and chargen; the number of connections that it can have idle (`idles`).
 */
export const CONTENDERS = [finwait, node, epoll, lwip, gvisor, slirp4netns, pasta].flat();

/** Those whose name begins with one of the words; all without words. */
export function chooseContenders(words) {
  if (words.length === 0) return CONTENDERS;
  const unknown = words.filter((word) => !CONTENDERS.some(({ name }) => name.startsWith(word)));
  if (unknown.length > 0) {
    const names = CONTENDERS.map(({ name }) => name).join(', ');
    throw new RangeError(`no contender is called ${unknown.join(' or ')}; there are: ${names}`);
  }
  return CONTENDERS.filter(({ name }) => words.some((word) => name.startsWith(word)));
}

/** Builds each; answers those that can run, and for the others why not. */
export async function prepare(contenders, folder) {
  const ready = [];
  const missing = [];
  for (const contender of contenders) {
    const packages = missingPackages([contender]);
    try {
      if (packages.length > 0) throw new Error(`needs the Debian package ${packages.join(', ')}`);
      await contender.build?.(folder);
      ready.push(contender);
    } catch (error) {
      missing.push({ name: contender.name, reason: error.message });
    }
  }
  return { ready, missing };
}

/** Debian packages that are not there. */
export function missingPackages(contenders) {
  const needs = contenders.flatMap((contender) => Object.entries(contender.needs));
  return [...new Set(needs.filter(([file]) => !existsSync(file)).map(([, name]) => name))];
}

/** Has Debian's package manager fetch what the contenders and loads need. */
export function installPeers(contenders) {
  const packages = missingPackages(contenders);
  if (findProgram('wrk') === undefined) packages.push('wrk');
  if (packages.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { stdio: ['ignore', 'inherit', 'inherit'], env };
  spawnSync('apt-get', ['update'], options);
  spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], options);
}
