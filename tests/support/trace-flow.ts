// The far side of one connection of a trace: relative numbers to absolute ones and back, bytes with
// a pattern, ICMP messages. Must not know how the stack under test is driven.

import {
  addressBytes,
  buildIcmp,
  buildIp,
  buildTcp,
  ICMP,
  ICMPV6,
  type IpFields,
  parseTcp,
  TCP,
  type TcpFields,
  type TcpOption,
} from './trace-packet.js';
import {
  canonicalFlags,
  type IcmpSpec,
  type OptionSpec,
  type SegmentSpec,
} from './trace-script.js';

/** Addresses of a trace: the stack under test, its peer. */
export const LOCAL = { 4: '10.9.0.2', 6: 'fd09::2' } as const;
export const PEER = { 4: '10.9.0.1', 6: 'fd09::1' } as const;
export const LOCAL_PORT = 8080;
/** Flow 1 comes from port 40001, and so on. */
export const PEER_PORT = 40000;

export type Family = 4 | 6;

/** Byte `index` of the stream that the stack under test sends, and of the one that it gets. */
export const ourByte = (index: number): number => (index * 7 + (index >> 8) * 13 + 1) & 0xff;
export const peerByte = (index: number): number => (index * 11 + (index >> 8) * 17 + 3) & 0xff;

function bytes(make: (index: number) => number, from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => make(from + i));
}

export const ourBytes = (from: number, length: number) => bytes(ourByte, from, length);
export const peerBytes = (from: number, length: number) => bytes(peerByte, from, length);

/** A packet of the stack under test, in the notation; `complaints` of what no trace needs to list. */
export interface Heard {
  segment: SegmentSpec;
  complaints: string[];
}

export class Flow {
  readonly index: number;
  readonly family: Family;
  private readonly peerIss: number;
  /** Where our numbers count from; 0 until the stack's SYN shows it. */
  private ourIss = 0;
  private ourTs: number | null = null;
  /** The next SYN of the stack begins a new connection. */
  private renew = true;
  /** Window of the next segment that does not name its own: that of the one before. */
  private win = 65535;
  private ourShift = -1;
  private peerShift = -1;
  private rightEdge: number | null = null;
  /** One past the highest number that the stack has sent, while it must not be sent again. */
  private highest: number | null = null;

  constructor(index: number, family: Family, peerIss: number) {
    this.index = index;
    this.family = family;
    this.peerIss = peerIss >>> 0;
  }

  /**
   * A new connection begins: the stack's next SYN has a number of its own; from TIME-WAIT one that
   * is larger than all before (RFC 9293 §3.6.1).
   */
  beginAnew(state: string): void {
    this.renew = true;
    if (state !== 'TIME-WAIT') this.highest = null;
  }

  /** The packet of `< segment`. */
  encode(spec: SegmentSpec): Uint8Array {
    if (spec.win !== null) this.win = spec.win;
    const syn = spec.flags.includes('S');
    if (syn) this.peerShift = shiftOf(spec.options as OptionSpec[]);
    const seq = (this.peerIss + spec.seq) >>> 0;
    const tcp: TcpFields = {
      sourcePort: PEER_PORT + this.index,
      destinationPort: LOCAL_PORT,
      seq,
      ack: spec.ack === null ? 0 : (this.ourIss + spec.ack) >>> 0,
      flags: spec.flags,
      window: this.win,
      urgent: spec.urg ?? 0,
      options: (spec.options as OptionSpec[]).map((option) => this.absolute(option)),
      payload: peerBytes(spec.seq + (syn ? 1 : 0) - 1, spec.length),
      badChecksum: spec.badsum,
      ...(spec.doff === null ? {} : { dataOffset: spec.doff }),
    };
    const ip = {
      source: addressBytes(spec.from ?? PEER[this.family]),
      destination: addressBytes(spec.to ?? LOCAL[this.family]),
    };
    return buildIp({
      ...ip,
      protocol: TCP,
      trafficClass: spec.tos ?? 0,
      hopLimit: spec.ttl ?? 64,
      payload: buildTcp(ip, tcp),
      ...(spec.ipopt === null ? {} : { options: spec.ipopt }),
    });
  }

  private absolute(option: OptionSpec): TcpOption {
    if (option.kind === 'sack') {
      const edge = (relative: number) => (this.ourIss + relative) >>> 0;
      return { kind: 'sack', blocks: option.blocks.map(([a, b]) => [edge(a), edge(b)]) };
    }
    if (option.kind !== 'TS') return option;
    if (option.val === '*' || option.ecr === '*') throw new Error('a TS to send has no *');
    const echo = (option.ecr + (this.ourTs ?? 0)) >>> 0;
    return { kind: 'TS', val: option.val, ecr: echo };
  }

  /** What `packet` says, in relative numbers. @throws Error when it is malformed. */
  decode(ip: IpFields, gso: number, state: string): Heard {
    const tcp = parseTcp(ip);
    const complaints = this.renew && tcp.flags.includes('S') ? this.learn(tcp) : [];
    const unknown = this.renew && tcp.flags.includes('R');
    const seq = unknown ? tcp.seq | 0 : (tcp.seq - this.ourIss) | 0;
    const segment: SegmentSpec = {
      flags: canonicalFlags(tcp.flags),
      seq,
      length: tcp.payload.length,
      ack: tcp.flags.includes('.') ? (tcp.ack - this.peerIss) | 0 : null,
      win: tcp.window,
      urg: tcp.flags.includes('U') ? tcp.urgent : null,
      options: tcp.options.map((option) => this.relative(option)),
      gso: gso > 0 ? gso : null,
      tos: ip.trafficClass,
      ttl: ip.hopLimit,
      ...{ badsum: false, doff: null, from: null, to: null, ipopt: null, more: false },
    };
    complaints.push(...this.checkPayload(tcp, seq), ...this.checkWindow(segment, state));
    const end = tcp.seq + tcp.payload.length + (/[SF]/.test(tcp.flags) ? 1 : 0);
    if (this.highest === null || ((end - this.highest) | 0) > 0) this.highest = end >>> 0;
    return { segment, complaints };
  }

  private learn(tcp: TcpFields): string[] {
    const distance = this.highest === null ? 1 : (tcp.seq - this.highest) | 0;
    this.renew = false;
    this.ourIss = tcp.seq;
    this.rightEdge = null;
    const stamp = tcp.options.find((option) => option.kind === 'TS');
    this.ourTs = stamp === undefined ? null : stamp.val;
    this.ourShift = shiftOf(tcp.options);
    return distance > 0 ? [] : [`the ISN lies ${-distance} before the end of the old connection`];
  }

  private relative(option: TcpOption): OptionSpec {
    if (option.kind === 'sack') {
      const edge = (absolute: number) => (absolute - this.peerIss) | 0;
      return { kind: 'sack', blocks: option.blocks.map(([a, b]) => [edge(a), edge(b)]) };
    }
    if (option.kind !== 'TS') return option;
    return { kind: 'TS', val: (option.val - (this.ourTs ?? 0)) | 0, ecr: option.ecr };
  }

  private checkPayload(tcp: TcpFields, seq: number): string[] {
    const from = seq + (tcp.flags.includes('S') ? 1 : 0) - 1;
    const wrong = tcp.payload.findIndex((byte, i) => byte !== ourByte(from + i));
    return wrong < 0 ? [] : [`byte ${from + wrong} of the stream is not the one that was written`];
  }

  /** SHOULD-14: the right edge of the window does not move to the left. */
  private checkWindow(segment: SegmentSpec, state: string): string[] {
    const receiving = /^(SYN-|ESTABLISHED|FIN-WAIT)/.test(state);
    if (!receiving || segment.ack === null || segment.flags.includes('R')) return [];
    const scaled = !segment.flags.includes('S') && this.ourShift >= 0 && this.peerShift >= 0;
    const shift = scaled ? this.ourShift : 0;
    const edge = segment.ack + segment.win! * 2 ** shift;
    const before = this.rightEdge ?? edge;
    this.rightEdge = Math.max(before, edge);
    if (edge >= before - (2 ** shift - 1)) return [];
    return [`the right edge of the window moved from ${before} to ${edge} (SHOULD-14)`];
  }

  /** The packet of `< icmp`. */
  encodeIcmp(spec: IcmpSpec): Uint8Array {
    const ip = {
      source: addressBytes(PEER[this.family]),
      destination: addressBytes(LOCAL[this.family]),
    };
    const [type, code, rest] = this.family === 4 ? icmpv4(spec) : icmpv6(spec);
    const body = spec.quote === null ? echoBody(spec.bytes) : this.quote(spec.quote.seq);
    return buildIp({
      ...ip,
      protocol: this.family === 4 ? ICMP : ICMPV6,
      trafficClass: 0,
      hopLimit: 64,
      payload: buildIcmp(ip, type, code, rest, body),
    });
  }

  /** The beginning of a packet of ours: its IP header and eight bytes more, as RFC 792 asks. */
  private quote(seq: number): Uint8Array {
    const ip = {
      source: addressBytes(LOCAL[this.family]),
      destination: addressBytes(PEER[this.family]),
    };
    const tcp: TcpFields = {
      sourcePort: LOCAL_PORT,
      destinationPort: PEER_PORT + this.index,
      seq: (this.ourIss + seq) >>> 0,
      ...{ ack: 0, flags: '.', window: 0, urgent: 0, options: [], payload: new Uint8Array(0) },
    };
    const fields = { ...ip, protocol: TCP, trafficClass: 0, hopLimit: 60 };
    const packet = buildIp({ ...fields, payload: buildTcp(ip, tcp) });
    return packet.subarray(0, this.family === 4 ? 28 : packet.length);
  }
}

/** The identifier and the sequence number of echoes. */
const ECHO = 0x04d20007;
export const echoBody = (length: number) => peerBytes(0, length);

function icmpv4(spec: IcmpSpec): [type: number, code: number, rest: number] {
  const codes: Record<string, number> = {
    net: 0,
    host: 1,
    protocol: 2,
    port: 3,
    frag: 4,
    admin: 13,
  };
  if (spec.kind === 'unreachable') return [3, codes[spec.code!]!, 0];
  if (spec.kind === 'too-big') return [3, 4, spec.mtu ?? 0];
  if (spec.kind === 'time-exceeded') return [11, 0, 0];
  if (spec.kind === 'parameter-problem') return [12, 0, 0];
  if (spec.kind === 'source-quench') return [4, 0, 0];
  return [spec.kind === 'echo-request' ? 8 : 0, 0, ECHO];
}

/** RFC 4443; RFC 5461 §2.1 says which code stands for which of IPv4. */
function icmpv6(spec: IcmpSpec): [type: number, code: number, rest: number] {
  const codes: Record<string, number> = { net: 0, admin: 1, host: 3, port: 4 };
  if (spec.kind === 'unreachable' && spec.code === 'protocol') return [4, 1, 40];
  if (spec.kind === 'unreachable') return [1, codes[spec.code!]!, 0];
  if (spec.kind === 'too-big') return [2, 0, spec.mtu ?? 0];
  if (spec.kind === 'time-exceeded') return [3, 0, 0];
  if (spec.kind === 'parameter-problem') return [4, 0, 0];
  if (spec.kind === 'source-quench') throw new Error('ICMPv6 has no source quench');
  return [spec.kind === 'echo-request' ? 128 : 129, 0, ECHO];
}

function shiftOf(options: ReadonlyArray<TcpOption | OptionSpec>): number {
  const scale = options.find((option) => option.kind === 'wscale');
  return scale?.kind === 'wscale' ? scale.value : -1;
}
