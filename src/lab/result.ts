// Whether what had to be seen was seen. Knows scenarios and what has happened; must not know how.

import { type Direction, NOT_SEEN, type TraceEvent } from '../trace/event.js';
import { connectionOfSegment, describeSegment } from '../trace/segment.js';
import type { Gatekeeper, SeenSegment } from './gatekeeper.js';
import { Marks, matches } from './matching.js';
import type { Scenario, Span } from './scenario.js';
import { WAITED_FOR } from './states.js';
import { matchInWords, times } from './words.js';
import type { Party, World } from './world.js';

/** A segment as a result shows it; numbers relative to the initial ones. */
export interface ResultSegment {
  /** `10.9.0.2:7000 10.9.0.1:8000`, our end first. */
  connection: string;
  direction: Direction;
  /** `FIN,ACK seq 1 ack 1`. */
  text: string;
  origin: SeenSegment['origin'];
  fate: SeenSegment['fate'];
}

/** States of one connection, in order. */
interface ResultConnection {
  /** `10.9.0.2:7000 10.9.0.1:8000`, ours first. */
  ends: string;
  ours: readonly string[];
  kernel: readonly string[];
}

export interface Result {
  name: string;
  passed: boolean;
  /**
   * States in order, of all connections together: of our stack, and of the other end, which is the kernel
   * or, in simulation, a second stack.
   */
  ours: readonly string[];
  kernel: readonly string[];
  /** The same of each one, in the order in which they began. */
  connections: readonly ResultConnection[];
  segments: readonly ResultSegment[];
  why: string;
  /** Who does not act, where connections of ours may stay in their state for as long as that one pleases. */
  waiting: readonly string[];
  /** What was expected and what was seen instead; empty when it passed. */
  failures: readonly string[];
}

export function judge(
  scenario: Scenario,
  world: World,
  keeper: Gatekeeper,
  failure: string | null,
): Result {
  const failures = failure === null ? [] : [failure];
  failures.push(...pathFailures('we', scenario.ours, world.ours.path));
  failures.push(...pathFailures('the peer', scenario.theirs, theirPath(scenario, world)));
  failures.push(...segmentFailures(scenario, world, keeper));
  for (const span of scenario.spans ?? []) failures.push(...spanFailures(span, world));
  return {
    name: scenario.name,
    passed: failures.length === 0,
    ours: [...world.ours.path],
    kernel: [...world.theirs.path],
    connections: connectionsOf(world.timeline.events),
    segments: describeAll(keeper),
    why: scenario.why,
    waiting: waitingFor(world.ours),
    failures,
  };
}

function connectionsOf(events: readonly TraceEvent[]): ResultConnection[] {
  const found = new Map<string, { ours: string[]; kernel: string[] }>();
  for (const event of events) {
    if (event.kind !== 'state' || event.connection === null) continue;
    const paths = found.get(event.connection) ?? { ours: [], kernel: [] };
    found.set(event.connection, paths);
    paths[event.end === 'ours' ? 'ours' : 'kernel'].push(event.to);
  }
  return [...found].map(([ends, paths]) => ({ ends, ...paths }));
}

/** Timers count whole milliseconds. */
const TICK_MS = 1;

/** `3 connections in CLOSE-WAIT: the application has not closed`. */
function waitingFor(party: Party): string[] {
  return Object.entries(WAITED_FOR).flatMap(([state, what]) => {
    const count = party.countIn(state);
    const connections = count === 1 ? 'a connection' : `${count} connections`;
    return count === 0 ? [] : [`${connections} in ${state}: ${what}`];
  });
}

/** TIME-WAIT is as far as their path is followed, where it is expected to end there. */
function theirPath(scenario: Scenario, { theirs }: World): readonly string[] {
  const { path } = theirs;
  const isOver = path.at(-2) === 'TIME-WAIT' && path.at(-1) === 'CLOSED';
  return isOver && scenario.theirs.at(-1) === 'TIME-WAIT' ? path.slice(0, -1) : path;
}

const arrows = (path: readonly string[]): string => path.join(' → ') || 'nowhere';

function pathFailures(who: string, expected: readonly string[], seen: readonly string[]): string[] {
  if (agrees(expected, seen)) return [];
  return [`${who} went ${arrows(seen)}, where ${arrows(expected)} was expected`];
}

/** A gap in what could be seen is taken on trust to be the state that is expected there, and no other one. */
function agrees(expected: readonly string[], seen: readonly string[]): boolean {
  if (seen.length !== expected.length) return false;
  return seen.every((state, i) => state === expected[i] || state === NOT_SEEN);
}

function segmentFailures({ segments = [] }: Scenario, world: World, keeper: Gatekeeper): string[] {
  return segments.flatMap(({ match, times: expected, atLeast, backOff }) => {
    const count = keeper.count(match);
    const isEnough = atLeast ? count >= expected : count === expected;
    const what = matchInWords(match);
    if (!isEnough) {
      const bound = atLeast ? 'at least ' : '';
      const wanted = expected === 0 ? 'none' : `${bound}${times(expected)}`;
      return [`${what}: ${wanted} expected, ${count === 0 ? 'none' : times(count)} seen`];
    }
    const { minRto } = world.core.config;
    if (backOff && !hasBackOff(timesOf(match, world), minRto)) {
      return [`${what}: each repetition has to wait twice as long as the one before`];
    }
    return [];
  });
}

/** When our stack has sent or received such segments, ms. */
function timesOf(match: Span['from'], { timeline }: World): number[] {
  const marks = new Marks();
  return timeline.events.flatMap((event) => {
    if (event.kind !== 'segment' || event.end !== 'ours') return [];
    return matches(marks.note(event), match) ? [event.timeUs / 1000] : [];
  });
}

/** RFC 6298 §5.5: a busy machine makes a gap longer, but nothing makes it shorter than that. */
function hasBackOff(moments: readonly number[], minRto: number): boolean {
  const gaps = moments.slice(1).map((moment, i) => moment - moments[i]!);
  return gaps.every((gap, i) => gap >= minRto * 2 ** i - TICK_MS);
}

function spanFailures({ from, to, atLeast }: Span, world: World): string[] {
  const entry = (event: TraceEvent) =>
    event.kind === 'state' && event.end === to.end && event.to === to.state;
  const what = `${matchInWords(from)} and ${to.state}`;
  const end = world.timeline.events.findLast(entry);
  const entered = (end?.timeUs ?? Number.NaN) / 1000;
  const start = timesOf(from, world).findLast((moment) => moment <= entered);
  if (start === undefined) return [`${what}: one of them was not seen, or not in this order`];
  const ms = entered - start;
  const wanted = atLeast === '2MSL' ? 2 * world.core.config.msl : atLeast;
  if (ms >= wanted - TICK_MS) return [];
  return [`between ${what} lie ${Math.round(ms)} ms, where ${wanted} were expected`];
}

function describeAll(keeper: Gatekeeper): ResultSegment[] {
  return keeper.left.map(({ direction, segment, initial, origin, fate }) => ({
    connection: connectionOfSegment(segment, direction),
    ...{ direction, text: describeSegment(segment, initial), origin, fate },
  }));
}
