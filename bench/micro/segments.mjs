// The whole way of a segment through a stack: received, sent, and acknowledged selectively.

import { ACK } from '../../dist/wire/tcp.js';
import { BenchConnection, MSS, SUPER_SEGMENTS } from './connection.mjs';

const IN_FLIGHT = 32;
const SUPER = SUPER_SEGMENTS * MSS;
const chunk = new Uint8Array(SUPER).fill(85);

/** A batch of segments arrives in order, is read, and acknowledged. */
function receiveBatch(length, gsoSize) {
  const bench = new BenchConnection(65_535);
  const count = Math.min(bench.slots, 16);
  const run = () => {
    for (let slot = 0; slot < count; slot++) bench.prepare(slot, ACK, length, gsoSize);
    bench.now += 100;
    bench.core.receive(count, bench.now);
  };
  return { run, operations: count };
}

/** A segment is written, sent, and acknowledged. */
function sendOne(length, maxSegmentBytes) {
  const bench = new BenchConnection(maxSegmentBytes);
  return () => {
    bench.connection.write(chunk, 0, length);
    bench.core.flush(bench.now);
    bench.now += 100;
    bench.receive(ACK, 0);
  };
}

/** The first of many segments is missing; each that follows is reported. */
function sack() {
  const bench = new BenchConnection(1500);
  let first = 0;
  let reported = 0;
  return () => {
    if (reported === 0) {
      first = bench.seen;
      for (let i = 0; i < IN_FLIGHT; i++) bench.connection.write(chunk, 0, MSS);
      bench.core.flush(bench.now);
    }
    bench.now += 100;
    const sent = Math.floor(((bench.seen - first) | 0) / MSS);
    if (++reported < sent) {
      bench.prepareSack(0, first, (first + MSS) | 0, (first + (reported + 1) * MSS) | 0);
      bench.core.receive(1, bench.now);
    } else {
      // All is acknowledged; it begins again.
      bench.receive(ACK, 0);
      reported = 0;
    }
  };
}

export const segments = [
  ['receive a segment of 1448 bytes', receiveBatch(MSS, 0)],
  ['receive a super-segment of 62 KiB', receiveBatch(SUPER, MSS)],
  ['send a segment of 1448 bytes, and its ACK', sendOne(MSS, 1500)],
  ['send a super-segment of 62 KiB, and its ACK', sendOne(SUPER, 65_535)],
  ['take an ACK with a SACK block, 32 segments in flight', sack()],
];
