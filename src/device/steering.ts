// Which of several stacks with the same addresses a packet is for. Knows ports; must not know stacks. The
// kernel computes the same, where it may: native/steering.c.

import {
  IP_OK,
  IpHeader,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  parseIp,
  parseQuotedIp,
} from '../wire/ip.js';

/** The packet is a part of one whose ports are elsewhere: whoever owns it needs all parts. */
export const EVERYBODY = -1;

/** 2^32 divided by the golden ratio: ports that follow each other fall far apart. */
const MULTIPLIER = 0x9e3779b1;
const IPV4_WITHOUT_OPTIONS = 0x45;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
/** What an ICMP error quotes comes behind 8 bytes (RFC 792, RFC 4443 §2.1). */
const ICMP_HEADER = 8;
/** ICMPv4 types that quote a packet: unreachable, source quench, redirect, time, parameter. */
const ICMP_ERRORS = [3, 4, 5, 11, 12];
/** RFC 4443 §2.1: ICMPv6 errors have types below 128. */
const ICMPV6_INFORMATION = 128;

/** The owner, 0 to `count` - 1, of a TCP flow between two ports; the same in both directions. */
export function ownerOfPorts(one: number, other: number, count: number): number {
  return (Math.imul(one + other, MULTIPLIER) >>> 16) % count;
}

/** Finds the owner of packets; one object for all. */
export class Steering {
  readonly #count: number;
  readonly #view: DataView;
  readonly #ip = new IpHeader();

  /** @param memory where the packets lie */
  constructor(count: number, memory: ArrayBuffer) {
    this.#count = count;
    this.#view = new DataView(memory);
  }

  /**
   * The owner of the packet at `offset`; `otherwise` where it belongs to no TCP flow, and anybody may
   * have it; `EVERYBODY` for a fragment of TCP.
   */
  ownerOf(offset: number, length: number, otherwise: number): number {
    const view = this.#view;
    // The usual packets first; the rest takes its time.
    if (length >= IPV4_HEADER + 4 && view.getUint8(offset) === IPV4_WITHOUT_OPTIONS) {
      const whole = (view.getUint16(offset + 6) & 0x3fff) === 0;
      if (whole && view.getUint8(offset + 9) === PROTOCOL_TCP)
        return this.#at(offset + IPV4_HEADER);
    } else if (length >= IPV6_HEADER + 4 && view.getUint8(offset) >> 4 === 6) {
      if (view.getUint8(offset + 6) === PROTOCOL_TCP) return this.#at(offset + IPV6_HEADER);
    }
    return this.#ownerOfUnusual(offset, length, otherwise);
  }

  #ownerOfUnusual(offset: number, length: number, otherwise: number): number {
    const ip = this.#ip;
    if (parseIp(this.#view, offset, length, ip) !== IP_OK) return otherwise;
    if (ip.moreFragments || ip.fragmentOffset !== 0) {
      return ip.protocol === PROTOCOL_TCP ? EVERYBODY : 0;
    }
    if (ip.protocol === PROTOCOL_TCP) return this.#ownerByPorts(otherwise);
    return this.#isIcmpError() ? this.#ownerOfQuote(otherwise) : otherwise;
  }

  #isIcmpError(): boolean {
    const { family, protocol, payloadLength, payloadOffset } = this.#ip;
    if (payloadLength < ICMP_HEADER) return false;
    const type = this.#view.getUint8(payloadOffset);
    if (family === 6) return protocol === PROTOCOL_ICMPV6 && type < ICMPV6_INFORMATION;
    return protocol === PROTOCOL_ICMP && ICMP_ERRORS.includes(type);
  }

  #ownerOfQuote(otherwise: number): number {
    const ip = this.#ip;
    const at = ip.payloadOffset + ICMP_HEADER;
    const quoted = parseQuotedIp(this.#view, at, ip.payloadLength - ICMP_HEADER, ip);
    return quoted === IP_OK && ip.protocol === PROTOCOL_TCP
      ? this.#ownerByPorts(otherwise)
      : otherwise;
  }

  #ownerByPorts(otherwise: number): number {
    const { payloadOffset, payloadLength } = this.#ip;
    return payloadLength >= 4 ? this.#at(payloadOffset) : otherwise;
  }

  #at(ports: number): number {
    const view = this.#view;
    return ownerOfPorts(view.getUint16(ports), view.getUint16(ports + 2), this.#count);
  }
}
