// All scenarios of the lab, in the order in which they are best read. Data only.

import type { Scenario } from '../scenario.js';
import { CLOSING } from './closing.js';
import { OPENING } from './opening.js';

export const SCENARIOS: readonly Scenario[] = [...OPENING, ...CLOSING];

export function scenarioNamed(name: string): Scenario | null {
  return SCENARIOS.find((scenario) => scenario.name === name) ?? null;
}
