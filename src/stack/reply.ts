// Segments that no connection sends: resets for what belongs to nobody (RFC 9293 §3.10.7.1) and the
// ACKs of TIME-WAIT. Knows how to write a bare segment; must not know who asked for it.

import type { PacketBatch } from '../storage/packet-batch.js';
import type { Host } from '../tcp/host.js';
import { IpAddress } from '../wire/address.js';
import { fold, pseudoHeaderSum } from '../wire/checksum.js';
import {
  IPV4_HEADER,
  IPV6_HEADER,
  type IpHeader,
  ipv4BaseSum,
  PROTOCOL_TCP,
  writeIpv4,
  writeIpv6,
} from '../wire/ip.js';
import {
  ACK,
  RST,
  TCP_HEADER,
  type TcpSegment,
  TIMESTAMPS_BYTES,
  writeTcp,
  writeTimestamps,
} from '../wire/tcp.js';
import type { TimeWaitTable } from './timewait-table.js';

const HOP_LIMIT = 64;

/** The sender of a packet as an address. */
export function sourceOf(ip: IpHeader): IpAddress {
  return ip.family === 4 ? IpAddress.v4(ip.src3) : IpAddress.v6(ip.src0, ip.src1, ip.src2, ip.src3);
}

export function destinationOf(ip: IpHeader): IpAddress {
  return ip.family === 4 ? IpAddress.v4(ip.dst3) : IpAddress.v6(ip.dst0, ip.dst1, ip.dst2, ip.dst3);
}

/** Writes an IP header from us to the sender of a packet; answers its length. */
export function writeReplyIp(
  view: DataView,
  at: number,
  to: IpHeader,
  protocol: number,
  payloadLength: number,
  identification: number,
): number {
  if (to.family === 4) {
    const base = ipv4BaseSum(0, HOP_LIMIT, protocol, to.dst3, to.src3);
    const total = IPV4_HEADER + payloadLength;
    writeIpv4(view, at, base, 0, total, identification, HOP_LIMIT, protocol, to.dst3, to.src3);
    return IPV4_HEADER;
  }
  const local = destinationOf(to);
  const remote = sourceOf(to);
  writeIpv6(view, at, 0, payloadLength, HOP_LIMIT, protocol, local, remote);
  return IPV6_HEADER;
}

/**
 * §3.10.7.1: a RST that the sender will take for an answer: with its ACK as sequence number, or,
 * where it has none, at zero and acknowledging the segment.
 */
export function replyReset(
  host: Host,
  batch: PacketBatch,
  ip: IpHeader,
  segment: TcpSegment,
): void {
  const hasAck = (segment.flags & ACK) !== 0;
  const seq = hasAck ? segment.ack : 0;
  const ack = hasAck ? 0 : (segment.seq + segment.length) | 0;
  const flags = hasAck ? RST : RST | ACK;
  const at = batch.header();
  const { view } = host.arena;
  const id = host.identification();
  const ipLength = writeReplyIp(view, at, ip, PROTOCOL_TCP, TCP_HEADER, id);
  writeBare(view, at + ipLength, ip, segment, seq, ack, TCP_HEADER, flags, 0);
  send(host, batch, ipLength, TCP_HEADER);
}

/** The ACK of a connection in TIME-WAIT; `record` is selected. */
export function replyTimeWaitAck(
  host: Host,
  batch: PacketBatch,
  ip: IpHeader,
  segment: TcpSegment,
  record: TimeWaitTable,
): void {
  const length = TCP_HEADER + (record.timestamps ? TIMESTAMPS_BYTES : 0);
  const at = batch.header();
  const { view } = host.arena;
  const ipLength = writeReplyIp(view, at, ip, PROTOCOL_TCP, length, host.identification());
  const tcp = at + ipLength;
  if (record.timestamps) {
    writeTimestamps(view, tcp + TCP_HEADER, (host.clock.ms + record.tsOffset) | 0, record.tsRecent);
  }
  writeBare(view, tcp, ip, segment, record.sndNxt, record.rcvNxt, length, ACK, record.rcvWnd);
  send(host, batch, ipLength, length);
}

function send(host: Host, batch: PacketBatch, ipLength: number, tcpLength: number): void {
  host.probe?.strangerOut(host, batch.header(), ipLength + tcpLength);
  batch.push(ipLength + tcpLength, 0, 0, 0, 0, 0, ipLength);
}

/** A TCP header without data, back to where a segment came from. */
function writeBare(
  view: DataView,
  at: number,
  ip: IpHeader,
  to: TcpSegment,
  seq: number,
  ack: number,
  headerLength: number,
  flags: number,
  window: number,
): void {
  const pseudo = pseudoHeaderSum(sourceOf(ip), destinationOf(ip), PROTOCOL_TCP);
  const checksum = fold(pseudo + headerLength);
  const from = to.destinationPort;
  writeTcp(view, at, from, to.sourcePort, seq, ack, headerLength, flags, window, checksum, 0);
}
