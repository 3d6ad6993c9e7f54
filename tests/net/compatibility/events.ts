// Exchanges as rows: what each side saw, in order. Knows how events are written down; must not know what is
// exchanged.

import type { Exchange } from '../exchanges.js';
import { type Place, Trial } from '../trial.js';
import { differs, type Row } from './rows.js';

type Seen = Record<string, string[]>;

/** Sides of an exchange, as people call them. */
const SIDES: Readonly<Record<string, string>> = { c: 'client', s: 'served', a: 'server' };

/** `error ECONNRESET`, `data 5`, `close true`; notes that are no events are left out. */
function short(line: string): string | null {
  const [event = ''] = line.split(' ', 1);
  if (!/^[a-z]\w*$/i.test(event)) return null;
  const code = /"code":"(\w+)"/.exec(line)?.[1];
  if (code !== undefined) return `${event} ${code}`;
  return /^(data \d+|close \w+)$/.test(line) ? line : event;
}

function side(name: string, lines: readonly string[], shorten: boolean): string {
  const shown = shorten ? lines.map(short).filter((line) => line !== null) : lines;
  return `${SIDES[name] ?? name}: ${shown.join(', ')}`;
}

const text = (seen: Seen, names: readonly string[], shorten: boolean) =>
  names.map((name) => side(name, seen[name] ?? [], shorten)).join('; ');

/** Only the sides that are not the same, in short if that says what differs. */
function difference(node: Seen, ours: Seen): { node: string; ours: string } {
  const all = [...new Set([...Object.keys(node), ...Object.keys(ours)])];
  const names = all.filter((name) => JSON.stringify(node[name]) !== JSON.stringify(ours[name]));
  const shorten = text(node, names, true) !== text(ours, names, true);
  return { node: text(node, names, shorten), ours: text(ours, names, shorten) };
}

async function eventRow(
  section: string,
  name: string,
  exchange: Exchange,
  [kernel, ...places]: readonly [Place, ...Place[]],
): Promise<Row> {
  const node = await new Trial(kernel).run(exchange);
  for (const place of places) {
    const ours = await new Trial(place).run(exchange);
    if (JSON.stringify(node) !== JSON.stringify(ours)) {
      return { section, name, ...difference(node, ours) };
    }
  }
  const same = text(node, Object.keys(node), true);
  return { section, name, node: same, ours: same };
}

/** Exchanges that go on at once: more of them make the machine so busy that their timers matter. */
const AT_ONCE = 4;
/** What a busy machine has made differ is the same the next time, alone; a real difference is not. */
const TIMES = 3;

export interface Group {
  readonly section: string;
  readonly exchanges: Record<string, Exchange>;
  /** Whether they need the machine for themselves. */
  readonly alone?: boolean;
  /** Whether they are about both ends on one host: the last place, which has two, is left out. */
  readonly oneHost?: boolean;
}

type Places = readonly [Place, ...Place[]];

async function inTurns(tasks: (() => Promise<void>)[], atOnce: number): Promise<void> {
  const worker = async () => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) await task();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** @param places the kernel first; the other ones are held against it */
export async function eventRows(groups: readonly Group[], places: Places): Promise<Row[]> {
  const rows: Row[][] = groups.map(() => []);
  const again: (() => Promise<void>)[] = [];
  const taskOf = ({ section, exchanges, oneHost }: Group, at: number) =>
    Object.entries(exchanges).map(([name, exchange], i) => async () => {
      const where: Places = oneHost ? [places[0], places[1]] : places;
      const row = await eventRow(section, name, exchange, where);
      rows[at]![i] = row;
      if (differs(row)) again.push(() => repeat(row));
      async function repeat(first: Row): Promise<void> {
        let row = first;
        for (let time = 1; time < TIMES && differs(row); time++) {
          row = await eventRow(section, name, exchange, where);
        }
        rows[at]![i] = row;
      }
    });
  const tasks = (alone: boolean) =>
    groups.flatMap((group, at) => ((group.alone ?? false) === alone ? taskOf(group, at) : []));
  await inTurns(tasks(false), AT_ONCE);
  await inTurns(tasks(true), 1);
  await inTurns(again, 1);
  return rows.flat();
}
