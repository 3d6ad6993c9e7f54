// IPv4 and IPv6 headers, as bytes and as fields; must not know payloads, routes or reassembly.

import type { IpAddress } from './address.js';
import { complement, fold, sumBytes, sumWords32 } from './checksum.js';

/** Verdicts of `parseIp`. */
export const IP_OK = 0;
/** Fewer bytes than the header says. */
export const IP_TRUNCATED = 1;
export const IP_BAD_VERSION = 2;
/** IPv4 header length below five words. */
export const IP_BAD_HEADER_LENGTH = 3;
export const IP_BAD_CHECKSUM = 4;
/** IPv4 total length below the header's length. */
export const IP_BAD_LENGTH = 5;
/** IPv4 option with an illegal length. */
export const IP_BAD_OPTION = 6;
/** A source route: refused, as RFC 7126 §4.3 and Linux do. */
export const IP_SOURCE_ROUTED = 7;
/** A fragment that ends beyond 65,535 bytes, or is not the last and no multiple of eight bytes. */
export const IP_BAD_FRAGMENT = 8;
/** IPv6 extension headers: out of order, too many, or with an option that forbids processing. */
export const IP_BAD_EXTENSION = 9;
/** An IPv4-mapped address in an IPv6 header: it would pass for the IPv4 address. */
export const IP_MAPPED_ADDRESS = 10;

/** Names of the verdicts, for counters. */
export const IP_VERDICT_NAMES: readonly string[] = [
  'ok',
  'truncated',
  'badVersion',
  'badHeaderLength',
  'badChecksum',
  'badLength',
  'badOption',
  'sourceRouted',
  'badFragment',
  'badExtension',
  'mappedAddress',
];

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_ICMPV6 = 58;

/** The ECN field, RFC 3168 §5: the last two bits of the traffic class. */
export const ECN_MASK = 3;
export const ECT_0 = 2;
export const CE = 3;

export const IPV4_HEADER = 20;
export const IPV6_HEADER = 40;

const MAPPED = 0xffff;
const DONT_FRAGMENT = 0x4000;
const MAX_DATAGRAM = 65_535;

const END_OF_OPTIONS = 0;
const NOP = 1;
const LOOSE_SOURCE_ROUTE = 131;
const STRICT_SOURCE_ROUTE = 137;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
/** More extension headers than any sensible packet has. */
const MAX_EXTENSIONS = 8;
const PAD1 = 0;

/** The fields of one header; one object is filled again for each packet that arrives. */
export class IpHeader {
  /** 4 or 6. */
  family = 0;
  /** Bytes before the payload: IPv4 options and IPv6 extension headers are part of it. */
  headerLength = 0;
  /** Where the payload begins: an offset in the view, not in the packet. */
  payloadOffset = 0;
  /** Bytes of the payload. */
  payloadLength = 0;
  /** Protocol of the payload; IPv6: of what follows the extension headers that were read. */
  protocol = 0;
  /** Words of the addresses as in `IpAddress`: IPv4 is mapped. */
  src0 = 0;
  /** See `src0`. */
  src1 = 0;
  /** See `src0`. */
  src2 = 0;
  /** See `src0`. */
  src3 = 0;
  /** The destination, as `src0` the source. */
  dst0 = 0;
  /** See `dst0`. */
  dst1 = 0;
  /** See `dst0`. */
  dst2 = 0;
  /** See `dst0`. */
  dst3 = 0;
  /** TTL, or hop limit. */
  ttl = 0;
  /** IPv4 TOS or IPv6 traffic class: DSCP and ECN. */
  trafficClass = 0;
  /** 16 bits, or the 32 bits of an IPv6 fragment header (int32), else 0. */
  identification = 0;
  /** In bytes; with `moreFragments` false and 0 here the packet is whole. */
  fragmentOffset = 0;
  /** Whether further fragments follow. */
  moreFragments = false;
}

/**
 * Reads the header of the packet at `offset`, of which `length` bytes are there; bytes behind the
 * packet's own end are not looked at. Of a fragment only the IP part is read: its payload begins
 * behind the (IPv6 fragment) header. Where the verdict is not `IP_OK`, `out` is undefined.
 */
export function parseIp(view: DataView, offset: number, length: number, out: IpHeader): number {
  if (length < IPV4_HEADER) return IP_TRUNCATED;
  const version = view.getUint8(offset) >>> 4;
  if (version === 4) return parseIpv4(view, offset, length, out);
  return version === 6 ? parseIpv6(view, offset, length, out) : IP_BAD_VERSION;
}

/**
 * Reads the header of a packet that an ICMP error quotes: the end may be missing and the checksum
 * of IPv4 may be wrong, since routers change what they quote. `out` has the payload that is there.
 */
export function parseQuotedIp(view: DataView, at: number, length: number, out: IpHeader): number {
  if (length < IPV4_HEADER) return IP_TRUNCATED;
  const version = view.getUint8(at) >>> 4;
  if (version === 4) {
    const headerLength = (view.getUint8(at) & 15) << 2;
    if (headerLength < IPV4_HEADER) return IP_BAD_HEADER_LENGTH;
    if (headerLength > length) return IP_TRUNCATED;
    readIpv4(view, at, headerLength, length, out);
    return IP_OK;
  }
  if (version !== 6) return IP_BAD_VERSION;
  if (length < IPV6_HEADER) return IP_TRUNCATED;
  readIpv6(view, at, length, out);
  return readExtensions(view, out);
}

function parseIpv4(view: DataView, offset: number, length: number, out: IpHeader): number {
  const headerLength = (view.getUint8(offset) & 15) << 2;
  const totalLength = view.getUint16(offset + 2);
  if (headerLength < IPV4_HEADER) return IP_BAD_HEADER_LENGTH;
  if (totalLength < headerLength) return IP_BAD_LENGTH;
  if (totalLength > length) return IP_TRUNCATED;
  const sum = readIpv4(view, offset, headerLength, totalLength, out);
  if (headerLength === IPV4_HEADER) {
    if (sum !== 0xffff) return IP_BAD_CHECKSUM;
  } else {
    const end = (offset + headerLength) | 0;
    if (sumBytes(view, offset + IPV4_HEADER, headerLength - IPV4_HEADER, sum) !== 0xffff) {
      return IP_BAD_CHECKSUM;
    }
    const verdict = checkIpv4Options(view, offset + IPV4_HEADER, end);
    if (verdict !== IP_OK) return verdict;
  }
  return isFragment(out) ? checkFragment(out, headerLength) : IP_OK;
}

/** Fills `out` from the fixed part of an IPv4 header and answers the folded sum of its words. */
function readIpv4(
  view: DataView,
  at: number,
  headerLength: number,
  totalLength: number,
  out: IpHeader,
): number {
  const word0 = view.getInt32(at);
  const word1 = view.getInt32(at + 4);
  const word2 = view.getInt32(at + 8);
  const src = view.getInt32(at + 12);
  const dst = view.getInt32(at + 16);
  out.family = 4;
  out.headerLength = headerLength;
  out.payloadOffset = (at + headerLength) | 0;
  out.payloadLength = (totalLength - headerLength) | 0;
  out.trafficClass = (word0 >>> 16) & 0xff;
  out.identification = word1 >>> 16;
  out.fragmentOffset = (word1 & 0x1fff) << 3;
  out.moreFragments = (word1 & 0x2000) !== 0;
  out.ttl = word2 >>> 24;
  out.protocol = (word2 >>> 16) & 0xff;
  out.src0 = 0;
  out.src1 = 0;
  out.src2 = MAPPED;
  out.src3 = src;
  out.dst0 = 0;
  out.dst1 = 0;
  out.dst2 = MAPPED;
  out.dst3 = dst;
  return fold(
    sumWords32(sumWords32(sumWords32(sumWords32(sumWords32(0, word0), word1), word2), src), dst),
  );
}

/** RFC 9293 §3.9.2, MUST-50: options that mean nothing here are passed over. */
function checkIpv4Options(view: DataView, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === END_OF_OPTIONS) return IP_OK;
    if (kind === NOP) {
      at++;
      continue;
    }
    const size = at + 1 < end ? view.getUint8(at + 1) : 0;
    if (size < 2 || at + size > end) return IP_BAD_OPTION;
    if (kind === LOOSE_SOURCE_ROUTE || kind === STRICT_SOURCE_ROUTE) return IP_SOURCE_ROUTED;
    at += size;
  }
  return IP_OK;
}

function parseIpv6(view: DataView, offset: number, length: number, out: IpHeader): number {
  if (length < IPV6_HEADER) return IP_TRUNCATED;
  const total = (IPV6_HEADER + view.getUint16(offset + 4)) | 0;
  if (total > length) return IP_TRUNCATED;
  readIpv6(view, offset, total, out);
  if (isMapped(out.src0, out.src1, out.src2) || isMapped(out.dst0, out.dst1, out.dst2)) {
    return IP_MAPPED_ADDRESS;
  }
  const verdict = readExtensions(view, out);
  if (verdict !== IP_OK || !isFragment(out)) return verdict;
  return checkFragment(out, 0);
}

/** Fills `out` from the fixed IPv6 header; `total` counts it and the payload. */
function readIpv6(view: DataView, at: number, total: number, out: IpHeader): void {
  out.family = 6;
  out.headerLength = IPV6_HEADER;
  out.payloadOffset = (at + IPV6_HEADER) | 0;
  out.payloadLength = (total - IPV6_HEADER) | 0;
  out.trafficClass = (view.getUint16(at) >>> 4) & 0xff;
  out.protocol = view.getUint8(at + 6);
  out.ttl = view.getUint8(at + 7);
  out.src0 = view.getInt32(at + 8);
  out.src1 = view.getInt32(at + 12);
  out.src2 = view.getInt32(at + 16);
  out.src3 = view.getInt32(at + 20);
  out.dst0 = view.getInt32(at + 24);
  out.dst1 = view.getInt32(at + 28);
  out.dst2 = view.getInt32(at + 32);
  out.dst3 = view.getInt32(at + 36);
  out.identification = 0;
  out.fragmentOffset = 0;
  out.moreFragments = false;
}

/**
 * RFC 8200 §4: walks the extension headers and moves the payload of `out` behind them. What follows
 * a fragment header is the fragment's, and is walked when the packet has been put together.
 */
function readExtensions(view: DataView, out: IpHeader): number {
  for (let seen = 0; isExtension(out.protocol); seen++) {
    const at = out.payloadOffset;
    const isLate = seen === MAX_EXTENSIONS || (out.protocol === HOP_BY_HOP && seen > 0);
    if (isLate) return IP_BAD_EXTENSION;
    if (out.payloadLength < 8) return IP_TRUNCATED;
    const size = out.protocol === FRAGMENT ? 8 : (view.getUint8(at + 1) + 1) << 3;
    if (size > out.payloadLength) return IP_TRUNCATED;
    const verdict = readExtension(view, at, size, out);
    if (verdict !== IP_OK) return verdict;
    out.protocol = view.getUint8(at);
    out.headerLength = (out.headerLength + size) | 0;
    out.payloadOffset = (at + size) | 0;
    out.payloadLength = (out.payloadLength - size) | 0;
    if (isFragment(out)) return IP_OK;
  }
  return IP_OK;
}

/** One extension header of `size` bytes; its kind is the protocol of `out`. */
function readExtension(view: DataView, at: number, size: number, out: IpHeader): number {
  if (out.protocol === ROUTING) return view.getUint8(at + 3) === 0 ? IP_OK : IP_SOURCE_ROUTED;
  if (out.protocol !== FRAGMENT) {
    return mayIgnoreOptions(view, at + 2, at + size) ? IP_OK : IP_BAD_EXTENSION;
  }
  const word = view.getUint16(at + 2);
  out.fragmentOffset = word & 0xfff8;
  out.moreFragments = (word & 1) !== 0;
  out.identification = view.getInt32(at + 4);
  return IP_OK;
}

/** RFC 8200 §4.2: the two highest bits of an unknown option say whether it may be passed over. */
function mayIgnoreOptions(view: DataView, from: number, end: number): boolean {
  let at = from;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === PAD1) {
      at++;
      continue;
    }
    if (kind >>> 6 !== 0 || at + 2 > end) return false;
    at += 2 + view.getUint8(at + 1);
  }
  return at === end;
}

function isExtension(protocol: number): boolean {
  return (
    protocol === HOP_BY_HOP ||
    protocol === DESTINATION_OPTIONS ||
    protocol === ROUTING ||
    protocol === FRAGMENT
  );
}

function isMapped(w0: number, w1: number, w2: number): boolean {
  return w0 === 0 && w1 === 0 && w2 === MAPPED;
}

function isFragment(header: IpHeader): boolean {
  return header.moreFragments || header.fragmentOffset !== 0;
}

/** `extra`: bytes of header that count towards the size of the whole datagram. */
function checkFragment(header: IpHeader, extra: number): number {
  const end = extra + header.fragmentOffset + header.payloadLength;
  if (end > MAX_DATAGRAM) return IP_BAD_FRAGMENT;
  return header.moreFragments && (header.payloadLength & 7) !== 0 ? IP_BAD_FRAGMENT : IP_OK;
}

/**
 * Whether the transport checksum of a whole packet is right: the sum over pseudo-header and
 * payload is all ones. For TCP over either family and for ICMPv6; ICMPv4 has no pseudo-header.
 */
export function verifyTransportChecksum(view: DataView, header: IpHeader): boolean {
  let sum = (header.protocol + header.payloadLength) | 0;
  sum = sumWords32(sumWords32(sum, header.src3), header.dst3);
  if (header.family === 6) {
    sum = sumWords32(sumWords32(sumWords32(sum, header.src0), header.src1), header.src2);
    sum = sumWords32(sumWords32(sumWords32(sum, header.dst0), header.dst1), header.dst2);
  }
  return sumBytes(view, header.payloadOffset, header.payloadLength, sum) === 0xffff;
}

/** Folded sum of the words of an IPv4 header that do not change from packet to packet. */
export function ipv4BaseSum(
  trafficClass: number,
  ttl: number,
  protocol: number,
  src: number,
  dst: number,
): number {
  const fixed = (0x4500 + trafficClass + DONT_FRAGMENT + (ttl << 8) + protocol) | 0;
  return fold(sumWords32(sumWords32(fixed, src), dst));
}

/**
 * Writes an IPv4 header of 20 bytes, don't-fragment set, checksum complete. `baseSum` comes from
 * `ipv4BaseSum` with the same arguments; `src` and `dst` are the IPv4 words (`w3`).
 */
export function writeIpv4(
  view: DataView,
  at: number,
  baseSum: number,
  trafficClass: number,
  totalLength: number,
  identification: number,
  ttl: number,
  protocol: number,
  src: number,
  dst: number,
): void {
  const checksum = complement(baseSum + totalLength + identification);
  view.setInt32(at, 0x45000000 | (trafficClass << 16) | totalLength);
  view.setInt32(at + 4, (identification << 16) | DONT_FRAGMENT);
  view.setInt32(at + 8, (ttl << 24) | (protocol << 16) | checksum);
  view.setInt32(at + 12, src);
  view.setInt32(at + 16, dst);
}

/** Writes an IPv6 header of 40 bytes (RFC 8200 §3). `payloadLength` is what follows it. */
export function writeIpv6(
  view: DataView,
  at: number,
  trafficClass: number,
  payloadLength: number,
  hopLimit: number,
  nextHeader: number,
  src: IpAddress,
  dst: IpAddress,
  flowLabel = 0,
): void {
  view.setInt32(at, 0x60000000 | (trafficClass << 20) | flowLabel);
  view.setInt32(at + 4, (payloadLength << 16) | (nextHeader << 8) | hopLimit);
  view.setInt32(at + 8, src.w0);
  view.setInt32(at + 12, src.w1);
  view.setInt32(at + 16, src.w2);
  view.setInt32(at + 20, src.w3);
  view.setInt32(at + 24, dst.w0);
  view.setInt32(at + 28, dst.w1);
  view.setInt32(at + 32, dst.w2);
  view.setInt32(at + 36, dst.w3);
}
