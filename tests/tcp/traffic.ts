// Random traffic for one established connection: what a peer sends, what the application calls, and
// time. Knows how to play it to any stage; must not know what is compared then.

import fc from 'fast-check';
import { mayQueueData } from '../../src/tcp/state.js';
import type { Peer, SegmentFields } from '../stack/peer.js';
import type { TcpOption } from '../support/trace-packet.js';
import type { Stage } from './states.js';

export type Step =
  | { do: 'data'; bytes: number; segment: number; acks: number; flags: string; window: number }
  | { do: 'ahead'; by: number; bytes: number; fin: boolean }
  | { do: 'overtaken fin'; bytes: number; between: number }
  | { do: 'again'; by: number; bytes: number }
  | { do: 'ack'; acks: number; window: number; sack: boolean; repeat: number }
  | { do: 'odd'; flags: string; bytes: number; seqBy: number; ackBy: number; urgent: number }
  | { do: 'old timestamp'; bytes: number; by: number }
  | { do: 'bare'; bytes: number }
  | { do: 'write'; bytes: number }
  | { do: 'read'; bytes: number }
  | { do: 'sleep'; ms: number }
  | { do: 'fin' }
  | { do: 'shutdown' };

const bytes = fc.oneof(
  fc.nat(20),
  fc.nat(1460),
  fc.constant(1460),
  fc.constant(1448),
  fc.nat(30_000),
);
const window = fc.oneof(
  { weight: 6, arbitrary: fc.constant(65_535) },
  { weight: 2, arbitrary: fc.nat(65_535) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 2000) },
);
/** Which part of what is unacknowledged is acknowledged, in quarters. */
const acks = fc.oneof({ weight: 3, arbitrary: fc.constant(4) }, fc.nat(4));

const ordinary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('data' as const),
      ...{ bytes, acks, window, flags: fc.constantFrom('.', 'P.') },
      segment: fc.constantFrom(0, 0, 1448, 500),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ack' as const),
      ...{ acks, window, sack: fc.constant(false), repeat: fc.constant(1) },
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), bytes }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), bytes }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('sleep' as const),
      ms: fc.oneof(fc.nat(5), fc.nat(60), fc.nat(3000)),
    }),
  },
);

const unusual: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('ahead' as const),
    by: fc.integer({ min: 1, max: 5000 }),
    ...{ bytes, fin: fc.boolean() },
  }),
  fc.record({
    do: fc.constant('overtaken fin' as const),
    ...{ bytes: fc.integer({ min: 1, max: 2000 }), between: fc.nat(2000) },
  }),
  fc.record({ do: fc.constant('again' as const), by: fc.integer({ min: 1, max: 5000 }), bytes }),
  fc.record({
    do: fc.constant('ack' as const),
    ...{ acks: fc.constant(0), window: fc.constant(65_535), sack: fc.boolean() },
    repeat: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({
    do: fc.constant('odd' as const),
    flags: fc.constantFrom('U.', 'E.', 'W.', 'EWP.', 'S.', 'S', 'R', 'F', '', 'P', 'U'),
    bytes: fc.nat(100),
    seqBy: fc.constantFrom(0, 0, 0, 1, -1, 70_000, -70_000),
    ackBy: fc.constantFrom(0, 0, 0, 1, -1, 5000, -5000, -3_000_000),
    urgent: fc.nat(200),
  }),
  fc.record({
    do: fc.constant('old timestamp' as const),
    bytes: fc.nat(100),
    by: fc.constantFrom(1, 1000, 2 ** 30, 0),
  }),
  fc.record({ do: fc.constant('bare' as const), bytes: fc.nat(100) }),
);

const last: fc.Arbitrary<Step> = fc.constantFrom(
  { do: 'fin' as const },
  { do: 'shutdown' as const },
);

/** Mostly what bulk transfer consists of, now and then what is not. */
export const traffic: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 60, arbitrary: ordinary },
    { weight: 6, arbitrary: unusual },
    { weight: 1, arbitrary: last },
  ),
  { minLength: 5, maxLength: 60, size: 'max' },
);

/** What the peer's SYN offers. */
export const offers: fc.Arbitrary<TcpOption[]> = fc.constantFrom<TcpOption[]>(
  [],
  [{ kind: 'mss', value: 1460 }],
  [{ kind: 'mss', value: 1460 }, { kind: 'sackOK' }],
  [
    { kind: 'mss', value: 1460 },
    { kind: 'sackOK' },
    { kind: 'TS', val: 1000, ecr: 0 },
    { kind: 'wscale', value: 7 },
  ],
  [
    { kind: 'mss', value: 536 },
    { kind: 'TS', val: -5, ecr: 0 },
  ],
);

/** Plays steps to one connection. */
export class Player {
  private acked: number;
  private readonly timestamps: boolean;

  constructor(readonly stage: Stage) {
    stage.application.reads = false;
    this.acked = stage.peer.stackNxt;
    this.timestamps = stage.connection.timestamps;
  }

  play(step: Step): void {
    const { peer, connection } = this.stage;
    switch (step.do) {
      case 'data':
        this.send({
          ...{ data: step.bytes, flags: step.flags, window: step.window },
          ...{ ack: this.acknowledge(step.acks), gsoSize: step.bytes > 1460 ? step.segment : 0 },
        });
        return;
      case 'ahead':
        this.send({
          ...{ seq: peer.nxt + step.by, data: step.bytes, flags: step.fin ? 'F.' : '.' },
          ack: this.acked,
        });
        return;
      case 'overtaken fin': {
        // The FIN comes before its data, which come in one piece or two.
        const fin = peer.nxt + step.bytes;
        const first = Math.min(step.between, step.bytes);
        this.send({ seq: fin, flags: 'F.', ack: this.acked });
        this.send({ data: first, ack: this.acked });
        this.send({ data: step.bytes - first, ack: this.acked });
        return;
      }
      case 'again':
        this.send({ seq: peer.nxt - step.by, data: step.bytes, ack: this.acked });
        return;
      case 'ack':
        for (let i = 0; i < step.repeat; i++) {
          this.send(
            { ack: this.acknowledge(step.acks), window: step.window },
            this.sack(step.sack),
          );
        }
        return;
      case 'odd':
        this.send({
          ...{ seq: peer.nxt + step.seqBy, ack: this.acked + step.ackBy, data: step.bytes },
          ...{ flags: step.flags, urgent: step.urgent },
        });
        return;
      case 'old timestamp':
        this.send({ data: step.bytes, seq: peer.nxt }, [], -step.by);
        return;
      case 'bare':
        peer.send({ data: step.bytes });
        return;
      case 'fin':
        this.send({ flags: 'F.', ack: this.acked });
        return;
      case 'shutdown':
        connection.shutdown();
        peer.listen();
        return;
      default:
        this.callOrSleep(step);
    }
  }

  private callOrSleep(step: Step & { do: 'write' | 'read' | 'sleep' }): void {
    const { peer, connection, application } = this.stage;
    if (step.do === 'sleep') {
      peer.pass(step.ms * 1000);
    } else if (step.do === 'read') {
      const piece = new Uint8Array(Math.min(step.bytes, connection.readable));
      connection.read(piece);
      application.pieces.push(piece);
    } else if (!connection.finQueued && mayQueueData(connection.state)) {
      connection.write(peer.bytes(peer.iss + 1, step.bytes));
    }
    peer.listen();
  }

  /** The number up to which the peer acknowledges now; it never goes back. */
  private acknowledge(quarters: number): number {
    const outstanding = (this.stage.peer.stackNxt - this.acked) | 0;
    this.acked = (this.acked + Math.floor((outstanding * quarters) / 4)) >>> 0;
    return this.acked;
  }

  private sack(wanted: boolean): TcpOption[] {
    const outstanding = (this.stage.peer.stackNxt - this.acked) | 0;
    if (!wanted || outstanding < 3) return [];
    const end = this.stage.peer.stackNxt;
    return [{ kind: 'sack', blocks: [[(end - (outstanding >> 1)) >>> 0, end]] }];
  }

  private send(fields: SegmentFields, options: TcpOption[] = [], timestampBy = 0): void {
    const { peer } = this.stage;
    const all = this.timestamps ? [...timestamp(peer, timestampBy), ...options] : options;
    peer.send({ ...fields, options: all });
  }
}

function timestamp(peer: Peer, by: number): TcpOption[] {
  const val = (1000 + Math.floor(peer.now / 1000) + by) | 0;
  const heard = peer.heard.at(-1)?.options.find((option) => option.kind === 'TS');
  const ecr = heard?.kind === 'TS' ? heard.val : 0;
  return [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'TS', val, ecr }];
}
