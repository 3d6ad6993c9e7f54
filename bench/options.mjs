// What the command line asks for. Knows words and numbers; must not know what becomes of them.

import { parseArgs } from 'node:util';
import { GROUPS } from './rows.mjs';

export const USAGE = `Usage: npm run bench -- [GROUP...] [OPTIONS]
       npm run bench -- --compare BEFORE.json AFTER.json
       npm run bench -- --report RESULT.json

Measures finwait against other TCPs, in a network namespace of its own: as root, or
in a user namespace where /dev/net/tun may be opened.
Groups: ${GROUPS.join(', ')}; without one, all.

  --quick               one short round: to see whether it works, not how fast
  --rounds N            times that each contender has its turn (5)
  --seconds S           how long each load takes (2)
  --idle N              connections that are idle meanwhile, at most (100000)
  --pin                 server and client on a processor each, where they stay: less depends on luck
  --only NAME,NAME      contenders by the begin of their names: finwait,node:net
  --json FILE           write all figures to a file
  --report FILE         HTML page and plots from such a file, beside it
  --compare A B         what got slower from A to B; exit code 1 when something did
  --host-network        never in a user namespace, which costs some: as root only
  --install-peers       let apt-get fetch the Debian packages that contenders need
  --help
`;

export class UsageError extends Error {}

/**
 * Tables grow by doubling. So many finished connections just fill them: the record is weighed, not room.
 */
const FINISHED = 32_000;
const NORMAL = { rounds: 5, seconds: 2, idle: 100_000, closes: 5000, finished: FINISHED };
const QUICK = { rounds: 1, seconds: 0.3, idle: 2000, closes: 100, finished: FINISHED / 16 };

const string = { type: 'string' };
const boolean = { type: 'boolean', default: false };
const OPTIONS = {
  ...{ rounds: string, seconds: string, idle: string, only: string, json: string, report: string },
  ...{ quick: boolean, pin: boolean, compare: boolean, 'install-peers': boolean, help: boolean },
  'host-network': boolean,
};

/**
 * @returns `{ action: 'help' | 'compare' | 'report' | 'run', ... }` with what the action needs
 * @throws UsageError in one sentence
 */
export function parseOptions(args) {
  const { values, positionals } = parse(args);
  if (values.help) return { action: 'help' };
  if (values.compare) {
    if (positionals.length !== 2) throw new UsageError('--compare needs two files');
    return { action: 'compare', files: positionals };
  }
  if (values.report !== undefined) return { action: 'report', file: values.report };
  const unknown = positionals.filter((group) => !GROUPS.includes(group));
  if (unknown.length > 0) {
    const there = GROUPS.join(', ');
    throw new UsageError(`there is no group ${unknown.join(' or ')}; there are: ${there}`);
  }
  const base = values.quick ? QUICK : NORMAL;
  return {
    action: 'run',
    groups: new Set(positionals.length > 0 ? positionals : GROUPS),
    only: values.only?.split(',').filter((word) => word !== '') ?? [],
    rounds: number('rounds', values.rounds, base.rounds, { whole: true, least: 1, most: 1000 }),
    seconds: number('seconds', values.seconds, base.seconds, { least: 0.05, most: 600 }),
    idle: number('idle', values.idle, base.idle, { whole: true, least: 0, most: 190_000 }),
    closes: base.closes,
    finished: base.finished,
    quick: values.quick,
    pin: values.pin,
    json: values.json,
    installPeers: values['install-peers'],
    hostNetwork: values['host-network'],
  };
}

function parse(args) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message.split('. ')[0]);
  }
}

function number(name, text, fallback, { whole = false, least, most }) {
  if (text === undefined) return fallback;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  throw new UsageError(`--${name} is '${text}', and must be ${kind} from ${least} to ${most}`);
}
