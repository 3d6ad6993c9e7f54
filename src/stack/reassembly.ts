// IP fragments put together: RFC 791 §3.2, RFC 8200 §4.5, RFC 5722. Knows a few datagrams in the
// making, bounded in number, size and time; must not know what they carry.

import type { Arena } from '../storage/arena.js';
import { Ranges } from '../storage/ranges.js';
import type { IpHeader } from '../wire/ip.js';

/** Datagrams in the making at once; the oldest goes for a new one. */
const MAX_DATAGRAMS = 16;
const MAX_BYTES = 65_536;
/** Time to wait for the rest (RFC 1122 §3.3.2 has 60 to 120 s; Linux 30). */
const LIFETIME_MS = 30_000;
const MAX_HOLES = 64;

class Datagram {
  readonly key = new Int32Array(10);
  readonly ranges = new Ranges(MAX_HOLES);
  block = -1;
  /** Length of the whole payload, -1 until the last fragment has come. */
  total = -1;
  startedMs = 0;
}

export class Reassembly {
  private readonly datagrams: Datagram[] = [];

  /** @param dropped told why a datagram, or what has come of it, is thrown away */
  constructor(
    private readonly arena: Arena,
    private readonly dropped: (reason: string) => void,
  ) {}

  get waiting(): number {
    return this.datagrams.length;
  }

  /**
   * Takes a fragment. True when it was the last one that was missing: then `ip` describes the whole
   * payload (offset, length), which stays valid until `release` is called.
   */
  add(ip: IpHeader, nowMs: number): boolean {
    this.expire(nowMs);
    const datagram = this.find(ip) ?? this.begin(ip, nowMs);
    if (datagram === null) return false;
    const start = ip.fragmentOffset;
    const end = start + ip.payloadLength;
    if (!fits(datagram, start, end, !ip.moreFragments) || datagram.ranges.add(start, end) < 0) {
      this.giveUp(datagram, 'fragments that do not fit');
      return false;
    }
    if (!ip.moreFragments) datagram.total = end;
    this.arena.bytes.copyWithin(
      datagram.block + start,
      ip.payloadOffset,
      ip.payloadOffset + ip.payloadLength,
    );
    if (datagram.total < 0 || !datagram.ranges.contains(0, datagram.total)) return false;
    ip.payloadOffset = datagram.block;
    ip.payloadLength = datagram.total;
    ip.fragmentOffset = 0;
    ip.moreFragments = false;
    return true;
  }

  /** The datagram that `add` completed was dealt with. */
  release(ip: IpHeader): void {
    const datagram = this.find(ip);
    if (datagram !== null) this.drop(datagram);
  }

  private find(ip: IpHeader): Datagram | null {
    for (const datagram of this.datagrams) if (matches(datagram.key, ip)) return datagram;
    return null;
  }

  private begin(ip: IpHeader, nowMs: number): Datagram | null {
    if (this.datagrams.length === MAX_DATAGRAMS) {
      this.giveUp(this.datagrams[0], 'too many datagrams in fragments');
    }
    const datagram = new Datagram();
    datagram.block = this.arena.allocate(MAX_BYTES);
    if (datagram.block < 0) {
      this.dropped('arena full');
      return null;
    }
    datagram.startedMs = nowMs;
    fillKey(datagram.key, ip);
    this.datagrams.push(datagram);
    return datagram;
  }

  /** Gives up what has waited too long; once in a turn. */
  expire(nowMs: number): void {
    if (this.datagrams.length === 0) return;
    for (const datagram of [...this.datagrams]) {
      if (((nowMs - datagram.startedMs) | 0) <= LIFETIME_MS) continue;
      this.giveUp(datagram, 'fragments missing');
    }
  }

  private giveUp(datagram: Datagram, reason: string): void {
    this.drop(datagram);
    this.dropped(reason);
  }

  private drop(datagram: Datagram): void {
    this.arena.free(datagram.block, MAX_BYTES);
    this.datagrams.splice(this.datagrams.indexOf(datagram), 1);
  }
}

/**
 * RFC 5722: fragments that overlap, or disagree about the end, are an attack or a defect: nothing of
 * the datagram is kept.
 */
function fits(datagram: Datagram, start: number, end: number, isLast: boolean): boolean {
  const { ranges, total } = datagram;
  if (end === start || end > MAX_BYTES) return false;
  if (total >= 0 && (isLast || end > total)) return false;
  if (isLast && ranges.count > 0 && ranges.end(ranges.count - 1) > end) return false;
  for (let i = 0; i < ranges.count; i++) {
    if (ranges.start(i) < end && start < ranges.end(i)) return false;
  }
  return true;
}

function fillKey(key: Int32Array, ip: IpHeader): void {
  key[0] = ip.src0;
  key[1] = ip.src1;
  key[2] = ip.src2;
  key[3] = ip.src3;
  key[4] = ip.dst0;
  key[5] = ip.dst1;
  key[6] = ip.dst2;
  key[7] = ip.dst3;
  key[8] = ip.identification;
  key[9] = ip.protocol;
}

const wanted = new Int32Array(10);

function matches(key: Int32Array, ip: IpHeader): boolean {
  fillKey(wanted, ip);
  for (let i = 0; i < key.length; i++) if (key[i] !== wanted[i]) return false;
  return true;
}
