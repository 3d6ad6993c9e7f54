// The deadlines of one connection, as numbers. Knows how to set and compare them; must not know what
// happens when one has passed (timeouts.ts) or how the stack waits.

import type { Tcb } from './tcb.js';

/** A timer of a connection: the index into `TIMER_NAMES`. */
export type TimerId = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export const RETRANSMIT_TIMER = 0;
export const PERSIST_TIMER = 1;
export const DELAYED_ACK_TIMER = 2;
export const KEEPALIVE_TIMER = 3;
export const FIN_WAIT_2_TIMER = 4;
export const LINGER_TIMER = 5;
/** RFC 8985: the tail loss probe, and the wait for what may only be reordered. */
export const LOSS_PROBE_TIMER = 6;
export const REORDER_TIMER = 7;
export const PACING_TIMER = 8;

export const TIMER_COUNT = 9;

/** Printed names; the index is the TimerId. */
export const TIMER_NAMES: readonly string[] = [
  'retransmit',
  'persist',
  'delayed-ack',
  'keepalive',
  'fin-wait-2',
  'linger',
  'loss-probe',
  'reorder',
  'pacing',
];

/** What `nextDeadline` answers when no timer runs. */
export const NEVER = -1;

/** Sets a timer, or moves it: only a number changes, the stack's wheel follows later. */
export function armTimer(tcb: Tcb, timer: TimerId, delayMs: number): void {
  tcb.deadlines[timer] = (tcb.host.clock.ms + delayMs) | 0;
  tcb.armed |= 1 << timer;
  if (tcb.host.probe !== null) tcb.host.probe.timerArmed(tcb, timer, delayMs);
}

export function cancelTimer(tcb: Tcb, timer: TimerId): void {
  if ((tcb.armed & (1 << timer)) === 0) return;
  tcb.armed &= ~(1 << timer);
  if (tcb.host.probe !== null) tcb.host.probe.timerCancelled(tcb, timer);
}

export function isArmed(tcb: Tcb, timer: TimerId): boolean {
  return (tcb.armed & (1 << timer)) !== 0;
}

export function cancelAllTimers(tcb: Tcb): void {
  for (let timer = 0; timer < TIMER_COUNT; timer++) cancelTimer(tcb, timer as TimerId);
}

/** The timer that is due first, or NEVER. */
export function nextTimer(tcb: Tcb): TimerId | -1 {
  let first: TimerId | -1 = NEVER;
  for (let armed = tcb.armed; armed !== 0; armed &= armed - 1) {
    const timer = (31 - Math.clz32(armed & -armed)) as TimerId;
    if (first === NEVER || ((tcb.deadlines[timer] - tcb.deadlines[first]) | 0) < 0) first = timer;
  }
  return first;
}
