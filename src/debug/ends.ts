// What can be seen of the two ends of a connection, and of what waits between them. Knows stacks, tables of
// a kernel and a gate; must not know who asks.

import type { Gate, HeldPacket } from '../device/gate.js';
import type { StackCore } from '../stack/core.js';
import { connectionName } from '../trace/connection-name.js';
import {
  type End,
  type SegmentFields,
  type TcbSnapshot,
  type TraceEvent,
  TWO_MSL,
} from '../trace/event.js';
import { connectionOf, type KernelSocket } from '../trace/kernel-sockets.js';
import { Origins } from '../trace/origins.js';
import {
  connectionOfSegment,
  decodeSegment,
  describeSegment,
  sequenceLength,
} from '../trace/segment.js';
import { snapshot } from '../trace/snapshot.js';
import type { EndLook, HeldLook } from './debuggee.js';

/** An end without a connection. */
export const NOBODY: EndLook = {
  endpoint: null,
  state: 'CLOSED',
  tcb: null,
  timer: null,
  queues: null,
};

/** The connection that the newest event is about; null where there was none. */
export function newestConnection(events: readonly TraceEvent[]): string | null {
  for (let i = events.length - 1; i >= 0; i--) {
    const { connection, end } = events[i]!;
    if (connection !== null && end === 'ours') return connection;
  }
  return null;
}

/** The connection that a packet at the gate is of, our end first; null where it is none of TCP. */
export function connectionOfHeld({ packet, direction }: HeldPacket): string | null {
  const segment = decodeSegment(packet.bytes);
  return segment === null ? null : connectionOfSegment(segment, direction);
}

/** What the tables of an end show of a connection; LISTEN is not a connection's. */
type TableEntry = Omit<EndLook, 'endpoint'>;

/**
 * A stack's end of a connection, alive or in TIME-WAIT.
 * @param connection its own end first
 * @param last what was known of it when it ended, so that this is not forgotten at once
 */
export function endOfStack(
  core: StackCore,
  connection: string,
  last: () => TcbSnapshot | null,
): TableEntry {
  for (const each of core.connections()) {
    if (connectionName(each) !== connection) continue;
    const tcb = snapshot(each);
    return { state: tcb.state, tcb, timer: tcb.timers[0] ?? null, queues: null };
  }
  const known = last();
  const tcb = known === null ? null : { ...known, timers: [] };
  const record = core.timeWaits().find((each) => connectionName(each) === connection);
  if (record === undefined) return { state: 'CLOSED', tcb, timer: null, queues: null };
  const timer = { name: TWO_MSL, ms: record.remainingMs };
  return { state: 'TIME-WAIT', tcb, timer, queues: null };
}

/** A kernel's end of a connection, as far as its tables show it. */
export function endOfKernel(sockets: readonly KernelSocket[], connection: string): TableEntry {
  const socket = sockets.find((each) => connectionOf(each) === connection);
  if (socket === undefined) return { state: 'CLOSED', tcb: null, timer: null, queues: null };
  const { state, timer, sendQueue: send, receiveQueue: receive, retransmits } = socket;
  return { state, tcb: null, timer, queues: { send, receive, retransmits } };
}

/** The last control block that an end's events tell of. */
export function lastTcb(
  events: readonly TraceEvent[],
  end: End,
  connection: string,
): TcbSnapshot | null {
  for (let i = events.length - 1; i >= 0; i--) {
    const event = events[i]!;
    if (event.tcb !== null && event.end === end && event.connection === connection) {
      return event.tcb;
    }
  }
  return null;
}

/** A gate may be kept for hours: whether something is a repetition is known for so many segments. */
const REMEMBERED = 10_000;

/** What waits at a gate, with numbers that count from the initial ones. */
export class Waiting {
  readonly #origins = new Origins();
  /** What was waiting already when it was looked last, by number. */
  #looks = new Map<number, HeldLook>();
  /** Who has first said what takes these sequence numbers. */
  readonly #first = new Map<string, number>();

  /** @param originOf who has made a packet */
  look(gate: Gate, originOf: (held: HeldPacket) => HeldLook['origin']): HeldLook[] {
    const looks = gate.held.map(
      (held) => this.#looks.get(held.id) ?? this.#describe(held, originOf(held)),
    );
    this.#looks = new Map(looks.map((look) => [look.id, look]));
    return looks;
  }

  #describe({ id, direction, packet }: HeldPacket, origin: HeldLook['origin']): HeldLook {
    const segment = decodeSegment(packet.bytes, packet.gsoSize);
    if (segment === null) {
      const text = otherPacket(packet.bytes);
      return { id, direction, connection: null, text, origin, again: false, segment };
    }
    this.#origins.learn(segment, origin === 'injected');
    const text = describeSegment(segment, this.#origins.relative(segment));
    const again = this.#isAgain(id, segment);
    const connection = connectionOfSegment(segment, direction);
    return { id, direction, connection, text, origin, again, segment };
  }

  #isAgain(id: number, segment: SegmentFields): boolean {
    const length = sequenceLength(segment);
    if (length === 0) return false;
    const { sourcePort, destinationPort, seq } = segment;
    const key = `${sourcePort} ${destinationPort} ${seq} ${length}`;
    const first = this.#first.get(key) ?? id;
    this.#first.set(key, first);
    if (this.#first.size > REMEMBERED) this.#first.delete(this.#first.keys().next().value!);
    return first !== id;
  }
}

function otherPacket(bytes: Uint8Array): string {
  const protocol = bytes[0]! >> 4 === 4 ? bytes[9]! : bytes[6]!;
  const name = protocol === 1 || protocol === 58 ? 'ICMP' : `protocol ${protocol}`;
  return `${name}, ${bytes.length} bytes`;
}
