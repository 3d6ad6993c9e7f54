// The same exchanges over node:net and over the stack: the same events, in the same order; and the same shape.
// What differs, and why, stands in compatibility/differences.ts; `npm run net-compatibility` writes the page.

import { afterAll, describe, expect, it } from 'vitest';
import { DIFFERENCES } from './compatibility/differences.js';
import { shapeRows } from './compatibility/main.js';
import { judge } from './compatibility/table.js';
import { binding, calling, together } from './edges.js';
import { closing, type Exchange, failing, flowing, naming, serving } from './exchanges.js';
import { features, moreEnds, showing } from './features.js';
import { kernel, linked, within } from './places.js';
import { type Place, Trial } from './trial.js';

const places = [within(), linked()];

afterAll(async () => {
  await Promise.all(places.map((place) => place.close()));
});

function compare(exchanges: Record<string, Exchange>, where: readonly Place[] = places): void {
  for (const [name, exchange] of Object.entries(exchanges)) {
    // What a busy machine has made differ is the same the next time; a real difference is not.
    it(name, { retry: 2 }, async () => {
      const expected = await new Trial(kernel()).run(exchange);
      for (const place of where) {
        expect(await new Trial(place).run(exchange), place.name).toEqual(expected);
      }
    });
  }
}

it('every difference of shape, options and wrong calls is explained', () => {
  const { complaints } = judge(shapeRows(places[0]!), DIFFERENCES);
  // The other rows are not looked at here: their explanations are of no difference.
  expect(complaints.filter((complaint) => complaint.startsWith('not explained'))).toEqual([]);
});

describe('what makes the comparison fail', () => {
  const row = { section: 'S', name: 'n', node: '1', ours: '2' };
  const reason = { title: 'T', why: 'because', rows: ['S: n'] };

  it('is a difference without a reason', () => {
    expect(judge([row], [reason]).complaints).toEqual([]);
    expect(judge([row], []).complaints).toHaveLength(1);
  });

  it('is a reason without a difference', () => {
    const same = { ...row, ours: '1' };
    expect(judge([same], []).complaints).toEqual([]);
    expect(judge([same], [reason]).complaints).toHaveLength(1);
    expect(judge([], [reason]).complaints).toHaveLength(1);
  });
});

describe.concurrent('as over node:net', () =>
  compare({
    ...closing,
    ...moreEnds,
    ...failing,
    ...serving,
    ...naming,
    ...binding,
    ...calling,
    ...features,
    ...showing,
  }));

describe.concurrent('as over node:net, on one host', () => compare(together, places.slice(0, 1)));

// These keep the machine busy, and would disturb each other.
describe('as over node:net, with much data', () => compare(flowing));
