// The same exchanges over node:net and over the stack: the same events, in the same order.

import { afterAll, describe, expect, it } from 'vitest';
import { closing, failing, flowing, naming, serving } from './exchanges.js';
import { kernel, linked, within } from './places.js';
import { Trial } from './trial.js';

const exchanges = { ...closing, ...failing, ...flowing, ...serving, ...naming };
const places = [within(), linked()];

afterAll(async () => {
  await Promise.all(places.map((place) => place.close()));
});

describe.concurrent('as over node:net', () => {
  for (const [name, exchange] of Object.entries(exchanges)) {
    it(name, async () => {
      const expected = await new Trial(kernel()).run(exchange);
      for (const place of places) {
        expect(await new Trial(place).run(exchange), place.name).toEqual(expected);
      }
    });
  }
});
