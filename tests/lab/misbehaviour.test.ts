// A scenario must fail where the stack misbehaves: each mutation here breaks one rule of TCP, and names
// the scenarios that have to notice. Knows where the rules stand.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { runScenario } from '../../src/lab/run.js';
import type { Scenario } from '../../src/lab/scenario.js';
import { SCENARIOS, scenarioNamed } from '../../src/lab/scenarios/index.js';
import { SimulatedWorld } from '../../src/lab/simulation.js';
import { TimeWaits } from '../../src/stack/timewaits.js';
import * as close from '../../src/tcp/close.js';
import { setState } from '../../src/tcp/set-state.js';
import { FIN_WAIT_1, TIME_WAIT } from '../../src/tcp/state.js';
import { SEND_ACK, type Tcb } from '../../src/tcp/tcb.js';
import type * as timewait from '../../src/tcp/timewait.js';
import { FIN, RST, type TcpSegment } from '../../src/wire/tcp.js';

/** The rule that is broken now; the functions below look at it. */
const { broken } = vi.hoisted(() => ({ broken: { rule: '' } }));

type Module = Record<string, (...args: never[]) => unknown>;

/** The functions of a module, some of which do something else while their rule is broken. */
const { withMutants } = vi.hoisted(() => ({
  withMutants: (original: Module, mutants: Record<string, Module>) => {
    const mutated: Module = { ...original };
    for (const [name, byRule] of Object.entries(mutants)) {
      mutated[name] = (...args) => (byRule[broken.rule] ?? original[name]!)(...args);
    }
    return mutated;
  },
}));

const nothing = vi.hoisted(() => () => {});

vi.mock('../../src/tcp/retransmit.js', async (original) =>
  withMutants(await original(), { retransmitDue: { 'nothing is repeated': nothing } }),
);
vi.mock('../../src/tcp/persist.js', async (original) =>
  withMutants(await original(), {
    persistDue: { 'a closed window is not probed': nothing, 'nothing is repeated': nothing },
  }),
);
vi.mock('../../src/tcp/tlp.js', async (original) =>
  withMutants(await original(), { probeDue: { 'nothing is repeated': nothing } }),
);
vi.mock('../../src/tcp/challenge.js', async (original) =>
  withMutants(await original(), { challenge: { 'a SYN out of place is not answered': nothing } }),
);
vi.mock('../../src/tcp/rtt.js', async (original) => {
  const real = await original<Module>();
  return withMutants(real, {
    currentRto: {
      'waits do not grow': ((tcb: Tcb) => tcb.rtt.rtoMs) as never,
      'waits grow too little': ((tcb: Tcb) => tcb.rtt.rtoMs * (1 + 0.9 * tcb.rtt.backoff)) as never,
    },
  });
});
vi.mock('../../src/tcp/close.js', async (original) => {
  const real = await original<typeof close>();
  return withMutants(real as unknown as Module, {
    finReached: {
      'CLOSING is left out': ((tcb: Tcb) => {
        if (tcb.state !== FIN_WAIT_1 || close.finIsAcknowledged(tcb)) return real.finReached(tcb);
        tcb.rcv.nxt = (tcb.rcv.nxt + 1) | 0;
        tcb.pending |= SEND_ACK;
        return setState(tcb, TIME_WAIT, 'rcv FIN,ACK of FIN');
      }) as never,
    },
    close: {
      'unread data are forgotten': ((tcb: Tcb, lingerMs: number | undefined) => {
        tcb.rcv.ring.consume(tcb.rcv.ring.length);
        real.close(tcb, lingerMs);
      }) as never,
      'linger is ignored': ((tcb: Tcb) => real.close(tcb, undefined)) as never,
    },
    finWait2Due: { 'an orphan waits for ever': nothing },
    abort: { 'abort sends a FIN': ((tcb: Tcb) => real.shutdown(tcb)) as never },
  });
});
vi.mock('../../src/tcp/receive.js', async (original) => {
  const real = await original<Module>();
  return withMutants(real, {
    receiveFin: {
      'a FIN counts when it arrives': ((tcb: Tcb, segment: TcpSegment, hasFin: boolean) => {
        if (hasFin) tcb.rcv.nxt = (segment.seq + segment.dataLength) | 0;
        (real.receiveFin as never as (...args: unknown[]) => void)(tcb, segment, hasFin);
      }) as never,
    },
  });
});
vi.mock('../../src/tcp/timewait.js', async (original) => {
  const real = await original<typeof timewait>();
  type Judge = typeof timewait.timeWaitArrival;
  const otherwise =
    (from: number, to: timewait.TimeWaitVerdict): Judge =>
    (record, segment) => {
      const verdict = real.timeWaitArrival(record, segment);
      return verdict === from ? to : verdict;
    };
  return withMutants(real as unknown as Module, {
    timeWaitArrival: {
      'a repeated FIN is not acknowledged': otherwise(real.TIME_WAIT_RESTART, 0) as never,
      '2MSL do not begin anew': otherwise(real.TIME_WAIT_RESTART, real.TIME_WAIT_ACK) as never,
      'late data are not acknowledged': ((record, segment) => {
        const late = (segment.flags & FIN) === 0 && segment.dataLength > 0;
        return late ? real.TIME_WAIT_DROP : real.timeWaitArrival(record, segment);
      }) as Judge as never,
      'an old SYN is not answered': ((record, segment) =>
        (segment.flags & 2) !== 0 && real.timeWaitArrival(record, segment) === real.TIME_WAIT_ACK
          ? real.TIME_WAIT_DROP
          : real.timeWaitArrival(record, segment)) as Judge as never,
      'no SYN reopens': otherwise(real.TIME_WAIT_REOPEN, real.TIME_WAIT_ACK) as never,
      'each SYN reopens': ((record, segment) =>
        (segment.flags & 2) !== 0
          ? real.TIME_WAIT_REOPEN
          : real.timeWaitArrival(record, segment)) as Judge as never,
    },
  });
});

const MUTATIONS: readonly (readonly [rule: string, noticedBy: readonly string[]])[] = [
  ['nothing is repeated', ['lost-fin', 'lost-final-ack']],
  ['waits do not grow', ['lost-fin']],
  ['waits grow too little', ['lost-fin']],
  ['CLOSING is left out', ['simultaneous-close']],
  ['a FIN counts when it arrives', ['fin-overtakes-data']],
  ['a closed window is not probed', ['fin-behind-zero-window']],
  ['unread data are forgotten', ['close-with-unread-data', 'close-with-unread-data-theirs']],
  ['linger is ignored', ['linger-zero']],
  ['abort sends a FIN', ['rst-after-fin']],
  ['an orphan waits for ever', ['fin-wait-2-timeout']],
  ['a repeated FIN is not acknowledged', ['lost-final-ack']],
  ['2MSL do not begin anew', ['lost-final-ack']],
  ['late data are not acknowledged', ['time-wait-old-segment']],
  ['an old SYN is not answered', ['time-wait-reuse']],
  ['no SYN reopens', ['time-wait-reuse']],
  ['each SYN reopens', ['time-wait-reuse']],
  ['a SYN out of place is not answered', ['syn-in-last-ack']],
];

const failuresOf = async (scenario: Scenario) =>
  (await runScenario(scenario, SimulatedWorld.open(scenario))).failures;

describe('where', () => {
  afterEach(() => {
    broken.rule = '';
    vi.restoreAllMocks();
  });

  it.each(MUTATIONS)('%s: %s', async (rule, noticedBy) => {
    for (const name of noticedBy) {
      broken.rule = '';
      expect(await failuresOf(scenarioNamed(name)!), name).toEqual([]);
      broken.rule = rule;
      expect(await failuresOf(scenarioNamed(name)!), name).not.toEqual([]);
    }
  });

  it('a RST ends TIME-WAIT: time-wait-rst', async () => {
    const arrives = TimeWaits.prototype.arrives;
    vi.spyOn(TimeWaits.prototype, 'arrives').mockImplementation(function (
      this: TimeWaits,
      ...args
    ) {
      const isReset = (args[2].flags & RST) !== 0;
      const verdict = arrives.apply(this, args);
      if (isReset) this.due(args[0]);
      return verdict;
    });
    expect(await failuresOf(scenarioNamed('time-wait-rst')!)).not.toEqual([]);
  });
});

it.each(
  SCENARIOS.filter(({ faults = [], name }) => faults.length > 0 && name !== 'three-segment-close'),
)('$name fails without its faults', async ({ faults: _, ...scenario }) => {
  expect(await failuresOf(scenario)).not.toEqual([]);
});

it.each(SCENARIOS)('$name fails where nothing of the peer arrives', async (scenario) => {
  const faults = [{ on: { direction: 'in' }, do: 'drop', note: 'lost' }] as const;
  expect(await failuresOf({ ...scenario, faults })).not.toEqual([]);
});
