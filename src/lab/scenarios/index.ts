// All scenarios of the lab, in the order in which they are best read. Data only.

import type { Scenario } from '../scenario.js';
import { CLOSING } from './closing.js';
import { LOSSES } from './losses.js';
import { OPENING } from './opening.js';
import { RESETS } from './resets.js';
import { TIME_WAIT } from './time-wait.js';
import { WAITING } from './waiting.js';

export const SCENARIOS: readonly Scenario[] = [
  ...OPENING,
  ...CLOSING,
  ...LOSSES,
  ...WAITING,
  ...RESETS,
  ...TIME_WAIT,
];

export function scenarioNamed(name: string): Scenario | null {
  return SCENARIOS.find((scenario) => scenario.name === name) ?? null;
}
