// A ladder as plain data, for programs. Knows what is worth keeping; must not know how it is drawn.

import type { TraceEvent } from './event.js';
import { DEFAULT_NAMES, type EndNames, type Ladder, type LadderOptions } from './ladder.js';
import { buildLadders } from './ladder-builder.js';

/** Ladders as data. */
export interface LadderData {
  /** What the ends are called. */
  names: EndNames;
  /** One for each connection. */
  ladders: readonly Ladder[];
}

/** All events of a timeline; `JSON.stringify` takes it as it is. */
export function ladderJson(
  { events }: { readonly events: readonly TraceEvent[] },
  options: LadderOptions = {},
): LadderData {
  return { names: options.names ?? DEFAULT_NAMES, ladders: buildLadders(events, options) };
}
