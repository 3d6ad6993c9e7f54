// Many runs, several at once, told in their order. Knows runs and worlds; must not know what is shown.

import { KernelProcess } from './kernel-process.js';
import { KernelWorld } from './kernel-world.js';
import type { Result } from './result.js';
import { Run } from './run.js';
import type { Scenario } from './scenario.js';
import { SimulatedWorld } from './simulation.js';
import type { Tap, World } from './world.js';

/** Where runs take place, one after the other. */
interface Site {
  open(scenario: Scenario): Promise<World>;
  close(): Promise<void>;
}

export interface SiteOptions {
  /** Between two of our stacks in virtual time, without the kernel. */
  simulated: boolean;
  seed?: number | undefined;
  tap?: Tap | undefined;
}

/** @throws KernelProcessError when there can be no network namespace */
async function openSite({ simulated, seed, tap }: SiteOptions): Promise<Site> {
  if (simulated) {
    return {
      open: async (scenario) => SimulatedWorld.open(scenario, { seed, tap }),
      close: async () => {},
    };
  }
  const process = await KernelProcess.start();
  let run = 0;
  return {
    open: (scenario) => KernelWorld.open(scenario, { process, run: run++, seed, tap }),
    close: () => process.close(),
  };
}

/** A run that is over. */
export interface Finished<T> {
  scenario: Scenario;
  result: Result;
  /** How long it took, in the time of its world. */
  ms: number;
  /** What was made of it while its world was still there. */
  view: T;
}

export interface SeriesOptions<T> extends SiteOptions {
  /** How many runs at once. */
  sites: number;
  /** Called when a run is over, before its world is closed. */
  look(run: Run): T;
}

/** Carries out scenarios, several at once, and gives what came of them in their order. */
export async function* runSeries<T>(
  scenarios: readonly Scenario[],
  options: SeriesOptions<T>,
): AsyncGenerator<Finished<T>> {
  const sites = new Sites();
  try {
    await sites.open(options);
    const runs = scenarios.map((scenario) =>
      sites.use((site) => runAt(site, scenario, options.look)),
    );
    for (const run of runs) run.catch(() => {}); // looked at below, when its turn has come
    for (const run of runs) yield await run;
  } finally {
    await sites.close();
  }
}

async function runAt<T>(
  site: Site,
  scenario: Scenario,
  look: (run: Run) => T,
): Promise<Finished<T>> {
  const world = await site.open(scenario);
  try {
    const start = world.now();
    const run = new Run(scenario, world);
    while (!run.done) await run.step();
    const ms = (world.now() - start) / 1000;
    return { scenario, result: run.result(), ms, view: look(run) };
  } finally {
    await world.close();
  }
}

/** A few sites that are used by turns. */
class Sites {
  readonly #all: Site[] = [];
  readonly #free: Site[] = [];
  readonly #waiting: ((site: Site) => void)[] = [];

  /** All before the first run: programs that start could keep it from the processor for a second. */
  async open(options: SeriesOptions<unknown>): Promise<void> {
    const opening = Array.from({ length: options.sites }, () => openSite(options));
    for (const site of await Promise.allSettled(opening)) {
      if (site.status === 'fulfilled') this.#all.push(site.value);
    }
    await Promise.all(opening); // throws, where one could not be opened
    this.#free.push(...this.#all);
  }

  async use<R>(work: (site: Site) => Promise<R>): Promise<R> {
    const site = this.#free.pop() ?? (await this.#nextFree());
    try {
      return await work(site);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(site);
      else next(site);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((site) => site.close()));
  }

  #nextFree(): Promise<Site> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
