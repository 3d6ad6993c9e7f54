// The stack around its sockets: what keeps the process alive, the order of turns, and the end.

import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../../src/device/virtual-clock.js';
import { Liveness } from '../../src/net/liveness.js';
import { Stack } from '../../src/net/stack.js';
import { HandDevice } from '../../src/stack/by-hand.js';
import type { DevicePort } from '../../src/stack/device.js';
import { linkedStacks } from './places.js';
import { sleep } from './trial.js';

const MEMORY = 32 * 1024 * 1024;

/** Remembers whether it is to keep the process alive. */
class CountingDevice extends HandDevice {
  alive = false;
  closed = false;
  attached: DevicePort | null = null;

  override attach(port: DevicePort): void {
    super.attach(port);
    this.attached = port;
  }
  override ref(): void {
    this.alive = true;
  }
  override unref(): void {
    this.alive = false;
  }
  override close(): void {
    this.closed = true;
    super.close();
  }
}

function makeStack() {
  const device = new CountingDevice();
  const clock = new VirtualClock();
  const stack = new Stack({ clock, device, memory: MEMORY });
  return { device, clock, simulation: clock.simulation, stack };
}

/** Lets all deferred calls and their consequences happen, at this moment of virtual time. */
async function settle({ clock }: { clock: VirtualClock }): Promise<void> {
  for (let i = 0; i < 20; i++) {
    clock.simulation.run(clock.now());
    await sleep(0);
  }
}

describe('the process is kept alive', () => {
  it('by servers and sockets that are open and referenced', async () => {
    const made = makeStack();
    const { device, stack } = made;
    const server = stack.net.createServer((socket) => socket.resume());
    expect(device.alive).toBe(false);
    server.listen(80);
    expect(device.alive).toBe(true);
    server.unref();
    expect(device.alive).toBe(false);
    const socket = stack.net.connect(80, '10.9.0.2');
    await settle(made);
    expect([socket.tcpState, device.alive]).toEqual(['ESTABLISHED', true]);
    socket.unref();
    // The accepted one is still referenced.
    expect(device.alive).toBe(true);
    socket.ref().unref();
    socket.end();
    await settle(made);
    expect([socket.tcpState, socket.destroyed]).toEqual(['TIME-WAIT', true]);
    expect(device.alive).toBe(false);
    server.ref();
    expect(device.alive).toBe(true);
    server.close();
    expect(device.alive).toBe(false);
  });

  it('not by a socket that was never referenced', async () => {
    const made = makeStack();
    const socket = new made.stack.net.Socket().unref().connect(80, '10.9.0.99');
    await settle(made);
    expect([socket.tcpState, made.device.alive]).toEqual(['SYN-SENT', false]);
    socket.destroy();
  });

  it('by a closed connection until its FIN is acknowledged, no longer', async () => {
    const { a, b, link, close } = linkedStacks();
    const server = b.net.createServer({ allowHalfOpen: true }, (socket) => socket.resume());
    server.listen(80).unref();
    const alive = vi.spyOn(a.device!, 'ref');
    const released = vi.spyOn(a.device!, 'unref');
    const socket = a.net.connect(80, '10.9.0.2');
    await once(socket, 'connect');
    expect([alive.mock.calls.length, released.mock.calls.length]).toEqual([1, 0]);
    link.aToB.settings.loss = 1;
    socket.destroy();
    await once(socket, 'close');
    expect([socket.tcpState, released.mock.calls.length]).toEqual(['FIN-WAIT-1', 0]);
    link.aToB.settings.loss = 0;
    await vi.waitFor(() => expect(socket.tcpState).toBe('FIN-WAIT-2'));
    expect([alive.mock.calls.length, released.mock.calls.length]).toEqual([1, 1]);
    await close();
  });

  it('for ten seconds at most by what is closed', () => {
    vi.useFakeTimers();
    try {
      const told: boolean[] = [];
      const liveness = new Liveness(
        () => performance.now() * 1000,
        (alive) => told.push(alive),
      );
      liveness.addOpen(1);
      liveness.addClosing(1);
      liveness.addOpen(-1);
      expect(told).toEqual([true]);
      vi.advanceTimersByTime(9_999);
      expect(told).toEqual([true]);
      vi.advanceTimersByTime(1);
      expect(told).toEqual([true, false]);
      // One more that closes does not begin it anew, one that opens does.
      liveness.addClosing(1);
      expect(told).toEqual([true, false]);
      liveness.addOpen(1);
      liveness.addOpen(-1);
      vi.advanceTimersByTime(9_999);
      expect(told).toEqual([true, false, true]);
      liveness.addClosing(-1);
      liveness.addClosing(-1);
      expect(told).toEqual([true, false, true, false]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('turns', () => {
  it('reads what has arrived before it looks at timers that ran out', async () => {
    const made = makeStack();
    const { stack, device, clock, simulation } = made;
    const socket = stack.net.connect(80, '10.9.0.1');
    await settle(made);
    const [connection] = stack.core.connections();
    const order: string[] = [];
    const { receive, advance } = stack.core;
    stack.core.receive = (...args) => {
      order.push('packets');
      receive.apply(stack.core, args);
    };
    stack.core.advance = (...args) => {
      order.push('timers');
      advance.apply(stack.core, args);
    };
    // The retransmission of the SYN is due, and packets wait, when the process goes on.
    simulation.at(clock.now() + 1_500_000, () => device.attached!.receive(0));
    simulation.at(clock.now() + 1_000_000, () => {});
    let late = 0;
    const { now } = clock;
    clock.now = () => now.call(clock) + late;
    late = 600_000;
    simulation.step();
    device.attached!.receive(0);
    simulation.run(simulation.now + 1_000_000);
    expect(order.slice(0, 2)).toEqual(['packets', 'timers']);
    expect(connection).toBeDefined();
    socket.destroy();
  });

  it('sets no alarm when nothing is due', async () => {
    const made = makeStack();
    const { stack, simulation } = made;
    const server = stack.net.createServer((socket) => socket.destroy());
    server.listen(80);
    await settle(made);
    expect(simulation.next).toBe(Number.POSITIVE_INFINITY);
    const socket = stack.net.connect(81, '10.9.0.1');
    await settle(made);
    expect(simulation.next).toBeLessThanOrEqual(1_000_000);
    socket.destroy();
    await settle(made);
    // What is left is an alarm that finds nothing to do.
    simulation.run(10_000_000);
    expect(simulation.next).toBe(Number.POSITIVE_INFINITY);
    server.close();
  });
});

describe('a device', () => {
  it('that stops and starts again is told', () => {
    const { stack, device } = makeStack();
    const told: unknown[][] = [];
    stack.on('down', (...args) => told.push(['down', ...args]));
    stack.on('up', (...args) => told.push(['up', ...args]));
    const error = new Error('gone');
    device.attached!.statusChanged(false, error);
    device.attached!.statusChanged(true);
    expect(told).toEqual([['down', error], ['up']]);
  });

  it('is not needed for the own addresses, and missed for others', async () => {
    const stack = new Stack({ clock: new VirtualClock(), memory: MEMORY });
    const [error] = await once(stack.net.connect(80, '10.9.0.1'), 'error');
    expect(error).toMatchObject({
      message: 'connect ENETUNREACH 10.9.0.1:80 - Local (0.0.0.0:0)',
      errno: -101,
      address: '10.9.0.1',
      port: 80,
    });
  });
});

describe('close', () => {
  it('ends servers and sockets in order, sends what was written, and closes the device', async () => {
    const { a, b, close } = linkedStacks();
    const server = b.net.createServer((socket) => socket.on('data', () => {}));
    server.listen(80);
    await once(server, 'listening');
    const data = Buffer.alloc(3_000_000, 'x');
    const accepted = once(server, 'connection');
    const socket = a.net.connect(80, '10.9.0.2');
    const [served] = await accepted;
    const events: string[] = [];
    served.on('end', () => events.push(`end after ${served.bytesRead}`));
    server.on('close', () => events.push('server closed'));
    socket.on('close', (hadError: boolean) => events.push(`socket closed ${hadError}`));
    socket.write(data);
    const closed = vi.spyOn(a.device!, 'close');
    await a.close();
    await b.close();
    expect(events.sort()).toEqual(['end after 3000000', 'server closed', 'socket closed false']);
    expect(closed).toHaveBeenCalledOnce();
    expect([...a.core.connections(), ...b.core.connections()]).toEqual([]);
    await close();
  });

  it('waits for the FIN of the peer, to acknowledge it', async () => {
    const { a, b, close } = linkedStacks();
    const server = b.net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.resume().on('end', () => setTimeout(() => socket.end(), 50));
    });
    server.listen(80);
    const accepted = once(server, 'connection');
    const socket = a.net.connect(80, '10.9.0.2');
    const [served] = await accepted;
    await a.close();
    expect(socket.tcpState).toBe('TIME-WAIT');
    await vi.waitFor(() => expect(served.tcpState).toBe('CLOSED'));
    expect([socket.closeReason, served.closeReason]).toEqual(['fin', 'fin']);
    await close();
  });

  it('resets what does not end in time', async () => {
    const { a, b, close } = linkedStacks();
    const server = b.net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(80);
    const accepted = once(server, 'connection');
    const socket = a.net.connect(80, '10.9.0.2');
    const [served] = await accepted;
    served.on('error', () => {});
    socket.write(Buffer.alloc(30_000_000));
    const began = Date.now();
    await a.close(100);
    expect(Date.now() - began).toBeLessThan(1000);
    expect([socket.destroyed, socket.errored, socket.closeReason]).toEqual([true, null, 'abort']);
    await vi.waitFor(() => expect(served.closeReason).toBe('rst'));
    await close();
  });

  it('can be called twice, and leaves nothing behind', async () => {
    const { device, stack, clock } = makeStack();
    const server = stack.net.createServer().listen(80);
    const socket = new stack.net.Socket().connect(80, '10.9.0.99');
    const first = stack.close(10);
    expect(stack.close()).toBe(first);
    const pump = setInterval(() => clock.simulation.run(clock.now()), 1);
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ENETDOWN' });
    await first;
    clearInterval(pump);
    expect([server.listening, socket.destroyed, device.closed, device.alive]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

it('refuses an address without a prefix', () => {
  const make = () => new Stack({ clock: new VirtualClock(), addresses: ['10.9.0.2'] });
  expect(make).toThrow('"10.9.0.2" is not an address with its prefix length');
});
