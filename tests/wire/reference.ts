// Slow and obvious counterparts of src/wire for its tests; must not import what it is compared with.

/** Ones' complement sum, a word at a time, each carry added back at once. */
export function naiveSum(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! * 256 + (i + 1 < bytes.length ? bytes[i + 1]! : 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

export function naiveChecksum(bytes: ArrayLike<number>): number {
  return 0xffff - naiveSum(bytes);
}

/** A view of a copy of these bytes and of nothing else, so that a read beyond them throws. */
export function exactView(bytes: ArrayLike<number>): DataView {
  return new DataView(Uint8Array.from(bytes).buffer);
}

/** The bytes of a hexadecimal text; spaces do not count. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}
