// The congestion controllers that there are, by name. Knows their names only.

import type { CongestionControl } from './congestion.js';
import { cubic } from './cubic.js';
import { newReno } from './newreno.js';

const CONTROLLERS: readonly CongestionControl[] = [cubic, newReno];

/** @throws RangeError for a name that no controller has; it lists those that there are. */
export function controllerNamed(name: string): CongestionControl {
  const found = CONTROLLERS.find((controller) => controller.name === name);
  if (found !== undefined) return found;
  const names = CONTROLLERS.map((controller) => controller.name).join(', ');
  throw new RangeError(`no congestion control is called "${name}"; there are: ${names}`);
}
