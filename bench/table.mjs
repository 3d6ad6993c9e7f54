// Shows results as text. Knows columns and numbers; must not know how they came about.

import { styleText } from 'node:util';
import { machineLine } from './machine.mjs';
import { summary } from './statistics.mjs';
import { judge, judgeLoss } from './targets.mjs';

/** Three digits at least, and no more than one needs. */
export function formatNumber(value) {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size >= 100) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** @param colour whether to mark what was met and what was not */
export function renderTable(results, colour = false) {
  const sections = tableSections(results, colour).map((cells) => `${align(cells).join('\n')}\n`);
  return [...tableHead(results), '', ...sections, ...tableNotes(results)].join('\n').trimEnd();
}

/** Where and how the figures were made, a sentence each. */
export function tableHead(results) {
  const { machine, rounds, seconds, pinned } = results.data;
  const { congestionControl, mtu } = machine;
  const where = pinned ? ', server and client on a processor each' : '';
  return [
    machineLine(machine),
    `MTU ${mtu}, ${congestionControl} on the kernel's side, tcp_tw_reuse, ports 2000 to 65000${where}`,
    `medians of ${rounds} rounds, ${seconds} s each`,
  ];
}

/** For each row of the results, lines of cells: a head, then the contenders. */
export function tableSections(results, colour = false) {
  const verdicts = judge(results);
  const { rows, loss } = results.data;
  const sections = rows
    .map((row) => [row, results.of(row.id)])
    .filter(([, found]) => found.length > 0)
    .map(([row, found]) => rowCells(row, found, verdicts, colour));
  return loss.length > 0 ? [...sections, lossCells(loss, colour)] : sections;
}

/** What is not in the table, in sentences. */
export function tableNotes(results) {
  const { missing, failures } = results.data;
  const verdicts = [...judge(results), ...results.data.loss.map(judgeLoss)];
  const met = verdicts.filter((each) => each.met).length;
  const failed = ({ contender, load, idle, reason }) =>
    `${contender}, ${load}${idle > 0 ? ` beside ${idle} idle` : ''}: failed: ${reason}`;
  return [
    ...missing.map(({ name, reason }) => `${name} is not available: ${reason}`),
    ...failures.map(failed),
    ...(verdicts.length > 0 ? [`${met} of ${verdicts.length} targets met`] : []),
  ];
}

function rowCells(row, found, verdicts, colour) {
  const cells = [[`${row.label}, ${row.unit}`, 'median', 'min', 'max', '']];
  for (const { contender, idle, values } of found) {
    const { median, min, max } = summary(values);
    const name = `  ${contender}${idle > 0 ? `, ${formatNumber(idle)} idle` : ''}`;
    const mine = verdicts.filter(
      (each) => each.row === row.id && each.contender === contender && each.idle === idle,
    );
    const [first = '', ...others] = mine.map((each) => describeVerdict(each, colour));
    cells.push([name, ...[median, min, max].map(formatNumber), first]);
    for (const other of others) cells.push(['', '', '', '', other]);
  }
  return cells;
}

/** `0.93 of C epoll, target ≥ 1: missed` */
function describeVerdict({ reference, ratio, target, better, met }, colour) {
  const sign = better === 'more' ? '≥' : '≤';
  const what = reference === null ? '' : `${ratio.toFixed(2)} of ${reference}, `;
  const aim = reference === null ? formatNumber(target) : Number(target.toFixed(2));
  return `${what}target ${sign} ${aim}: ${mark(met, colour)}`;
}

function lossCells(loss, colour) {
  const head = ['over a simulated link, 100 ms, Mbit/s', 'median', 'min', 'max', ''];
  const lines = loss.map((each) => {
    const { target, met } = judgeLoss(each);
    const ratio = `${each.ratio.toFixed(2)} of the response function`;
    const name = `  ${each.congestion}, ${each.lossPercent} % lost`;
    const numbers = [each.mbits, each.slowest, each.fastest].map(formatNumber);
    return [name, ...numbers, `${ratio}, target ≥ ${target}: ${mark(met, colour)}`];
  });
  return [head, ...lines];
}

function mark(met, colour) {
  const word = met ? 'met' : 'missed';
  return colour ? styleText(met ? 'green' : 'yellow', word) : word;
}

/** The first and the last column to the left, numbers to the right. */
export function align(cells) {
  const widths = cells[0].map((_, i) => Math.max(...cells.map((line) => line[i].length)));
  const last = widths.length - 1;
  return cells.map((line) =>
    line
      .map((cell, i) => {
        if (i === last) return cell;
        return i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]);
      })
      .join('  ')
      .trimEnd(),
  );
}
