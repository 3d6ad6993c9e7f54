// Where the data of the next packet are to land: in the ring of the connection that bulk data came for
// last. Knows rings and the words that a device reads; must not know how a device does it.

import type { Arena } from '../storage/arena.js';
import {
  LANDING_FAMILY,
  LANDING_HEADER,
  LANDING_KEY,
  LANDING_OFFSET,
  LANDING_ROOM,
  LANDING_SEQ,
} from '../storage/descriptors.js';
import type { Connection } from '../tcp/connection.js';
import type { Path } from '../tcp/host.js';
import { ipHeaderLength } from '../tcp/segment-out.js';
import { mayReceiveData } from '../tcp/state.js';
import { hasGaps } from '../tcp/tcb.js';
import type { IpAddress } from '../wire/address.js';
import { TCP_HEADER, TIMESTAMPS_BYTES } from '../wire/tcp.js';

/** Payload from which on a packet is worth a guess where the next one belongs. */
export const BULK_BYTES = 8192;
/** The largest packet must fit without a wrap, and a batch of them should. */
const RING_BYTES = 1 << 20;
const LARGEST_PACKET = 65_535;
/** Wrong guesses cost a copy. After some of them, so many turns pass before the next guess. */
const PATIENCE = 4;
const REST_TURNS = 64;

const NONE = -1;

export class Landing {
  private readonly view: DataView;
  private connection: Connection | null = null;
  /** Whose ring a device may write into now. */
  private holder: Connection | null = null;
  /** A guess was made, and no bulk data have come since. */
  private guessed = false;
  private trust = PATIENCE;
  private rest = 0;

  constructor(
    private readonly arena: Arena,
    private readonly path: Path,
    private readonly control: Int32Array,
  ) {
    this.view = new DataView(control.buffer);
  }

  /** Bulk data came for `tcb`; `landed`: to where they were expected. */
  arrived(tcb: Connection, landed: boolean): void {
    // Where a batch is larger than the room, the rest of it says nothing.
    if (this.guessed) {
      this.guessed = false;
      this.trust = landed ? Math.min(this.trust + 1, PATIENCE) : (this.trust - 1) | 0;
    }
    if (tcb === this.connection || tcb.path !== this.path) return;
    this.connection = tcb;
    this.describeFlow(tcb);
  }

  /** Whether this connection's ring is to be kept although it is empty. */
  holds(tcb: Connection): boolean {
    return tcb === this.holder;
  }

  /** At the end of a turn: tells the device what to expect next. */
  renew(): void {
    const tcb = this.connection;
    if (tcb === null) return;
    const { control, arena } = this;
    control[LANDING_HEADER] = 0;
    if (!this.mayGuess() || !isReady(tcb)) {
      this.connection = null;
      this.hold(null);
      return;
    }
    const { ring, nxt } = tcb.rcv;
    if (ring.length === 0) ring.rewind();
    if (!ring.ensure(RING_BYTES)) return;
    arena.pin(ring.blockOffset);
    this.hold(tcb);
    const room = ring.pieceLength(ring.length, ring.capacity - ring.length);
    control[LANDING_OFFSET] = ring.pieceOffset(ring.length);
    control[LANDING_ROOM] = room;
    control[LANDING_SEQ] = nxt;
    control[LANDING_HEADER] = headerBytes(tcb);
    this.guessed = room >= LARGEST_PACKET;
  }

  private hold(tcb: Connection | null): void {
    const last = this.holder;
    if (last === tcb) return;
    this.holder = tcb;
    if (tcb === null) this.arena.pin(NONE);
    last?.releaseEmptyRings();
  }

  private mayGuess(): boolean {
    if (this.rest > 0) {
      this.rest -= 1;
      this.trust = PATIENCE;
      return false;
    }
    if (this.trust > 0) return true;
    this.rest = REST_TURNS;
    return false;
  }

  private describeFlow(tcb: Connection): void {
    const { localAddress, remoteAddress, localPort, remotePort } = tcb;
    this.control[LANDING_FAMILY] = localAddress.family;
    let at = LANDING_KEY * 4;
    at = this.writeAddress(at, remoteAddress);
    at = this.writeAddress(at, localAddress);
    this.view.setInt32(at, (remotePort << 16) | localPort);
  }

  private writeAddress(at: number, address: IpAddress): number {
    const { view } = this;
    if (address.family === 4) {
      view.setInt32(at, address.w3);
      return at + 4;
    }
    view.setInt32(at, address.w0);
    view.setInt32(at + 4, address.w1);
    view.setInt32(at + 8, address.w2);
    view.setInt32(at + 12, address.w3);
    return at + 16;
  }
}

/** The next packet's data would go to the end of the ring, and all of the ring before is in order. */
function isReady(tcb: Connection): boolean {
  return (
    mayReceiveData(tcb.state) &&
    !tcb.orphaned &&
    !tcb.rcv.finWaiting &&
    !hasGaps(tcb) &&
    tcb.rcv.limit >= LARGEST_PACKET
  );
}

function headerBytes(tcb: Connection): number {
  return ipHeaderLength(tcb) + TCP_HEADER + (tcb.timestamps ? TIMESTAMPS_BYTES : 0);
}
