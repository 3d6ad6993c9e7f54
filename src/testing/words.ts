// What faults, calls and conditions are written in: the words of the lab's scenarios, with the client and
// the peer for ends. Knows how they are called there; must not know how anything is carried out.

import type {
  Forged,
  GateCondition,
  Injection,
  Condition as LabCondition,
  Fault as LabFault,
  Match as LabMatch,
  Likeness,
  PlainCall,
  ProgramCondition,
  StateCondition,
} from '../lab/scenario.js';
import { callInWords, conditionInWords, injectionInWords, type Voices } from '../lab/words.js';
import type { Direction, End } from '../trace/event.js';

/** `client`: the program under test; `peer`: the end that finwait plays. */
export type Side = 'client' | 'peer';

/** Which segments are meant; all that is given must hold. */
export interface Match extends Omit<Likeness, 'nth'> {
  /** Who sends it; default: either. */
  from?: Side;
}

/** Which segments a fault strikes. */
export interface FaultMatch extends Match {
  /** The n-th such segment, of all connections, from 1; default: each. */
  nth?: number;
}

/** What happens to a segment on its way, when its turn has come. */
export interface Fault extends LabFault<Match> {
  /** Which segments it strikes. */
  on: FaultMatch;
}

/** What the program at the peer does. */
export type Call =
  | (PlainCall & {
      /** With all connections that are open; default: with the newest one. */
      all?: true;
    })
  | {
      /** Takes connections again, after `unlisten`. */
      call: 'listen';
    };

/** A segment that neither end has sent, put in between them. */
export interface Injected extends Forged {
  /** From whom it seems to come. */
  from: Side;
}

/** What is waited for. Of the client only its state can be seen from outside. */
export type Condition =
  | (Of<'peer'> & (StateCondition | ProgramCondition))
  | (Of<'client'> & StateCondition)
  | GateCondition<Match>;

/** Whose condition it is. */
export interface Of<S extends Side> {
  /** The end that is meant. */
  end: S;
}

/** One thing after the other, as in a scenario of the lab. */
export type Step =
  | (Call & {
      /** Why, for those who read it. */
      note?: string;
    })
  | {
      /** A segment that is put in between both ends. */
      inject: Injected;
      /** Why, for those who read it. */
      note: string;
    }
  | {
      /** Goes on as soon as this holds. */
      until: Condition;
      /** Why, for those who read it. */
      note?: string;
    }
  | {
      /** Must be so now, without any waiting. */
      holds: Condition;
      /** What that means; the failure says so. */
      note: string;
    };

/** Our stack, in the lab's words, is the peer's. */
const END: Readonly<Record<Side, End>> = { peer: 'ours', client: 'theirs' };
const DIRECTION: Readonly<Record<Side, Direction>> = { peer: 'out', client: 'in' };

const VOICES: Voices = {
  ours: { subject: 'the peer', object: 'the peer', isPlural: false },
  theirs: { subject: 'the client', object: 'the client', isPlural: false },
};

/** `the client is in CLOSE-WAIT` */
export const conditionWords = (condition: Condition): string =>
  conditionInWords(labCondition(condition), VOICES);

/** `the peer calls abort`, `until one RST from the client` */
export function stepWords(step: Step): string {
  if ('inject' in step) return injectionInWords(labInjection(step.inject), VOICES);
  if ('until' in step) return `until ${conditionWords(step.until)}`;
  if ('holds' in step) return conditionWords(step.holds);
  const words = callInWords({ ...step, end: END.peer }, VOICES);
  return 'all' in step && step.all ? `${words}, on all connections` : words;
}

function labMatch({ from, ...likeness }: FaultMatch): LabMatch {
  return from === undefined ? likeness : { ...likeness, direction: DIRECTION[from] };
}

export function labFault({ on, do: what, note }: Fault): LabFault {
  const how = typeof what === 'object' ? { holdUntil: labMatch(what.holdUntil) } : what;
  return { on: labMatch(on), do: how, note };
}

export function labInjection({ from, ...forged }: Injected): Injection {
  return { ...forged, direction: DIRECTION[from] };
}

export function labCondition(condition: Condition): LabCondition {
  if ('end' in condition) return { ...condition, end: END[condition.end] };
  if ('seen' in condition) return { ...condition, seen: labMatch(condition.seen) };
  return 'unseen' in condition ? { unseen: labMatch(condition.unseen) } : condition;
}
