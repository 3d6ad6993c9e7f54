// What an error of TCP means to the author of a program, and what to look at next. A table of words; must
// not know connections.

/** A rule: the first one that fits is the hint. What is left out fits always. */
interface HintRule {
  readonly code: string;
  /** States that the error ended. */
  readonly states?: readonly string[];
  /** Who ended it: see `CloseReason`; null where no connection has come about or ended. */
  readonly reason?: string | null;
  readonly hint: string;
}

const OPENING = ['SYN-SENT', 'SYN-RECEIVED'];
const WE_CLOSED = ['FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSING', 'LAST-ACK'];

export const HINTS: readonly HintRule[] = [
  {
    code: 'ECONNREFUSED',
    reason: 'icmp',
    hint: 'An ICMP message refused the SYN: a firewall, or a host without that port, stands in the way.',
  },
  {
    code: 'ECONNREFUSED',
    states: ['CLOSED'],
    reason: null,
    hint: 'Nobody can listen on port 0: give the port of the server.',
  },
  {
    code: 'ECONNREFUSED',
    hint: 'The machine is there and answered our SYN with a RST: nobody listens on that port. Check the port, the address that the server listens on, and that it has begun to listen.',
  },
  {
    code: 'ECONNRESET',
    states: WE_CLOSED,
    hint: 'We had closed and waited for the rest, when the peer gave the connection up: it closed its socket before it had read all that we sent, or its program ended. What it had not read is lost.',
  },
  {
    code: 'ECONNRESET',
    states: OPENING,
    hint: 'The peer took its request for a connection back with a RST before the handshake was complete.',
  },
  {
    code: 'ECONNRESET',
    hint: 'The peer gave the connection up with a RST: its program ended or called resetAndDestroy(), closed the socket before it had read all that we sent, or its machine no longer knows the connection. Whether it has acted on what we sent cannot be known.',
  },
  {
    code: 'EPIPE',
    states: ['CLOSE-WAIT', 'LAST-ACK'],
    reason: 'rst',
    hint: 'The peer had ended its side and closed its socket; what we wrote afterwards was answered with a RST. Stop writing at the event "end" unless the peer only half-closes.',
  },
  {
    code: 'EPIPE',
    reason: 'rst',
    hint: 'The peer had given the connection up with a RST before; nothing more can be written.',
  },
  {
    code: 'EPIPE',
    reason: 'timeout',
    hint: 'The connection had been given up after a long silence of the peer; nothing more can be written.',
  },
  {
    code: 'EPIPE',
    hint: 'This side of the connection is closed; nothing more can be written. Look for an end() or destroy() before this write, or for the event "end" that led to it.',
  },
  {
    code: 'ETIMEDOUT',
    states: OPENING,
    reason: null,
    hint: 'The peer has not answered our SYN in the time that one of several addresses is given (autoSelectFamilyAttemptTimeout); the next one is tried.',
  },
  {
    code: 'ETIMEDOUT',
    states: OPENING,
    hint: 'Nobody answered our SYN, however often it was sent (tcp.synTimeout says for how long): the address is wrong, the machine is down, there is no way back from it to us, or a firewall drops what it does not like.',
  },
  {
    code: 'ETIMEDOUT',
    states: WE_CLOSED,
    hint: 'The peer never acknowledged the end of what we sent (tcp.userTimeout, or the linger time, says how long we waited): it has gone away without a FIN, or the network between us is cut.',
  },
  {
    code: 'ETIMEDOUT',
    hint: 'The peer has gone silent: what we sent, or asked by keep-alive, was repeated in vain until tcp.userTimeout, or the number of probes, was reached. Its machine is down or the network between us is cut; it may believe that the connection still exists.',
  },
  {
    code: 'EHOSTUNREACH',
    hint: 'A router reported by ICMP that the host cannot be reached: the machine is down, or there is no way to it.',
  },
  {
    code: 'ENETUNREACH',
    reason: null,
    hint: 'The stack knows no way to that address: it has none of that family, or no device that leads out of it.',
  },
  {
    code: 'ENETUNREACH',
    hint: 'A router reported by ICMP that it knows no way to that network.',
  },
  {
    code: 'ENOPROTOOPT',
    hint: 'An ICMP message says that the host does not speak TCP at all.',
  },
  {
    code: 'EACCES',
    hint: 'An ICMPv6 message says that a firewall does not allow the connection.',
  },
  {
    code: 'EPROTO',
    hint: 'An ICMP message says that a field of our packets was not understood on the way.',
  },
  {
    code: 'ENETDOWN',
    hint: 'The stack has been closed; sockets need an open one.',
  },
  {
    code: 'EADDRINUSE',
    hint: 'The port is taken: by a listener, or by a connection with the same four addresses and ports, perhaps one in TIME-WAIT. `finwait ss` and stack.core.timeWaits() show which; port 0 chooses a free one.',
  },
  {
    code: 'EADDRNOTAVAIL',
    hint: 'That is no address of this stack, no port is left for this peer, or the connection exists already. The addresses are given to openStack({ addresses }).',
  },
  {
    code: 'EINVAL',
    hint: 'Both ends of a connection have an address of the same family, and a port from 1 to 65535.',
  },
  {
    code: 'EALREADY',
    hint: 'The socket is already connecting; one more connection needs another socket.',
  },
  {
    code: 'ECONNABORTED',
    hint: 'This side gave the connection up.',
  },
];

/** A sentence or two about an error; `reason` as in `HintRule`. */
export function hintFor(code: string, state: string, reason: string | null): string {
  const fits = (rule: HintRule) =>
    rule.code === code &&
    (rule.states === undefined || rule.states.includes(state)) &&
    (rule.reason === undefined || rule.reason === reason);
  return HINTS.find(fits)?.hint ?? '';
}
