// The state diagram, RFC 9293 §3.3.2 (Figure 5), as data. Knows which changes of state are allowed
// and why; must not know how segments are parsed or sent.

import {
  CLOSE_WAIT,
  CLOSED,
  CLOSING,
  ESTABLISHED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  LISTEN,
  STATE_NAMES,
  type State,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from './state.js';

/** What made a state change. The names are those of the diagram and of RFC 9293 §3.10. */
export type TransitionEvent =
  | 'passive OPEN'
  | 'active OPEN'
  | 'CLOSE'
  | 'ABORT'
  | 'rcv SYN'
  | 'rcv SYN,ACK'
  | 'rcv ACK of SYN'
  | 'rcv ACK of FIN'
  | 'rcv FIN'
  | 'rcv FIN,ACK of FIN'
  | 'rcv RST'
  | 'rcv SYN in TIME-WAIT'
  | 'timeout 2MSL'
  | 'timeout FIN-WAIT-2'
  | 'timeout user'
  | 'ICMP error';

/** An arrow of the state diagram (RFC 9293 §3.3.2, Figure 5). */
export interface Transition {
  /** The state before. */
  readonly from: State;
  /** What happened. */
  readonly event: TransitionEvent;
  /** The state after. */
  readonly to: State;
  /** Segment that goes out because of it, as in the diagram; empty when none does. */
  readonly sends: string;
  /** Where the rule stands. */
  readonly section: string;
  /** Why, in a sentence, for people who watch. */
  readonly why: string;
}

const rfc = 'RFC 9293 §';

function row(
  from: State,
  event: TransitionEvent,
  to: State,
  sends: string,
  section: string,
  why: string,
): Transition {
  return { from, event, to, sends, section: /^\d/.test(section) ? rfc + section : section, why };
}

/** States that a RST, an abort, a timeout or a hard ICMP error ends. */
const endedBy = (
  event: TransitionEvent,
  from: readonly State[],
  sends: string,
  section: string,
  why: string,
): Transition[] => from.map((state) => row(state, event, CLOSED, sends, section, why));

/** States in which both have agreed on a connection, and the peer may still be there. */
const ESTABLISHED_ONCE: readonly State[] = [
  ESTABLISHED,
  CLOSE_WAIT,
  FIN_WAIT_1,
  CLOSING,
  LAST_ACK,
  FIN_WAIT_2,
];
/** The same, and the one in which the peer has only been heard of. */
const WITH_A_PEER: readonly State[] = [SYN_RECEIVED, ...ESTABLISHED_ONCE];

/** Every change of state that this stack makes. Anything else is a defect and throws. */
export const TRANSITIONS: readonly Transition[] = [
  // Opening
  row(CLOSED, 'passive OPEN', LISTEN, '', '3.10.1', 'A listener waits for connections.'),
  row(CLOSED, 'active OPEN', SYN_SENT, 'SYN', '3.10.1', 'We ask for a connection.'),
  row(LISTEN, 'CLOSE', CLOSED, '', '3.10.4', 'The listener is given up.'),
  row(LISTEN, 'rcv SYN', SYN_RECEIVED, 'SYN,ACK', '3.10.7.2', 'A peer asks for a connection.'),
  row(
    SYN_SENT,
    'rcv SYN',
    SYN_RECEIVED,
    'SYN,ACK',
    '3.10.7.3',
    'Both sides opened at once: the SYNs crossed.',
  ),
  row(
    SYN_SENT,
    'rcv SYN,ACK',
    ESTABLISHED,
    'ACK',
    '3.10.7.3',
    'The peer accepted and its SYN acknowledges ours.',
  ),
  row(
    SYN_RECEIVED,
    'rcv ACK of SYN',
    ESTABLISHED,
    '',
    '3.10.7.4',
    'The third segment proves that the peer saw our SYN.',
  ),
  row(SYN_SENT, 'CLOSE', CLOSED, '', '3.10.4', 'Nothing was established, so nothing is closed.'),

  // Closing first
  row(
    SYN_RECEIVED,
    'CLOSE',
    FIN_WAIT_1,
    'FIN',
    '3.10.4',
    'Nothing was written yet, so that our FIN can follow our SYN at once.',
  ),
  row(
    ESTABLISHED,
    'CLOSE',
    FIN_WAIT_1,
    'FIN',
    '3.10.4',
    'We have no more to send; our FIN is queued behind what is unsent.',
  ),
  row(
    FIN_WAIT_1,
    'rcv ACK of FIN',
    FIN_WAIT_2,
    '',
    '3.10.7.4',
    'The peer has all that we sent, our FIN included; it may go on sending.',
  ),
  row(
    FIN_WAIT_1,
    'rcv FIN,ACK of FIN',
    TIME_WAIT,
    'ACK',
    '3.10.7.4',
    'The peer acknowledged our FIN and sent its own in one segment.',
  ),
  row(
    FIN_WAIT_1,
    'rcv FIN',
    CLOSING,
    'ACK',
    '3.10.7.4',
    'The FINs crossed: the peer closed before it saw our FIN.',
  ),
  row(
    FIN_WAIT_2,
    'rcv FIN',
    TIME_WAIT,
    'ACK',
    '3.10.7.4',
    'The peer closed too; we stay to acknowledge its FIN again should our ACK be lost.',
  ),
  row(
    CLOSING,
    'rcv ACK of FIN',
    TIME_WAIT,
    '',
    '3.10.7.4',
    'The peer has our FIN; we stay in case it did not get our ACK.',
  ),
  row(
    TIME_WAIT,
    'timeout 2MSL',
    CLOSED,
    '',
    '3.10.8',
    'No segment of this connection can still be in the network.',
  ),
  row(
    TIME_WAIT,
    'rcv SYN in TIME-WAIT',
    CLOSED,
    '',
    'RFC 6191 §2',
    'A newer SYN proves that the peer begins a new connection: the old record goes.',
  ),

  // Closing second
  row(
    ESTABLISHED,
    'rcv FIN',
    CLOSE_WAIT,
    'ACK',
    '3.10.7.4',
    'The peer has no more to send; we may go on, until our user closes.',
  ),
  row(
    CLOSE_WAIT,
    'CLOSE',
    LAST_ACK,
    'FIN',
    '3.10.4',
    'Our user closed as well; only the ACK of our FIN is missing.',
  ),
  row(
    LAST_ACK,
    'rcv ACK of FIN',
    CLOSED,
    '',
    '3.10.7.4',
    'The peer has our FIN: both directions are closed.',
  ),

  // Ends that are not a close
  row(
    SYN_RECEIVED,
    'rcv SYN',
    CLOSED,
    '',
    '3.10.7.4',
    'Another SYN, in the window of a connection that we did not ask for: it goes; the listener is in LISTEN as before.',
  ),
  row(SYN_SENT, 'rcv RST', CLOSED, '', '3.10.7.3', 'The peer refused the connection.'),
  row(
    SYN_RECEIVED,
    'rcv RST',
    CLOSED,
    '',
    '3.10.7.4',
    'The peer wants no such connection: nothing is left of it; a listener that has made it is in LISTEN as before.',
  ),
  ...endedBy('rcv RST', ESTABLISHED_ONCE, '', '3.10.7.4', 'The peer reset the connection.'),
  row(SYN_SENT, 'ABORT', CLOSED, '', '3.10.5', 'Our user gave up before anything was established.'),
  ...endedBy(
    'ABORT',
    [SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, FIN_WAIT_2],
    'RST',
    '3.10.5',
    'Our user aborted, or data would have been lost in silence (§3.6.1).',
  ),
  ...endedBy(
    'ABORT',
    [CLOSING, LAST_ACK],
    '',
    '3.10.5',
    'Our user aborted; the peer has closed too and needs no RST.',
  ),
  ...endedBy(
    'timeout user',
    [SYN_SENT, ...WITH_A_PEER],
    '',
    '3.8.3',
    'The peer has not answered for longer than R2.',
  ),
  row(
    FIN_WAIT_2,
    'timeout FIN-WAIT-2',
    CLOSED,
    '',
    'Linux tcp(7), tcp_fin_timeout',
    'Nobody reads any more and the peer does not close: the orphan goes.',
  ),
  ...endedBy(
    'ICMP error',
    [SYN_SENT, SYN_RECEIVED],
    '',
    '3.9.2.2',
    'A hard error while opening: the peer cannot be reached.',
  ),
];

// Indexed by both states, so that a change of state costs no hashing and no garbage.
const byStates: Transition[][] = [];
for (const transition of TRANSITIONS) {
  const index = transition.from * STATE_NAMES.length + transition.to;
  byStates[index] ??= [];
  byStates[index].push(transition);
}

/**
 * The row of the table for a change of state.
 * @throws Error when there is none: the caller has a defect, not the peer.
 */
export function transitionFor(from: State, event: TransitionEvent, to: State): Transition {
  const candidates = byStates[from * STATE_NAMES.length + to];
  if (candidates !== undefined) {
    for (let i = 0; i < candidates.length; i++) {
      if (candidates[i].event === event) return candidates[i];
    }
  }
  throw new Error(`no transition from ${STATE_NAMES[from]} to ${STATE_NAMES[to]} on ${event}`);
}
