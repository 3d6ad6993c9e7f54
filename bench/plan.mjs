// Which contender carries which loads, while how many other connections are idle. Knows what was asked
// for; must not run anything.

import { LOADS } from './rows.mjs';

/** Connections that are idle at each step on the way to the number asked for. */
const STEPS = [1000, 10_000];
/** A rough guess, for the progress: connections opened each second, and starting a server. */
const OPENED_PER_SECOND = 8000;
const START_SECONDS = 0.5;

/**
 * The stages of a contender's turn: `{ idle, loads, weigh, seconds }`. One turn climbs from none to
 * the most idle connections, so that each is opened once; loads run at each stage.
 */
export function stagesOf(contender, options) {
  const { groups, idle, seconds } = options;
  const possible = LOADS.filter(({ needs }) => !needs || contender.services.includes(needs));
  const asked = (load) => load.rows.some(({ group }) => groups.has(group));
  const most = Math.min(idle, contender.idles ?? 0);
  const loaded = most > 0 && groups.has('idle');
  const weighed = most > 0 && groups.has('memory') && contender.services.includes('memory');
  const base = possible.filter((load) => {
    if (contender.offload === false) return load.bulk && groups.has('offload');
    const compared = contender.offload && load.bulk && groups.has('offload');
    return asked(load) || compared || (loaded && (contender.offload || load.steps));
  });
  const stages = [{ idle: 0, loads: base, weigh: weighed }];
  if (loaded) {
    const steps = possible.filter((load) => load.steps);
    for (const step of STEPS) if (step < most) stages.push({ idle: step, loads: steps });
    stages.push({ idle: most, loads: contender.offload ? possible : steps, weigh: weighed });
  } else if (weighed) {
    stages.push({ idle: most, loads: [], weigh: true });
  }
  const useful = stages.some(({ loads, weigh }) => loads.length > 0 || weigh);
  return useful ? stages.map((stage) => ({ ...stage, seconds: expected(stage, seconds) })) : [];
}

function expected({ idle, loads }, seconds) {
  return START_SECONDS + idle / OPENED_PER_SECOND + loads.length * (seconds + 0.3);
}
