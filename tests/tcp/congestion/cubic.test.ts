// CUBIC's curve, RFC 9438.

import { describe, expect, it } from 'vitest';
import { cubic } from '../../../src/tcp/cubic.js';
import { conformance } from './conformance.js';
import { Sender } from './sender.js';

conformance(cubic);

/** Seconds until the window is `segments` again. */
function secondsTo(sender: Sender, segments: number): number {
  const start = sender.now;
  while (sender.window < segments && sender.now - start < 1e9) sender.round();
  return (sender.now - start) / 1e6;
}

/** A sender that loses something at a window of `segments`. */
function cut(segments: number, rtt = 100): Sender {
  const sender = new Sender(cubic, { rtt });
  sender.snd.cwnd = segments * sender.mss;
  sender.lose();
  return sender;
}

describe('the curve (§4.2)', () => {
  it('leaves seven tenths after a loss (§4.6)', () => {
    expect(cut(1000).window).toBe(700);
  });

  it('is flat at the old window after K = ∛(0.3 W / 0.4) seconds, and steep before and after', () => {
    const sender = cut(1000);
    const k = Math.cbrt((0.3 * 1000) / 0.4);
    const rounds = (seconds: number) => sender.rounds(Math.round(seconds * 10));
    rounds(k / 2);
    expect(sender.window).toBeGreaterThan(950);
    expect(sender.window).toBeLessThan(975);
    rounds(k / 2);
    expect(sender.window).toBeGreaterThan(990);
    expect(sender.window).toBeLessThan(1005);
    rounds(k);
    expect(sender.window).toBeGreaterThan(1280);
    expect(sender.window).toBeLessThan(1330);
  });

  it('depends on time, not on round trips', () => {
    for (const rtt of [50, 100, 200]) {
      const k = Math.cbrt((0.3 * 2000) / 0.4);
      expect(secondsTo(cut(2000, rtt), 1990)).toBeGreaterThan(0.7 * k);
      expect(secondsTo(cut(2000, rtt), 1990)).toBeLessThan(1.05 * k);
    }
  });

  it('grows by half in a round at most, however steep it is (§4.2)', () => {
    const sender = cut(20, 10_000);
    for (let i = 0; i < 10; i++) {
      const { window } = sender;
      sender.round();
      expect(sender.window).toBeLessThanOrEqual(1.51 * window + 1);
    }
    expect(sender.window).toBeGreaterThan(200);
  });

  it('has a lower plateau when it did not reach the last one: fast convergence (§4.7)', () => {
    const sender = cut(1000);
    sender.round();
    sender.lose();
    // 0.85 of some 715 segments, and K of what is missing there.
    const at = sender.window;
    const k = Math.cbrt((0.85 * (at / 0.7) - at) / 0.4);
    sender.rounds(Math.round(k * 10));
    expect(sender.window).toBeGreaterThan(0.85 * (at / 0.7) - 10);
    expect(sender.window).toBeLessThan(0.85 * (at / 0.7) + 10);
  });

  it('begins on its plateau after a timeout (§4.8)', () => {
    const sender = new Sender(cubic);
    sender.snd.cwnd = 1_000_000;
    sender.timeOut();
    while (sender.snd.cwnd < sender.snd.ssthresh) sender.round();
    const at = sender.window;
    sender.rounds(20);
    // 0.4 t³ after two seconds, while the curve of a loss would be at 850.
    expect(sender.window).toBeLessThan(at + 12);
  });
});

describe('where Reno would be faster (§4.3)', () => {
  it('grows by 9/17 of a segment a round up to the old window, then by one', () => {
    const sender = cut(20, 10);
    expect(sender.window).toBe(14);
    sender.rounds(10);
    expect(sender.window).toBeGreaterThanOrEqual(18);
    expect(sender.window).toBeLessThanOrEqual(20);
    sender.rounds(4);
    const { window } = sender;
    sender.rounds(20);
    expect(sender.window).toBeGreaterThanOrEqual(window + 18);
    expect(sender.window).toBeLessThanOrEqual(window + 21);
  });
});

describe('HyStart++ (RFC 9406)', () => {
  /** Two segments a time pass a bottleneck; what does not fit into `bdp` segments waits before it. */
  const passBottleneck = (sender: Sender, bdp: number, segments: number): void => {
    sender.fill();
    for (let passed = 0; passed < segments; passed += 2) {
      const waiting = Math.max(sender.flight / sender.mss / bdp, 1);
      sender.pass((2 * sender.rtt) / bdp);
      sender.ack(2 * sender.mss, sender.rtt * waiting);
    }
  };

  it('leaves slow start soon after the queue has begun to fill', () => {
    const sender = new Sender(cubic, { rtt: 100 });
    passBottleneck(sender, 160, 3000);
    expect(sender.snd.ssthresh).toBeGreaterThan(160_000);
    expect(sender.snd.ssthresh).toBeLessThan(6 * 160_000);
    expect(sender.window).toBeLessThan(6.2 * 160);
  });

  it('goes on where round trips do not get longer', () => {
    const sender = new Sender(cubic, { rtt: 100 });
    sender.rounds(10);
    expect(sender.window).toBe(10 * 2 ** 10);
  });

  it('four milliseconds are nothing (MIN_RTT_THRESH), sixteen are enough (MAX_RTT_THRESH)', () => {
    const grow = (rtt: number, more: number): number => {
      const sender = new Sender(cubic, { rtt });
      sender.rounds(3);
      sender.round(rtt + more);
      sender.round(rtt + more);
      return sender.window;
    };
    expect(grow(10, 3.9)).toBe(320);
    expect(grow(10, 4.1)).toBeLessThan(200);
    expect(grow(1000, 15.9)).toBe(320);
    expect(grow(1000, 16.1)).toBeLessThan(200);
  });

  it('conservative slow start lasts five rounds, at a fourth of the growth', () => {
    const sender = new Sender(cubic, { rtt: 50 });
    sender.rounds(3);
    const windows = Array.from({ length: 12 }, () => {
      sender.round(60);
      return sender.window;
    });
    const ratios = windows.slice(1).map((window, i) => window / windows[i]!);
    for (const ratio of ratios.slice(0, 3)) expect(ratio).toBeCloseTo(1.25, 1);
    for (const ratio of ratios.slice(6)) expect(ratio).toBeLessThan(1.1);
    expect(sender.snd.ssthresh).toBeLessThan(1e6);
  });

  it('returns to slow start when round trips are short again: it was a mistake', () => {
    const sender = new Sender(cubic, { rtt: 50 });
    sender.rounds(3);
    sender.round(60);
    sender.round(60);
    const { window } = sender;
    sender.round(50);
    sender.round(50);
    expect(sender.window).toBeGreaterThan(2.5 * window);
  });

  it('does not judge by fewer than eight samples (N_RTT_SAMPLE)', () => {
    const sender = new Sender(cubic, { rtt: 10 });
    sender.round();
    for (let i = 0; i < 5; i++) {
      sender.fill();
      sender.pass(100);
      const left = sender.flight;
      for (let acks = 0; acks < 4; acks++) sender.ack(left / 4, 100 * i);
    }
    expect(sender.window).toBe(20 * 2 ** 5);
  });
});
