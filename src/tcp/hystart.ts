// HyStart++, RFC 9406: leaves slow start when round trips get longer, before the queue overflows.
// Knows rounds and their shortest round trips; what slow start ends with is the controller's concern.

import { seqGeq } from '../wire/sequence.js';
import type { Tcb } from './tcb.js';

/** §4.3, the recommended constants. Times in µs. */
const MIN_THRESHOLD_US = 4000;
const MAX_THRESHOLD_US = 16_000;
const SAMPLES = 8;
/** Conservative slow start grows by a fourth of what slow start would, for so many rounds. */
const CONSERVATIVE_SHIFT = 2;
const CONSERVATIVE_ROUNDS = 5;

const NO_SAMPLE = 0x7fffffff;

/** What HyStart++ remembers of the first slow start of a connection, and not longer. */
export class HyStart {
  /** §4.2: a round ends when all that was sent when it began is acknowledged. */
  roundEnd: number;
  /** It began when nothing was in flight: what is sent next belongs to it. */
  begins = false;
  lastMinUs = NO_SAMPLE;
  roundMinUs = NO_SAMPLE;
  samples = 0;
  /** Conservative slow start: the shortest round trip with which it began, and its rounds so far. */
  conservative = false;
  baselineUs = NO_SAMPLE;
  rounds = 0;

  constructor(tcb: Tcb) {
    this.roundEnd = tcb.snd.nxt;
  }
}

/** A round-trip time was measured. */
export function hyStartSampled(hystart: HyStart, rttUs: number): void {
  if (rttUs < hystart.roundMinUs) hystart.roundMinUs = rttUs;
  hystart.samples += 1;
}

/**
 * Bytes by which cwnd may grow for `acked` ones; -1 when slow start is over: §4.2, step by step.
 */
export function hyStartGrowth(tcb: Tcb, hystart: HyStart, acked: number): number {
  if (hystart.begins) hystart.roundEnd = tcb.snd.nxt;
  hystart.begins = false;
  if (hystart.samples >= SAMPLES) judge(hystart);
  if (seqGeq(tcb.snd.una, hystart.roundEnd) && roundEnded(tcb, hystart)) return -1;
  return hystart.conservative ? acked >> CONSERVATIVE_SHIFT : acked;
}

/** Longer by an eighth (4 to 16 ms) than in the last round: the queue begins to fill. */
function judge(hystart: HyStart): void {
  if (hystart.conservative) {
    // It was a mistake: round trips are shorter again than when it began.
    if (hystart.roundMinUs < hystart.baselineUs) {
      hystart.conservative = false;
      hystart.baselineUs = NO_SAMPLE;
    }
    return;
  }
  if (hystart.lastMinUs === NO_SAMPLE) return;
  const eighth = hystart.lastMinUs >> 3;
  const threshold = Math.max(MIN_THRESHOLD_US, Math.min(eighth, MAX_THRESHOLD_US));
  if (hystart.roundMinUs - hystart.lastMinUs < threshold) return;
  hystart.conservative = true;
  hystart.baselineUs = hystart.roundMinUs;
  hystart.rounds = 0;
}

/** True when it was the last round of conservative slow start; a round that it began in counts. */
function roundEnded(tcb: Tcb, hystart: HyStart): boolean {
  hystart.roundEnd = tcb.snd.nxt;
  hystart.begins = tcb.snd.nxt === tcb.snd.una;
  hystart.lastMinUs = hystart.roundMinUs;
  hystart.roundMinUs = NO_SAMPLE;
  hystart.samples = 0;
  if (!hystart.conservative) return false;
  hystart.rounds += 1;
  return hystart.rounds === CONSERVATIVE_ROUNDS;
}
