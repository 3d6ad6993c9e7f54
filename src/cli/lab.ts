// `finwait lab`: the scenarios, and what comes of them. Knows what is asked for and in which form; what
// happens stands in src/lab.

import { writeFileSync } from 'node:fs';
import { debugRun } from '../debug/debug-run.js';
import { processTerminal } from '../debug/terminal.js';
import { DeviceError } from '../device/device-error.js';
import { KernelProcessError } from '../lab/kernel-process.js';
import { KernelWorld } from '../lab/kernel-world.js';
import type { Result } from '../lab/result.js';
import type { Scenario } from '../lab/scenario.js';
import { SCENARIOS, scenarioNamed } from '../lab/scenarios/index.js';
import { type Finished, runSeries, type SiteOptions } from '../lab/series.js';
import { SimulatedWorld } from '../lab/simulation.js';
import type { World } from '../lab/world.js';
import { type Command, helpHint, type Input, nearest } from './command.js';
import { DEBUG_OPTIONS, debugging, readDebugOptions } from './debug-options.js';
import { deviceFailure } from './device-failure.js';
import { EXIT_FAILED, EXIT_OK, environment, Failure, usage } from './failure.js';
import { LabCapture } from './lab-capture.js';
import {
  diagram,
  type Kept,
  keep,
  listing,
  picture,
  progress,
  report,
  summary,
} from './lab-report.js';
import { enterNetwork, OWN_NETWORK_OPTIONS } from './own-network.js';
import { CONTAINER_ALL } from './refusals.js';

/** Runs at once where all are asked for: most of their time they wait for a timer of the kernel. */
const SITES = 8;
const MAX_SEED = 0xffff_ffff;

const NEED = { makes: 'networks', instead: 'or leave the kernel out: --sim' } as const;

export const labCommand: Command = {
  name: 'lab',
  usage: ['lab', 'lab run NAME... [options]', 'lab run --all [options]'],
  description:
    'Lists the scenarios, or carries them out: our TCP against the TCP of this kernel, in a network\n' +
    'namespace of its own, a segment at a time, with the states of both. Each passes or fails on what\n' +
    'happened; exit code 0 if all passed, else 1. Needs root, or user namespaces and /dev/net/tun.',
  options: {
    all: { help: 'all scenarios: a line each, and the ladder of those that fail' },
    ...OWN_NETWORK_OPTIONS,
    sim: { help: 'between two of our stacks in virtual time, without the kernel' },
    json: { help: 'as JSON: an array with the result of each scenario; of the list: its entries' },
    mermaid: { help: 'each ladder as a sequence diagram in the language of Mermaid' },
    svg: {
      value: 'FILE',
      help: 'write the ladder of one scenario as a picture, too; -: standard output',
    },
    pcap: {
      value: 'FILE',
      help: 'write all packets, with changes of state as comments (pcapng); -: standard output',
    },
    step: { help: 'step through one scenario at the terminal: see the help there (?)' },
    ...DEBUG_OPTIONS,
    seed: { value: 'N', help: 'choose sequence numbers and ports by this number (0 to 2^32-1)' },
  },
  maxArguments: Number.POSITIVE_INFINITY,
  run: runLab,
};

async function runLab(input: Input): Promise<number> {
  const [verb, ...names] = input.positionals;
  if (verb === undefined) return list(input);
  if (verb !== 'run') throw unknownVerb(verb);
  const scenarios = choose(names, input.given('all'));
  checkForms(input, scenarios);
  const site = readSite(input);
  const elsewhere = site.simulated ? null : enterNetwork(input, NEED);
  if (elsewhere !== null) return elsewhere;
  try {
    if (input.given('step')) return await stepThrough(scenarios[0]!, site, input);
    return await carryOut(scenarios, site, input);
  } catch (error) {
    throw labFailure(error);
  }
}

function list(input: Input): number {
  const forRuns = Object.keys(labCommand.options).find(
    (name) => name !== 'json' && input.given(name),
  );
  if (forRuns !== undefined) {
    throw usage(`--${forRuns} is for running scenarios`, `write finwait lab run --${forRuns} ...`);
  }
  process.stdout.write(listing(SCENARIOS, input.given('json')));
  return EXIT_OK;
}

function labFailure(error: unknown): unknown {
  if (error instanceof DeviceError) return deviceFailure(error);
  if (!(error instanceof KernelProcessError)) return error;
  if (error.message.includes('EROFS')) {
    const what = 'the settings of this kernel cannot be changed: /proc/sys may only be read';
    return environment(what, `in Docker: ${CONTAINER_ALL}; ${NEED.instead}`, error);
  }
  const message = `the program on the kernel's side failed: ${error.message}`;
  return new Failure(EXIT_FAILED, message, 'finwait doctor says what this machine lacks', error);
}

function unknownVerb(verb: string): Error {
  const isName = scenarioNamed(verb) !== null;
  const fix = isName ? `write finwait lab run ${verb}` : helpHint(labCommand);
  return usage(`"${verb}" is nothing that the lab does`, fix);
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

/** What wants standard output for itself. */
function outputTakers(input: Input): string[] {
  const forms = ['json', 'mermaid', 'step'].filter((name) => input.given(name));
  const files = ['svg', 'pcap'].filter((name) => input.text(name) === '-');
  return [...forms.map((name) => `--${name}`), ...files.map((name) => `--${name} -`)];
}

/** What excludes what. */
function checkForms(input: Input, scenarios: readonly Scenario[]): void {
  const [first, second] = outputTakers(input);
  if (second !== undefined) {
    throw usage(`${first} and ${second} exclude each other`, 'leave out one of them');
  }
  const { svg, pcap } = { svg: input.text('svg'), pcap: input.text('pcap') };
  if (svg !== undefined && svg === pcap) {
    throw usage(`--svg and --pcap cannot both write to ${svg}`, 'give one of them another file');
  }
  for (const name of ['step', 'svg']) {
    if (input.given(name) && scenarios.length > 1) {
      throw usage(`--${name} is for one scenario at a time`, 'name one');
    }
  }
  for (const name of ['svg', 'pcap']) {
    if (input.given('step') && input.given(name)) {
      throw usage(`--step and --${name} exclude each other`, 'leave out one of them');
    }
  }
  for (const name of Object.keys(DEBUG_OPTIONS)) {
    if (input.given(name) && !input.given('step')) {
      throw usage(`--${name} is for stepping`, 'add --step');
    }
  }
}

function readSite(input: Input): SiteOptions {
  return { simulated: input.given('sim'), seed: input.integer('seed', 0, MAX_SEED) };
}

async function stepThrough(scenario: Scenario, site: SiteOptions, input: Input): Promise<number> {
  const options = { ...readDebugOptions(input), seed: site.seed };
  const { simulated, seed } = site;
  const open = async (): Promise<World> =>
    simulated ? SimulatedWorld.open(scenario, { seed }) : KernelWorld.open(scenario, { seed });
  return debugging(() => debugRun(open, scenario, processTerminal(), options));
}

async function carryOut(
  scenarios: readonly Scenario[],
  site: SiteOptions,
  input: Input,
): Promise<number> {
  const path = input.text('pcap');
  const capture = path === undefined ? null : new LabCapture(path);
  const isTaken = capture?.takesOutput || input.text('svg') === '-';
  const say = isTaken ? () => {} : (text: string) => process.stdout.write(text);
  const sites = capture === null ? Math.min(SITES, scenarios.length) : 1;
  const series = runSeries(scenarios, { ...site, tap: capture?.tap, sites, look: keep });
  try {
    const results = await tell(series, input, say);
    return results.every(({ passed }) => passed) ? EXIT_OK : EXIT_FAILED;
  } finally {
    await capture?.close();
  }
}

/** Says of each run what is asked for, as soon as it is over. */
async function tell(
  series: AsyncIterable<Finished<Kept>>,
  input: Input,
  say: (text: string) => void,
): Promise<Result[]> {
  const start = performance.now();
  const results: Result[] = [];
  const show = formOf(input);
  for await (const finished of series) {
    const gap = results.length > 0 && !input.given('all') ? '\n' : '';
    results.push(finished.result);
    if (input.given('svg')) writePicture(input.text('svg')!, picture(finished));
    if (show !== null) say(gap + show(finished));
  }
  if (show === null) say(`${JSON.stringify(results, null, 2)}\n`);
  else if (results.length > 1 && show !== diagram) {
    say(summary(results, input.given('sim'), performance.now() - start));
  }
  return results;
}

function writePicture(path: string, text: string): void {
  if (path === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(path, text);
  } catch (error) {
    const fix = 'give a file in a folder that you may write to';
    throw environment(`${path} cannot be written: ${(error as Error).message}`, fix, error);
  }
}

/** How each run is shown as soon as it is over; null where all wait for the end. */
function formOf(input: Input): ((finished: Finished<Kept>) => string) | null {
  if (input.given('json')) return null;
  if (input.given('mermaid')) return diagram;
  return input.given('all') ? lineAndTrouble : report;
}

function lineAndTrouble(finished: Finished<Kept>): string {
  const line = progress(finished);
  return finished.result.passed ? line : `${line}\n${report(finished)}\n`;
}
