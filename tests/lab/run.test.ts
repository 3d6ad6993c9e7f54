// A run step by step: what it says it will do, faults at the gate, what is said when something goes wrong,
// and that nobody who meddles at the gate can make it hang. Knows small scenarios of its own.

import { describe, expect, it } from 'vitest';
import { Random } from '../../src/device/random.js';
import { Run, runScenario } from '../../src/lab/run.js';
import type { Fault, Scenario, Step } from '../../src/lab/scenario.js';
import {
  OUR_ACK_OF_FIN,
  THEIR_FIN,
  WE_CALL,
  WE_CLOSE_FIRST,
} from '../../src/lab/scenarios/beginnings.js';
import { SCENARIOS, scenarioNamed } from '../../src/lab/scenarios/index.js';
import { SimulatedWorld } from '../../src/lab/simulation.js';

function made(steps: readonly Step[], more: Partial<Scenario> = {}): Scenario {
  const paths = { ours: [], theirs: [] };
  return { name: 'made-up', title: '', section: '', why: '', steps, ...paths, ...more };
}

/** What went wrong on the way, without what the paths would have been. */
async function stopsWith(scenario: Scenario): Promise<string> {
  const { failures } = await runScenario(scenario, SimulatedWorld.open(scenario));
  return failures[0] ?? '';
}

async function carriedOut(scenario: Scenario): Promise<Run> {
  const run = new Run(scenario, SimulatedWorld.open(scenario));
  while (!run.done) await run.step();
  return run;
}

describe('a step', () => {
  it('does what was said before', async () => {
    const scenario = scenarioNamed('lost-final-ack')!;
    const run = new Run(scenario, SimulatedWorld.open(scenario));
    const said: string[] = [];
    while (!run.done) {
      said.push(run.next().text);
      await run.step();
    }
    expect(said.slice(0, 4)).toEqual([
      'the peer calls listen',
      'we call connect',
      'SYN passes, to the peer',
      'SYN,ACK passes, to us',
    ]);
    expect(said).toContain('ACK, to the peer, is lost: the last ACK does not arrive');
    expect(said.at(-1)).toMatch(/^time passes; our 2MSL timer is due in (\d+ ms|\d\.\d s)$/);
    expect(run.next()).toMatchObject({ kind: 'done', text: 'the scenario is over' });
  });

  it('is only announced by next(): nothing happens', async () => {
    const scenario = scenarioNamed('active-close')!;
    const run = new Run(scenario, SimulatedWorld.open(scenario));
    while (!run.done) {
      const { timeline, gate } = run.world;
      const before = [timeline.events.length, gate.held.length, run.world.now()];
      const first = run.next();
      expect(run.next()).toEqual(first);
      expect([timeline.events.length, gate.held.length, run.world.now()]).toEqual(before);
      await run.step();
    }
    await run.step();
    expect(run.result().passed).toBe(true);
  });
});

it.each(SCENARIOS.map(({ name }) => name))(
  '%s is the same again with the same seed',
  async (name) => {
    const scenario = scenarioNamed(name)!;
    const story = async (seed: number) => {
      const world = SimulatedWorld.open(scenario, { seed });
      const result = await runScenario(scenario, world);
      return JSON.stringify([result, world.timeline.events.slice(-500)]);
    };
    const first = await story(7);
    expect(await story(7)).toBe(first);
    expect(await story(8)).not.toBe(first);
  },
);

describe('a fault', () => {
  const write: readonly Step[] = [
    ...WE_CALL,
    { end: 'theirs', call: 'write', bytes: 3000 },
    { until: { end: 'ours', received: 3000 } },
    { until: { quiet: true } },
  ];
  const faulty = (fault: Fault['do'], nth = 1): Scenario =>
    made(write, { faults: [{ on: { direction: 'in', data: true, nth }, do: fault, note: 'x' }] });
  const data = (run: Run) =>
    run.keeper.left
      .filter(({ direction, segment }) => direction === 'in' && segment.length > 0)
      .map(({ segment, initial, fate, origin }) => [segment.seq - initial.seq, fate, origin]);
  /** Of the first three; what the peer takes for lost comes again behind them. */
  const seqs = (run: Run) =>
    data(run)
      .map(([seq]) => seq)
      .slice(0, 3);

  it('drops a segment once', async () => {
    const run = await carriedOut(faulty('drop', 2));
    expect(data(run).slice(0, 3)).toEqual([
      [1, 'passed', 'sent'],
      [1449, 'dropped', 'sent'],
      [2897, 'passed', 'sent'],
    ]);
    expect(run.world.ours.received).toBe(3000);
  });

  it('spoils a checksum, so that the segment is not taken', async () => {
    const run = await carriedOut(faulty('corrupt'));
    expect(data(run)[0]).toEqual([1, 'corrupted', 'sent']);
    expect(run.world.timeline.events).toContainEqual(
      expect.objectContaining({ kind: 'drop', reason: 'bad checksum' }),
    );
    expect(run.world.ours.received).toBe(3000);
  });

  it('lets a segment come twice', async () => {
    const run = await carriedOut(faulty('duplicate'));
    expect(data(run).slice(0, 3)).toEqual([
      [1, 'passed', 'sent'],
      [1, 'passed', 'copied'],
      [1449, 'passed', 'sent'],
    ]);
    expect(run.keeper.count({ direction: 'in', data: true })).toBe(3);
  });

  it('lets the next one overtake', async () => {
    const run = await carriedOut(faulty('swap'));
    expect(seqs(run)).toEqual([1449, 1, 2897]);
  });

  it('holds a segment until another has passed', async () => {
    const third = { direction: 'in', data: 3000 - 2 * 1448 } as const;
    const run = await carriedOut(faulty({ holdUntil: third }));
    expect(seqs(run)).toEqual([1449, 2897, 1]);
    const faults = run.world.timeline.events.filter(({ kind }) => kind === 'fault');
    expect(faults).toMatchObject([{ action: 'delay', segment: { length: 1448 } }]);
  });
});

describe('what goes wrong is told with the step at which it does', () => {
  it.each([
    [
      'a state that is never reached',
      [...WE_CALL, { until: { end: 'ours', state: 'CLOSING' } }],
      'step 5 of 5 (until we are in CLOSING): nothing will ever happen any more; ' +
        'we are in ESTABLISHED, the peer is in ESTABLISHED',
    ],
    [
      'patience that is over',
      [
        { end: 'theirs', call: 'pause' },
        ...WE_CALL,
        { end: 'ours', call: 'write', bytes: 1_000_000 },
        { until: { end: 'theirs', received: 1 } },
      ],
      'step 7 of 7 (until the peer has read one byte): patience is over; ' +
        'we are in ESTABLISHED, the peer is in ESTABLISHED',
    ],
    [
      'something that should hold',
      [...WE_CALL, { holds: { end: 'theirs', sees: 'end' }, note: 'too early' }],
      'step 5 of 5 (the peer sees end): too early: that the peer sees end does not hold; ' +
        'we are in ESTABLISHED, the peer is in ESTABLISHED',
    ],
    [
      'a call that fails',
      [{ end: 'ours', call: 'write', bytes: 1 }],
      'step 1 of 1 (we call write (one byte)): it fails with ENOTCONN; ' +
        'we are in CLOSED, the peer is in CLOSED',
    ],
    [
      'a call that fails in another way',
      [{ end: 'ours', call: 'write', bytes: 1, fails: 'EPIPE' }],
      'step 1 of 1 (we call write (one byte)): it fails with ENOTCONN, not with EPIPE; ' +
        'we are in CLOSED, the peer is in CLOSED',
    ],
    [
      'a call that succeeds',
      [{ end: 'ours', call: 'listen', fails: 'EADDRINUSE' }],
      'step 1 of 1 (we call listen): it succeeds, though EADDRINUSE is expected; ' +
        'we are in LISTEN, the peer is in CLOSED',
    ],
    [
      'a forgery of no connection',
      [{ inject: { direction: 'in', flags: ['RST'] }, note: 'x' }],
      'step 1 of 1 (a forged RST is put in at the gate, to us): ' +
        'there is no connection to forge one of; we are in CLOSED, the peer is in CLOSED',
    ],
  ] as const)('%s', async (_, steps, failure) => {
    expect(await stopsWith(made(steps))).toBe(failure);
  });

  it('and so are paths, segments and spans that are not as expected', async () => {
    const scenario = made(
      [...WE_CALL, ...WE_CLOSE_FIRST, { until: { end: 'ours', state: 'CLOSED' } }],
      {
        ours: ['SYN-SENT', 'ESTABLISHED'],
        theirs: scenarioNamed('active-close')!.theirs,
        segments: [
          { match: THEIR_FIN, times: 2 },
          { match: { direction: 'out', has: ['RST'] }, times: 1, atLeast: true },
        ],
        spans: [{ from: THEIR_FIN, to: { end: 'ours', state: 'CLOSED' }, atLeast: 60_000 }],
      },
    );
    const { failures, passed } = await runScenario(scenario, SimulatedWorld.open(scenario));
    expect(passed).toBe(false);
    expect(failures).toEqual([
      'we went SYN-SENT → ESTABLISHED → FIN-WAIT-1 → FIN-WAIT-2 → TIME-WAIT → CLOSED, ' +
        'where SYN-SENT → ESTABLISHED was expected',
      'FIN from the peer: 2 times expected, one seen',
      'RST from us: at least one expected, none seen',
      'between FIN from the peer and CLOSED lie 1000 ms, where 60000 were expected',
    ]);
  });
});

it('counts a span from the last segment before its end, not from one behind it', async () => {
  // 2MSL are over before the peer repeats its FIN.
  const run = await carriedOut({
    ...scenarioNamed('active-close')!,
    tcp: { msl: 50 },
    faults: [{ on: { ...OUR_ACK_OF_FIN, nth: 1 }, do: 'drop', note: 'the last ACK is lost' }],
    steps: [
      ...scenarioNamed('lost-final-ack')!.steps.slice(0, -2),
      { until: { end: 'ours', state: 'CLOSED' } },
      { until: { end: 'theirs', state: 'CLOSED' } },
    ],
  });
  expect(run.keeper.count(THEIR_FIN)).toBe(2);
  expect(run.result().failures.join()).not.toContain('between');
});

it('names who has not acted: the application that does not close', async () => {
  const run = await carriedOut(scenarioNamed('close-wait-leak')!);
  expect(run.result().waiting).toEqual([
    '3 connections in CLOSE-WAIT: the application has not closed',
  ]);
});

/** Something that somebody at a debugger might do between two steps. */
async function meddle(run: Run, random: Random): Promise<void> {
  const { keeper, world } = run;
  const held = world.gate.held[random.below(world.gate.held.length)];
  const flags = [['RST'], ['FIN', 'ACK'], ['SYN'], ['ACK']][random.below(4)]!;
  const direction = random.chance(0.5) ? 'in' : 'out';
  const deeds = [
    () => held && keeper.drop(held),
    () => held && keeper.duplicate(held),
    () => held && keeper.swap(held),
    () => held && keeper.delay(held),
    () => held && keeper.corrupt(held),
    () => held && keeper.release(held),
    () => held && world.gate.drop(held),
    () => keeper.inject({ direction, flags, seqOffset: random.below(3) - 1 }),
    () => world.pass(random.below(1000)),
  ];
  await deeds[random.below(deeds.length)]!();
  await world.settle();
}

it.each(SCENARIOS.map(({ name }) => name))(
  '%s ends, whatever is done at the gate',
  async (name) => {
    const scenario = scenarioNamed(name)!;
    for (let seed = 1; seed <= 10; seed++) {
      const random = new Random(seed);
      const run = new Run(scenario, SimulatedWorld.open(scenario, { seed }));
      let steps = 0;
      for (; !run.done; steps++) {
        if (random.chance(0.1)) await meddle(run, random);
        run.next();
        await run.step();
        expect(steps).toBeLessThan(20_000);
      }
      const { passed, failures } = run.result();
      expect(passed).toBe(failures.length === 0);
      await run.world.close();
    }
  },
);
