// Runs of which a test looks at the timeline: scenarios in virtual time, and events written by hand. Must
// not know how they are drawn.

import { runScenario } from '../../src/lab/run.js';
import { scenarioNamed } from '../../src/lab/scenarios/index.js';
import { SimulatedWorld } from '../../src/lab/simulation.js';
import type { NewEvent, SegmentFields } from '../../src/trace/event.js';
import { Timeline } from '../../src/trace/timeline.js';

/** All that happened in a scenario, which must have passed. */
export async function timelineOf(name: string, seed = 1): Promise<Timeline> {
  const scenario = scenarioNamed(name)!;
  const world = SimulatedWorld.open(scenario, { seed });
  const { passed, failures } = await runScenario(scenario, world);
  if (!passed) throw new Error(`${name} failed: ${failures.join('; ')}`);
  return world.timeline;
}

const OURS = ['10.9.0.2', 80] as const;
const THEIRS = ['10.9.0.1', 40_000] as const;
export const CONNECTION = '10.9.0.2:80 10.9.0.1:40000';

type Happening = NewEvent extends infer E
  ? E extends unknown
    ? Omit<E, 'connection' | 'tcb' | 'timeUs' | 'end'> & Partial<Pick<NewEvent, 'timeUs' | 'end'>>
    : never
  : never;

/** Events of one connection, by the end `ours` unless said, one every millisecond. */
export function timelineFrom(happenings: readonly Happening[]): Timeline {
  const timeline = new Timeline();
  for (const [i, what] of happenings.entries()) {
    const common = { timeUs: i * 1000, end: 'ours', connection: CONNECTION, tcb: null } as const;
    timeline.add({ ...common, ...what } as NewEvent);
  }
  return timeline;
}

export function segment(
  direction: 'in' | 'out',
  flags: string,
  seq: number,
  ack: number,
  length = 0,
): SegmentFields {
  const [[source, sourcePort], [destination, destinationPort]] =
    direction === 'out' ? [OURS, THEIRS] : [THEIRS, OURS];
  const ends = { source, sourcePort, destination, destinationPort };
  return { ...ends, flags, seq, ack, window: 65_535, length, gsoSize: 0, options: {} };
}

/** A segment that one of the ends sends. */
export function sends(
  direction: 'in' | 'out',
  flags: string,
  seq: number,
  ack: number,
  length = 0,
): Happening {
  return { kind: 'segment', direction, segment: segment(direction, flags, seq, ack, length) };
}

/** A state of the kernel's end, as it is seen from outside. */
export function theirState(from: string, to: string): Happening {
  return { kind: 'state', end: 'theirs', from, to, event: '', section: '', why: '' };
}
