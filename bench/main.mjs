// The command `npm run bench`: what was asked for is done in order. Knows which part does what; no
// part of the work.

import { closeSync, existsSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderComparison } from './compare.mjs';
import { chooseContenders, installPeers, prepare } from './contenders.mjs';
import { lossRows } from './loss.mjs';
import { describeMachine } from './machine.mjs';
import { measure } from './measure.mjs';
import { insideOfNamespace, setUpKernel, useCubicOnLoopback, whyNotAsUser } from './network.mjs';
import { parseOptions, USAGE, UsageError } from './options.mjs';
import { turnsOf } from './plan.mjs';
import { findProgram, run } from './processes.mjs';
import { Progress } from './progress.mjs';
import { Results } from './results.mjs';
import { LOSS_GROUP, ROWS } from './rows.mjs';
import { renderTable } from './table.mjs';

const FAILED = 1;
const USAGE_WRONG = 2;
const ENVIRONMENT = 3;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

class EnvironmentError extends Error {}

async function main(args) {
  const options = parseOptions(args);
  if (options.action === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if (options.action === 'compare') {
    const { text, slower } = renderComparison(...options.files.map((file) => Results.read(file)));
    console.log(text);
    return slower > 0 ? FAILED : 0;
  }
  if (options.action === 'report') {
    // The plotting library takes a while to load, and is there for developers only.
    const { writeReport } = await import('./report.mjs');
    for (const file of writeReport(Results.read(options.file), options.file)) console.log(file);
    return 0;
  }
  const contenders = choose(options);
  const folder = process.env.FINWAIT_BENCH;
  if (folder !== undefined) return await runInside(options, contenders, folder);
  const asRoot = await checkEnvironment(options);
  // Now rather than after twenty minutes.
  if (options.json !== undefined) closeSync(openSync(options.json, 'a'));
  if (options.installPeers) installPeers(contenders);
  return insideOfNamespace(process.argv[1], args, asRoot);
}

function choose(options) {
  try {
    return chooseContenders(options.only);
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/** @returns whether it may make networks as it is, rather than in a user namespace */
async function checkEnvironment({ hostNetwork }) {
  if (!existsSync(here('../dist/open.js'))) {
    throw new EnvironmentError('nothing is built yet: run npm run build');
  }
  if (newest('../src') > newest('../dist')) {
    console.error('bench: dist is older than src: npm run build');
  }
  if (findProgram('cc') === undefined) {
    throw new EnvironmentError('the client is in C: install gcc (Debian: build-essential)');
  }
  const { mayMakeNetworks } = await import('../dist/enclosure/enclosure.js');
  if (mayMakeNetworks()) return true;
  if (hostNetwork)
    throw new EnvironmentError('namespaces need root here: leave out --host-network');
  const { triedNetwork } = await import('../dist/cli/own-network.js');
  const refusal = triedNetwork()?.join('; ') ?? whyNotAsUser();
  if (refusal === '') return false;
  throw new EnvironmentError(`namespaces are not for this user: ${refusal}`);
}

/** When a file of a folder was changed last. */
function newest(folder) {
  const files = readdirSync(here(folder), { recursive: true });
  return Math.max(...files.map((file) => statSync(join(here(folder), file)).mtimeMs));
}

async function runInside(options, contenders, folder) {
  // The first process of a namespace has no default for signals; with it, all others end.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(FAILED));
  await setUpKernel();
  await useCubicOnLoopback();
  const client = join(folder, 'load');
  await run('cc', ['-O2', '-o', client, here('client/load.c')]);
  const wanted = contenders.filter((each) => turnsOf(each, options).length > 0);
  if (wanted.length === 0 && !options.groups.has(LOSS_GROUP)) {
    throw new UsageError('none of these contenders is in one of these groups');
  }
  const { ready, missing } = await prepare(wanted, folder);
  const turns = ready.flatMap((contender) =>
    turnsOf(contender, options).map((stages) => ({ contender, stages })),
  );
  const results = new Results({
    ...{
      machine: describeMachine(),
      pinned: options.pin,
      rounds: options.rounds,
      seconds: options.seconds,
    },
    contenders: ready.map(({ name, about, onTun = false }) => ({ name, about, onTun })),
    missing,
    rows: ROWS.map(({ id, group, label, unit, better }) => ({ id, group, label, unit, better })),
  });
  const stages = turns.flatMap((turn) => turn.stages);
  const seconds = stages.reduce((sum, stage) => sum + stage.seconds, 0) * options.rounds;
  await measure(turns, options, { folder, client }, results, new Progress(seconds));
  if (options.groups.has(LOSS_GROUP)) results.data.loss = await lossRows(lossOptions(options));
  if (options.json !== undefined) results.write(options.json);
  const colour = process.stdout.isTTY && !process.env.NO_COLOR;
  console.log(renderTable(results, colour));
  return results.data.failures.length > 0 ? FAILED : 0;
}

/** In virtual time a round more is a seed more: the same each time. */
function lossOptions({ rounds, quick }) {
  const seeds = Array.from({ length: rounds }, (_, i) => i + 1);
  return quick ? { seeds, bytes: 1 << 20 } : { seeds };
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`bench: ${error.message}`);
  if (error instanceof UsageError) console.error('Try npm run bench -- --help');
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error) {
  if (error instanceof UsageError) return USAGE_WRONG;
  return error instanceof EnvironmentError ? ENVIRONMENT : FAILED;
}
