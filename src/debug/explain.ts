// Explains states, events, scenarios and other words, from the table of transitions and from the lab's own
// words. Knows what can be explained; must not know how it is shown.

import { GLOSSARY, type WordNote } from '../lab/glossary.js';
import type { Scenario } from '../lab/scenario.js';
import { SCENARIOS } from '../lab/scenarios/index.js';
import { STATE_NOTES, type StateName, type StateNote } from '../lab/states.js';
import { STATE_NAMES } from '../tcp/state.js';
import { TRANSITIONS, type Transition } from '../tcp/transitions.js';
import { bare, stateNamed, suggestion } from './words.js';

/** A word as it is shown: other spellings are only for finding it. */
type ShownWord = Omit<WordNote, 'aliases'>;

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
  | ({ kind: 'word' } & ShownWord)
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
export function explainable(): Record<'states' | 'events' | 'words' | 'scenarios', string[]> {
  return {
    states: [...STATE_NAMES],
    events: [...new Set(TRANSITIONS.map(({ event }) => event))],
    words: GLOSSARY.map(({ name }) => name),
    scenarios: SCENARIOS.map(({ name }) => name),
  };
}

interface Entry {
  name: string;
  explain: () => Explanation;
}

/** Everything that has a name; the same name may stand for several things. */
function entries(): Entry[] {
  const { states, events } = explainable();
  return [
    ...GLOSSARY.map((note) => ({ name: note.name, explain: () => explainWord(note) })),
    ...states.map((name) => ({ name, explain: () => explainState(name) })),
    ...events.map((name) => ({ name, explain: () => explainEvent(name) })),
    ...SCENARIOS.map((each) => ({ name: each.name, explain: () => explainScenario(each) })),
  ];
}

/** How a name may be spelt, the strictest reading first: `CLOSE` is the call, though ss(8) has a state of that name. */
const READINGS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.toLowerCase(),
  bare,
];

/**
 * Explains a state, an event, a scenario or another word, however it is spelt: `fin-wait-2`, `FIN_WAIT_2`,
 * `FINWAIT2`. Several things where they have the same name.
 * @throws UnknownWord with a suggestion
 */
export function explain(word: string): Explanation[] {
  const all = entries();
  for (const read of READINGS) {
    const found = all.filter(({ name }) => read(name) === read(word));
    if (found.length > 0) return found.map((entry) => entry.explain());
  }
  const state = stateNamed(word);
  if (state !== null) return [explainState(state)];
  const key = bare(word);
  const note = GLOSSARY.find(({ aliases }) => aliases.some((alias) => bare(alias) === key));
  if (note !== undefined) return [explainWord(note)];
  const { states, events, words, scenarios } = explainable();
  throw new UnknownWord(word, suggestion(word, [...states, ...scenarios, ...events, ...words]));
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

function explainWord({ aliases, ...note }: WordNote): Explanation {
  return { kind: 'word', ...note };
}

function explainScenario({ name, title, section, why, ours, theirs }: Scenario): Explanation {
  return { kind: 'scenario', name, title, section, why, ours, theirs };
}

function toWay({ from, event, to, sends, section, why }: Transition): Way {
  return { from: STATE_NAMES[from]!, event, to: STATE_NAMES[to]!, sends, section, why };
}
