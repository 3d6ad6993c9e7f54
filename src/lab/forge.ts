// Writes segments that nobody of the two ends has sent. Knows bytes; must not know scenarios.

import { completeChecksum } from '../device/packet.js';
import { FLAGS } from '../trace/segment.js';
import { IpAddress } from '../wire/address.js';
import {
  IPV4_HEADER,
  IPV6_HEADER,
  ipv4BaseSum,
  PROTOCOL_TCP,
  writeIpv4,
  writeIpv6,
} from '../wire/ip.js';
import { TCP_HEADER, TIMESTAMPS_BYTES, writeTcp, writeTimestamps } from '../wire/tcp.js';

const HOP_LIMIT = 64;

export interface Forgery {
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  /** `FIN`, `SYN` … */
  flags: readonly string[];
  /** 0 … 2^32-1, as all that follow. */
  seq: number;
  ack: number;
  window: number;
  /** Bytes of data, all of them `!`. */
  data: number;
  timestamps: readonly [value: number, echo: number] | null;
}

/** An IP packet with a TCP segment, checksums complete. */
export function forge(forgery: Forgery): Uint8Array {
  const source = IpAddress.parse(forgery.source)!;
  const destination = IpAddress.parse(forgery.destination)!;
  const ipLength = source.family === 4 ? IPV4_HEADER : IPV6_HEADER;
  const tcpLength = TCP_HEADER + (forgery.timestamps === null ? 0 : TIMESTAMPS_BYTES);
  const bytes = new Uint8Array(ipLength + tcpLength + forgery.data);
  const view = new DataView(bytes.buffer);
  writeIp(view, source, destination, tcpLength + forgery.data);
  writeTcp(
    view,
    ipLength,
    forgery.sourcePort,
    forgery.destinationPort,
    forgery.seq | 0,
    forgery.ack | 0,
    tcpLength,
    FLAGS.reduce((bits, [bit, name]) => (forgery.flags.includes(name) ? bits | bit : bits), 0),
    forgery.window,
    0,
    0,
  );
  if (forgery.timestamps !== null) {
    const [value, echo] = forgery.timestamps;
    writeTimestamps(view, ipLength + TCP_HEADER, value | 0, echo | 0);
  }
  bytes.fill(0x21, ipLength + tcpLength);
  completeChecksum({ bytes, gsoSize: 0, checksumStart: 0, trusted: false });
  return bytes;
}

function writeIp(view: DataView, from: IpAddress, to: IpAddress, payload: number): void {
  if (from.family === 6) {
    writeIpv6(view, 0, 0, payload, HOP_LIMIT, PROTOCOL_TCP, from, to);
    return;
  }
  const base = ipv4BaseSum(0, HOP_LIMIT, PROTOCOL_TCP, from.w3, to.w3);
  const total = IPV4_HEADER + payload;
  writeIpv4(view, 0, base, 0, total, 0, HOP_LIMIT, PROTOCOL_TCP, from.w3, to.w3);
}
