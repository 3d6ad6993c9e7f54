// SipHash-2-4 against the vectors that its authors published, and what is derived from it.

import { describe, expect, it } from 'vitest';
import { IsnGenerator } from '../../src/tcp/isn.js';
import { SipHash } from '../../src/tcp/siphash.js';
import { address, newCore, repeatable, SECOND } from '../stack/host.js';

/**
 * Digests of the messages 00, 00 01, ... with the key 00 01 ... 0f, for lengths of 0, 4, 8, ... 60
 * bytes; low byte first (Aumasson and Bernstein, reference implementation, vectors_sip64).
 */
const VECTORS = [
  '310e0edd47db6f72',
  'b7877127e09427cf',
  '6224939a79f5f593',
  'fbe50e86bc8f1e75',
  'db9bc2577fcc2a3f',
  '98eea21af25cd6be',
  '94af49f6c650adb8',
  'a5c91da7acaa4dde',
  'ce7cf2722f512771',
  'b4a31508beff4d31',
  'd0a704536ba93e0e',
  'f21df2e41d4535f9',
  '51a9cb9ecba312e6',
  'b274cb8ebf87870a',
  'bd838d3aafbf8db7',
  'e1915f5cb1eca46c',
];

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);

/** The message 00 01 02 ... as words, first byte lowest. */
function message(words: number): Int32Array {
  const bytes = Buffer.from(Array.from({ length: 4 * words }, (_, i) => i));
  return Int32Array.from({ length: words }, (_, i) => bytes.readInt32LE(4 * i));
}

describe('SipHash-2-4', () => {
  it.each(VECTORS.map((digest, words) => [4 * words, digest]))('%i bytes: %s', (length, digest) => {
    const hash = new SipHash(KEY);
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(hash.digest(message(Number(length) / 4)), 0);
    bytes.writeInt32LE(hash.high, 4);
    expect(bytes.toString('hex')).toBe(digest);
  });

  it('reads its key wherever that stands in a buffer, and keeps a copy', () => {
    const around = new Uint8Array(40).fill(0xee);
    around.set(KEY, 5);
    const hash = new SipHash(around.subarray(5, 21));
    around.fill(0);
    expect(hash.digest(message(3))).toBe(new SipHash(KEY).digest(message(3)));
  });

  it('remembers nothing of the last message', () => {
    const hash = new SipHash(KEY);
    const once = hash.digest(message(4));
    hash.digest(message(9));
    expect(hash.digest(message(4))).toBe(once);
  });
});

describe('initial sequence numbers (RFC 6528)', () => {
  const [local, remote] = [address('10.9.0.2'), address('10.9.0.1')];

  it('MUST-8: tick every 4 µs, for the same connection', () => {
    const isns = new IsnGenerator(KEY);
    const at = (us: number) => isns.next(us, local, 80, remote, 4000);
    expect((at(4_000_000) - at(0)) | 0).toBe(1_000_000);
    expect(at(3)).toBe(at(0));
    // After 2^32 ticks, 4.77 hours, they come round.
    expect(at(2 ** 34 + 8)).toBe((at(0) + 2) | 0);
  });

  it('SHOULD-1, MUST-9: differ by every part of the connection, and by the secret', () => {
    const isns = new IsnGenerator(KEY);
    const other = new IsnGenerator(KEY.map((byte) => byte ^ 1));
    const numbers = [
      isns.next(0, local, 80, remote, 4000),
      isns.next(0, local, 81, remote, 4000),
      isns.next(0, local, 80, remote, 4001),
      isns.next(0, remote, 80, local, 4000),
      isns.next(0, address('10.9.0.3'), 80, remote, 4000),
      isns.next(0, local, 80, address('10.9.0.3'), 4000),
      isns.next(0, address('fd09::2'), 80, address('fd09::1'), 4000),
      isns.next(0, address('fd09:0:0:1::2'), 80, address('fd09::1'), 4000),
      other.next(0, local, 80, remote, 4000),
    ];
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers) expect(Object.is(number, number | 0)).toBe(true);
  });

  it('of a stack spread over all numbers', () => {
    const core = newCore({ random: repeatable(3) });
    const eighths = new Set<number>();
    for (let port = 1; port <= 100; port++) {
      core.connect({ remote, remotePort: port, handler: idle });
    }
    core.flush(SECOND);
    for (const packet of core.takePackets()) eighths.add(packet[24]! >> 5);
    expect(eighths.size).toBe(8);
  });
});

const idle = {
  onEstablished() {},
  onReadable() {},
  onWritable() {},
  onEnd() {},
  onClosed() {},
  onState() {},
  onUrgent() {},
  onAdvice() {},
};
