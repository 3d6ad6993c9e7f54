// The whole comparison: all rows, judged. Knows what is compared; must not know what becomes of it.

import net from 'node:net';
import { binding, calling, together } from '../edges.js';
import * as exchanges from '../exchanges.js';
import * as more from '../features.js';
import { kernel, linked, within } from '../places.js';
import type { Place } from '../trial.js';
import { DIFFERENCES } from './differences.js';
import { eventRows, type Group } from './events.js';
import { holdingRows } from './holding.js';
import { identityRows } from './identity.js';
import { optionRows } from './options.js';
import type { Row } from './rows.js';
import { structureRows } from './structure.js';
import { type Judged, judge } from './table.js';
import { wrongCallRows } from './wrong-calls.js';

/** What needs no connection. */
export function shapeRows(ours: Place): Row[] {
  return [
    ...structureRows(net, ours.net),
    ...identityRows(net, ours.net),
    ...optionRows(net, ours.net),
    ...wrongCallRows(net, ours.net),
  ];
}

const GROUPS: readonly Group[] = [
  { section: 'Events of closing', exchanges: { ...exchanges.closing, ...more.moreEnds } },
  { section: 'Events of failing', exchanges: exchanges.failing },
  { section: 'Events of servers', exchanges: exchanges.serving },
  { section: 'Events of look-ups', exchanges: exchanges.naming },
  { section: 'Events of features', exchanges: more.features },
  { section: 'Events of addresses and ports', exchanges: binding },
  { section: 'Events of calls too early or too often', exchanges: calling },
  { section: 'Events with both ends on one host', exchanges: together, oneHost: true },
  { section: 'Events of much data', exchanges: exchanges.flowing, alone: true },
  { section: 'Events that differ', exchanges: more.different },
  { section: 'What a socket shows of itself', exchanges: more.showing },
];

export async function compare(): Promise<Judged> {
  const [one, two] = [within(), linked()];
  try {
    const shape = shapeRows(one);
    const places = [kernel(), one, two] as const;
    const [events, holding] = await Promise.all([eventRows(GROUPS, places), holdingRows()]);
    return judge([...shape, ...events, ...holding], DIFFERENCES);
  } finally {
    await Promise.all([one.close(), two.close()]);
  }
}
