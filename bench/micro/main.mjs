// The command `npm run bench:micro`: hot functions one by one, operations a second. Knows the package
// `benchmark`; must not know what is timed.
//
//   npm run bench:micro -- [WORD...] [--quick] [--json FILE]

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Benchmark from 'benchmark';
import { describeMachine, machineLine } from '../machine.mjs';
import { align, formatNumber } from '../table.mjs';
import { segments } from './segments.mjs';
import { storage } from './storage.mjs';
import { tables } from './tables.mjs';
import { wire } from './wire.mjs';

const BENCHES = [wire, storage, tables, segments].flat();
const QUICK = { maxTime: 0.05, minSamples: 3, minTime: 0.005 };
const NS_PER_S = 1e9;

/** Each in turn; of one that does several things at once, each of them counts. */
function measure(benches, options) {
  return benches.map(([name, bench], index) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${index + 1} of ${benches.length}`);
    const { run = bench, operations = 1 } = bench;
    const { error, hz, stats } = new Benchmark(name, run, options).run();
    if (error) throw error;
    return { name, perSecond: hz * operations, relativeError: stats.rme / 100 };
  });
}

function render(figures) {
  const cells = figures.map(({ name, perSecond, relativeError }) => [
    name,
    `${formatNumber(perSecond)}/s`,
    `${formatNumber(NS_PER_S / perSecond)} ns`,
    `± ${(relativeError * 100).toFixed(1)} %`,
    '',
  ]);
  return align(cells).join('\n');
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const chosen = BENCHES.filter(([name]) => positionals.every((word) => name.includes(word)));
const machine = describeMachine();
const figures = measure(chosen, values.quick ? QUICK : {});
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ machine, figures }, null, 1)}\n`);
}
console.log([machineLine(machine), '', render(figures)].join('\n'));
