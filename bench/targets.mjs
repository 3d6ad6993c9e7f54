// What the figures should be, as ratios to a reference of the same run. Knows rows and contenders by
// name; must not know how figures come about.

import { ROWS } from './rows.mjs';

const RAW = 'finwait raw';
const SOCKETS = 'finwait sockets';
const NODE = 'node:net';
const EPOLL = 'C epoll';
const LWIP = 'lwIP';
const BEST_ON_TUN = 'the best peer on a TUN';

/** A row's figure of a contender, over that of a reference: at least, or (of what should be less) at most. */
const TARGETS = [
  ['bulk-in', RAW, EPOLL, 1],
  ['bulk-out', RAW, EPOLL, 1],
  ['bulk-in', RAW, BEST_ON_TUN, 3],
  ['bulk-out', RAW, BEST_ON_TUN, 3],
  ['bulk-in', SOCKETS, NODE, 1.5],
  ['bulk-out', SOCKETS, NODE, 1],
  ['pingpong', SOCKETS, NODE, 1.1],
  ['pingpong-p99', SOCKETS, NODE, 1],
  ['pingpong', RAW, LWIP, 1],
  ['crc-1', SOCKETS, NODE, 1.1],
  ['crc-50', SOCKETS, NODE, 1.1],
  ['crc-1', RAW, LWIP, 1],
  ['crc-50', RAW, LWIP, 1],
  ['close-p50', SOCKETS, NODE, 0.8],
  ['close-p99', SOCKETS, NODE, 0.8],
  ['http', SOCKETS, NODE, 1],
  ['cpu-in', SOCKETS, NODE, 1],
  ['cpu-out', SOCKETS, NODE, 1],
];

/** Bytes, at most. */
const LIMITS = [
  ['memory-idle', RAW, 1536],
  ['memory-idle', SOCKETS, 6144],
  ['memory-timewait', RAW, 128],
];

/** What is left of a row while others are idle; processor time is no row of theirs. */
const SHARE_WHILE_IDLE = 0.95;
/** Where less is better, as much more is allowed. */
const MORE_WHILE_IDLE = 1 / SHARE_WHILE_IDLE;
/** Response functions of CUBIC and of Mathis, whichever applies. */
const SHARE_OF_RESPONSE = 0.9;

/**
 * All targets that the results speak of.
 * @returns `{ row, contender, idle, reference, ratio, target, better, met }` each; of a limit in bytes,
 *   `reference` is null, and `ratio` the bytes.
 */
export function judge(results) {
  const verdicts = [];
  const add = (row, contender, idle, reference, ratio, target) => {
    const { better } = ROWS.find(({ id }) => id === row);
    const met = better === 'more' ? ratio >= target : ratio <= target;
    verdicts.push({ row, contender, idle, reference, ratio, target, better, met });
  };
  for (const [row, contender, reference, target] of TARGETS) {
    const value = results.median(row, contender);
    const [name, other] = referenceOf(results, row, reference);
    if (value !== undefined && other !== undefined)
      add(row, contender, 0, name, value / other, target);
  }
  for (const [row, contender, target] of LIMITS) {
    const value = results.median(row, contender);
    if (value !== undefined) add(row, contender, 0, null, value, target);
  }
  const most = Math.max(0, ...results.data.results.map(({ idle }) => idle));
  for (const { row, contender, idle } of results.data.results) {
    const without = results.median(row, contender);
    if (idle === 0 || idle !== most || without === undefined) continue;
    const { better, group } = ROWS.find(({ id }) => id === row);
    if ((contender !== RAW && contender !== SOCKETS) || group === 'cpu') continue;
    const target = better === 'more' ? SHARE_WHILE_IDLE : MORE_WHILE_IDLE;
    add(row, contender, idle, 'none idle', results.median(row, contender, idle) / without, target);
  }
  return verdicts;
}

/** Of a simulated link: throughput over what the response function promises. */
export function judgeLoss({ ratio }) {
  return { target: SHARE_OF_RESPONSE, met: ratio >= SHARE_OF_RESPONSE };
}

function referenceOf(results, row, reference) {
  if (reference !== BEST_ON_TUN) return [reference, results.median(row, reference)];
  const peers = results.data.contenders.filter(({ onTun }) => onTun);
  let best = [BEST_ON_TUN, undefined];
  for (const { name } of peers) {
    const value = results.median(row, name);
    if (value !== undefined && !(value <= best[1])) best = [name, value];
  }
  return best;
}
