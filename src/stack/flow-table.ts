// Which connection a segment belongs to: RFC 9293 §3.3.1, a connection is its two sockets. Knows
// addresses, ports and ids; must not know what an id stands for.

import type { IpAddress } from '../wire/address.js';

/** Words of one flow: its hash, both addresses, both ports. */
const STRIDE = 10;
const HASH = 0;
const LOCAL = 1;
const REMOTE = 5;
const PORTS = 9;

const EMPTY = -1;
const NOT_FOUND = -1;

/**
 * An open-addressing hash table from (local address, local port, remote address, remote port) to a
 * small id. Addresses are four int32 words (IPv4 as ::ffff:a.b.c.d). The hash is keyed, so that
 * nobody outside can pick flows that collide.
 */
export class FlowTable {
  count = 0;
  private slots = new Int32Array(64).fill(EMPTY);
  private flows = new Int32Array(32 * STRIDE);
  private readonly free: number[] = [];
  private highest = 0;

  /** @param key two random int32. */
  constructor(
    private readonly key0: number,
    private readonly key1: number,
  ) {}

  /** The id of a flow, or -1. */
  find(
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    ports: number,
  ): number {
    const { slots, flows } = this;
    const hash = this.hash(l0, l1, l2, l3, r0, r1, r2, r3, ports);
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const at = slots[slot] * STRIDE;
      if (
        flows[at + HASH] === hash &&
        flows[at + PORTS] === ports &&
        flows[at + REMOTE + 3] === r3 &&
        flows[at + LOCAL + 3] === l3 &&
        flows[at + REMOTE + 2] === r2 &&
        flows[at + LOCAL + 2] === l2 &&
        flows[at + REMOTE + 1] === r1 &&
        flows[at + REMOTE] === r0 &&
        flows[at + LOCAL + 1] === l1 &&
        flows[at + LOCAL] === l0
      ) {
        return slots[slot];
      }
    }
    return NOT_FOUND;
  }

  /** As `find`, for addresses as objects. */
  lookup(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): number {
    const ports = (localPort << 16) | remotePort;
    const l = local;
    const r = remote;
    return this.find(l.w0, l.w1, l.w2, l.w3, r.w0, r.w1, r.w2, r.w3, ports);
  }

  /** Adds a flow that is not there; answers its id. Ids are reused, small and dense. */
  add(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): number {
    const id = this.free.length > 0 ? (this.free.pop() as number) : this.highest++;
    if ((id + 1) * STRIDE > this.flows.length) this.growFlows();
    const { flows } = this;
    const at = id * STRIDE;
    const ports = (localPort << 16) | remotePort;
    const l = local;
    const r = remote;
    flows[at + HASH] = this.hash(l.w0, l.w1, l.w2, l.w3, r.w0, r.w1, r.w2, r.w3, ports);
    flows[at + LOCAL] = l.w0;
    flows[at + LOCAL + 1] = l.w1;
    flows[at + LOCAL + 2] = l.w2;
    flows[at + LOCAL + 3] = l.w3;
    flows[at + REMOTE] = r.w0;
    flows[at + REMOTE + 1] = r.w1;
    flows[at + REMOTE + 2] = r.w2;
    flows[at + REMOTE + 3] = r.w3;
    flows[at + PORTS] = ports;
    if (2 * ++this.count > this.slots.length) this.growSlots();
    this.insert(id);
    return id;
  }

  /** Forgets a flow; its id may be given out again. */
  remove(id: number): void {
    const { slots, flows } = this;
    const mask = slots.length - 1;
    let hole = flows[id * STRIDE + HASH] & mask;
    while (slots[hole] !== id) hole = (hole + 1) & mask;
    // What follows moves up, where its own place allows it, so that no search stops too early.
    for (let slot = (hole + 1) & mask; slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const home = flows[slots[slot] * STRIDE + HASH] & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole] = slots[slot];
        hole = slot;
      }
    }
    slots[hole] = EMPTY;
    this.count -= 1;
    this.free.push(id);
  }

  localPort(id: number): number {
    return this.flows[id * STRIDE + PORTS] >>> 16;
  }

  remotePort(id: number): number {
    return this.flows[id * STRIDE + PORTS] & 0xffff;
  }

  /** Word `word` (0 to 3) of an address of a flow. */
  localWord(id: number, word: number): number {
    return this.flows[id * STRIDE + LOCAL + word];
  }

  remoteWord(id: number, word: number): number {
    return this.flows[id * STRIDE + REMOTE + word];
  }

  private insert(id: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = this.flows[id * STRIDE + HASH] & mask;
    while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    slots[slot] = id;
  }

  private growFlows(): void {
    const larger = new Int32Array(this.flows.length * 2);
    larger.set(this.flows);
    this.flows = larger;
  }

  private growSlots(): void {
    const old = this.slots;
    this.slots = new Int32Array(old.length * 2).fill(EMPTY);
    for (let slot = 0; slot < old.length; slot++) {
      if (old[slot] !== EMPTY) this.insert(old[slot]);
    }
  }

  /** Mixes all words with both keys (multiply, rotate, xor: MurmurHash3's steps). */
  private hash(
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    ports: number,
  ): number {
    let h = mix(mix(this.key0, ports), r3);
    h = mix(h, l3 ^ this.key1);
    // For IPv4 these are constants; one step covers what IPv6 adds.
    if ((r0 | r1 | l0 | l1) !== 0 || r2 !== l2) {
      h = mix(mix(mix(mix(mix(mix(h, r0), r1), r2), l0), l1), l2);
    }
    h ^= h >>> 16;
    h = Math.imul(h, 0x85ebca6b) ^ this.key1;
    return h ^ (h >>> 13);
  }
}

function mix(h: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const m = h ^ k;
  return (Math.imul((m << 13) | (m >>> 19), 5) + 0xe6546b64) | 0;
}
