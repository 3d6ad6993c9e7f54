// The far side of a stack under test, which writes its own segments. Knows TCP's numbers as it was
// told them; builds packets without src/wire, so that each checks the other.

import type { StackCore } from '../../src/stack/core.js';
import {
  addressBytes,
  buildIcmp,
  buildIp,
  buildTcp,
  parseIp,
  parseTcp,
  TCP,
  type TcpFields,
  type TcpOption,
} from '../support/trace-packet.js';
import { type Family, HOST_A, HOST_B, SECOND } from './host.js';

export interface PeerOptions {
  family?: Family;
  /** The peer's address, port and the stack's port. */
  from?: string;
  port?: number;
  stackPort?: number;
  iss?: number;
}

/** What of a segment differs from an ACK without data at the present numbers. */
export interface SegmentFields {
  flags?: string;
  seq?: number;
  ack?: number;
  window?: number;
  urgent?: number;
  options?: TcpOption[];
  data?: Uint8Array | number;
  from?: string;
  to?: string;
  badChecksum?: boolean;
  gsoSize?: number;
}

/** Byte `i` of the peer's stream. */
export function peerByte(i: number): number {
  return (i * 7 + (i >> 8)) & 0xff;
}

export class Peer {
  readonly family: Family;
  readonly address: string;
  readonly port: number;
  readonly stackPort: number;
  /** Own initial sequence number, the next one, and the stack's as far as it was seen. */
  iss: number;
  nxt: number;
  irs = 0;
  stackNxt = 0;
  now = SECOND;
  /** Every segment that the stack has sent, in order. */
  readonly heard: TcpFields[] = [];
  /** The same as packets. */
  readonly packets: Uint8Array[] = [];

  constructor(
    readonly core: StackCore,
    options: PeerOptions = {},
  ) {
    this.family = options.family ?? 4;
    this.address = options.from ?? HOST_B[this.family];
    this.port = options.port ?? 40_000;
    this.stackPort = options.stackPort ?? 80;
    this.iss = (options.iss ?? 1_000_000) >>> 0;
    this.nxt = this.iss;
  }

  /** A segment as a packet. `seq` and `ack` are absolute. */
  packet(fields: SegmentFields = {}): Uint8Array {
    const source = addressBytes(fields.from ?? this.address);
    const destination = addressBytes(fields.to ?? HOST_A[this.family]);
    const ip = { source, destination };
    const seq = (fields.seq ?? this.nxt) >>> 0;
    const payload = buildTcp(ip, {
      sourcePort: this.port,
      destinationPort: this.stackPort,
      seq,
      ack: (fields.ack ?? this.stackNxt) >>> 0,
      flags: fields.flags ?? '.',
      window: fields.window ?? 65_535,
      urgent: fields.urgent ?? 0,
      options: fields.options ?? [],
      payload:
        typeof fields.data === 'number' ? this.bytes(seq, fields.data) : (fields.data ?? none),
      badChecksum: fields.badChecksum ?? false,
    });
    return buildIp({ ...ip, protocol: TCP, trafficClass: 0, hopLimit: 64, payload });
  }

  /** The bytes of the peer's stream that begin at a sequence number. */
  bytes(seq: number, length: number): Uint8Array {
    const from = (seq - this.iss - 1) | 0;
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = peerByte(from + i);
    return bytes;
  }

  /** Sends a segment, and moves on by what it carries; answers what the stack sent then. */
  send(fields: SegmentFields = {}): TcpFields[] {
    const packet = this.packet(fields);
    if (fields.seq === undefined) {
      const data = typeof fields.data === 'number' ? fields.data : (fields.data?.length ?? 0);
      const flags = fields.flags ?? '.';
      this.nxt = (this.nxt + data + (/[SF]/.test(flags) ? 1 : 0)) >>> 0;
    }
    this.core.receivePacket(packet, this.now, fields.gsoSize ?? 0);
    return this.listen();
  }

  /** What the stack sends of itself; the peer's idea of its numbers follows. */
  listen(): TcpFields[] {
    this.core.flush(this.now);
    const segments: TcpFields[] = [];
    for (const packet of this.core.takePackets()) {
      const ip = parseIp(packet);
      if (ip.protocol !== TCP) continue;
      const tcp = parseTcp(ip);
      if (tcp.destinationPort !== this.port) continue;
      segments.push(tcp);
      this.packets.push(packet);
      if (tcp.flags.includes('S')) this.irs = tcp.seq;
      if (tcp.flags.includes('R')) continue;
      const length = tcp.payload.length + (/[SF]/.test(tcp.flags) ? 1 : 0);
      const end = (tcp.seq + length) >>> 0;
      if (((end - this.stackNxt) | 0) > 0 || tcp.flags.includes('S')) this.stackNxt = end;
    }
    this.heard.push(...segments);
    return segments;
  }

  /** Lets time pass; answers what the stack sent in it. */
  pass(us: number): TcpFields[] {
    const until = this.now + us;
    const segments: TcpFields[] = [];
    for (;;) {
      this.now = Math.max(this.now, Math.min(this.core.nextDeadline(), until));
      this.core.advance(this.now);
      segments.push(...this.listen());
      if (this.now >= until) return segments;
    }
  }

  /** Opens to a listener of the stack. */
  open(options: TcpOption[] = []): void {
    this.send({ flags: 'S', ack: 0, options });
    this.send();
  }

  /** An ICMP error about the last segment that the stack sent: unreachable, of a code. */
  unreachable(code: number): void {
    const last = this.heard.at(-1)!;
    const source = addressBytes(HOST_A[this.family]);
    const destination = addressBytes(this.address);
    const quoted = buildIp({
      ...{ source, destination, protocol: TCP, trafficClass: 0, hopLimit: 64 },
      payload: buildTcp({ source, destination }, last),
    });
    const ip = { source: destination, destination: source };
    const type = this.family === 4 ? 3 : 1;
    const payload = buildIcmp(ip, type, code, 0, quoted);
    const protocol = this.family === 4 ? 1 : 58;
    const packet = buildIp({ ...ip, protocol, trafficClass: 0, hopLimit: 64, payload });
    this.core.receivePacket(packet, this.now);
    this.listen();
  }
}

const none = new Uint8Array(0);
