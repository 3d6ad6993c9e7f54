// Order among 32-bit sequence numbers that wrap; must not know what is being numbered.

// RFC 9293 §3.4: numbers are compared modulo 2^32, so `a` comes before `b` where the difference,
// taken as an int32, is negative. Meaningful for numbers less than 2^31 apart.

/** a < b */
export function seqLt(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** a <= b */
export function seqLeq(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

/** a > b */
export function seqGt(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** a >= b */
export function seqGeq(a: number, b: number): boolean {
  return ((a - b) | 0) >= 0;
}

/** The later of the two, as an int32. */
export function seqMax(a: number, b: number): number {
  return ((a - b) | 0) >= 0 ? a | 0 : b | 0;
}

/** The earlier of the two, as an int32. */
export function seqMin(a: number, b: number): number {
  return ((a - b) | 0) <= 0 ? a | 0 : b | 0;
}
