// Explains states, events and scenarios, from the table of transitions and from the lab's own words. Knows
// what can be explained; must not know how it is shown.

import type { Scenario } from '../lab/scenario.js';
import { SCENARIOS } from '../lab/scenarios/index.js';
import { STATE_NOTES, type StateName, type StateNote } from '../lab/states.js';
import { STATE_NAMES } from '../tcp/state.js';
import { TRANSITIONS, type Transition } from '../tcp/transitions.js';
import { bare, stateNamed, suggestion } from './words.js';

/** A change of state, its states as names. */
export interface Way {
  from: string;
  event: string;
  to: string;
  sends: string;
  section: string;
  why: string;
}

export type Explanation =
  | ({ kind: 'state'; name: string; reached: Way[]; left: Way[]; scenarios: string[] } & StateNote)
  | { kind: 'event'; name: string; ways: Way[] }
  | {
      kind: 'scenario';
      name: string;
      title: string;
      section: string;
      why: string;
      ours: readonly string[];
      theirs: readonly string[];
    };

/** A word that nothing is known of, and perhaps the one that was meant. */
export class UnknownWord extends Error {
  override name = 'UnknownWord';
  constructor(
    readonly word: string,
    readonly suggestion: string | null,
  ) {
    super(`nothing here is called "${word}"`);
  }
}

/** All that can be explained, by kind. */
export function explainable(): { states: string[]; events: string[]; scenarios: string[] } {
  return {
    states: [...STATE_NAMES],
    events: [...new Set(TRANSITIONS.map(({ event }) => event))],
    scenarios: SCENARIOS.map(({ name }) => name),
  };
}

/**
 * Explains a state, an event or a scenario, however it is spelt: `fin-wait-2`, `FIN_WAIT_2`, `FINWAIT2`.
 * @throws UnknownWord with a suggestion
 */
export function explain(word: string): Explanation {
  const state = stateNamed(word);
  if (state !== null) return explainState(state);
  const { states, events, scenarios } = explainable();
  const event = events.find((name) => bare(name) === bare(word));
  if (event !== undefined) return explainEvent(event);
  const scenario = SCENARIOS.find(({ name }) => bare(name) === bare(word));
  if (scenario !== undefined) return explainScenario(scenario);
  throw new UnknownWord(word, suggestion(word, [...states, ...scenarios, ...events]));
}

function explainState(name: string): Explanation {
  const ways = TRANSITIONS.map(toWay);
  return {
    kind: 'state',
    name,
    ...STATE_NOTES[name as StateName],
    reached: ways.filter(({ to }) => to === name),
    left: ways.filter(({ from }) => from === name),
    scenarios: SCENARIOS.filter(({ ours, theirs }) => [...ours, ...theirs].includes(name)).map(
      (scenario) => scenario.name,
    ),
  };
}

function explainEvent(name: string): Explanation {
  const rows = TRANSITIONS.filter(({ event }) => event === name);
  return { kind: 'event', name, ways: rows.map(toWay) };
}

function explainScenario({ name, title, section, why, ours, theirs }: Scenario): Explanation {
  return { kind: 'scenario', name, title, section, why, ours, theirs };
}

function toWay({ from, event, to, sends, section, why }: Transition): Way {
  return { from: STATE_NAMES[from]!, event, to: STATE_NAMES[to]!, sends, section, why };
}
