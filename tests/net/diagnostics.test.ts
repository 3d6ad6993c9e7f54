// What a stack publishes on node:diagnostics_channel, and that it costs nothing while nobody listens.

import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConnectionMessage, TraceMessage } from '../../src/net/diagnostics.js';
import { bothProbes } from '../../src/trace/probes.js';
import { Recorder } from '../../src/trace/recorder.js';
import { Timeline } from '../../src/trace/timeline.js';
import { linkedStacks } from './places.js';
import { sleep } from './trial.js';

type Listener = Parameters<typeof subscribe>[1];

const subscribed: [name: string, listener: Listener][] = [];
let stacks: ReturnType<typeof linkedStacks>;

function listen<Message>(name: string, listener: (message: Message) => void): Listener {
  const listens = listener as Listener;
  subscribed.push([name, listens]);
  subscribe(name, listens);
  return listens;
}

afterEach(async () => {
  for (const [name, listener] of subscribed.splice(0)) unsubscribe(name, listener);
  await stacks?.close();
});

/** One connection that the client ends. */
async function converse() {
  const server = stacks.b.net.createServer((socket) => socket.end('hello'));
  server.listen(0, '10.9.0.2');
  await once(server, 'listening');
  const client = stacks.a.net.connect(server.address()!.port, '10.9.0.2');
  client.end('hi');
  client.resume();
  await once(client, 'close');
  server.close();
  await sleep(5);
}

describe('connections', () => {
  it('are told when they open, are established, and are over', async () => {
    stacks = linkedStacks();
    const { a } = stacks;
    const seen: string[] = [];
    for (const event of ['open', 'established', 'close']) {
      listen<ConnectionMessage>(`finwait:connection:${event}`, (message) => {
        const end = message.core === a.core ? 'a' : 'b';
        const { stateName } = message.connection;
        const reason = message.reason === undefined ? '' : ` ${message.reason} ${message.code}`;
        seen.push(`${end} ${event} ${stateName}${reason}`);
      });
    }
    await converse();
    await vi.waitFor(() => expect(seen).toHaveLength(6));
    expect(seen.filter((line) => line.startsWith('a'))).toEqual([
      'a open SYN-SENT',
      'a established ESTABLISHED',
      expect.stringMatching(/^a close (TIME-WAIT|CLOSED) fin null$/),
    ]);
    expect(seen.filter((line) => line.startsWith('b'))).toEqual([
      expect.stringMatching(/^b open /),
      expect.stringMatching(/^b established /),
      expect.stringMatching(/^b close (TIME-WAIT|CLOSED) fin null$/),
    ]);
  });

  it('are told with why they ended', async () => {
    stacks = linkedStacks();
    const seen: unknown[] = [];
    listen<ConnectionMessage>('finwait:connection:close', ({ reason, code }) => {
      seen.push([reason, code]);
    });
    const socket = stacks.a.net.connect(81, '10.9.0.2');
    await once(socket, 'error');
    expect(seen).toEqual([['rst', 'ECONNREFUSED']]);
  });
});

describe('states, segments and timers', () => {
  it('are told as events of a trace, by stack', async () => {
    stacks = linkedStacks();
    const { a } = stacks;
    const states: string[] = [];
    const segments: string[] = [];
    const timers = new Set<string>();
    listen<TraceMessage>('finwait:state', (message) => {
      if (message.core !== a.core || message.kind !== 'state') return;
      states.push(`${message.from} > ${message.to}`);
      expect(message.section).toMatch(/^RFC/);
    });
    listen<TraceMessage>('finwait:segment', (message) => {
      if (message.core !== a.core || message.kind !== 'segment') return;
      segments.push(`${message.direction} ${message.segment.flags}`);
      expect(message.timeUs).toBeLessThanOrEqual(a.now());
      expect(message.connection).toMatch(/^10\.9\.0\.1:\d+ 10\.9\.0\.2:\d+$/);
    });
    listen<TraceMessage>('finwait:timer', (message) => {
      if (message.core === a.core && message.kind === 'timer') timers.add(message.timer);
    });
    await converse();
    expect(states.slice(0, 3)).toEqual([
      'CLOSED > SYN-SENT',
      'SYN-SENT > ESTABLISHED',
      expect.stringMatching(/^ESTABLISHED > (FIN-WAIT-1|CLOSE-WAIT)$/),
    ]);
    expect(segments.slice(0, 3)).toEqual([
      'out SYN',
      'in SYN,ACK',
      expect.stringMatching(/^out .*ACK/),
    ]);
    expect(timers).toContain('retransmit');
  });

  it('come from a connection that was there before anybody listened, until nobody does', async () => {
    stacks = linkedStacks();
    const server = stacks.b.net.createServer((socket) => socket.resume());
    server.listen(0, '10.9.0.2');
    await once(server, 'listening');
    const client = stacks.a.net.connect(server.address()!.port, '10.9.0.2');
    await once(client, 'connect');
    const seen: string[] = [];
    const listener = listen<TraceMessage>('finwait:segment', (message) => {
      if (message.kind === 'segment') seen.push(message.segment.flags);
    });
    client.write('one');
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(1));
    unsubscribe('finwait:segment', listener);
    const { length } = seen;
    client.write('two');
    await sleep(20);
    expect(seen).toHaveLength(length);
  });

  it('a channel tells only of its own kind', async () => {
    stacks = linkedStacks();
    const kinds = new Set<string>();
    listen<TraceMessage>('finwait:timer', ({ kind }) => kinds.add(kind));
    await converse();
    expect([...kinds]).toEqual(['timer']);
  });

  it('a listener that throws ends its own turn only', async () => {
    stacks = linkedStacks();
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught = vi.fn();
    process.on('uncaughtException', uncaught);
    listen('finwait:state', () => {
      throw new Error('listener');
    });
    await converse();
    process.removeListener('uncaughtException', uncaught);
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(uncaught).toHaveBeenCalled();
  });
});

describe('without a listener', () => {
  it('a stack has no probe: a segment costs one branch', async () => {
    stacks = linkedStacks();
    const { core } = stacks.a;
    expect(core.probe).toBe(null);
    const first = listen('finwait:state', () => {});
    const second = listen('finwait:segment', () => {});
    expect(core.probe).not.toBe(null);
    unsubscribe('finwait:state', first);
    expect(core.probe).not.toBe(null);
    unsubscribe('finwait:segment', second);
    expect(core.probe).toBe(null);
  });

  it('other probes stay, whatever comes and goes', async () => {
    stacks = linkedStacks();
    const { core } = stacks.a;
    const timeline = new Timeline();
    const before = new Recorder(timeline);
    core.probe = before;
    const listener = listen('finwait:state', () => {});
    const after = new Recorder(new Timeline());
    core.probe = bothProbes(core.probe, after);
    await converse();
    expect(timeline.events.length).toBeGreaterThan(10);
    unsubscribe('finwait:state', listener);
    const { length } = timeline.events;
    await converse();
    expect(timeline.events.length).toBeGreaterThan(length);
  });

  it('a stack that comes later has one, and one that is closed has none', async () => {
    listen('finwait:state', () => {});
    stacks = linkedStacks();
    const { core } = stacks.a;
    expect(core.probe).not.toBe(null);
    await stacks.close();
    expect(core.probe).toBe(null);
  });

  it('subscribing to the channel itself is the same', () => {
    stacks = linkedStacks();
    const { core } = stacks.a;
    const traces = channel('finwait:timer');
    const listener = () => {};
    traces.subscribe(listener);
    expect(core.probe).not.toBe(null);
    expect(traces.unsubscribe(listener)).toBe(true);
    expect(core.probe).toBe(null);
    expect(traces.unsubscribe(listener)).toBe(false);
  });
});
