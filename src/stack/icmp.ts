// ICMP and ICMPv6 as a host does them: echo is answered, errors go to the connection that they quote
// (RFC 1122 §3.2.2, RFC 4443, RFC 5927). Must not know what a connection makes of an error.

import { errorReported, packetTooBig, quotesSegmentInFlight } from '../tcp/icmp-error.js';
import { sumBytes } from '../wire/checksum.js';
import {
  ICMP_ECHO_REQUEST,
  ICMP_OK,
  ICMP_PARAMETER_PROBLEM,
  ICMP_SOURCE_QUENCH,
  ICMP_TIME_EXCEEDED,
  ICMP_TOO_BIG,
  ICMP_UNREACHABLE,
  IcmpMessage,
  IcmpQuote,
  parseIcmp,
  parseQuote,
  turnEchoIntoReply,
} from '../wire/icmp.js';
import { type IpHeader, verifyTransportChecksum } from '../wire/ip.js';
import type { StackCore } from './core.js';
import { sendDatagram } from './fragment.js';

const message = new IcmpMessage();
const quote = new IcmpQuote();

/** Codes of "unreachable" by family: what the user is told, and whether it is hard. */
const UNREACHABLE_V4: readonly string[] = [
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENOPROTOOPT',
  'ECONNREFUSED',
];
const UNREACHABLE_V6: readonly string[] = [
  'ENETUNREACH',
  'EACCES',
  'EHOSTUNREACH',
  'EHOSTUNREACH',
  'ECONNREFUSED',
];

/** An ICMP packet for one of our addresses. */
export function icmpArrives(core: StackCore, ip: IpHeader, trusted: boolean): void {
  const view = core.arena.view;
  const sound =
    ip.family === 4
      ? sumBytes(view, ip.payloadOffset, ip.payloadLength) === 0xffff
      : trusted || verifyTransportChecksum(view, ip);
  const verdict = parseIcmp(view, ip.family, ip.payloadOffset, ip.payloadLength, message);
  if (!sound || verdict !== ICMP_OK) {
    core.counters.badIcmp += 1;
    core.probe?.packetDropped(core, ip, 'bad ICMP message');
    return;
  }
  if (message.kind === ICMP_ECHO_REQUEST) replyEcho(core, ip);
  else if (message.kind >= ICMP_UNREACHABLE && message.kind <= ICMP_SOURCE_QUENCH) {
    errorArrives(core, ip);
  }
}

/** The message goes back as it came, from where it lies; in fragments where the path is narrower. */
function replyEcho(core: StackCore, ip: IpHeader): void {
  const path = core.pathTo(ip.src0, ip.src1, ip.src2, ip.src3);
  turnEchoIntoReply(core.arena.view, ip.payloadOffset, ip.family);
  sendDatagram(core, path, ip);
  core.counters.echoReplies += 1;
  // The payload lies in a receive slot, which is given back when this packet is done with.
  path.batch.flush();
}

/** MUST-54: acts on errors about segments that are in flight; others are forged or late. */
function errorArrives(core: StackCore, ip: IpHeader): void {
  const { counters } = core;
  counters.icmpErrorsIn += 1;
  const connection =
    message.kind !== ICMP_SOURCE_QUENCH && parseQuote(core.arena.view, message, quote)
      ? core.quotedConnection(quote)
      : null;
  if (connection === null || !quotesSegmentInFlight(connection, quote.seq)) {
    // MUST-55: Source Quench always ends here.
    counters.icmpErrorsIgnored += 1;
    core.probe?.packetDropped(core, ip, 'ICMP error about nothing in flight');
    return;
  }
  const code = message.code;
  switch (message.kind) {
    case ICMP_TOO_BIG:
      packetTooBig(connection, message.mtu);
      return;
    case ICMP_TIME_EXCEEDED:
      errorReported(connection, false, 'EHOSTUNREACH');
      return;
    case ICMP_PARAMETER_PROBLEM:
      errorReported(connection, false, 'EPROTO');
      return;
    default: {
      const codes = ip.family === 4 ? UNREACHABLE_V4 : UNREACHABLE_V6;
      // §3.9.2.2: hard are protocol and port unreachable (code 4 of IPv4 is "too big").
      const hard = ip.family === 4 ? code === 2 || code === 3 : code === 4;
      errorReported(connection, hard, codes[code] ?? 'EHOSTUNREACH');
    }
  }
}
