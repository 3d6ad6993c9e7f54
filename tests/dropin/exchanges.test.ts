// The exchanges by which stack.net is compared with node:net, over node:net itself with our handles below it: the
// same events, in the same order. What is exchanged stands in tests/net.

import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/device/system-clock.js';
import { installRoutes } from '../../src/dropin/routing.js';
import { Stack } from '../../src/net/stack.js';
import { binding, calling } from '../net/edges.js';
import { closing, type Exchange, failing, flowing, naming, serving } from '../net/exchanges.js';
import { features, moreEnds } from '../net/features.js';
import { kernel } from '../net/places.js';
import { type Place, Trial } from '../net/trial.js';

const stack = new Stack({
  clock: new SystemClock(),
  addresses: ['10.9.0.2/24', 'fd09::2/64', '10.9.0.3/24'],
});

const routed: Place = {
  name: 'node:net over a stack',
  net,
  clientNet: net,
  host: '10.9.0.2',
  clientHost: '10.9.0.2',
  otherHost: '10.9.0.3',
  close: () => stack.close(100),
};

/** Who has what is listened on without an address. */
let turn: 'kernel' | 'stack' = 'kernel';
let undo = (): void => {};

beforeAll(() => {
  const ours = (address: string) => (/^(10\.9\.|fd09:)/.test(address) ? stack : null);
  undo = installRoutes({
    connect: ours,
    listen: (address) => {
      if (address !== null) return ours(address);
      return turn === 'stack' ? stack : null;
    },
  });
});

afterAll(async () => {
  await routed.close();
  undo();
});

function compare(exchanges: Record<string, Exchange>): void {
  for (const [name, exchange] of Object.entries(exchanges)) {
    // What a busy machine has made differ is the same the next time; a real difference is not.
    it(name, { retry: 2 }, async () => {
      turn = 'kernel';
      const expected = await new Trial(kernel()).run(exchange);
      turn = 'stack';
      expect(await new Trial(routed).run(exchange)).toEqual(expected);
    });
  }
}

describe('as over the kernel', () => {
  compare({ ...closing, ...moreEnds, ...failing, ...serving, ...naming, ...binding, ...calling });
  compare({ ...features, ...flowing });
});
