// The same exchanges over node:net and over the stack: the same events, in the same order.

import { afterAll, describe, expect, it } from 'vitest';
import { closing, failing, flowing, naming, serving } from './exchanges.js';
import { kernel, linked, within } from './places.js';
import { Trial } from './trial.js';

const places = [within(), linked()];

afterAll(async () => {
  await Promise.all(places.map((place) => place.close()));
});

function compare(exchanges: Record<string, (trial: Trial) => Promise<void>>): void {
  for (const [name, exchange] of Object.entries(exchanges)) {
    it(name, async () => {
      const expected = await new Trial(kernel()).run(exchange);
      for (const place of places) {
        expect(await new Trial(place).run(exchange), place.name).toEqual(expected);
      }
    });
  }
}

describe.concurrent('as over node:net', () =>
  compare({ ...closing, ...failing, ...serving, ...naming }));

// These keep the machine busy, and would disturb each other.
describe('as over node:net, with much data', () => compare(flowing));
