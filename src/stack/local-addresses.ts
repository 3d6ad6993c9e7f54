// The stack's own addresses: which packets are for us, and from where we speak (RFC 1122 §3.3.4.2,
// RFC 9293 §3.9.1.1). Must not know devices.

import { IpAddress, type Subnet } from '../wire/address.js';

export class LocalAddresses {
  private readonly loopback: IpAddress | null;
  private readonly loopbacks = new Map<number, IpAddress>();

  constructor(
    /** Each address with its prefix. */
    readonly list: readonly Subnet[],
  ) {
    const isLoopback = ({ address, prefix }: Subnet) =>
      address.family === 4 && address.isLoopback && prefix < 32;
    this.loopback = list.find(isLoopback)?.address ?? null;
  }

  /** Our address of these words (IPv4 mapped), or null: one object that all connections share. */
  own(w0: number, w1: number, w2: number, w3: number): IpAddress | null {
    const list = this.list;
    for (let i = 0; i < list.length; i++) {
      const own = list[i].address;
      if (own.w3 === w3 && own.w2 === w2 && own.w1 === w1 && own.w0 === w0) return own;
    }
    return this.ownLoopback(w0, w1, w2, w3);
  }

  /**
   * RFC 1122 §3.2.1.3(g): who has one address of 127.0.0.0/8 is all of them, as with Linux, unless its prefix
   * says that it is this one only (/32): so two stacks may speak over a link. Those that were asked for are kept.
   */
  private ownLoopback(w0: number, w1: number, w2: number, w3: number): IpAddress | null {
    if (this.loopback === null || w3 >>> 24 !== 127) return null;
    if (w0 !== 0 || w1 !== 0 || w2 !== this.loopback.w2) return null;
    let own = this.loopbacks.get(w3);
    if (own === undefined) {
      own = IpAddress.v4(w3);
      this.loopbacks.set(w3, own);
    }
    return own;
  }

  has(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.own(w0, w1, w2, w3) !== null;
  }

  includes(address: IpAddress): boolean {
    return this.has(address.w0, address.w1, address.w2, address.w3);
  }

  /** MUST-44: the address to speak from: the remote one if it is ours, else one of its subnet. */
  sourceFor(remote: IpAddress): IpAddress | null {
    let first: IpAddress | null = null;
    for (const subnet of this.list) {
      if (subnet.address.equals(remote)) return remote;
    }
    for (const subnet of this.list) {
      if (subnet.address.family !== remote.family) continue;
      if (subnet.contains(remote)) return subnet.address;
      first ??= subnet.address;
    }
    return first;
  }

  /**
   * MUST-46, MUST-57, MUST-63: whether an address can be a peer: not unspecified, multicast or
   * broadcast, neither the limited one nor that of a subnet of ours.
   */
  isUnicast(address: IpAddress): boolean {
    if (address.isUnspecified || address.isMulticast || address.isBroadcast) return false;
    for (const subnet of this.list) {
      if (subnet.broadcast?.equals(address)) return false;
    }
    return true;
  }
}
