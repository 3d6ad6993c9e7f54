// CUBIC, RFC 9438: cwnd follows a cubic curve of the time since the last loss, and never less than
// Reno would have. Knows cwnd and ssthresh; must not know which segments are lost.

import {
  type CongestionControl,
  LARGEST_CWND,
  NO_SSTHRESH,
  restartWindow,
  restoreWindow,
  saveWindow,
  setThreshold,
  slowStart,
  startWindow,
  usedWindow,
} from './congestion.js';
import { HyStart, hyStartGrowth, hyStartSampled } from './hystart.js';
import { congestionMemory, type Tcb } from './tcb.js';
import { windowIsUsed } from './window-use.js';

/** §4.6: what a loss leaves of the window. */
const BETA = 0.7;
/** §5.1: how steep the curve is, segments/s³. */
const C = 0.4;
/** §4.7, fast convergence: (1 + β) / 2. */
const CONVERGENCE = 0.85;
/** §4.3: acknowledged windows for one segment, 1/α = (1 + β) / (3 (1 − β)), as Reno on average. */
const RENO_WINDOWS = 17 / 9;

/** The curve: windows in bytes, times in ms, all int32. */
class Curve {
  /** Whether a stage of congestion avoidance has begun, and when (moved on by idle times). */
  running = false;
  epochMs = 0;
  /** Where the plateau is, and how long after the beginning it is reached. */
  windowMax = 0;
  k = 0;
  /** What Reno's window would be now, and what has not yet opened it by a byte. */
  reno = 0;
  renoCredit = 0;
  /** cwnd before the last loss: from there on Reno would grow by one segment a round. */
  before = 0;

  copy(from: Curve): void {
    this.running = from.running;
    this.epochMs = from.epochMs;
    this.windowMax = from.windowMax;
    this.k = from.k;
    this.reno = from.reno;
    this.renoCredit = from.renoCredit;
    this.before = from.before;
  }
}

class CubicMemory {
  readonly curve = new Curve();
  /** As it was before the last reduction, to undo it (§4.9.1). */
  readonly prior = new Curve();
  /** The last time that cwnd was in use, clock.ms. */
  usedMs = 0;
  hystart: HyStart | null = null;
}

export const cubic: CongestionControl = {
  name: 'cubic',
  start: startWindow,

  sampled(tcb: Tcb, rttUs: number): void {
    if (tcb.snd.ssthresh !== NO_SSTHRESH) return;
    const memory = existing(tcb);
    if (memory !== null && memory.hystart !== null) hyStartSampled(memory.hystart, rttUs);
  },

  acknowledged(tcb: Tcb, acked: number): void {
    const snd = tcb.snd;
    if (!windowIsUsed(tcb)) {
      standStill(tcb);
      return;
    }
    const memory = memoryOf(tcb);
    let rest = acked;
    if (snd.cwnd < snd.ssthresh) {
      rest = openSlowly(tcb, memory, acked);
      if (rest <= 0) return;
    }
    avoid(tcb, memory, rest);
  },

  lost(tcb: Tcb): void {
    reduce(tcb);
    tcb.snd.cwnd = tcb.snd.ssthresh;
  },

  timedOut(tcb: Tcb, first: boolean): void {
    if (first) {
      reduce(tcb);
      // §4.8: the next stage begins on its plateau, wherever slow start ends.
      memoryOf(tcb).curve.windowMax = 0;
    }
    tcb.snd.cwnd = tcb.snd.mss;
  },

  restarted(tcb: Tcb): void {
    restartWindow(tcb);
    const memory = existing(tcb);
    if (memory !== null) memory.curve.running = false;
  },

  undo(tcb: Tcb): void {
    restoreWindow(tcb);
    const memory = memoryOf(tcb);
    memory.curve.copy(memory.prior);
  },
};

function memoryOf(tcb: Tcb): CubicMemory {
  const memory = congestionMemory(tcb);
  memory.controller ??= new CubicMemory();
  return memory.controller as CubicMemory;
}

function existing(tcb: Tcb): CubicMemory | null {
  const { congestion } = tcb.snd;
  return congestion === null ? null : (congestion.controller as CubicMemory | null);
}

/**
 * Slow start; answers how many bytes are left for congestion avoidance. §4.10: HyStart++ watches over
 * the first one, whose end nobody knows; later ones end at ssthresh.
 */
function openSlowly(tcb: Tcb, memory: CubicMemory, acked: number): number {
  if (tcb.snd.ssthresh !== NO_SSTHRESH) return slowStart(tcb, acked);
  memory.hystart ??= new HyStart(tcb);
  const growth = hyStartGrowth(tcb, memory.hystart, acked);
  if (growth >= 0) return slowStart(tcb, growth);
  memory.hystart = null;
  tcb.snd.ssthresh = tcb.snd.cwnd;
  if (tcb.host.probe !== null) tcb.host.probe.congestion(tcb, 'hystart');
  return acked;
}

/** §4.6 and §4.7: what congestion costs. */
function reduce(tcb: Tcb): void {
  saveWindow(tcb);
  const memory = memoryOf(tcb);
  const curve = memory.curve;
  memory.prior.copy(curve);
  memory.hystart = null;
  const used = usedWindow(tcb);
  // Fast convergence: whoever did not get as far as last time leaves room for newcomers.
  curve.windowMax = (used < curve.windowMax ? used * CONVERGENCE : used) | 0;
  curve.before = used;
  curve.running = false;
  setThreshold(tcb, used * BETA);
  tcb.snd.creditedBytes = 0;
}

/** §5.8: while the application leaves cwnd unused, the curve waits. */
function standStill(tcb: Tcb): void {
  const memory = existing(tcb);
  if (memory === null) return;
  const now = tcb.host.clock.ms;
  memory.curve.epochMs = (memory.curve.epochMs + now - memory.usedMs) | 0;
  memory.usedMs = now;
}

function avoid(tcb: Tcb, memory: CubicMemory, acked: number): void {
  const { snd, rtt } = tcb;
  const curve = memory.curve;
  const now = tcb.host.clock.ms;
  let elapsed = (now - curve.epochMs) | 0;
  if (!curve.running || elapsed < 0) {
    beginStage(tcb, curve);
    elapsed = 0;
  }
  memory.usedMs = now;
  followReno(tcb, curve, acked);
  if (curveAt(curve, elapsed, snd.mss) < curve.reno) {
    // §4.3: Reno would be faster here.
    snd.cwnd = Math.min(Math.max(snd.cwnd, curve.reno), LARGEST_CWND);
    return;
  }
  // §4.4 and §4.5: towards the curve's point one round trip from now, and not more than by half.
  const point = curveAt(curve, (elapsed + rtt.smoothed / 1000) | 0, snd.mss);
  const gap = Math.min(point - snd.cwnd, snd.cwnd >> 1);
  if (gap <= 0) return;
  snd.creditedBytes = Math.min(snd.creditedBytes + acked, LARGEST_CWND);
  const price = (snd.cwnd * snd.mss) / gap;
  if (snd.creditedBytes < price) return;
  const segments = (snd.creditedBytes / price) | 0;
  snd.creditedBytes = (snd.creditedBytes - segments * price) | 0;
  snd.cwnd = Math.min(snd.cwnd + segments * snd.mss, LARGEST_CWND);
}

/** §4.2: the curve begins at cwnd and has its plateau at the window before the loss. */
function beginStage(tcb: Tcb, curve: Curve): void {
  const snd = tcb.snd;
  curve.running = true;
  curve.epochMs = tcb.host.clock.ms;
  curve.reno = snd.cwnd;
  curve.renoCredit = 0;
  if (curve.windowMax <= snd.cwnd) {
    // Behind the plateau: after HyStart++, a timeout, or when cwnd was restored.
    curve.windowMax = snd.cwnd;
    curve.k = 0;
  } else {
    curve.k = (1000 * Math.cbrt((curve.windowMax - snd.cwnd) / snd.mss / C)) | 0;
  }
}

/** Equation (1), bytes: W(t) = C (t − K)³ + Wmax. */
function curveAt(curve: Curve, elapsedMs: number, mss: number): number {
  const t = (elapsedMs - curve.k) / 1000;
  const window = curve.windowMax + C * t * t * t * mss;
  return Math.max(0, Math.min(window, LARGEST_CWND)) | 0;
}

/**
 * Equation (4): Reno's window, with α below the window before the loss and 1 from there on. It grows with
 * each ACK, not in steps of a segment: where windows are small what is lost with a step counts.
 */
function followReno(tcb: Tcb, curve: Curve, acked: number): void {
  const { cwnd, mss } = tcb.snd;
  const price = curve.reno < curve.before ? cwnd * RENO_WINDOWS : cwnd;
  const paid = curve.renoCredit + acked * mss;
  const grown = (paid / price) | 0;
  // Less than a byte: less than the window.
  curve.renoCredit = (paid - grown * price) | 0;
  curve.reno = Math.min(curve.reno + grown, LARGEST_CWND);
}
