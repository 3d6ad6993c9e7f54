// What TCP knows about an error that a socket tells: `error.tcp`. Knows how to put it into words; must not
// know sockets.

import { blameUnanswered, type SegmentToBlame } from '../tcp/ending.js';
import { CLOSED, STATE_NAMES } from '../tcp/state.js';
import type { Tcb } from '../tcp/tcb.js';
import { describeSegment, nameFlags } from '../trace/segment.js';
import { formatEnd } from '../wire/address.js';
import { hintFor } from './hints.js';

/** TCP's side of an error, as plain data: `error.tcp`. */
export interface TcpTrouble {
  /** The state that the connection was in, as RFC 9293 writes it: `ESTABLISHED`; `CLOSED` without one. */
  state: string;
  /**
   * The segment to blame, numbers counted from the initial ones as in traces: what the peer sent,
   * `RST seq 1 from 10.9.0.1:80`, or what it never acknowledged, `SYN seq 0 to 10.9.0.1:80`. Null where
   * there is none.
   */
  segment: string | null;
  /** What it means, and what to look at next: a sentence or two for people. The words may change. */
  hint: string;
}

/**
 * @param connection the one that failed; null where none has come about
 * @param code name of the error: `ECONNRESET`
 * @param words what the stack says besides: which listener has the port
 */
export function troubleOf(connection: Tcb | null, code: string, words = ''): TcpTrouble {
  const ending = connection?.ending ?? null;
  const state = STATE_NAMES[ending?.state ?? connection?.state ?? CLOSED]!;
  const open = connection !== null && connection.state !== CLOSED;
  const blamed = ending === null && open ? blameUnanswered(connection) : (ending?.segment ?? null);
  const reason = connection === null || open ? null : connection.closeReason;
  const hint = hintFor(code, state, reason);
  return {
    state,
    segment: blamed === null ? null : describeBlamed(connection!, blamed),
    hint: words === '' ? hint : `${words[0]!.toUpperCase()}${words.slice(1)}. ${hint}`,
  };
}

function describeBlamed(tcb: Tcb, blamed: SegmentToBlame): string {
  const { incoming, flags, seq, ack, length } = blamed;
  const [ours, theirs] = [tcb.snd.iss >>> 0, tcb.rcv.irs >>> 0];
  const words = describeSegment(
    { flags: nameFlags(flags), seq: seq >>> 0, ack: ack >>> 0, length },
    incoming ? { seq: theirs, ack: ours } : { seq: ours, ack: theirs },
  );
  return `${words} ${incoming ? 'from' : 'to'} ${formatEnd(tcb.remoteAddress, tcb.remotePort)}`;
}

/** Gives an error its `tcp`; see `troubleOf`. */
export function explained<E extends Error>(
  error: E,
  connection: Tcb | null,
  code: string,
  words = '',
): E & { tcp: TcpTrouble } {
  return Object.assign(error, { tcp: troubleOf(connection, code, words) });
}
