// Breakpoints: how they are written, and what they stop at.

import { describe, expect, it } from 'vitest';
import {
  BreakpointError,
  formatBreakpoint,
  parseBreakpoint,
  strikes,
} from '../../src/debug/breakpoint.js';
import type { HeldLook } from '../../src/debug/debuggee.js';
import { forge } from '../../src/lab/forge.js';
import type { TraceEvent } from '../../src/trace/event.js';
import { decodeSegment } from '../../src/trace/segment.js';

describe('a breakpoint as text', () => {
  it.each([
    ['state=FIN-WAIT-2', 'state=FIN-WAIT-2'],
    ['state=fin_wait_2', 'state=FIN-WAIT-2'],
    ['state=FINWAIT2', 'state=FIN-WAIT-2'],
    ['state=ESTAB', 'state=ESTABLISHED'],
    ['ours:flag=fin', 'ours:flag=FIN'],
    ['theirs:timer=Retransmit', 'theirs:timer=retransmit'],
    ['kernel:state=LAST-ACK', 'theirs:state=LAST-ACK'],
    ['timer=2msl', 'timer=2MSL'],
    ['either:segment=12', 'segment=12'],
  ])('%s is %s', (text, written) => {
    const breakpoint = parseBreakpoint(text);
    expect(formatBreakpoint(breakpoint)).toBe(written);
    expect(parseBreakpoint(written)).toEqual(breakpoint);
  });

  it.each([
    ['state=FIN-WAIT-3', /no state "FIN-WAIT-3"/, 'did you mean FIN-WAIT-1?'],
    ['stat=CLOSED', /cannot wait for "stat"/, 'did you mean state=?'],
    ['flag=FNI', /no flag "FNI"/, 'did you mean FIN?'],
    ['timer=egg', /no timer "egg"/, /^choose one of retransmit, .*, 2MSL$/],
    ['segment=0', /segment=0 is no number/, /segment=12/],
    ['mine:flag=FIN', /"mine:" is no side/, /ours: or theirs:/],
    ['FIN', /"FIN" is no breakpoint/, /flag=FIN/],
  ])('%s is refused, with a way out', (text, message, fix) => {
    const error = refusal(text);
    expect(error.message).toMatch(message);
    expect(error.fix).toMatch(fix);
  });
});

function refusal(text: string): BreakpointError {
  try {
    parseBreakpoint(text);
  } catch (error) {
    if (error instanceof BreakpointError) return error;
  }
  throw new Error(`${text} is taken`);
}

const common = { index: 0, timeUs: 0, connection: null, tcb: null };

function entered(end: 'ours' | 'theirs', to: string): TraceEvent {
  return { ...common, end, kind: 'state', from: '', to, event: '', section: '', why: '' };
}

function timer(action: 'armed' | 'fired', name: string): TraceEvent {
  return { ...common, end: 'ours', kind: 'timer', action, timer: name, delayMs: null };
}

const SEGMENT = {
  ...{ source: '10.9.0.1', sourcePort: 4000, destination: '10.9.0.2', destinationPort: 80 },
  ...{ seq: 1, ack: 1, window: 0, data: 0, timestamps: null },
};

function held(id: number, direction: 'in' | 'out', ...flags: string[]): HeldLook {
  return {
    id,
    direction,
    connection: null,
    text: flags.join(),
    origin: 'sent',
    again: false,
    segment: decodeSegment(forge({ ...SEGMENT, flags })),
  };
}

describe('a breakpoint stops', () => {
  const at = (text: string, events: TraceEvent[], waiting: HeldLook[] = []) =>
    strikes(parseBreakpoint(text), events, waiting);

  it('when an end has entered a state', () => {
    const events = [entered('theirs', 'CLOSE-WAIT')];
    expect(at('state=CLOSE-WAIT', events)).toBe(true);
    expect(at('theirs:state=CLOSE-WAIT', events)).toBe(true);
    expect(at('ours:state=CLOSE-WAIT', events)).toBe(false);
    expect(at('state=CLOSING', events)).toBe(false);
  });

  it('when a timer has run out, not when it is set', () => {
    expect(at('timer=retransmit', [timer('fired', 'retransmit')])).toBe(true);
    expect(at('timer=retransmit', [timer('armed', 'retransmit')])).toBe(false);
    expect(at('theirs:timer=retransmit', [timer('fired', 'retransmit')])).toBe(false);
    expect(at('timer=2MSL', [timer('fired', '2MSL')])).toBe(true);
  });

  it('when a segment comes to wait: by its flags and its sender, or by its number', () => {
    const waiting = [held(7, 'in', 'FIN', 'ACK')];
    expect(at('flag=FIN', [], waiting)).toBe(true);
    expect(at('theirs:flag=FIN', [], waiting)).toBe(true);
    expect(at('ours:flag=FIN', [], waiting)).toBe(false);
    expect(at('flag=SYN', [], waiting)).toBe(false);
    expect(at('segment=7', [], waiting)).toBe(true);
    expect(at('segment=8', [], waiting)).toBe(false);
    expect(at('ours:segment=7', [], waiting)).toBe(false);
  });
});
