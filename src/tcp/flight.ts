// What is in flight: a log of what was sent and is not acknowledged, which is the scoreboard of
// RFC 6675 at the same time, and what loss recovery remembers beside it. Knows ranges and their
// marks; must not know when something counts as lost.

/** Fields of one record, each an int32. */
const FIELDS = 4;
const START = 0;
const END = 1;
const SENT = 2;
const MARKS = 3;

// Marks. What is neither SACKED nor LOST is in the network.
/** The peer holds it, beyond a gap (RFC 2018). */
export const SACKED = 1;
/** It counts as lost, and was not sent again since. */
export const LOST = 2;
/** It was sent more than once: its acknowledgment times nothing (Karn). */
export const RESENT = 4;

/** Records at the start, and at most: a peer that asks for more by absurd SACK blocks gets no more. */
const FEW = 16;
const MOST = 8192;

// What a retransmission timeout may still turn out to be (frto.ts).
export const FRTO_OFF = 0;
/** The first segment was sent again, nothing was heard yet: RFC 5682 §3.1 step 1. */
export const FRTO_TIMED_OUT = 1;
/** New data were sent, to see whether they or the old ones are acknowledged: step 2b. */
export const FRTO_NEW_DATA = 2;

/**
 * Records cover SND.UNA to SND.NXT without a gap, in order. One record is what was sent in one turn,
 * until a loss or a SACK block makes a difference within it. Times are clock.us.
 */
export class Flight {
  private records = new Int32Array(FIELDS * FEW);
  private first = 0;
  count = 0;
  sackedBytes = 0;
  lostBytes = 0;
  /** One past the highest number that was sent again. */
  resentTo = 0;

  // ── What the segment that is being processed tells ──
  /** Bytes that it acknowledges or SACKs for the first time. */
  delivered = 0;
  /** Among them is one that was sent once only, before the last episode began (RFC 5682). */
  originalDelivered = false;
  /** Round-trip time of the last one that was sent once only, µs; -1 for none. */
  sampleUs = -1;
  /** The same of the first one: it includes the delay of a delayed ACK. */
  oldestSampleUs = -1;
  /** It reports this as received twice (RFC 2883); the same number twice for nothing. */
  dsackStart = 0;
  dsackEnd = 0;

  // ── RACK, RFC 8985 §5.3 ──
  /** Of all that was delivered, what was sent last: when, where it ends, and its round-trip time. */
  rackUs = 0;
  rackEnd = 0;
  rackRttUs = 0;
  /** The highest number that was delivered, and the same before this segment. */
  fack = 0;
  priorFack = 0;
  reorderingSeen = false;
  /** The reordering window in quarters of the smallest round-trip time, and its memory of D-SACKs. */
  windowSteps = 1;
  windowPersists = 0;
  /** SND.NXT when the window was last widened; meaningful while `dsackRound`. */
  dsackRoundEnd = 0;
  dsackRound = false;

  // ── Tail loss probe, RFC 8985 §7 ──
  /** A probe is out, and whether it told the peer anything new. */
  probing = false;
  probeResent = false;
  probeEnd = 0;

  // ── The episode: fast recovery (`snd.recovering`), or what follows a timeout ──
  afterTimeout = false;
  frto = FRTO_OFF;
  /** RFC 9937 §6: bytes delivered and sent since it began, and in flight when it did. */
  prrDelivered = 0;
  prrOut = 0;
  recoverFlight = 0;
  /** SND.UNA when it began, while it may still turn out to have been a mistake. */
  undoFrom = 0;
  mayUndo = false;
  /** Bytes sent again that no D-SACK has called superfluous yet. */
  undoBytes = 0;
  hasResent = false;
  /** TSval of the first retransmission, until SND.UNA moves; meaningful while `stamped` (RFC 3522). */
  resentStamp = 0;
  stamped = false;
  /** It outlived its data once, for a D-SACK that may come late. */
  lingers = false;

  start(i: number): number {
    return this.records[(this.first + i) * FIELDS + START]!;
  }

  end(i: number): number {
    return this.records[(this.first + i) * FIELDS + END]!;
  }

  /** When it was sent last, clock.us. */
  sentUs(i: number): number {
    return this.records[(this.first + i) * FIELDS + SENT]!;
  }

  marks(i: number): number {
    return this.records[(this.first + i) * FIELDS + MARKS]!;
  }

  length(i: number): number {
    return (this.end(i) - this.start(i)) | 0;
  }

  /** [start, end) was sent at SND.NXT. What goes out in the same turn is one record. */
  append(start: number, end: number, us: number, marks: number): void {
    const { count } = this;
    if (count > 0) {
      const last = (this.first + count - 1) * FIELDS;
      const alike = this.records[last + SENT] === us && this.records[last + MARKS] === marks;
      if (alike || (count >= MOST && (this.records[last + MARKS]! & (SACKED | LOST)) === 0)) {
        this.records[last + END] = end;
        this.records[last + SENT] = us;
        return;
      }
    }
    if (count === 0) this.begin(start, us);
    this.makeRoom();
    this.count = count + 1;
    this.put(count, start, end, us, marks);
  }

  /** Nothing is in flight that was sent earlier. */
  private begin(start: number, us: number): void {
    this.rackUs = us;
    this.rackEnd = start;
  }

  private put(i: number, start: number, end: number, us: number, marks: number): void {
    const at = (this.first + i) * FIELDS;
    this.records[at + START] = start;
    this.records[at + END] = end;
    this.records[at + SENT] = us;
    this.records[at + MARKS] = marks;
  }

  /** Room for one record more. */
  private makeRoom(): void {
    if ((this.first + this.count + 1) * FIELDS <= this.records.length) return;
    if (this.first > 0 && this.first >= this.count) {
      this.records.copyWithin(0, this.first * FIELDS);
    } else {
      const larger = new Int32Array(2 * this.records.length);
      larger.set(this.records.subarray(this.first * FIELDS));
      this.records = larger;
    }
    this.first = 0;
  }

  /** The record that holds `seq`: the first one that ends behind it; `count` when there is none. */
  find(seq: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((this.end(middle) - seq) | 0) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Makes record `i` end at `seq`, with a copy of it behind; false when there is no room for one. */
  split(i: number, seq: number): boolean {
    if (this.count >= MOST) return false;
    this.makeRoom();
    const at = (this.first + i) * FIELDS;
    this.records.copyWithin(at + FIELDS, at, (this.first + this.count) * FIELDS);
    this.count += 1;
    this.records[at + END] = seq;
    this.records[at + FIELDS + START] = seq;
    return true;
  }

  /** What lies before `seq`, all of it in record 0, is acknowledged: it leaves the log. */
  trim(seq: number): void {
    const gone = (seq - this.start(0)) | 0;
    const marks = this.marks(0);
    if ((marks & SACKED) !== 0) this.sackedBytes = (this.sackedBytes - gone) | 0;
    if ((marks & LOST) !== 0) this.lostBytes = (this.lostBytes - gone) | 0;
    if (seq !== this.end(0)) {
      this.records[this.first * FIELDS + START] = seq;
      return;
    }
    this.count -= 1;
    this.first = this.count === 0 ? 0 : this.first + 1;
  }

  /** Record `i` has arrived. Neighbours that have arrived, too, become one with it; answers which. */
  sack(i: number): number {
    const length = this.length(i);
    if ((this.marks(i) & LOST) !== 0) this.lostBytes = (this.lostBytes - length) | 0;
    this.sackedBytes = (this.sackedBytes + length) | 0;
    this.records[(this.first + i) * FIELDS + MARKS] = SACKED;
    if (i + 1 < this.count && this.marks(i + 1) === SACKED) this.join(i);
    if (i === 0 || this.marks(i - 1) !== SACKED) return i;
    this.join(i - 1);
    return i - 1;
  }

  /** Records i and i+1 become one. */
  private join(i: number): void {
    const at = (this.first + i) * FIELDS;
    this.records[at + END] = this.records[at + FIELDS + END]!;
    this.records.copyWithin(at + FIELDS, at + 2 * FIELDS, (this.first + this.count) * FIELDS);
    this.count -= 1;
  }

  lose(i: number): void {
    this.records[(this.first + i) * FIELDS + MARKS] = this.marks(i) | LOST;
    this.lostBytes = (this.lostBytes + this.length(i)) | 0;
  }

  /** All of record `i` was sent again. */
  resend(i: number, us: number): void {
    const at = (this.first + i) * FIELDS;
    const end = this.records[at + END]!;
    if ((this.marks(i) & LOST) !== 0) this.lostBytes = (this.lostBytes - this.length(i)) | 0;
    this.records[at + MARKS] = RESENT;
    this.records[at + SENT] = us;
    if (((end - this.resentTo) | 0) > 0) this.resentTo = end;
  }

  /** The first lost record from index `from` on, -1 for none; what is lost behind it becomes part of it. */
  nextLost(from: number): number {
    if (this.lostBytes === 0) return -1;
    let i = from;
    while (i < this.count && (this.marks(i) & LOST) === 0) i++;
    if (i >= this.count) return -1;
    while (i + 1 < this.count && this.marks(i + 1) === this.marks(i)) this.join(i);
    return i;
  }

  /** Nothing was lost after all: it is in the network. */
  findAll(): void {
    for (let i = 0; i < this.count; i++) this.records[(this.first + i) * FIELDS + MARKS] &= ~LOST;
    this.lostBytes = 0;
  }

  /** RFC 2018 §8: the peer has thrown away what it held beyond a gap; it is in nobody's hands. */
  renege(): void {
    for (let i = 0; i < this.count; i++) {
      const at = (this.first + i) * FIELDS + MARKS;
      if ((this.records[at]! & SACKED) !== 0) this.records[at] = LOST | RESENT;
    }
    this.lostBytes = (this.lostBytes + this.sackedBytes) | 0;
    this.sackedBytes = 0;
  }

  /** SND.NXT goes back to SND.UNA: what was sent so far is sent anew, as if for the first time. */
  clear(): void {
    this.count = 0;
    this.first = 0;
    this.sackedBytes = 0;
    this.lostBytes = 0;
  }

  /** Whether there is nothing about it but data on their way. */
  get isPlain(): boolean {
    return (this.sackedBytes | this.lostBytes) === 0 && !this.afterTimeout;
  }

  /** As new, for another connection whose first number is `seq`. */
  reset(seq: number): void {
    this.clear();
    this.resentTo = seq;
    this.rackRttUs = 0;
    this.fack = seq;
    this.reorderingSeen = false;
    this.windowSteps = 1;
    this.windowPersists = 0;
    this.dsackRound = false;
    this.probing = false;
    this.afterTimeout = false;
    this.frto = FRTO_OFF;
    this.mayUndo = false;
    this.hasResent = false;
    this.stamped = false;
    this.lingers = false;
  }

  /** Whether it has grown so much that it is not worth keeping. */
  get isLarge(): boolean {
    return this.records.length > FIELDS * 32 * FEW;
  }
}

/**
 * Flights that no connection needs, so that an idle one holds none and a busy one makes none. They
 * are all alike: whose they were cannot be seen.
 */
const spare: Flight[] = [];
const MOST_SPARE = 256;

/** An empty one for a connection whose next number is `seq`. */
export function takeFlight(seq: number): Flight {
  const flight = spare.pop() ?? new Flight();
  flight.reset(seq);
  return flight;
}

/** It is needed no more. */
export function giveFlight(flight: Flight): void {
  if (spare.length < MOST_SPARE && !flight.isLarge) spare.push(flight);
}
