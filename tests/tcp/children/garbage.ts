// Pumps segments through a stack and counts what the garbage collector does meanwhile. Arguments:
// what to pump, IP family, how many segments. Prints JSON.

import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACK, PSH } from '../../../src/wire/tcp.js';
import { Bench, MSS } from './bench.js';

const [what, family, count] = process.argv.slice(2) as [string, string, string];
const superSegments = what.includes('super');
const SUPER_BYTES = 44 * MSS;
const WRITE_BYTES = 1 << 16;
/** A process that has run for an hour: microseconds are beyond 31 bits. */
const AN_HOUR = 3_600_000_000;

const bench = new Bench({
  family: family === '6' ? 6 : 4,
  superSegments,
  now: AN_HOUR,
  tcp: {
    ...{
      receiveBuffer: 4 << 20,
      receiveBufferMax: 8 << 20,
      sendBuffer: 1 << 20,
      sendBufferMax: 1 << 20,
    },
    // The window is small, and the clock goes in leaps.
    pacing: !what.includes('lost'),
  },
});
const chunk = new Uint8Array(WRITE_BYTES).fill(85);

/** As many segments as the window and one batch take, in order. */
function receiveBatch(): number {
  const { rcv } = bench.connection;
  const window = (rcv.edge - rcv.nxt) | 0;
  const length = superSegments && window >= SUPER_BYTES ? SUPER_BYTES : MSS;
  const batch = Math.min(bench.slots, Math.floor(window / length));
  for (let slot = 0; slot < batch; slot++) {
    bench.prepare(slot, ACK, length, length > MSS ? MSS : 0);
    if (what.includes('checked')) bench.complete(slot);
  }
  bench.core.receive(batch, bench.now);
  return (batch * length) / MSS;
}

/** Writes as much as is taken, and acknowledges what was sent of it. */
function sendBatch(): number {
  const before = bench.segmentsSent;
  while (bench.connection.writable >= WRITE_BYTES) bench.connection.write(chunk);
  bench.core.flush(bench.now);
  bench.now += 50;
  bench.prepare(0, ACK, 0, 0);
  bench.core.receive(1, bench.now);
  return bench.segmentsSent - before;
}

let batches = 0;

/** The same, but the first segment of every eighth batch is lost; the peer tells, and gets it again. */
function lossyBatch(): number {
  batches += 1;
  if (batches % 8 !== 0) return sendBatch();
  const before = bench.segmentsSent;
  const first = bench.connection.snd.una;
  while (bench.connection.writable >= WRITE_BYTES) bench.connection.write(chunk);
  bench.core.flush(bench.now);
  bench.now += 500;
  bench.prepareSack(0, first, (first + MSS) | 0);
  bench.core.receive(1, bench.now);
  // Long enough for what is only overtaken.
  bench.now += 10_000;
  bench.core.advance(bench.now);
  bench.prepare(0, ACK, 0, 0);
  bench.core.receive(1, bench.now);
  return bench.segmentsSent - before;
}

/** Data in both directions in the same segments. */
function bothBatch(): number {
  const before = bench.segmentsSent;
  if (bench.connection.writable >= WRITE_BYTES) bench.connection.write(chunk);
  for (let slot = 0; slot < bench.slots; slot++) bench.prepare(slot, ACK | PSH, MSS, 0);
  bench.core.receive(bench.slots, bench.now);
  return bench.slots + bench.segmentsSent - before;
}

function batchOf(): () => number {
  if (what.includes('lost')) return lossyBatch;
  if (what.startsWith('send')) return sendBatch;
  return what.startsWith('both') ? bothBatch : receiveBatch;
}

function pump(segments: number): number {
  const batch = batchOf();
  let done = 0;
  while (done < segments) {
    const moved = batch();
    if (moved === 0) throw new Error(`stuck after ${done} segments: ${bench.connection.stateName}`);
    done += moved;
    bench.now += 100;
    // Timers run as they would: keep them from piling up.
    if (bench.core.nextDeadline() <= bench.now) bench.core.advance(bench.now);
  }
  return done;
}

let collections = 0;
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().length;
});

pump(Number(count) / 4);
await sleep(50);
(globalThis as { gc?: () => void }).gc?.();
await sleep(50);
observer.observe({ entryTypes: ['gc'] });
const heap = process.memoryUsage().heapUsed;
const start = performance.now();
const segments = pump(Number(count));
const ms = performance.now() - start;
const bytes = process.memoryUsage().heapUsed - heap;
// Entries are told later.
await sleep(50);
collections += observer.takeRecords().length;
observer.disconnect();
const { bytesRead, bytesSent } = bench;
const { retransmits } = bench.connection.info();
console.log(
  JSON.stringify({ segments, collections, bytes, ms, bytesRead, bytesSent, retransmits }),
);
process.exit();
