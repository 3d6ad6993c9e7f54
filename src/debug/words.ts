// How people spell states, sides, and whatever else has a name. Knows spelling; must not know what is done
// with what they mean.

import { STATE_NAMES } from '../tcp/state.js';
import type { End } from '../trace/event.js';
import { nearest } from './nearest.js';

/** Letters and digits only: `FIN_WAIT_2`, `fin-wait-2` and `FINWAIT2` are the same. */
export function bare(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Other people's names of states: Linux's ss(8), netstat(8) and the kernel's own. */
const ALIASES: Readonly<Record<string, string>> = {
  estab: 'ESTABLISHED',
  synrecv: 'SYN-RECEIVED',
  synrcvd: 'SYN-RECEIVED',
  close: 'CLOSED',
};

/** A state's name as RFC 9293 prints it, from any spelling; null when there is none. */
export function stateNamed(word: string): string | null {
  const key = bare(word);
  return STATE_NAMES.find((name) => bare(name) === key) ?? ALIASES[key] ?? null;
}

/** A side of the connection; the other one may be called what it is. Null when there is none. */
export function endNamed(word: string): End | null {
  if (word === 'ours' || word === 'us') return 'ours';
  return word === 'theirs' || word === 'kernel' || word === 'peer' ? 'theirs' : null;
}

/** The candidate that was probably meant, whatever its case and hyphens; null when none is near. */
export function suggestion(word: string, candidates: readonly string[]): string | null {
  const keys = candidates.map(bare);
  const near = nearest(bare(word), keys);
  return near === null ? null : candidates[keys.indexOf(near)]!;
}
