// Scenarios and notes as data: complete, consistent with the diagram of states, and fit to be read.

import { describe, expect, it } from 'vitest';
import { SCENARIOS, scenarioNamed } from '../../src/lab/scenarios/index.js';
import { STATE_NOTES, WAITED_FOR } from '../../src/lab/states.js';
import { STATE_NAMES } from '../../src/tcp/state.js';
import { TRANSITIONS } from '../../src/tcp/transitions.js';

/** The diagram's arrows; a listener's connection begins with its first state. */
const ARROWS = new Set(
  TRANSITIONS.map(({ from, to }) => `${STATE_NAMES[from]} → ${STATE_NAMES[to]}`),
).add('CLOSED → SYN-RECEIVED');

const arrowsOf = (path: readonly string[]): string[] =>
  ['CLOSED', ...path].slice(0, -1).map((from, i) => `${from} → ${path[i]}`);

const sentences = (text: string): number => text.match(/[.?!](?= [A-Z]|$)/g)?.length ?? 0;

it('every close there is has a scenario', () => {
  expect(SCENARIOS.map(({ name }) => name)).toEqual([
    ...['handshake', 'handshake-theirs', 'simultaneous-open', 'old-duplicate-syn'],
    ...['active-close', 'passive-close', 'half-close', 'half-close-theirs'],
    ...['three-segment-close', 'simultaneous-close'],
    ...['lost-final-ack', 'lost-fin', 'fin-overtakes-data', 'fin-behind-zero-window'],
    ...['close-wait-leak', 'fin-wait-2-timeout'],
    ...['rst-after-fin', 'linger-zero', 'close-with-unread-data', 'close-with-unread-data-theirs'],
    ...['time-wait-port-busy', 'time-wait-reuse', 'time-wait-old-segment', 'time-wait-rst'],
    'syn-in-last-ack',
  ]);
  expect(scenarioNamed('active-close')).toBe(SCENARIOS[4]);
  expect(scenarioNamed('no-such-close')).toBeNull();
});

describe.each(SCENARIOS)('$name', ({ title, section, why, ours, theirs, steps }) => {
  it('says what it is, where it stands and why, in a line, a reference and two sentences', () => {
    expect(title).toMatch(/^[A-Z].{10,70}[^.]$/);
    expect(section).toMatch(/^RFC \d{3,4} §/);
    expect(sentences(why)).toBe(2);
  });

  it('walks along the arrows of the diagram', () => {
    const connections = (path: readonly string[]) =>
      path.join(' ').split(/ (?=SYN-SENT|SYN-RECEIVED)(?<!SYN-SENT )/);
    for (const path of [ours, theirs].flatMap(connections)) {
      for (const arrow of arrowsOf(path.split(' '))) expect(ARROWS).toContain(arrow);
    }
  });

  it('asks only for states that it expects on the way', () => {
    for (const step of steps) {
      if (!('until' in step || 'holds' in step)) continue;
      const condition = 'until' in step ? step.until : step.holds;
      if (!('state' in condition)) continue;
      expect(condition.end === 'ours' ? ours : theirs).toContain(condition.state);
    }
  });
});

it('together they see every state, at our end and at the other', () => {
  const ofConnections = STATE_NAMES.filter((name) => name !== 'LISTEN');
  for (const end of ['ours', 'theirs'] as const) {
    const seen = new Set(SCENARIOS.flatMap((scenario) => scenario[end]));
    expect([...seen].sort()).toEqual([...ofConnections].sort());
  }
});

describe('the notes', () => {
  it('explain every state', () => {
    expect(Object.keys(STATE_NOTES).sort()).toEqual([...STATE_NAMES].sort());
    for (const { meaning, lasts, peer, mistake } of Object.values(STATE_NOTES)) {
      expect(sentences(meaning)).toBe(2);
      for (const text of [lasts, peer, mistake]) expect(text).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('name no state that there is not', () => {
    const names = Object.values(STATE_NOTES).flatMap(
      (note) => JSON.stringify(note).match(/[A-Z]+-[A-Z0-9-]+/g) ?? [],
    );
    for (const name of names) expect(STATE_NAMES).toContain(name);
    for (const name of Object.keys(WAITED_FOR)) expect(STATE_NAMES).toContain(name);
  });
});
