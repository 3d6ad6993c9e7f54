// Records of connections in TIME-WAIT: a few words each in one array. Knows where they are kept; what
// a segment means to one stands in tcp/timewait.ts.

import type { TimeWaitRecord } from '../tcp/timewait.js';

const STRIDE = 8;
const SND_NXT = 0;
const RCV_NXT = 1;
const RCV_WND = 2;
const TS_RECENT = 3;
const TS_OFFSET = 4;
const DURATION_MS = 5;
const FLAGS = 6;
const ENDS_MS = 7;

const USED = 1;
const TIMESTAMPS = 2;

/**
 * One record takes 32 bytes here, 40 in the flow table with some 8 to 16 for its slot, and 16 in the
 * timer wheel. `select` points the fields of this object at one record.
 */
export class TimeWaitTable implements TimeWaitRecord {
  count = 0;
  private words = new Int32Array(64 * STRIDE);
  private at = 0;

  has(id: number): boolean {
    return id * STRIDE < this.words.length && (this.words[id * STRIDE + FLAGS] & USED) !== 0;
  }

  /** The record whose fields this object now shows. */
  select(id: number): this {
    this.at = id * STRIDE;
    return this;
  }

  add(
    id: number,
    sndNxt: number,
    rcvNxt: number,
    rcvWnd: number,
    timestamps: boolean,
    tsRecent: number,
    tsOffset: number,
    durationMs: number,
    endsMs: number,
  ): void {
    while ((id + 1) * STRIDE > this.words.length) this.grow();
    const { words } = this;
    const at = id * STRIDE;
    words[at + SND_NXT] = sndNxt;
    words[at + RCV_NXT] = rcvNxt;
    words[at + RCV_WND] = rcvWnd;
    words[at + TS_RECENT] = tsRecent;
    words[at + TS_OFFSET] = tsOffset;
    words[at + DURATION_MS] = durationMs;
    words[at + FLAGS] = USED | (timestamps ? TIMESTAMPS : 0);
    words[at + ENDS_MS] = endsMs;
    this.count += 1;
  }

  remove(id: number): void {
    this.words[id * STRIDE + FLAGS] = 0;
    this.count -= 1;
  }

  get sndNxt(): number {
    return this.words[this.at + SND_NXT];
  }

  get rcvNxt(): number {
    return this.words[this.at + RCV_NXT];
  }

  get rcvWnd(): number {
    return this.words[this.at + RCV_WND];
  }

  get timestamps(): boolean {
    return (this.words[this.at + FLAGS] & TIMESTAMPS) !== 0;
  }

  get tsRecent(): number {
    return this.words[this.at + TS_RECENT];
  }

  get tsOffset(): number {
    return this.words[this.at + TS_OFFSET];
  }

  /** 2MSL of this record, ms. */
  get durationMs(): number {
    return this.words[this.at + DURATION_MS];
  }

  get endsMs(): number {
    return this.words[this.at + ENDS_MS];
  }

  set endsMs(value: number) {
    this.words[this.at + ENDS_MS] = value;
  }

  private grow(): void {
    const larger = new Int32Array(this.words.length * 2);
    larger.set(this.words);
    this.words = larger;
  }
}
