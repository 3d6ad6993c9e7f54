// Says what got slower or faster between two results. Knows noise; must not know how figures came about.

import { differenceByChance, summary } from './statistics.mjs';
import { align, formatNumber } from './table.mjs';

/** Differences that may be by chance more often than this are noise. */
const CHANCE = 0.05;
/** Less than this is nobody's concern, however certain. */
const LEAST_CHANGE = 0.03;
/** With fewer rounds nothing is certain: the best that four and four can show is p = 0.03. */
const LEAST_ROUNDS = 4;

/**
 * @returns `{ row, contender, idle, before, after, change, verdict }` for each figure of both results;
 *   `change` is the relative one of the median, `verdict` 'slower', 'faster', 'same', or 'unsure' when
 *   one of them has too few rounds and the ranges overlap.
 */
export function compare(before, after) {
  const changes = [];
  for (const { row, contender, idle, values } of after.data.results) {
    const earlier = before.find(row, contender, idle)?.values;
    const about = after.data.rows.find(({ id }) => id === row);
    if (earlier === undefined || about === undefined) continue;
    const a = summary(earlier);
    const b = summary(values);
    const change = b.median / a.median - 1;
    const better = about.better === 'more' ? change > 0 : change < 0;
    const verdict = differ(earlier, values, change);
    changes.push({
      ...{ row, contender, idle, label: about.label, unit: about.unit },
      ...{ before: a, after: b, change },
      verdict: verdict === 'different' ? (better && 'faster') || 'slower' : verdict,
    });
  }
  return changes;
}

function differ(before, after, change) {
  if (Math.abs(change) < LEAST_CHANGE) return 'same';
  if (Math.min(before.length, after.length) < LEAST_ROUNDS) return 'unsure';
  return differenceByChance(before, after) < CHANCE ? 'different' : 'same';
}

/** The changes as text, what got slower first, and a sentence that sums up. */
export function renderComparison(before, after) {
  const changes = compare(before, after);
  const lines = differences(before.data, after.data);
  for (const verdict of ['slower', 'faster', 'unsure']) {
    const those = changes.filter((each) => each.verdict === verdict);
    if (those.length > 0) lines.push(`${verdict}:`, ...align(those.map(cellsOf)), '');
  }
  const count = (verdict) => changes.filter((each) => each.verdict === verdict).length;
  const parts = ['slower', 'faster', 'same', 'unsure'].map((each) => `${count(each)} ${each}`);
  lines.push(`${changes.length} figures: ${parts.join(', ')}`);
  if (count('unsure') > 0) lines.push(`Too few rounds to be sure: at least ${LEAST_ROUNDS} each`);
  return { text: lines.join('\n'), slower: count('slower') };
}

function cellsOf({ label, unit, contender, idle, before, after, change }) {
  const range = ({ median, min, max }) =>
    `${formatNumber(median)} (${formatNumber(min)} to ${formatNumber(max)})`;
  const percent = `${change > 0 ? '+' : ''}${(change * 100).toFixed(1)} %`;
  const who = `${contender}${idle > 0 ? `, ${formatNumber(idle)} idle` : ''}`;
  return [`  ${label}, ${who}`, range(before), '→', range(after), percent, unit];
}

/** What makes two results less comparable than they look. */
function differences(before, after) {
  return ['cpu', 'cores', 'kernel', 'node', 'congestionControl', 'mtu']
    .filter((key) => before.machine[key] !== after.machine[key])
    .map((key) => `Not the same ${key}: ${before.machine[key]}, then ${after.machine[key]}`);
}
