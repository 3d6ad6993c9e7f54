// What the keeper of a gate tells of deeds that cannot be done.
import { expect, it } from 'vitest';
import { Gate } from '../../src/device/gate.js';
import { MemoryLink } from '../../src/device/link.js';
import { Simulation } from '../../src/device/virtual-clock.js';
import { Gatekeeper } from '../../src/lab/gatekeeper.js';
import { Timeline } from '../../src/trace/timeline.js';
import { tcpPacket } from '../device/packets.js';
import { TestPort } from '../device/port.js';

it('tells nothing of a super-segment that cannot be corrupted, and lets it wait', () => {
  const gate = new Gate(new MemoryLink(new Simulation().clock()).a);
  const port = new TestPort();
  gate.attach(port);
  gate.shut();
  const bytes = tcpPacket({ from: '10.9.0.2', to: '10.9.0.1', payload: Buffer.alloc(3000) });
  port.send(gate, { bytes, headerLength: 40, checksumStart: 20, gsoSize: 1460 });
  const timeline = new Timeline();
  const keeper = new Gatekeeper({ gate, timeline, now: () => 0 });

  expect(() => keeper.corrupt(gate.held[0]!)).toThrow(TypeError);
  expect(timeline.events).toEqual([]);
  expect(keeper.seen(gate.held[0]!)?.fate).toBe('waits');
});

it('forgets what has long left, and counts it all the same', () => {
  const gate = new Gate(new MemoryLink(new Simulation().clock()).a);
  const port = new TestPort();
  gate.attach(port);
  gate.shut();
  const keeper = new Gatekeeper({ gate, timeline: new Timeline(), now: () => 0 }, 10);
  const match = { direction: 'out', has: ['ACK'] } as const;
  const bytes = tcpPacket({ from: '10.9.0.2', to: '10.9.0.1', payload: Buffer.alloc(10) });
  for (let i = 1; i <= 55; i++) {
    port.send(gate, { bytes, headerLength: 40, checksumStart: 0, gsoSize: 0 });
    keeper.release(gate.held[0]!);
    if (i < 3) expect(keeper.count(match)).toBe(i);
  }
  expect(keeper.left.length).toBeLessThan(20);
  expect(keeper.gone).toBe(55);
  expect(keeper.count(match)).toBe(55);
  expect(keeper.hasPassed(match, 54)).toBe(true);
  expect(keeper.hasPassed(match, 55)).toBe(false);
});
