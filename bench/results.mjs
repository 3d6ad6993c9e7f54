// What a run has found: numbers by row, contender and idle connections, as they are kept in a file.
// Knows the file's shape; must not know how numbers come about, or how they look.

import { readFileSync, writeFileSync } from 'node:fs';
import { median } from './statistics.mjs';

const FORMAT = 'finwait-bench-1';

/**
 * The shape of a file: `{ format, machine, rounds, seconds, contenders: [{ name, about }],
 * missing: [{ name, reason }], failures: [{ contender, load, idle, reason }],
 * rows: [{ id, group, label, unit, better }], loss: [...],
 * results: [{ row, contender, idle, values }], distributions: [{ load, contender, percentiles }] }`.
 */
export class Results {
  static read(file) {
    const data = JSON.parse(readFileSync(file, 'utf8'));
    if (data.format !== FORMAT) throw new Error(`${file} is not a result of this benchmark`);
    return new Results(data);
  }

  constructor(data) {
    this.data = { format: FORMAT, failures: [], results: [], distributions: [], loss: [], ...data };
    this.rounds = new Map();
  }

  write(file) {
    // A set of numbers on one line: shorter, and easier to compare by eye.
    const text = JSON.stringify(this.data, null, 1).replace(/\[[\s\d.,eE+-]+\]/g, (numbers) =>
      numbers.replace(/\s+/g, ' '),
    );
    writeFileSync(file, `${text}\n`);
  }

  add(row, contender, idle, value) {
    const known = this.find(row, contender, idle);
    if (known) known.values.push(value);
    else this.data.results.push({ row, contender, idle, values: [value] });
  }

  find(row, contender, idle = 0) {
    const same = (each) => each.row === row && each.contender === contender && each.idle === idle;
    return this.data.results.find(same);
  }

  of(row) {
    return this.data.results.filter((each) => each.row === row);
  }

  /** The median of a row, or nothing. */
  median(row, contender, idle = 0) {
    const found = this.find(row, contender, idle);
    return found && median(found.values);
  }

  /** A load's percentiles of one round; the file gets the medians over all rounds. */
  addPercentiles(load, contender, percentiles) {
    const key = JSON.stringify([load, contender]);
    this.rounds.set(key, [...(this.rounds.get(key) ?? []), percentiles]);
    const rounds = this.rounds.get(key);
    const medians = percentiles.map((_, i) => median(rounds.map((each) => each[i])));
    const known = this.data.distributions.find((d) => d.load === load && d.contender === contender);
    if (known) known.percentiles = medians;
    else this.data.distributions.push({ load, contender, percentiles: medians });
  }

  fail(contender, load, idle, reason) {
    const same = (f) => f.contender === contender && f.load === load && f.idle === idle;
    if (!this.data.failures.some(same)) this.data.failures.push({ contender, load, idle, reason });
  }
}
