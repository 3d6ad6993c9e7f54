// Recording as a program does it that uses the package: its public names only.

import { expect, it } from 'vitest';
import {
  bothProbes,
  Capture,
  ladderText,
  MemoryLink,
  Recorder,
  Simulation,
  Stack,
  Timeline,
} from '../../src/index.js';
import { readPcapng } from './pcapng-reader.js';

it('a program records its stack, draws what has happened, and keeps the packets', async () => {
  const simulation = new Simulation();
  const clocks = [simulation.clock(), simulation.clock()] as const;
  const link = new MemoryLink(clocks[0]);
  const blocks: Uint8Array[] = [];
  const write = (block: Uint8Array) => blocks.push(block) > 0;
  const capture = new Capture(link.a, { write, now: () => simulation.now });
  const timeline = new Timeline();
  const client = new Stack({
    clock: clocks[0],
    device: capture,
    addresses: ['10.9.0.2/24'],
    probe: bothProbes(capture.comments, new Recorder(timeline, { now: () => simulation.now })),
  });
  const server = new Stack({ clock: clocks[1], device: link.b, addresses: ['10.9.0.1/24'] });
  server.net.createServer((socket) => socket.end('bye')).listen(80);
  const socket = client.net.connect(80, '10.9.0.1');
  socket.resume();
  let closed = false;
  socket.on('close', () => {
    closed = true;
  });
  // Programs have their turns between those of virtual time.
  while (!closed) {
    simulation.step();
    await new Promise((resolve) => setImmediate(resolve));
  }
  capture.finish();

  const text = ladderText(timeline, { names: { ours: 'client', theirs: 'server' } });
  expect(text).toContain('client 10.9.0.2:');
  expect(text).toMatch(/ESTABLISHED {2}│◀── SYN,ACK seq 0 ack 1 /);
  const { packets } = readPcapng(blocks);
  expect(packets.length).toBe(timeline.events.filter(({ kind }) => kind === 'segment').length);
  expect(packets[1]!.comments.join()).toContain('SYN-SENT → ESTABLISHED');
});
