// Words that people look up besides states and events: segments, timers, and errors of programs. Words only;
// must not know who looks them up.

import type { TransitionEvent } from '../tcp/transitions.js';
import type { StateName } from './states.js';

/** One word, explained. */
export interface WordNote {
  /** As it is usually written. */
  name: string;
  /** Other words for the same. */
  aliases: readonly string[];
  /** Two or three sentences. */
  meaning: string;
  /** Where it stands: sections of RFCs, manual pages. */
  section: string;
  /** What belongs to it, by name. */
  states: readonly StateName[];
  events: readonly TransitionEvent[];
  scenarios: readonly string[];
}

export const GLOSSARY: readonly WordNote[] = [
  // Segments
  {
    name: 'SYN',
    aliases: ['synchronize'],
    meaning:
      'The first segment of each direction: it says from which number its sender counts, and which options it knows. It takes one sequence number, so that it can be acknowledged, and is repeated until it is. Where a connection exists already, one is answered with an ACK and nothing else, as anybody could have forged it.',
    section: 'RFC 9293 §3.4, §3.5; RFC 5961 §4.2',
    states: ['SYN-SENT', 'SYN-RECEIVED'],
    events: ['active OPEN', 'rcv SYN', 'rcv SYN,ACK', 'rcv ACK of SYN'],
    scenarios: ['handshake', 'simultaneous-open', 'old-duplicate-syn', 'syn-in-last-ack'],
  },
  {
    name: 'ACK',
    aliases: ['acknowledgment', 'acknowledgement'],
    meaning:
      'Its number is the next one that its sender expects: all before that has arrived. Once a connection is established every segment has one. A segment that is nothing but an ACK takes no sequence number, so nobody acknowledges it, and nobody repeats it.',
    section: 'RFC 9293 §3.1, §3.4',
    states: ['LAST-ACK', 'CLOSING'],
    events: ['rcv ACK of SYN', 'rcv ACK of FIN'],
    scenarios: ['lost-final-ack', 'three-segment-close'],
  },
  {
    name: 'FIN',
    aliases: ['finish'],
    meaning:
      'Its sender has no more to say: it ends one direction, and the other one goes on until it has a FIN of its own. It takes one sequence number, the last one behind all data, so it is acknowledged, and repeated, as data are.',
    section: 'RFC 9293 §3.4, §3.6',
    states: ['FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSING'],
    events: ['CLOSE', 'rcv FIN', 'rcv ACK of FIN', 'rcv FIN,ACK of FIN'],
    scenarios: ['active-close', 'passive-close', 'simultaneous-close', 'lost-fin'],
  },
  {
    name: 'RST',
    aliases: ['reset'],
    meaning:
      'It ends a connection at once, in both directions: what is queued is thrown away, in practice no TIME-WAIT follows, and nobody answers it. A program that gives up sends one, and so does whoever gets a segment of a connection that it does not have. To be obeyed by an established connection its number has to be exactly the one that is expected next; another one in the window is answered with an ACK.',
    section: 'RFC 9293 §3.5.2, §3.5.3; RFC 5961 §3.2',
    states: [],
    events: ['rcv RST', 'ABORT'],
    scenarios: ['rst-after-fin', 'linger-zero', 'close-with-unread-data', 'time-wait-rst'],
  },

  // Timers
  {
    name: 'timers',
    aliases: ['timer', 'timeout', 'timeouts'],
    meaning:
      'retransmit repeats what nobody acknowledges, persist asks a closed window, keepalive asks a silent peer, 2MSL ends TIME-WAIT, fin-wait-2 ends an orphan there, and delayed-ack lets an ACK wait for data to travel with. An established connection on which nothing is under way has none, unless keep-alive is on. The debugger stops where one runs out: --break timer=retransmit.',
    section: 'RFC 9293 §3.8, §3.10.8; RFC 6298 §5',
    states: ['TIME-WAIT', 'FIN-WAIT-2'],
    events: ['timeout 2MSL', 'timeout FIN-WAIT-2', 'timeout user'],
    scenarios: ['lost-fin', 'lost-final-ack', 'fin-wait-2-timeout'],
  },
  {
    name: 'retransmit',
    aliases: ['retransmission', 'retransmissions', 'retransmit timer', 'RTO', 'repeat'],
    meaning:
      'What takes sequence numbers is kept until it is acknowledged; when no ACK comes in time the oldest of it is sent again, and each wait is twice as long as the one before. The first wait follows the measured round trip, and is at least 200 ms here and in Linux, where RFC 6298 has one second.',
    section: 'RFC 9293 §3.8.1; RFC 6298 §2, §5',
    states: ['SYN-SENT', 'SYN-RECEIVED', 'FIN-WAIT-1', 'CLOSING', 'LAST-ACK'],
    events: ['timeout user'],
    scenarios: ['lost-fin', 'lost-final-ack'],
  },
  {
    name: 'persist',
    aliases: ['zero window', 'zero window probe', 'window probe', 'persist timer'],
    meaning:
      'Runs while the peer’s window is closed and something is to be sent: a probe asks whether it has opened. For the ACK that opens it may be lost, and nobody repeats an ACK. It goes on for as long as the peer answers.',
    section: 'RFC 9293 §3.8.6.1',
    states: ['ESTABLISHED', 'FIN-WAIT-1', 'CLOSE-WAIT'],
    events: [],
    scenarios: ['fin-behind-zero-window'],
  },
  {
    name: 'keepalive',
    aliases: ['SO_KEEPALIVE', 'keepalives'],
    meaning:
      'After a long silence a segment that has to be answered asks whether the peer is still there; when several of them stay without an answer the program gets ETIMEDOUT. It is off unless the program asks for it, and then begins after two hours by default.',
    section: 'RFC 9293 §3.8.4; tcp(7)',
    states: ['ESTABLISHED', 'CLOSE-WAIT'],
    events: ['timeout user'],
    scenarios: [],
  },
  {
    name: 'MSL',
    aliases: ['maximum segment lifetime'],
    meaning:
      'The maximum segment lifetime: after so long a segment that was sent can be in the network no more. RFC 9293 takes it to be two minutes; Linux stays in TIME-WAIT for 60 s, as if it were half a minute, and so do we by default. The lab makes it a second or less for our stack, so that nobody has to wait.',
    section: 'RFC 9293 §3.4.2',
    states: ['TIME-WAIT'],
    events: ['timeout 2MSL'],
    scenarios: ['time-wait-old-segment'],
  },
  {
    name: '2MSL',
    aliases: ['TIME-WAIT timer'],
    meaning:
      'The time of TIME-WAIT: one MSL in which our last ACK reaches the peer or is gone, and one in which a repeated FIN reaches us. Each FIN that comes again begins it anew. Meanwhile this pair of addresses and ports makes no other connection, unless a newer SYN asks for one.',
    section: 'RFC 9293 §3.6, §3.10.8; RFC 6191 §2',
    states: ['TIME-WAIT'],
    events: ['timeout 2MSL', 'rcv SYN in TIME-WAIT'],
    scenarios: ['lost-final-ack', 'time-wait-port-busy', 'time-wait-reuse'],
  },

  // Ways to close
  {
    name: 'half-close',
    aliases: ['shutdown', 'SHUT_WR', 'half-closed'],
    meaning:
      'One direction is closed and the other goes on: shutdown(SHUT_WR) sends a FIN, and the program still reads. Then one end is in FIN-WAIT-2 and the other in CLOSE-WAIT, for as long as its program likes. close(2) gives up both directions: data that come later are answered with a RST.',
    section: 'RFC 9293 §3.6, §3.6.1; shutdown(2)',
    states: ['FIN-WAIT-2', 'CLOSE-WAIT'],
    events: ['CLOSE', 'rcv FIN'],
    scenarios: ['half-close', 'half-close-theirs'],
  },
  {
    name: 'linger',
    aliases: ['SO_LINGER'],
    meaning:
      'SO_LINGER says what close(2) does about data that are not yet acknowledged. Without it close returns at once, and data and FIN go on by themselves; with a time it waits so long for their ACK. With the time 0 it sends a RST in place of a FIN: what is queued is lost, and there is no TIME-WAIT.',
    section: 'socket(7); RFC 9293 §3.10.5',
    states: [],
    events: ['ABORT', 'CLOSE'],
    scenarios: ['linger-zero'],
  },

  // Errors of programs
  {
    name: 'EADDRINUSE',
    aliases: ['address already in use', 'SO_REUSEADDR', 'address reuse'],
    meaning:
      'A program wants a port that is taken: another one listens on it, or a connection still has it, often one in TIME-WAIT. A server that asks for address reuse (SO_REUSEADDR) can listen again in spite of TIME-WAIT, though not in spite of another listener.',
    section: 'bind(2), socket(7)',
    states: ['TIME-WAIT', 'LISTEN'],
    events: ['passive OPEN', 'active OPEN'],
    scenarios: ['time-wait-port-busy'],
  },
  {
    name: 'ECONNREFUSED',
    aliases: ['connection refused'],
    meaning:
      'The answer to our SYN was a RST: the machine is there, but nobody listens on that port. A firewall that drops the SYN gives no answer at all, which ends in ETIMEDOUT.',
    section: 'RFC 9293 §3.10.7.3; connect(2)',
    states: ['SYN-SENT', 'CLOSED'],
    events: ['rcv RST'],
    scenarios: [],
  },
  {
    name: 'ECONNRESET',
    aliases: ['connection reset', 'connection reset by peer'],
    meaning:
      'The peer sent a RST while the connection was in use: its program gave up, or closed before it had read all, or its machine knows nothing of the connection any more. Data that were under way may be lost.',
    section: 'RFC 9293 §3.10.7.4, second check; errno(3)',
    states: ['CLOSED'],
    events: ['rcv RST'],
    scenarios: ['close-with-unread-data', 'close-with-unread-data-theirs', 'linger-zero'],
  },
  {
    name: 'EPIPE',
    aliases: ['broken pipe', 'SIGPIPE'],
    meaning:
      'A program writes where nothing can be sent any more: it has called shutdown itself, or the connection has ended. A FIN of the peer alone is no reason: the first write after it goes out, and only the RST that may answer it makes later ones fail. Linux sends the signal SIGPIPE, too.',
    section: 'send(2), tcp(7)',
    states: ['CLOSE-WAIT', 'CLOSED'],
    events: ['rcv RST'],
    scenarios: ['rst-after-fin'],
  },
  {
    name: 'ETIMEDOUT',
    aliases: ['connection timed out'],
    meaning:
      'The peer was silent for too long: nothing that was sent, repeated or asked had an answer, and the connection is given up. In Linux that takes about two minutes while connecting, and a quarter of an hour for data.',
    section: 'RFC 9293 §3.8.3; tcp(7), tcp_syn_retries, tcp_retries2',
    states: ['SYN-SENT', 'CLOSED'],
    events: ['timeout user'],
    scenarios: [],
  },
];
