// The time that TCP is told. Knows two wrapping registers; must not know where time comes from.

/**
 * Time as int32 registers, so that nothing on the hot path is a double: microseconds for round-trip
 * times (wraps after 71 minutes) and milliseconds for deadlines (wraps after 49 days). Compare by
 * difference.
 */
export class TcpClock {
  /** Microseconds, int32: wraps after 71 minutes. */
  us = 0;
  /** Milliseconds, int32: wraps after 49 days. */
  ms = 0;

  /**
   * Sets both.
   * @param now integer microseconds from an arbitrary start; never goes back
   */
  set(now: number): void {
    this.us = now | 0;
    this.ms = Math.floor(now / 1000) | 0;
  }
}
