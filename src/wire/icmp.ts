// ICMP messages of both families, as bytes and as fields; must not know what to do about them.

import { complement, replaceWord, sumBytes } from './checksum.js';
import { IP_OK, IpHeader, parseQuotedIp } from './ip.js';

/** What a message says, the same for both families. */
export const ICMP_OTHER = 0;
export const ICMP_ECHO_REQUEST = 1;
export const ICMP_ECHO_REPLY = 2;
export const ICMP_UNREACHABLE = 3;
/** IPv4: fragmentation needed and DF set. IPv6: packet too big. `mtu` says how big it may be. */
export const ICMP_TOO_BIG = 4;
export const ICMP_TIME_EXCEEDED = 5;
export const ICMP_PARAMETER_PROBLEM = 6;
/** IPv4 only; RFC 9293 §3.9.2.2, MUST-55: silently discarded. */
export const ICMP_SOURCE_QUENCH = 7;

/** Types and codes of the messages that a stack sends, by family. */
export const ICMPV4_ECHO_REPLY = 0;
export const ICMPV4_UNREACHABLE = 3;
export const ICMPV4_ECHO_REQUEST = 8;
export const ICMPV6_UNREACHABLE = 1;
export const ICMPV6_ECHO_REQUEST = 128;
export const ICMPV6_ECHO_REPLY = 129;
const ICMPV4_FRAGMENTATION_NEEDED_CODE = 4;

/** Verdicts of `parseIcmp`. */
export const ICMP_OK = 0;
export const ICMP_TRUNCATED = 1;

export const ICMP_HEADER = 8;
/** RFC 792: errors quote the IP header and these bytes at least of its payload. */
const QUOTED_TRANSPORT = 8;

/** The fields of one message; one object is filled again for each message that arrives. */
export class IcmpMessage {
  kind = ICMP_OTHER;
  type = 0;
  code = 0;
  /** Of ICMP_TOO_BIG, bytes, at most 2^31 - 1; 0 where an old router does not say. */
  mtu = 0;
  /** What follows the header of eight bytes: the quoted packet of an error, the data of an echo. */
  quoteOffset = 0;
  quoteLength = 0;
}

/** The head of the packet that an error quotes: one of ours that went wrong. */
export class IcmpQuote {
  readonly ip = new IpHeader();
  sourcePort = 0;
  destinationPort = 0;
  /** Sequence number of a TCP header. */
  seq = 0;
}

/**
 * Reads the message of `length` bytes at `offset` (RFC 792, RFC 4443). The checksum is not
 * verified: `sumBytes` does it for IPv4, `verifyTransportChecksum` for IPv6.
 */
export function parseIcmp(
  view: DataView,
  family: number,
  offset: number,
  length: number,
  out: IcmpMessage,
): number {
  if (length < ICMP_HEADER) return ICMP_TRUNCATED;
  out.type = view.getUint8(offset);
  out.code = view.getUint8(offset + 1);
  out.kind = family === 4 ? kindV4(out.type, out.code) : kindV6(out.type);
  out.mtu = 0;
  if (out.kind === ICMP_TOO_BIG) {
    const mtu = family === 4 ? view.getUint16(offset + 6) : view.getUint32(offset + 4);
    out.mtu = Math.min(mtu, 0x7fffffff);
  }
  out.quoteOffset = (offset + ICMP_HEADER) | 0;
  out.quoteLength = (length - ICMP_HEADER) | 0;
  return ICMP_OK;
}

/**
 * Reads the packet that an error message quotes. False where there is too little of it, or where
 * it is not the first fragment and so has no transport header.
 */
export function parseQuote(view: DataView, message: IcmpMessage, out: IcmpQuote): boolean {
  const { ip } = out;
  if (parseQuotedIp(view, message.quoteOffset, message.quoteLength, ip) !== IP_OK) return false;
  if (ip.payloadLength < QUOTED_TRANSPORT || ip.fragmentOffset !== 0) return false;
  out.sourcePort = view.getUint16(ip.payloadOffset);
  out.destinationPort = view.getUint16(ip.payloadOffset + 2);
  out.seq = view.getInt32(ip.payloadOffset + 4);
  return true;
}

/**
 * Writes the header of eight bytes of a message, complete with its checksum, in front of a body
 * that is already there. `parameter` is the second word: identifier and sequence number of an echo,
 * an MTU, a pointer. `pseudoSum`: pseudo-header with the length for IPv6, 0 for IPv4.
 */
export function writeIcmp(
  view: DataView,
  at: number,
  type: number,
  code: number,
  parameter: number,
  bodyLength: number,
  pseudoSum: number,
): void {
  view.setInt32(at, (type << 24) | (code << 16));
  view.setInt32(at + 4, parameter);
  const sum = sumBytes(view, at, ICMP_HEADER + bodyLength, pseudoSum);
  view.setUint16(at + 2, complement(sum));
}

/**
 * Makes the echo request at `at` the reply to it (RFC 1122 §3.2.2.6). Its checksum is only brought
 * up to date, so that a damaged request does not become a sound reply; for IPv6 that supposes that
 * the reply's addresses are those of the request, exchanged.
 */
export function turnEchoIntoReply(view: DataView, at: number, family: number): void {
  const former = view.getUint16(at);
  const type = family === 4 ? ICMPV4_ECHO_REPLY : ICMPV6_ECHO_REPLY;
  const present = (type << 8) | (former & 0xff);
  view.setUint16(at, present);
  // Of the two zeros of ones' complement, 0 would be wrong where all other words are 0 as well.
  const checksum = replaceWord(view.getUint16(at + 2), former, present);
  view.setUint16(at + 2, checksum === 0 ? 0xffff : checksum);
}

function kindV4(type: number, code: number): number {
  switch (type) {
    case ICMPV4_ECHO_REPLY:
      return ICMP_ECHO_REPLY;
    case ICMPV4_UNREACHABLE:
      return code === ICMPV4_FRAGMENTATION_NEEDED_CODE ? ICMP_TOO_BIG : ICMP_UNREACHABLE;
    case 4:
      return ICMP_SOURCE_QUENCH;
    case ICMPV4_ECHO_REQUEST:
      return ICMP_ECHO_REQUEST;
    case 11:
      return ICMP_TIME_EXCEEDED;
    case 12:
      return ICMP_PARAMETER_PROBLEM;
    default:
      return ICMP_OTHER;
  }
}

function kindV6(type: number): number {
  switch (type) {
    case ICMPV6_UNREACHABLE:
      return ICMP_UNREACHABLE;
    case 2:
      return ICMP_TOO_BIG;
    case 3:
      return ICMP_TIME_EXCEEDED;
    case 4:
      return ICMP_PARAMETER_PROBLEM;
    case ICMPV6_ECHO_REQUEST:
      return ICMP_ECHO_REQUEST;
    case ICMPV6_ECHO_REPLY:
      return ICMP_ECHO_REPLY;
    default:
      return ICMP_OTHER;
  }
}
