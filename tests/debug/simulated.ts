// Sessions over scenarios in simulation, and one that looks like a kernel's. Knows how they are opened; must
// not know what is tested.

import { RunDebuggee } from '../../src/debug/run-debuggee.js';
import { Session, type SessionOptions } from '../../src/debug/session.js';
import { Run } from '../../src/lab/run.js';
import { scenarioNamed } from '../../src/lab/scenarios/index.js';
import { SimulatedWorld } from '../../src/lab/simulation.js';
import type { World } from '../../src/lab/world.js';

export function simulated(name: string, seed = 1): Promise<RunDebuggee> {
  const scenario = scenarioNamed(name)!;
  return Promise.resolve(
    new RunDebuggee(new Run(scenario, SimulatedWorld.open(scenario, { seed }))),
  );
}

export function openSession(name: string, options: Partial<SessionOptions> = {}): Promise<Session> {
  return Session.open({ open: () => simulated(name), simulate: null, ...options });
}

/** A simulation that says of itself that it is a kernel's world, so that it cannot be rewound. */
export function openLikeKernel(name: string, seed = 1): Promise<Session> {
  const scenario = scenarioNamed(name)!;
  const world = new Proxy(SimulatedWorld.open(scenario, { seed }), {
    get(target, key) {
      if (key === 'kind') return 'kernel';
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as World;
  return Session.open({
    open: () => Promise.resolve(new RunDebuggee(new Run(scenario, world))),
    simulate: () => simulated(name),
  });
}
