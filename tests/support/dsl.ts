// Tests that read like packet traces, in packetdrill's notation (trace-script.ts has the grammar):
// `trace` defines the tests, a fixture says how the connection comes into the state in which the
// trace begins. Knows vitest and the fixtures; not how traces are played.

import { test } from 'vitest';
import type { TcpConfig } from '../../src/tcp/config.js';
import { DEFAULT_TCP_CONFIG } from '../../src/tcp/config.js';
import { CoreHost } from './trace-core.js';
import type { Family } from './trace-flow.js';
import { TraceFailure } from './trace-ladder.js';
import { TraceRun } from './trace-run.js';
import { parseScript } from './trace-script.js';

/** How a connection of a trace is made. */
export interface TraceOptions {
  /** Bytes that the peer's MSS option offers; 0 for no option. Default 1000. */
  mss?: number;
  /** Initial congestion window, bytes: a multiple of `mss`. Default ten segments. */
  cwnd?: number;
  /** Window in the peer's SYN. Default 65535. */
  win?: number;
  /** What else the peer's SYN offers. Default nothing. */
  timestamps?: boolean;
  sack?: boolean;
  wscale?: number;
  /** Whether the peer opens. Default: we do. */
  passive?: boolean;
  /** Seconds that the handshake takes. Default 0.01. */
  rtt?: number;
  /** Families for which the trace holds. Default both. */
  families?: readonly Family[];
  /** A device that takes and gives super-segments. Default false. */
  offload?: boolean;
  /** Default 1500. */
  mtu?: number;
  /** Bytes of the stack's memory. Default 4 MiB. */
  memory?: number;
  tcp?: Partial<TcpConfig>;
}

export interface Fixture {
  options: TraceOptions;
  /** The trace that leads to the state. */
  prelude: string;
}

interface Variant {
  label: string;
  family: Family;
  isn?: () => number;
  peerIss: number;
  start: number;
  tcp: Partial<TcpConfig>;
}

/** Sequence numbers that wrap within the first half kilobyte, and a clock that does so after 50 ms. */
const BELOW_THE_WRAP = {
  isn: () => -300 >>> 0,
  peerIss: -200 >>> 0,
  start: 2 ** 31 * 1000 - 50_000,
  tcp: {},
};
/** Numbers whose sign as int32 changes within the first half kilobyte. */
const BELOW_THE_SIGN = { isn: () => 2 ** 31 - 300, peerIss: 2 ** 31 - 200, start: 5_000_000 };
const PLAIN = { peerIss: 1_000_000, start: 5_000_000, tcp: {} };

const VARIANTS: readonly Variant[] = [
  { label: '', family: 4, ...PLAIN },
  { label: ' [below the wrap]', family: 4, ...BELOW_THE_WRAP },
  { label: ' [full path]', family: 4, ...BELOW_THE_SIGN, tcp: { headerPrediction: false } },
  { label: ' [IPv6, below the wrap]', family: 6, ...BELOW_THE_WRAP },
];

/** What a trace does not ask for does not change its numbers. */
const PLAIN_SENDER: Partial<TcpConfig> = { congestion: 'newreno', pacing: false };

/**
 * Defines tests in which a stack has to do exactly what `script` lists: once plainly, once with
 * sequence numbers and clock just below their wrap, once without header prediction (and with numbers
 * just below 2^31), once over IPv6.
 */
export function trace(name: string, fixture: Fixture, script: string): void {
  const place = new Error();
  const { options } = fixture;
  const lines = parseScript(script);
  const prelude = parseScript(fixture.prelude);
  for (const variant of VARIANTS) {
    if (options.families !== undefined && !options.families.includes(variant.family)) continue;
    const title = name + variant.label;
    test(title, () => {
      const host = new CoreHost({
        family: variant.family,
        tcp: { ...PLAIN_SENDER, ...initialWindow(options), ...options.tcp, ...variant.tcp },
        mtu: options.mtu ?? 1500,
        offload: options.offload ?? false,
        memory: options.memory ?? 4 * 1024 * 1024,
        ...(variant.isn === undefined ? {} : { isn: variant.isn }),
      });
      const run = new TraceRun(title, host, {
        family: variant.family,
        peerIss: variant.peerIss,
        mslMs: options.tcp?.msl ?? DEFAULT_TCP_CONFIG.msl,
        start: variant.start,
      });
      try {
        run.play(prelude, 'fixture');
        run.play(lines, 'trace');
      } catch (error) {
        // Where the trace stands says more than where its player noticed.
        if (error instanceof TraceFailure) {
          error.stack = `${error.message}\n${place.stack!.split('\n').slice(2).join('\n')}`;
        }
        throw error;
      }
    });
  }
}

function initialWindow(options: TraceOptions): Partial<TcpConfig> {
  if (options.cwnd === undefined) return {};
  const segments = options.cwnd / (options.mss ?? 1000);
  if (!Number.isInteger(segments)) throw new RangeError('cwnd is not a multiple of mss');
  return { initialWindow: segments };
}

/** The options of the peer's SYN. */
function synOptions(options: TraceOptions, echo: string): string {
  const mss = options.mss ?? 1000;
  const list = [
    ...(mss === 0 ? [] : [`mss ${mss}`]),
    ...(options.sack === true ? ['sackOK'] : []),
    ...(options.timestamps === true ? [`TS 100 ${echo}`] : []),
    ...(options.wscale === undefined ? [] : ['nop', `wscale ${options.wscale}`]),
  ];
  return list.length === 0 ? '' : `<${list.join(',')}>`;
}

/** The options of the peer's other segments: the same TSval, so that a trace may begin with it. */
const stamp = (options: TraceOptions): string =>
  options.timestamps === true ? ' <nop,nop,TS 100 0>' : '';

function fixture(options: TraceOptions, ...lines: string[]): Fixture {
  return { options, prelude: lines.join('\n') };
}

function then(before: Fixture, ...lines: string[]): Fixture {
  return { options: before.options, prelude: [before.prelude, ...lines].join('\n') };
}

/** Nothing has been called. */
export const closed = (options: TraceOptions = {}): Fixture => fixture(options);

export const listening = (options: TraceOptions = {}): Fixture =>
  fixture(options, '0  listen()  LISTEN');

export const synSent = (options: TraceOptions = {}): Fixture =>
  fixture(options, '0  connect()  SYN-SENT', '+0  > S 0:0(0) <*>');

/** By a passive open, or, with `passive: false`, by SYNs that crossed. */
export const synReceived = (options: TraceOptions = {}): Fixture => {
  const syn = `+0  < S 0:0(0) win ${options.win ?? 65535} ${synOptions(options, '0')}  SYN-RECEIVED`;
  const before = options.passive === false ? synSent(options) : listening(options);
  return then(before, syn, '+0  > S. 0:0(0) ack 1 <*>');
};

export const established = (options: TraceOptions = {}): Fixture => {
  const rtt = options.rtt ?? 0.01;
  const win = options.win ?? 65535;
  if (options.passive === true) {
    return then(
      synReceived(options),
      `+${rtt}  < . 1:1(0) ack 1 win ${win}${stamp(options)}  ESTABLISHED`,
      '+0  accept()',
    );
  }
  return then(
    synSent(options),
    `+${rtt}  < S. 0:0(0) ack 1 win ${win} ${synOptions(options, '0')}  ESTABLISHED`,
    '+0  > . 1:1(0) ack 1 <*>',
    '+0  established',
  );
};

/**
 * The quick ACKs of the beginning are over, by twenty bytes that we sent (21 is next); the peer has
 * sent nothing yet.
 */
export const settled = (options: TraceOptions = {}): Fixture => {
  const rounds = Array.from({ length: 20 }, (_, i) => [
    '+0  write(1)',
    `+0  > P. ${i + 1}:${i + 2}(1) ack 1 <*>`,
    `+0.01  < . 1:1(0) ack ${i + 2}${stamp(options)}`,
  ]);
  return then(established(options), ...rounds.flat());
};

/** We closed for sending and still read; with `orphan` nobody reads any more. */
export const finWait1 = (options: TraceOptions & { orphan?: boolean } = {}): Fixture =>
  then(
    established(options),
    `+0  ${options.orphan === true ? 'close' : 'shutdown'}()  FIN-WAIT-1`,
    '+0  > F. 1:1(0) ack 1 <*>',
  );

export const finWait2 = (options: TraceOptions & { orphan?: boolean } = {}): Fixture =>
  then(finWait1(options), `+0.01  < . 1:1(0) ack 2${stamp(options)}  FIN-WAIT-2`);

export const closing = (options: TraceOptions & { orphan?: boolean } = {}): Fixture =>
  then(
    finWait1(options),
    `+0.01  < F. 1:1(0) ack 1${stamp(options)}  CLOSING`,
    '+0  > . 2:2(0) ack 2 <*>',
  );

export const timeWait = (options: TraceOptions & { orphan?: boolean } = {}): Fixture =>
  then(
    finWait2(options),
    `+0.01  < F. 1:1(0) ack 2${stamp(options)}  TIME-WAIT`,
    '+0  > . 2:2(0) ack 2 <*>',
  );

export const closeWait = (options: TraceOptions = {}): Fixture =>
  then(
    established(options),
    `+0.01  < F. 1:1(0) ack 1${stamp(options)}  CLOSE-WAIT`,
    '+0  > . 1:1(0) ack 2 <*>',
  );

export const lastAck = (options: TraceOptions = {}): Fixture =>
  then(closeWait(options), '+0  shutdown()  LAST-ACK', '+0  > F. 1:1(0) ack 2 <*>');
