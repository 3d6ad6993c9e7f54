// What keeps the gate of a running stack, without a socket: one that is slow to read, and one that has gone.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LiveKeeper } from '../../src/debug/live-keeper.js';
import type { LiveReply, LiveRequest } from '../../src/debug/live-messages.js';
import { HaltingClock } from '../../src/device/halting-clock.js';
import { Simulation } from '../../src/device/virtual-clock.js';
import { Run } from '../../src/lab/run.js';
import { scenarioNamed } from '../../src/lab/scenarios/index.js';
import { SimulatedWorld } from '../../src/lab/simulation.js';
import { connectionName } from '../../src/trace/connection-name.js';
import type { KernelSocket } from '../../src/trace/kernel-sockets.js';

const HALF_AN_HOUR = 1_800_000;

let world: SimulatedWorld;
let keeper: LiveKeeper;
let told: LiveReply[];
let unread: number;
let sockets: KernelSocket[];

/** A stack with a connection, and a debugger that has just come. */
beforeEach(async () => {
  const scenario = scenarioNamed('handshake')!;
  world = SimulatedWorld.open(scenario, { seed: 1 });
  const run = new Run(scenario, world);
  while (!run.done) await run.step();
  vi.useFakeTimers();
  told = [];
  unread = 0;
  sockets = [socketAs('ESTABLISHED')];
  const clock = new HaltingClock(new Simulation(0).clock());
  keeper = new LiveKeeper(
    { gate: world.gate, core: world.core, clock, sockets: () => sockets },
    {
      tell: (reply) => void told.push(reply),
      get unread() {
        return unread;
      },
    },
  );
});

afterEach(async () => {
  keeper.end();
  vi.useRealTimers();
  await world.close();
});

/** The other end of the connection, as if it were a kernel's. */
function socketAs(state: string): KernelSocket {
  const [one] = world.core.connections();
  return {
    localAddress: one!.remoteAddress.toString(),
    localPort: one!.remotePort,
    remoteAddress: one!.localAddress.toString(),
    remotePort: one!.localPort,
    ...{ state, timer: null, sendQueue: 0, receiveQueue: 0, retransmits: 0 },
  };
}

const ask = (request: LiveRequest) => keeper.line(JSON.stringify(request));

function connection(): string {
  return connectionName([...world.core.connections()][0]!);
}

it('shows no more to one that does not read, until it does', async () => {
  unread = 5_000_000;
  await vi.advanceTimersByTimeAsync(HALF_AN_HOUR);
  expect(told.length).toBe(1);
  unread = 0;
  await vi.advanceTimersByTimeAsync(1000);
  expect(told.length).toBeGreaterThan(1);
});

it('answers also one that has yet to read', async () => {
  unread = 5_000_000;
  ask({ id: 7, follow: connection() });
  ask({ id: 8, action: { do: 'inject', what: 'rst', towards: 'ours' } });
  await vi.advanceTimersByTimeAsync(100);
  expect(told).toContainEqual({ done: 7, refusal: null });
  expect(told).toContainEqual({ done: 8, refusal: null });
  expect(world.gate.held.length).toBe(1);
});

it('puts nothing in any more when its debugger has gone', async () => {
  ask({ id: 1, follow: connection() });
  ask({ id: 2, action: { do: 'step' } });
  ask({ id: 3, action: { do: 'inject', what: 'rst', towards: 'ours' } });
  await vi.advanceTimersByTimeAsync(100);
  keeper.end();
  await vi.advanceTimersByTimeAsync(HALF_AN_HOUR);
  expect(world.gate.held).toEqual([]);
  expect(world.gate.isShut).toBe(false);
});

it('tells of states of the kernel in the timeline, but not of what was there before', async () => {
  const states = () =>
    told
      .flatMap((reply) => ('events' in reply ? reply.events : []))
      .flatMap((event) =>
        event.kind === 'state' && event.end === 'theirs'
          ? [{ connection: event.connection, from: event.from, to: event.to }]
          : [],
      );
  await vi.advanceTimersByTimeAsync(1000);
  expect(states()).toEqual([]);
  const stranger = { ...socketAs('ESTABLISHED'), remoteAddress: '192.0.2.1' };
  sockets = [socketAs('FIN-WAIT-1'), stranger];
  await vi.advanceTimersByTimeAsync(1000);
  expect(states()).toEqual([{ connection: connection(), from: 'ESTABLISHED', to: 'FIN-WAIT-1' }]);
});

it('lets the stack go on where there is a defect in what is shown', async () => {
  vi.spyOn(world.core, 'renewClock').mockImplementation(() => {
    throw new Error('a defect');
  });
  await vi.advanceTimersByTimeAsync(1000);
  expect(told.at(-1)).toMatchObject({ error: 'a defect' });
  expect(world.gate.isShut).toBe(false);
});
