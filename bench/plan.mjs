// Which contender carries which loads, while how many other connections are idle. Knows what was asked
// for; must not run anything.

import { LOADS } from './rows.mjs';

/** Connections that are idle at each step on the way to the number asked for. */
const STEPS = [1000, 10_000];
/** A rough guess, for the progress: connections opened each second, and starting a server. */
const OPENED_PER_SECOND = 8000;
const START_SECONDS = 0.5;

/**
 * The turns of a contender in each round, as lists of stages `{ idle, loads, weigh, seconds }`. One turn
 * climbs from none to the most idle connections, so that each is opened once; loads run at each stage.
 * What finished connections leave behind is weighed in a turn of its own: it stays for a minute.
 */
export function turnsOf(contender, options) {
  const { groups, idle, seconds } = options;
  const possible = LOADS.filter(({ needs }) => !needs || contender.services.includes(needs));
  const most = Math.min(idle, contender.idles ?? 0);
  const loaded = most > 0 && groups.has('idle');
  const weighed = groups.has('memory') && contender.services.includes('memory');
  const loads = possible.filter((load) => isWanted(load, contender, groups, loaded));
  const steps = possible.filter((load) => load.steps);

  const stages = [{ idle: 0, loads, weigh: weighed && most > 0 }];
  if (loaded) {
    for (const step of STEPS) if (step < most) stages.push({ idle: step, loads: steps });
    stages.push({ idle: most, loads: contender.offload ? possible : steps, weigh: weighed });
  } else if (weighed && most > 0) {
    stages.push({ idle: most, loads: [], weigh: true });
  }
  const turns = stages.some((stage) => stage.loads.length > 0 || stage.weigh) ? [stages] : [];
  if (weighed && contender.services.includes('finished')) {
    turns.push([{ idle: 0, loads: [], finished: options.finished }]);
  }
  return turns.map((turn) =>
    turn.map((stage) => ({ ...stage, seconds: expected(stage, seconds) })),
  );
}

/** Whether a load runs without idle connections: for itself, or to be compared with. */
function isWanted(load, { offload }, groups, loaded) {
  const withoutOffload = load.bulk && groups.has('offload');
  if (offload === false) return withoutOffload;
  if (load.rows.some(({ group }) => groups.has(group))) return true;
  return offload ? loaded || withoutOffload : loaded && load.steps;
}

function expected({ idle, loads, finished = 0 }, seconds) {
  return START_SECONDS + (idle + finished) / OPENED_PER_SECOND + loads.length * (seconds + 0.3);
}
