// Round-trip time and retransmission timeout: RFC 6298. Knows samples; must not know segments.

import { seqGeq } from '../wire/sequence.js';
import type { TcpSegment } from '../wire/tcp.js';
import type { Flight } from './flight.js';
import type { Tcb } from './tcb.js';

/** §2.4: clock granularity G, µs; deadlines are in milliseconds. */
const GRANULARITY_US = 1000;

/** Starts to time the segment that ends at `end`, unless one is being timed. */
export function startTiming(tcb: Tcb, end: number): void {
  const rtt = tcb.rtt;
  if (rtt.timing) return;
  rtt.timing = true;
  rtt.timedSeq = end;
  rtt.timedUs = tcb.host.clock.us;
}

/** §3, Karn (MUST-18): once something was sent again, nothing of this flight can be timed. */
export function voidTiming(tcb: Tcb): void {
  tcb.rtt.timing = false;
  tcb.rtt.resentMs = tcb.host.clock.ms;
}

/**
 * Takes a sample when `ack` covers the timed segment, or else, after a retransmission, from the echoed
 * timestamp (RFC 7323 §4.1), which counts only milliseconds. It says which transmission arrived: when
 * it was an earlier one, only its ACK was lost, and the time since says nothing about the path.
 */
export function sampleRtt(tcb: Tcb, ack: number, hasTimestamps: boolean, tsEcr: number): void {
  const rtt = tcb.rtt;
  if (rtt.timing) {
    if (!seqGeq(ack, rtt.timedSeq)) return;
    rtt.timing = false;
    const sample = Math.max((tcb.host.clock.us - rtt.timedUs) | 0, 1);
    rtt.min = Math.min(rtt.min, sample);
    updateRtt(tcb, sample);
    tcb.congestionControl.sampled(tcb, sample);
  } else if (tcb.timestamps && hasTimestamps) sampleEcho(tcb, tsEcr);
}

function sampleEcho(tcb: Tcb, tsEcr: number): void {
  const { rtt } = tcb;
  if (rtt.retries === 0) return;
  const now = tcb.host.clock.ms;
  const elapsedMs = (now + tcb.timestampOffset - tsEcr) | 0;
  const sinceResent = (now - rtt.resentMs) | 0;
  // Less than a tick is as much as one: the estimate must not fall below what the clock can tell.
  if (elapsedMs >= 0 && elapsedMs <= sinceResent) updateRtt(tcb, Math.max(elapsedMs, 1) * 1000);
}

/**
 * The same from the log of what is in flight. What arrived out of order is acknowledged at once, and
 * so shows the path; the estimate takes the oldest that was acknowledged, with the delay of its ACK,
 * and one in each round trip (§4).
 */
export function sampleFlight(tcb: Tcb, flight: Flight, segment: TcpSegment): void {
  const { rtt } = tcb;
  if (flight.sampleUs >= 0) {
    rtt.min = Math.min(rtt.min, flight.sampleUs);
    tcb.congestionControl.sampled(tcb, flight.sampleUs);
  }
  if (flight.oldestSampleUs >= 0) {
    updateRtt(tcb, flight.oldestSampleUs);
    rtt.timedSeq = tcb.snd.max;
  } else if (flight.sampleUs < 0 && tcb.timestamps && segment.hasTimestamps) {
    if (flight.delivered > 0) sampleEcho(tcb, segment.tsEcr);
  }
}

/** §2.2 and §2.3, in integers. */
function updateRtt(tcb: Tcb, sample: number): void {
  const rtt = tcb.rtt;
  if (rtt.smoothed === 0) {
    rtt.smoothed = sample;
    rtt.variance = sample >> 1;
  } else {
    const error = Math.abs(rtt.smoothed - sample);
    rtt.variance += (error - rtt.variance) >> 2;
    rtt.smoothed = Math.max(1, rtt.smoothed + ((sample - rtt.smoothed) >> 3));
  }
  rtt.backoff = 0;
  const us = rtt.smoothed + Math.max(GRANULARITY_US, 4 * rtt.variance);
  rtt.rtoMs = Math.min(Math.max(Math.ceil(us / 1000), tcb.config.minRto), tcb.config.maxRto) | 0;
}

/** The timeout with its back-off (§5.5), ms. */
export function currentRto(tcb: Tcb): number {
  const rtt = tcb.rtt;
  // 2^20 times any timeout is above every ceiling, and shifting further would overflow.
  return Math.min(rtt.rtoMs * (1 << Math.min(rtt.backoff, 20)), tcb.config.maxRto) | 0;
}
