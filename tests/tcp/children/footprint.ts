// Opens idle connections between two stacks and weighs them. Argument: how many. Prints JSON.

import type { Listener } from '../../../src/stack/core.js';
import { IdleHandler } from '../../../src/tcp/connection.js';
import { address, HOST_A, Pair } from '../../stack/host.js';

const count = Number(process.argv[2]);
const handler = new IdleHandler();
const memory = 64 << 20;
const pair = new Pair({ memory }, { memory });
pair.a.listen({
  port: 80,
  handler: {
    onConnection(listener: Listener) {
      for (let next = listener.accept(); next !== null; next = listener.accept()) {
        next.handler = handler;
      }
    },
  },
});

function open(connections: number): void {
  for (let i = 0; i < connections; i++) {
    pair.b.connect({ remote: address(HOST_A[4]), remotePort: 80, handler });
    pair.exchange();
  }
}

/** Bytes in use: objects, and the tables' typed arrays; the arenas do not change. */
function weigh(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

open(100);
const before = weigh();
open(count);
const idle = (weigh() - before) / (2 * count);
// After something was said, nothing of it may stay.
const text = new Uint8Array(1000);
for (const core of [pair.a, pair.b]) for (const each of core.connections()) each.write(text);
pair.exchange();
for (const core of [pair.a, pair.b]) {
  for (const each of core.connections()) each.skip(each.readable);
}
pair.exchange();
pair.pass(1_000_000);
const used = (weigh() - before) / (2 * count);
const connections = [...pair.a.connections()].length;
const arena = pair.a.arena.used + pair.b.arena.used;
console.log(JSON.stringify({ idle, used, connections, arena }));
