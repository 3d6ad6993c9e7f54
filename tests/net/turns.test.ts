// Each event has a turn of its own, in the order in which the sources came.

import { expect, it } from 'vitest';
import { type Source, Turns } from '../../src/net/turns.js';
import { sleep } from './trial.js';

class Noting implements Source {
  queued = false;
  following: Source | null = null;
  constructor(
    readonly name: string,
    readonly log: string[],
    public times = 1,
    readonly event = () => {},
    readonly urgent = false,
  ) {}

  deliver(): boolean {
    const text = `${this.name}${this.times}`;
    this.log.push(text);
    process.nextTick(() => this.log.push(`tick of ${text}`));
    void Promise.resolve()
      .then(() => {})
      .then(() => this.log.push(`promise of ${text}`));
    this.times -= 1;
    this.event();
    return this.times > 0;
  }
}

const turnOf = (...names: string[]) =>
  names.flatMap((name) => [name, `tick of ${name}`, `promise of ${name}`]);

it('runs ticks and promises between events, and sources in turns', async () => {
  const log: string[] = [];
  const turns = new Turns();
  const a = new Noting('a', log, 2);
  const b = new Noting('b', log, 1, () => turns.add(c));
  const c = new Noting('c', log);
  turns.add(a);
  turns.add(b);
  turns.add(a);
  expect(log).toEqual([]);
  await sleep(1);
  expect(log).toEqual(turnOf('a2', 'b1', 'a1', 'c1'));
  turns.add(new Noting('d', log));
  await sleep(1);
  expect(log.slice(12)).toEqual(turnOf('d1'));
});

it('goes on after a source that throws', async () => {
  const log: string[] = [];
  const turns = new Turns();
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => log.push(error.message));
  turns.add(
    new Noting('a', log, 2, () => {
      if (log.length === 1) throw new Error('caught');
    }),
  );
  turns.add(new Noting('b', log));
  await sleep(1);
  const rest = turnOf('b1', 'a1');
  expect(log).toEqual(['a2', 'caught', 'tick of a2', 'promise of a2', ...rest]);
  for (const listener of listeners) process.on('uncaughtException', listener);
});

it('urgent ones go first, in their own order', async () => {
  const log: string[] = [];
  const turns = new Turns();
  turns.add(new Noting('a', log, 2));
  turns.add(new Noting('b', log, 2, undefined, true));
  turns.add(new Noting('c', log, 1, undefined, true));
  await sleep(1);
  expect(log).toEqual(turnOf('b2', 'c1', 'b1', 'a2', 'a1'));
});
