// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that outsiders cannot compute. Knows
// 64-bit arithmetic in halves; must not know what is hashed.

/** State words as halves: v0 low, v0 high, v1 low, ... */
const v = new Int32Array(8);

function add(to: number, from: number): void {
  const low = (v[to] >>> 0) + (v[from] >>> 0);
  v[to + 1] = v[to + 1] + v[from + 1] + (low > 0xffffffff ? 1 : 0);
  v[to] = low;
}

function xor(to: number, from: number): void {
  v[to] ^= v[from];
  v[to + 1] ^= v[from + 1];
}

/** Rotates left by `bits` below 32. */
function rotate(at: number, bits: number): void {
  const low = v[at];
  const high = v[at + 1];
  v[at] = (low << bits) | (high >>> (32 - bits));
  v[at + 1] = (high << bits) | (low >>> (32 - bits));
}

function swapHalves(at: number): void {
  const low = v[at];
  v[at] = v[at + 1];
  v[at + 1] = low;
}

const V0 = 0;
const V1 = 2;
const V2 = 4;
const V3 = 6;

function round(): void {
  add(V0, V1);
  rotate(V1, 13);
  xor(V1, V0);
  swapHalves(V0);
  add(V2, V3);
  rotate(V3, 16);
  xor(V3, V2);
  add(V0, V3);
  rotate(V3, 21);
  xor(V3, V0);
  add(V2, V1);
  rotate(V1, 17);
  xor(V1, V2);
  swapHalves(V2);
}

export class SipHash {
  /** The upper half of the last digest. */
  high = 0;
  private readonly key = new Int32Array(4);

  /** @param key 16 bytes. */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 16);
    for (let i = 0; i < 4; i++) this.key[i] = view.getInt32(4 * i, true);
  }

  /** The lower half of the hash of these words, taken as little-endian bytes. */
  digest(words: Int32Array): number {
    const [k0, k1, k2, k3] = this.key;
    v[0] = k0 ^ 0x70736575;
    v[1] = k1 ^ 0x736f6d65;
    v[2] = k2 ^ 0x6e646f6d;
    v[3] = k3 ^ 0x646f7261;
    v[4] = k0 ^ 0x6e657261;
    v[5] = k1 ^ 0x6c796765;
    v[6] = k2 ^ 0x79746573;
    v[7] = k3 ^ 0x74656462;
    const pairs = words.length >> 1;
    for (let i = 0; i < pairs; i++) this.compress(words[2 * i], words[2 * i + 1]);
    // The last block: what is left over, and the length in the top byte.
    const rest = words.length % 2 === 1 ? words[words.length - 1] : 0;
    this.compress(rest, (words.length * 4) << 24);
    v[V2] ^= 0xff;
    for (let i = 0; i < 4; i++) round();
    this.high = v[1] ^ v[3] ^ v[5] ^ v[7];
    return v[0] ^ v[2] ^ v[4] ^ v[6];
  }

  private compress(low: number, high: number): void {
    v[V3] ^= low;
    v[V3 + 1] ^= high;
    round();
    round();
    v[V0] ^= low;
    v[V0 + 1] ^= high;
  }
}
