// What must hold for every connection after every turn, whatever arrived. Knows the meaning of the
// TCB's fields; must not know how a test came there.

import type { StackCore } from '../../src/stack/core.js';
import type { Ring } from '../../src/storage/ring.js';
import { endOfData } from '../../src/tcp/close.js';
import type { Connection } from '../../src/tcp/connection.js';
import { LOST, SACKED } from '../../src/tcp/flight.js';
import {
  CLOSE_WAIT,
  CLOSED,
  CLOSING,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  LISTEN,
  SYN_SENT,
  TIME_WAIT,
} from '../../src/tcp/state.js';
import {
  FIN_WAIT_2_TIMER,
  isArmed,
  PERSIST_TIMER,
  RETRANSMIT_TIMER,
  TIMER_COUNT,
} from '../../src/tcp/timers.js';

/** Numbers that may only grow. */
interface Marks {
  una: number;
  max: number;
  nxt: number;
  edge: number;
  state: number;
}

/** Watches the connections of one stack. */
export class Invariants {
  private readonly marks = new Map<Connection, Marks>();
  /** All that were ever seen: also a closed one may hold memory. */
  private readonly seen = new Set<Connection>();

  constructor(
    private readonly core: StackCore,
    /** Memory that no connection holds: packets of the loopback, fragments. */
    private readonly otherBlocks: () => number = () => 0,
  ) {}

  /** @throws Error that names what does not hold. To be called between turns. */
  check(): void {
    const { core, seen } = this;
    for (const connection of core.connections()) {
      seen.add(connection);
      must(connection.state > LISTEN && connection.state < TIME_WAIT, 'in the tables, state');
      must(core.connectionAt(connection.id) === connection, 'its place in the tables');
    }
    for (const connection of seen) this.checkConnection(connection);
    this.checkMemory();
  }

  private checkConnection(connection: Connection): void {
    checkIntegers(connection);
    checkRing(connection.snd.ring, 'send ring');
    checkRing(connection.rcv.ring, 'receive ring');
    must(connection.pending === 0 || connection.scheduled, 'work is left, and nobody knows of it');
    if (connection.state === CLOSED || connection.state === TIME_WAIT) {
      checkOver(connection);
      return;
    }
    checkSendSpace(connection);
    checkFlight(connection);
    checkReceiveSpace(connection);
    checkTimers(connection);
    this.checkMarks(connection);
  }

  /** SND.UNA, SND.MAX, RCV.NXT and the right edge of the window never move left. */
  private checkMarks(connection: Connection): void {
    const { snd, rcv, state } = connection;
    const now = { una: snd.una, max: snd.max, nxt: rcv.nxt, edge: rcv.edge, state };
    const before = this.marks.get(connection);
    this.marks.set(connection, now);
    if (before === undefined) return;
    must(atMost(before.una, now.una), 'SND.UNA moved left');
    must(atMost(before.max, now.max), 'SND.MAX moved left');
    // Before the peer's SYN there is no receive space.
    if (before.state === SYN_SENT) return;
    must(atMost(before.nxt, now.nxt), 'RCV.NXT moved left');
    must(atMost(before.edge, now.edge), 'the right edge of the window moved left');
  }

  private checkMemory(): void {
    let blocks = this.otherBlocks();
    for (const { snd, rcv } of this.seen) blocks += snd.ring.capacity + rcv.ring.capacity;
    must(blocks === this.core.arena.used, `${this.core.arena.used} bytes used, ${blocks} known`);
  }
}

/** Everything that the hot path stores is an int32. */
function checkIntegers({ snd, rcv, rtt }: Connection): void {
  for (const space of [snd, rcv, rtt]) {
    for (const [name, value] of Object.entries(space)) {
      if (typeof value === 'number') must(Object.is(value | 0, value), `${name} is ${value}`);
    }
  }
}

function checkRing(ring: Ring, name: string): void {
  const { capacity, length } = ring;
  must((capacity & (capacity - 1)) === 0, `${name}: capacity ${capacity}`);
  must(length >= 0 && length <= capacity, `${name}: ${length} of ${capacity} bytes`);
}

/** What is over holds nothing but bytes that were not read. */
function checkOver(connection: Connection): void {
  const { snd, rcv, armed, id, orphaned } = connection;
  must(armed === 0, 'a timer runs after the end');
  must(id === -1, 'it stands in the tables after the end');
  must(snd.ring.capacity === 0, 'the send ring is kept after the end');
  must(rcv.outOfOrder === null, 'gaps are kept after the end');
  const unread = !orphaned && rcv.ring.length > 0;
  must(unread || rcv.ring.capacity === 0, 'the receive ring is kept after the end');
}

function checkSendSpace(connection: Connection): void {
  const { snd } = connection;
  const end = endOfData(connection);
  must(atMost(snd.una, snd.nxt) && atMost(snd.nxt, snd.max), 'una <= nxt <= max');
  // The SYN stands before the ring, the FIN behind it.
  const afterFin = snd.finQueued ? (end + 1) | 0 : end;
  must(atMost(snd.max, afterFin) || snd.max === snd.iss, 'something was sent that is not there');
  const syn = snd.synAcknowledged ? 0 : 1;
  const finAcknowledged = snd.una === ((end + 1) | 0) && snd.finQueued;
  const ringSeq = finAcknowledged ? (snd.una - 1) | 0 : (snd.una + syn) | 0;
  must(snd.ringSeq === ringSeq, 'the send ring begins at SND.UNA');
  must(snd.wnd >= 0 && snd.wnd <= 1 << 30, `SND.WND ${snd.wnd}`);
  must(snd.maxWnd >= snd.wnd, 'the largest window is not the largest');
  must(!snd.urgent || !atMost(snd.up, snd.una), 'urgent, though all of it was acknowledged');
  if (!snd.synAcknowledged) return;
  must(snd.mss >= 28 && snd.cwnd > 0, `mss ${snd.mss}, cwnd ${snd.cwnd}`);
  must(snd.ssthresh >= 2 * snd.mss, `ssthresh ${snd.ssthresh}`);
  must(!snd.recovering || atMost(snd.una, snd.recover), 'recovering, though all is recovered');
}

/** The log covers what is outstanding, without a gap, and its sums are right (RFC 6675). */
function checkFlight({ snd, sack }: Connection): void {
  const { flight } = snd;
  if (!snd.synAcknowledged) return;
  must(flight !== null || !sack || snd.una === snd.nxt, 'something is outstanding without a log');
  if (flight === null) return;
  let [sacked, lost, end] = [0, 0, snd.una];
  for (let i = 0; i < flight.count; i++) {
    const marks = flight.marks(i);
    must(flight.start(i) === end, 'the log has a gap');
    must(flight.length(i) > 0, 'an empty record');
    must((marks & (SACKED | LOST)) !== (SACKED | LOST), 'with the peer, and lost');
    if ((marks & SACKED) !== 0) sacked += flight.length(i);
    if ((marks & LOST) !== 0) lost += flight.length(i);
    end = flight.end(i);
  }
  must(end === snd.nxt, 'the log does not end at SND.NXT');
  must(sacked === flight.sackedBytes && lost === flight.lostBytes, 'the sums of the log are wrong');
  must(sacked + lost <= ((snd.nxt - snd.una) | 0), 'pipe is negative');
  must(atMost(flight.fack, snd.max), 'more was delivered than sent');
  must(flight.undoBytes >= 0, 'more is taken back than was sent again');
  for (const [name, value] of Object.entries(flight)) {
    if (typeof value === 'number') must(Object.is(value | 0, value), `flight.${name} is ${value}`);
  }
}

function checkReceiveSpace(connection: Connection): void {
  const { rcv, state, path } = connection;
  if (state === SYN_SENT) return;
  must(atMost(rcv.nxt, rcv.edge) || rcv.ended, 'RCV.NXT is beyond the window');
  must(rcv.limit <= connection.config.receiveBufferMax, 'the receive buffer outgrew its setting');
  must(rcv.mss > 0 && rcv.mss <= path.mtu, `the peer's segments: ${rcv.mss}`);
  must(rcv.ended === hasPeerClosed(connection), 'the state and the end of the stream differ');
  must(!rcv.finWaiting || !rcv.ended, 'a FIN waits, though it was reached');
  const ranges = rcv.outOfOrder;
  if (ranges === null) return;
  let end = rcv.nxt;
  for (let i = 0; i < ranges.count; i++) {
    must(!atMost(ranges.start(i), end), 'a range begins where the one before it ends, or earlier');
    must(!atMost(ranges.end(i), ranges.start(i)), 'an empty range');
    end = ranges.end(i);
  }
  must(atMost(end, rcv.edge) || rcv.ended, 'data beyond the window are kept');
  const extent = ranges.count === 0 ? 0 : (end - rcv.nxt) | 0;
  must(rcv.ring.length + extent <= rcv.ring.capacity, 'data beyond a gap lie outside the ring');
}

function hasPeerClosed({ state }: Connection): boolean {
  return state === CLOSE_WAIT || state === CLOSING || state === LAST_ACK;
}

/** Whoever waits for an ACK has a timer that asks for it again: nothing waits for ever. */
function checkTimers(connection: Connection): void {
  const { snd, armed, state } = connection;
  must(armed >>> TIMER_COUNT === 0, 'an unknown timer');
  const end = endOfData(connection);
  const left = snd.finQueued ? (end + 1) | 0 : end;
  const opening = !snd.synAcknowledged;
  const waits = opening || !atMost(left, snd.una);
  const asks = isArmed(connection, RETRANSMIT_TIMER) || isArmed(connection, PERSIST_TIMER);
  must(!waits || asks, 'something is unacknowledged, and no timer runs');
  const orphan = state === FIN_WAIT_2 && connection.orphaned;
  must(!orphan || isArmed(connection, FIN_WAIT_2_TIMER), 'an orphan may stay for ever');
  must(snd.finQueued === state >= FIN_WAIT_1 || opening, 'the state and the FIN differ');
}

/** a <= b */
function atMost(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`does not hold: ${what}`);
}
