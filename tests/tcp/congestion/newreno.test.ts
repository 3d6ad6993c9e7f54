// NewReno's congestion avoidance: RFC 5681.

import { expect, it } from 'vitest';
import { newReno } from '../../../src/tcp/newreno.js';
import { conformance } from './conformance.js';
import { Sender } from './sender.js';

conformance(newReno);

it('adds a segment in each round trip, and halves for a loss', () => {
  const sender = new Sender(newReno);
  sender.snd.cwnd = 40_000;
  sender.lose();
  expect(sender.window).toBe(20);
  sender.rounds(30);
  expect(sender.window).toBeGreaterThan(49);
  expect(sender.window).toBeLessThanOrEqual(50);
});
