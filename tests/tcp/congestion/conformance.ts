// What every congestion controller has to do, whatever its curve: RFC 5681, RFC 5033.

import { describe, expect, it } from 'vitest';
import type { CongestionControl } from '../../../src/tcp/congestion.js';
import { controllerNamed } from '../../../src/tcp/controllers.js';
import { noteEcho } from '../../../src/tcp/ecn.js';
import { ACK, ECE, TcpSegment } from '../../../src/wire/tcp.js';
import { Sender } from './sender.js';

const HOUR = 3_600_000;
const NO_THRESHOLD = 0x7fffffff;
const LARGEST = 1 << 30;

/** A sender in congestion avoidance, whose window was `segments` when a loss came. */
function settled(controller: CongestionControl, segments: number, rtt = 100): Sender {
  const sender = new Sender(controller, { rtt });
  sender.snd.cwnd = segments * sender.mss;
  sender.lose();
  sender.rounds(2);
  return sender;
}

/** The windows of some rounds with a loss in every twentieth and a timeout in every hundredth. */
function history(sender: Sender, rounds: number): number[] {
  return Array.from({ length: rounds }, (_, i) => {
    if (i % 100 === 99) sender.timeOut();
    else if (i % 20 === 19) sender.lose();
    else sender.round();
    return sender.snd.cwnd;
  });
}

export function conformance(controller: CongestionControl): void {
  describe('what every controller does', () => {
    it('is found by its name', () => {
      expect(controllerNamed(controller.name)).toBe(controller);
    });

    it('begins with ten segments (RFC 6928), or one when the SYN was lost (RFC 5681 §3.1)', () => {
      const sender = new Sender(controller);
      expect(sender.snd.cwnd).toBe(10_000);
      expect(sender.snd.ssthresh).toBe(NO_THRESHOLD);
      controller.start(sender.tcb, true);
      expect(sender.snd.cwnd).toBe(1000);
    });

    it('doubles the window in a round of slow start, not more', () => {
      const sender = new Sender(controller);
      for (let i = 0; i < 8; i++) {
        const before = sender.snd.cwnd;
        sender.round();
        expect(sender.snd.cwnd).toBe(2 * before);
      }
    });

    it('grows in congestion avoidance, and by less than half in a round', () => {
      for (const segments of [10, 100, 1000]) {
        const sender = settled(controller, segments);
        const start = sender.snd.cwnd;
        for (let i = 0; i < 100; i++) {
          const before = sender.snd.cwnd;
          sender.round();
          expect(sender.snd.cwnd).toBeGreaterThanOrEqual(before);
          expect(sender.snd.cwnd).toBeLessThanOrEqual(1.5 * before + sender.mss);
        }
        expect(sender.snd.cwnd).toBeGreaterThan(start);
      }
    });

    it('takes away at least a fourth for a loss, but leaves two segments', () => {
      for (const segments of [1, 2, 3, 4, 10, 1000]) {
        const sender = new Sender(controller);
        sender.snd.cwnd = segments * 1000;
        sender.lose();
        expect(sender.snd.cwnd).toBe(sender.snd.ssthresh);
        expect(sender.snd.cwnd).toBeGreaterThanOrEqual(2000);
        expect(sender.snd.cwnd).toBeLessThanOrEqual(Math.max(750 * segments, 2000));
      }
    });

    it('counts for a loss what was in flight, not what was allowed (RFC 5681 equation 4)', () => {
      const sender = new Sender(controller, { most: 6000 });
      sender.snd.cwnd = 1_000_000;
      sender.lose();
      expect(sender.snd.ssthresh).toBeLessThanOrEqual(4500);
    });

    it('leaves one segment after a timeout, and sets the threshold once (RFC 5681 §3.1)', () => {
      const sender = new Sender(controller);
      sender.snd.cwnd = 20_000;
      sender.timeOut();
      expect(sender.snd.cwnd).toBe(1000);
      const { ssthresh } = sender.snd;
      expect(ssthresh).toBeLessThanOrEqual(15_000);
      expect(ssthresh).toBeGreaterThanOrEqual(10_000);
      sender.timeOut(false);
      expect(sender.snd.cwnd).toBe(1000);
      expect(sender.snd.ssthresh).toBe(ssthresh);
      sender.rounds(3);
      expect(sender.snd.cwnd).toBe(8000);
      sender.rounds(2);
      expect(sender.snd.cwnd).toBeLessThan(ssthresh + 4000);
    });

    it('never has a window that cannot be', () => {
      const sender = new Sender(controller, { mss: 65_000, rtt: 1 });
      for (let i = 0; i < 40; i++) {
        sender.fill();
        sender.pass(1);
        sender.ack(sender.flight);
        expect(sender.snd.cwnd).toBe(sender.snd.cwnd | 0);
        expect(sender.snd.cwnd).toBeLessThanOrEqual(LARGEST);
      }
      expect(sender.snd.cwnd).toBe(LARGEST);
      sender.lose();
      for (let i = 0; i < 20_000; i++) {
        sender.fill();
        sender.pass(1);
        sender.ack(sender.flight);
      }
      expect(sender.snd.cwnd).toBeLessThanOrEqual(LARGEST);
      expect(sender.snd.cwnd).toBeGreaterThan(LARGEST / 2);
    });
  });

  describe('a window that is not used (RFC 7661, RFC 9438 §5.8)', () => {
    it('grows to twice what is used in slow start', () => {
      const sender = new Sender(controller, { most: 15_000 });
      sender.rounds(50);
      expect(sender.snd.cwnd).toBeGreaterThanOrEqual(15_000);
      expect(sender.snd.cwnd).toBeLessThanOrEqual(30_000 + 2 * sender.mss);
    });

    it('does not grow in congestion avoidance', () => {
      const sender = settled(controller, 40);
      sender.most = 5000;
      sender.rounds(1);
      const { cwnd } = sender.snd;
      sender.rounds(1000);
      expect(sender.snd.cwnd).toBe(cwnd);
    });

    it('does not leap when it is used again after an hour', () => {
      const sender = settled(controller, 40);
      sender.most = 5000;
      sender.rounds(1);
      const { cwnd } = sender.snd;
      while (sender.now < HOUR * 1000) sender.rounds(100);
      sender.most = Number.POSITIVE_INFINITY;
      sender.rounds(2);
      expect(sender.snd.cwnd).toBeLessThanOrEqual(1.1 * cwnd + sender.mss);
    });

    it('begins anew after a pause, and remembers (RFC 5681 §4.1, RFC 7661 §4.4)', () => {
      const sender = settled(controller, 20);
      sender.rounds(50);
      const { cwnd, ssthresh } = sender.snd;
      expect(0.75 * cwnd).toBeGreaterThan(ssthresh);
      sender.pass(HOUR);
      controller.restarted(sender.tcb);
      expect(sender.snd.cwnd).toBe(10_000);
      expect(sender.snd.ssthresh).toBeGreaterThanOrEqual(Math.floor(0.75 * cwnd));
      sender.rounds(3);
      expect(sender.snd.cwnd).toBeLessThanOrEqual(1.1 * cwnd + sender.mss);
    });

    it('a pause leaves a small window small', () => {
      const sender = new Sender(controller);
      sender.timeOut();
      controller.restarted(sender.tcb);
      expect(sender.snd.cwnd).toBe(1000);
    });
  });

  describe('a mistake (RFC 4015, RFC 5682)', () => {
    it.each(['loss', 'timeout', 'timeouts'] as const)('%s: all is as it was before', (what) => {
      const [sender, other] = [settled(controller, 50), settled(controller, 50)];
      for (const each of [sender, other]) each.rounds(10);
      const { cwnd, ssthresh } = sender.snd;
      expect(other.snd.cwnd).toBe(cwnd);
      sender.fill();
      if (what === 'loss') controller.lost(sender.tcb);
      else controller.timedOut(sender.tcb, true);
      if (what === 'timeouts') controller.timedOut(sender.tcb, false);
      controller.undo(sender.tcb);
      expect(sender.snd.cwnd).toBe(cwnd);
      expect(sender.snd.ssthresh).toBe(ssthresh);
      for (const each of [sender, other]) each.rounds(20);
      expect(Math.abs(sender.window - other.window)).toBeLessThanOrEqual(1);
    });

    it('the first slow start goes on', () => {
      const sender = new Sender(controller);
      sender.round();
      sender.fill();
      controller.lost(sender.tcb);
      controller.undo(sender.tcb);
      expect(sender.snd.ssthresh).toBe(NO_THRESHOLD);
      sender.round();
      expect(sender.snd.cwnd).toBe(40_000);
    });
  });

  it('an echoed mark costs as much as a loss, once in a window (RFC 3168 §6.1.2)', () => {
    const [sender, other] = [settled(controller, 50), settled(controller, 50)];
    other.fill();
    controller.lost(other.tcb);
    sender.fill();
    const echo = new TcpSegment();
    echo.flags = ACK | ECE;
    for (let i = 0; i < 4; i++) {
      echo.ack = (sender.snd.una + i * 1000) | 0;
      noteEcho(sender.tcb, echo);
      expect(sender.snd.cwnd).toBe(other.snd.cwnd);
      expect(sender.snd.ssthresh).toBe(other.snd.ssthresh);
    }
  });

  describe('arithmetic', () => {
    it.each([
      ['both clocks', { start: 2 ** 32 * 1000 - 5e6, iss: 1 }],
      ['the sign of the clocks', { start: 2 ** 31 * 1000 - 5e6, iss: 1 }],
      ['sequence numbers', { start: 0, iss: -5_000_000 }],
      ['their sign', { start: 0, iss: 2 ** 31 - 5_000_000 }],
    ])('is the same where %s wrap', (_, options) => {
      const most = 300_000;
      const plain = history(new Sender(controller, { most }), 1000);
      expect(history(new Sender(controller, { most, ...options }), 1000)).toEqual(plain);
    });

    it('holds for two months of one connection', () => {
      const sender = new Sender(controller, { rtt: 60_000, most: 30_000 });
      while (sender.now < 60 * 24 * HOUR * 1000) {
        for (const cwnd of history(sender, 1000)) {
          expect(cwnd).toBe(cwnd | 0);
          expect(cwnd).toBeGreaterThanOrEqual(sender.mss);
          expect(cwnd).toBeLessThanOrEqual(LARGEST);
        }
      }
    });
  });

  it('allocates nothing for an ACK', () => {
    const sender = new Sender(controller);
    const run = (acks: number) => {
      for (let i = 0; i < acks; i++) {
        if (i % 4096 === 4095) sender.lose();
        sender.pass(1);
        sender.fill();
        sender.ack(2 * sender.mss);
      }
    };
    run(300_000);
    let [allocated, before] = [0, process.memoryUsage().heapUsed];
    for (let i = 0; i < 20; i++) {
      run(20_000);
      const after = process.memoryUsage().heapUsed;
      // What a collection took away was allocated before.
      allocated += Math.max(after - before, 0);
      before = after;
    }
    // A boxed number for each would be 16.
    expect(allocated / 400_000).toBeLessThan(4);
  });
}
