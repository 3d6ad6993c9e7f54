// Every scenario of the lab in virtual time, between two of our stacks. Knows scenarios by their names
// only; what must be seen stands in them.

import { expect, it } from 'vitest';
import { runScenario } from '../../src/lab/run.js';
import { SCENARIOS } from '../../src/lab/scenarios/index.js';
import { SimulatedWorld } from '../../src/lab/simulation.js';

const SEEDS = 25;

it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
  '%s',
  async (_, scenario) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const result = await runScenario(scenario, SimulatedWorld.open(scenario, { seed }));
      expect(result.failures, JSON.stringify(result, null, 1)).toEqual([]);
    }
  },
);
