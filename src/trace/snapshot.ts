// The control block in short, for people and for files. Knows which of its fields tell a story; must
// not know when it is asked.

import { finIsAcknowledged, finIsSent } from '../tcp/close.js';
import { currentRto } from '../tcp/rtt.js';
import { STATE_NAMES } from '../tcp/state.js';
import type { Tcb } from '../tcp/tcb.js';
import { TIMER_COUNT, TIMER_NAMES } from '../tcp/timers.js';
import { promisedWindow } from '../tcp/window.js';
import type { TcbSnapshot } from './event.js';

/** A compact copy: nothing in it changes later. SND.NXT is one past all that was ever sent. */
export function snapshot(tcb: Tcb): TcbSnapshot {
  const { snd, rcv } = tcb;
  return {
    state: STATE_NAMES[tcb.state]!,
    iss: snd.iss >>> 0,
    irs: rcv.irs >>> 0,
    sndUna: snd.una >>> 0,
    sndNxt: snd.max >>> 0,
    sndWnd: snd.wnd,
    cwnd: snd.cwnd,
    ssthresh: snd.ssthresh,
    rcvNxt: rcv.nxt >>> 0,
    rcvWnd: promisedWindow(tcb),
    sendQueue: snd.ring.length,
    receiveQueue: rcv.ring.length,
    fin: finFact(tcb),
    rtoMs: currentRto(tcb),
    timers: tcb.armed === 0 ? NO_TIMERS : armedTimers(tcb),
  };
}

const NO_TIMERS: TcbSnapshot['timers'] = [];

function finFact(tcb: Tcb): TcbSnapshot['fin'] {
  if (!tcb.snd.finQueued) return 'none';
  if (finIsAcknowledged(tcb)) return 'acknowledged';
  return finIsSent(tcb) ? 'sent' : 'queued';
}

/** The one that is due first comes first. */
function armedTimers(tcb: Tcb): TcbSnapshot['timers'] {
  const timers: { name: string; ms: number }[] = [];
  for (let timer = 0; timer < TIMER_COUNT; timer++) {
    if ((tcb.armed & (1 << timer)) === 0) continue;
    const ms = (tcb.deadlines[timer]! - tcb.host.clock.ms) | 0;
    timers.push({ name: TIMER_NAMES[timer]!, ms });
  }
  return timers.sort((a, b) => a.ms - b.ms);
}
