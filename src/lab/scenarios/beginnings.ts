// How most scenarios begin: with a connection. Data only.

import type { Step } from '../scenario.js';

/** The peer listens, we call; both are ESTABLISHED, and nothing is under way. */
export const WE_CALL: readonly Step[] = [
  { end: 'theirs', call: 'listen' },
  { end: 'ours', call: 'connect' },
  { until: { end: 'ours', state: 'ESTABLISHED' } },
  { until: { end: 'theirs', state: 'ESTABLISHED' } },
];
