// One segment as bytes: headers into a slot, payload by reference. Knows header layout, options and
// precomputed sums; must not know why the segment is sent.

import { fold } from '../wire/checksum.js';
import { IPV4_HEADER, IPV6_HEADER, PROTOCOL_TCP, writeIpv4, writeIpv6 } from '../wire/ip.js';
import { seqGt, seqMax } from '../wire/sequence.js';
import {
  ACK,
  RST,
  SYN,
  TCP_HEADER,
  TIMESTAMPS_BYTES,
  URG,
  writeSackBlocks,
  writeSynOptions,
  writeTcp,
  writeTimestamps,
} from '../wire/tcp.js';
import { ecnField, ecnFlags } from './ecn.js';
import { sackBlockCount, sackBlocks } from './sack.js';
import { SYN_SENT } from './state.js';
import { SEND_ACK, type Tcb } from './tcb.js';
import { cancelTimer, DELAYED_ACK_TIMER } from './timers.js';
import { offerWindow, windowToOffer } from './window.js';

/** IPv6 header and the longest TCP header. */
const MAX_HEADER_BYTES = 100;
/** IPv4's total length is 16 bits. */
const LARGEST_PACKET = 65_535;

export function ipHeaderLength(tcb: Tcb): number {
  return tcb.localAddress.family === 4 ? IPV4_HEADER : IPV6_HEADER;
}

/** Payload of one full segment now: SACK blocks take their room from it (MUST-16, RFC 6691). */
export function payloadMss(tcb: Tcb): number {
  const blocks = sackBlockCount(tcb);
  return blocks === 0 ? tcb.snd.mss : tcb.snd.mss - 4 - 8 * blocks;
}

/** Payload of the largest segment that the path takes: one of `mss`, or a super-segment. */
export function largestPayload(tcb: Tcb, mss: number): number {
  const { maxSegmentBytes, mtu } = tcb.path;
  if (maxSegmentBytes <= mtu) return mss;
  return Math.max(Math.min(maxSegmentBytes, LARGEST_PACKET) - MAX_HEADER_BYTES, mss);
}

/** Our timestamp clock: milliseconds with an offset of the connection's own (RFC 7323 §5.4). */
export function timestampNow(tcb: Tcb): number {
  return (tcb.host.clock.ms + tcb.timestampOffset) | 0;
}

/** Sends `length` bytes of the send ring from `seq` on, or a segment without data. */
export function sendSegment(tcb: Tcb, seq: number, flags: number, length: number): void {
  const { host, path, rcv } = tcb;
  const view = host.arena.view;
  const at = path.batch.header() + ipHeaderLength(tcb);
  // Before the options: it is the room that they leave which sizes the segments.
  const mss = payloadMss(tcb);
  const headerLength = TCP_HEADER + writeOptions(tcb, flags, at + TCP_HEADER);
  const window = (flags & RST) !== 0 ? 0 : offerWindow(tcb, windowToOffer(tcb));
  const ecn = tcb.ecn ? ecnField(tcb, seq, length) : 0;
  const bits = tcb.ecn ? ecnFlags(tcb, flags, ecn) : flags;
  writeTcp(
    view,
    at,
    tcb.localPort,
    tcb.remotePort,
    seq,
    (flags & ACK) !== 0 ? rcv.nxt : 0,
    headerLength,
    tcb.snd.urgent ? bits | urgentFlag(tcb, seq) : bits,
    window,
    fold((tcb.pseudoSum + headerLength + length) | 0),
    tcb.snd.urgent ? urgentPointer(tcb, seq) : 0,
  );
  push(tcb, seq, headerLength, length, length > mss ? mss : 0, ecn);
  if ((flags & ACK) !== 0) acknowledged(tcb);
}

/** Sends a SYN or SYN,ACK, with the options that we offer, or that both sides know. */
export function sendSynSegment(tcb: Tcb, flags: number): void {
  const { host, path, rcv } = tcb;
  const view = host.arena.view;
  const at = path.batch.header() + ipHeaderLength(tcb);
  const headerLength =
    TCP_HEADER +
    writeSynOptions(
      view,
      at + TCP_HEADER,
      receiveMss(tcb),
      tcb.windowScaling ? rcv.shift : -1,
      tcb.sack,
      tcb.timestamps,
      tcb.timestamps ? timestampNow(tcb) : 0,
      tcb.state === SYN_SENT ? 0 : rcv.tsRecent,
    );
  // RFC 7323 §2.2: the window of a SYN is never scaled.
  const window = synWindow(tcb);
  if (tcb.state !== SYN_SENT) rcv.edge = seqMax(rcv.edge, (rcv.nxt + window) | 0);
  writeTcp(
    view,
    at,
    tcb.localPort,
    tcb.remotePort,
    tcb.snd.iss,
    (flags & ACK) !== 0 ? rcv.nxt : 0,
    headerLength,
    flags,
    window,
    fold((tcb.pseudoSum + headerLength) | 0),
    0,
  );
  push(tcb, tcb.snd.iss, headerLength, 0, 0, 0);
  if ((flags & ACK) !== 0) acknowledged(tcb);
}

/** The window that our SYN offers, bytes. */
export function synWindow(tcb: Tcb): number {
  return Math.min(tcb.rcv.limit, 0xffff);
}

/** The MSS that we announce (MUST-67): what the path brings in one piece, without any options. */
export function receiveMss(tcb: Tcb): number {
  return Math.min(tcb.path.mtu - ipHeaderLength(tcb) - TCP_HEADER, 0xffff);
}

function writeOptions(tcb: Tcb, flags: number, at: number): number {
  const view = tcb.host.arena.view;
  let length = 0;
  // RFC 7323 §3.2: in every segment once negotiated; a RST may go without.
  if (tcb.timestamps && (flags & RST) === 0) {
    writeTimestamps(view, at, timestampNow(tcb), tcb.rcv.tsRecent);
    length += TIMESTAMPS_BYTES;
  }
  const blocks = sackBlockCount(tcb);
  if (blocks > 0 && (flags & (RST | SYN)) === 0) {
    length += writeSackBlocks(view, at + length, sackBlocks(tcb), blocks);
  }
  return length;
}

/** MUST-62: points to the octet behind the urgent data; further than 16 bits, as far as it goes. */
function urgentPointer(tcb: Tcb, seq: number): number {
  const ahead = (tcb.snd.up - seq) | 0;
  return ahead > 0 ? Math.min(ahead, 0xffff) : 0;
}

function urgentFlag(tcb: Tcb, seq: number): number {
  return seqGt(tcb.snd.up, seq) ? URG : 0;
}

/** IP header and descriptor: payload in place, in one or two pieces of the send ring. */
function push(
  tcb: Tcb,
  seq: number,
  tcpLength: number,
  length: number,
  gsoSize: number,
  ecn: number,
): void {
  const { host, path, snd } = tcb;
  const batch = path.batch;
  const at = batch.header();
  const ipLength = ipHeaderLength(tcb);
  writeIpHeader(tcb, at, tcpLength + length, ecn);
  const headerLength = ipLength + tcpLength;
  tcb.counters.segmentsOut += gsoSize === 0 ? 1 : Math.ceil(length / gsoSize);
  snd.sentMs = host.clock.ms;
  if (host.probe !== null) host.probe.segmentOut(tcb, at, headerLength, length, gsoSize);
  if (length === 0) {
    batch.push(headerLength, 0, 0, 0, 0, 0, ipLength);
    return;
  }
  const distance = (seq - snd.ringSeq) | 0;
  const first = snd.ring.pieceLength(distance, length);
  const rest = length - first;
  const offset = snd.ring.pieceOffset(distance);
  const restOffset = rest > 0 ? snd.ring.pieceOffset(distance + first) : 0;
  batch.push(headerLength, offset, first, restOffset, rest, gsoSize, ipLength);
}

/** `ecn`: the ECN field, which the traffic class leaves empty when it is in use. */
function writeIpHeader(tcb: Tcb, at: number, payloadLength: number, ecn: number): void {
  const view = tcb.host.arena.view;
  const trafficClass = tcb.trafficClass | ecn;
  const local = tcb.localAddress;
  const remote = tcb.remoteAddress;
  if (local.family === 4) {
    writeIpv4(
      view,
      at,
      (tcb.ipv4Sum + ecn) | 0,
      trafficClass,
      IPV4_HEADER + payloadLength,
      tcb.host.identification(),
      tcb.hopLimit,
      PROTOCOL_TCP,
      local.w3,
      remote.w3,
    );
  } else {
    writeIpv6(view, at, trafficClass, payloadLength, tcb.hopLimit, PROTOCOL_TCP, local, remote);
  }
}

/** Every segment with an ACK acknowledges all that has arrived: MUST-58. */
function acknowledged(tcb: Tcb): void {
  const rcv = tcb.rcv;
  tcb.pending &= ~SEND_ACK;
  rcv.lastAckSent = rcv.nxt;
  rcv.unackedBytes = 0;
  rcv.wasRead = false;
  rcv.dsackStart = rcv.dsackEnd;
  if (rcv.quickAcks > 0) rcv.quickAcks -= 1;
  cancelTimer(tcb, DELAYED_ACK_TIMER);
}
