// Where to stop: conditions as text and as data. Knows events and what waits; must not know who steps.

import { STATE_NAMES } from '../tcp/state.js';
import { TIMER_NAMES } from '../tcp/timers.js';
import { type End, type TraceEvent, TWO_MSL } from '../trace/event.js';
import { FLAGS, hasFlag } from '../trace/segment.js';
import type { HeldLook } from './debuggee.js';
import { bare, endNamed, stateNamed, suggestion } from './words.js';

/** A condition; `end` null stands for either side. */
export type Breakpoint = { end: End | null } & (
  | { on: 'state'; state: string }
  | { on: 'flag'; flag: string }
  | { on: 'timer'; timer: string }
  | { on: 'segment'; number: number }
);

const KINDS = ['state', 'flag', 'timer', 'segment'];
const FLAG_NAMES = FLAGS.map(([, name]) => name);
const TIMERS = [...TIMER_NAMES, TWO_MSL];
const EXAMPLES = 'state=FIN-WAIT-2, flag=FIN, timer=retransmit or segment=12';

/** A condition that makes no sense; the message says why, `fix` what would. */
export class BreakpointError extends Error {
  override name = 'BreakpointError';
  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}

/**
 * Reads `[ours:|theirs:]state=NAME`, `flag=NAME`, `timer=NAME` or `segment=N`.
 * @throws BreakpointError with a suggestion
 */
export function parseBreakpoint(text: string): Breakpoint {
  const match = /^(?:(\w+):)?([\w-]+)=(.+)$/.exec(text.trim());
  if (match === null) {
    throw new BreakpointError(`"${text}" is no breakpoint`, `write ${EXAMPLES}`);
  }
  const [, side, kind, value] = match as unknown as [string, string | undefined, string, string];
  const end = parseEnd(side);
  switch (kind) {
    case 'state':
      return { end, on: 'state', state: stateNamed(value) ?? known('state', value, STATE_NAMES) };
    case 'flag':
      return { end, on: 'flag', flag: known('flag', value, FLAG_NAMES) };
    case 'timer':
      return { end, on: 'timer', timer: known('timer', value, TIMERS) };
    case 'segment':
      if (/^[1-9]\d{0,8}$/.test(value)) return { end, on: 'segment', number: Number(value) };
      throw new BreakpointError(`segment=${value} is no number`, 'count from 1: segment=12');
  }
  const near = suggestion(kind, KINDS);
  throw new BreakpointError(
    `a breakpoint cannot wait for "${kind}"`,
    near === null ? `write ${EXAMPLES}` : `did you mean ${near}=?`,
  );
}

function parseEnd(side: string | undefined): End | null {
  if (side === undefined || side === 'either') return null;
  const end = endNamed(side);
  if (end !== null) return end;
  throw new BreakpointError(`"${side}:" is no side`, 'write ours: or theirs:, or leave it out');
}

function known(kind: string, text: string, all: readonly string[]): string {
  const found = all.find((word) => bare(word) === bare(text));
  if (found !== undefined) return found;
  const near = suggestion(text, all);
  throw new BreakpointError(
    `there is no ${kind} "${text}"`,
    near === null ? `choose one of ${all.join(', ')}` : `did you mean ${near}?`,
  );
}

/** As it would be typed. */
export function formatBreakpoint(breakpoint: Breakpoint): string {
  const side = breakpoint.end === null ? '' : `${breakpoint.end}:`;
  switch (breakpoint.on) {
    case 'state':
      return `${side}state=${breakpoint.state}`;
    case 'flag':
      return `${side}flag=${breakpoint.flag}`;
    case 'timer':
      return `${side}timer=${breakpoint.timer}`;
    case 'segment':
      return `${side}segment=${breakpoint.number}`;
  }
}

/** Who has sent what goes this way. */
const senderOf = (direction: HeldLook['direction']): End =>
  direction === 'out' ? 'ours' : 'theirs';

/**
 * Whether what is new is what a breakpoint waits for. A state or a timer stops after it has happened; a
 * segment when it comes to wait at the gate, so that something can still be done to it.
 */
export function strikes(
  breakpoint: Breakpoint,
  events: readonly TraceEvent[],
  held: readonly HeldLook[],
): boolean {
  const { end } = breakpoint;
  const ofEnd = (whose: End) => end === null || end === whose;
  switch (breakpoint.on) {
    case 'state':
      return events.some(
        (event) => event.kind === 'state' && event.to === breakpoint.state && ofEnd(event.end),
      );
    case 'timer':
      return events.some(
        (event) =>
          event.kind === 'timer' &&
          event.action === 'fired' &&
          event.timer === breakpoint.timer &&
          ofEnd(event.end),
      );
    case 'flag':
      return held.some(
        ({ direction, segment }) =>
          segment !== null && hasFlag(segment, breakpoint.flag) && ofEnd(senderOf(direction)),
      );
    case 'segment':
      return held.some(
        ({ direction, id }) => id === breakpoint.number && ofEnd(senderOf(direction)),
      );
  }
}
