// `finwait lab`: the scenarios, and what comes of them. Knows what is asked for and in which form; what
// happens stands in src/lab.

import type { Result } from '../lab/result.js';
import type { Scenario } from '../lab/scenario.js';
import { SCENARIOS, scenarioNamed } from '../lab/scenarios/index.js';
import { type Finished, runSeries, type SeriesOptions } from '../lab/series.js';
import { type Command, helpHint, type Input, nearest } from './command.js';
import { EXIT_FAILED, EXIT_OK, usage } from './failure.js';
import { type Kept, keep, listing, progress, report, summary } from './lab-report.js';
import { runWithRights } from './lab-rights.js';

/** Runs at once where all are asked for: most of their time they wait for a timer of the kernel. */
const SITES = 6;
const MAX_SEED = 0xffff_ffff;

export const labCommand: Command = {
  name: 'lab',
  usage: ['lab', 'lab run NAME... [options]', 'lab run --all [options]'],
  description:
    'Lists the scenarios, or carries them out: our TCP against the TCP of this kernel, in a network\n' +
    'namespace of its own, a segment at a time, with the states of both. Each passes or fails on what\n' +
    'happened; exit code 0 if all passed, else 1. Needs root, or user namespaces and /dev/net/tun.',
  options: {
    all: { help: 'all scenarios: a line each, and the ladder of those that fail' },
    sim: { help: 'between two of our stacks in virtual time, without the kernel' },
    json: { help: 'as JSON: an array with the result of each scenario; of the list: its entries' },
    seed: { value: 'N', help: 'choose sequence numbers and ports by this number (0 to 2^32-1)' },
  },
  maxArguments: Number.POSITIVE_INFINITY,
  run: runLab,
};

async function runLab(input: Input): Promise<number> {
  const [verb, ...names] = input.positionals;
  if (verb === undefined && !input.given('all')) {
    process.stdout.write(listing(SCENARIOS, input.given('json')));
    return EXIT_OK;
  }
  if (verb !== 'run') throw unknownVerb(verb);
  const scenarios = choose(names, input.given('all'));
  const options = readOptions(input, scenarios);
  const elsewhere = options.simulated ? null : await runWithRights();
  return elsewhere ?? carryOut(scenarios, options, input);
}

function unknownVerb(verb: string | undefined): Error {
  if (verb === undefined)
    return usage('--all is for `finwait lab run`', 'write finwait lab run --all');
  const isName = scenarioNamed(verb) !== null;
  const fix = isName ? `write finwait lab run ${verb}` : helpHint(labCommand);
  return usage(`finwait lab can \`run\` scenarios, not "${verb}"`, fix);
}

function choose(names: readonly string[], all: boolean): readonly Scenario[] {
  if (all && names.length > 0) {
    throw usage('--all and names of scenarios exclude each other', 'leave out one of them');
  }
  if (all) return SCENARIOS;
  if (names.length === 0) throw usage('no scenario is named', 'name one, or give --all');
  return names.map((name) => {
    const scenario = scenarioNamed(name);
    if (scenario !== null) return scenario;
    const near = nearest(
      name,
      SCENARIOS.map((known) => known.name),
    );
    const fix = near === null ? '`finwait lab` lists them' : `did you mean ${near}?`;
    throw usage(`there is no scenario ${name}`, fix);
  });
}

function readOptions(input: Input, scenarios: readonly Scenario[]): SeriesOptions<Kept> {
  return {
    simulated: input.given('sim'),
    seed: input.integer('seed', 0, MAX_SEED),
    sites: Math.min(SITES, scenarios.length),
    look: keep,
  };
}

async function carryOut(
  scenarios: readonly Scenario[],
  options: SeriesOptions<Kept>,
  input: Input,
): Promise<number> {
  const results: Result[] = [];
  const start = performance.now();
  for await (const finished of runSeries(scenarios, options)) {
    results.push(finished.result);
    if (!input.given('json')) process.stdout.write(format(finished, input.given('all')));
  }
  if (input.given('json')) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else if (results.length > 1) {
    process.stdout.write(summary(results, options.simulated, performance.now() - start));
  }
  return results.every(({ passed }) => passed) ? EXIT_OK : EXIT_FAILED;
}

function format(finished: Finished<Kept>, all: boolean): string {
  const line = progress(finished);
  if (!all) return report(finished);
  return finished.result.passed ? line : `${line}\n${report(finished)}\n`;
}
