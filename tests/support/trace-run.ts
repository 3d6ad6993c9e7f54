// Plays a script against a stack in virtual time and says where they differ. Knows the notation and
// the far side; reaches the stack under test only through `TraceHost`.

import { echoBody, type Family, Flow, LOCAL, PEER_PORT } from './trace-flow.js';
import { Ladder, TraceFailure } from './trace-ladder.js';
import { addressBytes, addressText, parseIcmp, parseIp, TCP } from './trace-packet.js';
import {
  formatOption,
  formatRange,
  formatSegment,
  type IcmpSpec,
  type Line,
  type SegmentSpec,
  type Step,
} from './trace-script.js';

export interface EmittedPacket {
  bytes: Uint8Array;
  /** Payload of each segment of a super-segment; 0 for an ordinary packet. */
  gsoSize: number;
}

/** The stack under test, as a trace drives it. Times in microseconds from an arbitrary start. */
export interface TraceHost {
  /** With `more` the turn goes on: another packet follows at once. */
  receive(packet: Uint8Array, gsoSize: number, now: number, more: boolean): void;
  /** Result of a call as text; the code of an error where it threw one. */
  call(flow: number, call: string, args: readonly string[], now: number): string;
  advance(now: number): void;
  /** Infinity when no timer runs. */
  nextDeadline(): number;
  /** Lets the stack send what it wants to send, and takes it. */
  take(now: number): EmittedPacket[];
  stateOf(flow: number): string;
  /** What the application was told and the trace has not listed yet; the runner removes from it. */
  events(flow: number): string[];
  /** What no trace needs to list and is wrong all the same. */
  complaints(): string[];
}

export interface TraceSettings {
  family: Family;
  /** Initial sequence number of the peer. */
  peerIss: number;
  mslMs: number;
  /** Microseconds at which the trace begins. */
  start: number;
}

/** Timers hold milliseconds: what comes less than one off is on time. */
const TOLERANCE = 1000;
/** How far a trace that failed looks for the segment that it missed. */
const LOOK_AHEAD = 600e6;

type Pending = { at: number; packet: EmittedPacket };

export class TraceRun {
  private readonly host: TraceHost;
  private readonly settings: TraceSettings;
  private readonly ladder: Ladder;
  private readonly flows = new Map<number, Flow>();
  private readonly pending: Pending[] = [];
  private now: number;
  /** Time of the line before, as the script says it. */
  private nominal: number;
  private origin: number;
  /** The process was held up: what has arrived meanwhile comes before the timers. */
  private stalled = false;

  constructor(name: string, host: TraceHost, settings: TraceSettings) {
    this.host = host;
    this.settings = settings;
    this.now = settings.start;
    this.nominal = settings.start;
    this.origin = settings.start;
    this.ladder = new Ladder(name);
  }

  /** Plays lines; times begin at zero with the first. @throws TraceFailure */
  play(lines: readonly Line[], part: string): void {
    this.origin = Math.max(this.now, this.nominal);
    this.nominal = this.origin;
    this.ladder.begin(part);
    for (const line of lines) {
      try {
        this.playLine(line);
      } catch (error) {
        if (error instanceof TraceFailure) throw error;
        throw this.fail(line, error instanceof Error ? error : new Error(String(error)));
      }
    }
    if (this.pending.length === 0) return;
    const end = lines.at(-1)!;
    throw this.fail(end, new Error('the stack sent more than the trace lists'));
  }

  private playLine(line: Line): void {
    const at = this.timeOf(line);
    this.nominal = at;
    const { action } = line;
    if (action.kind === 'out' || action.kind === 'out-icmp') this.playOut(line, at);
    else {
      this.quietUntil(at, action.kind !== 'in' && action.kind !== 'in-icmp');
      if (action.kind === 'in') this.playIn(line, action.segment);
      if (action.kind === 'in-icmp') this.playIcmp(line, action.icmp);
      if (action.kind === 'steps') this.playSteps(line, action.steps);
      this.ladder.passed(this.since(this.now), line);
    }
    if (line.state !== null) {
      const state = this.host.stateOf(line.flow);
      if (state !== line.state) throw new Error(`state is ${state}, expected ${line.state}`);
    }
    const complaint = this.host.complaints()[0];
    if (complaint !== undefined) throw new Error(complaint);
  }

  private timeOf(line: Line): number {
    const { relative, us, msls } = line.time;
    const at = (relative ? this.nominal : this.origin) + us + msls * this.settings.mslMs * 1000;
    if (at < this.nominal) throw new Error('time goes back');
    return at;
  }

  private playIn(line: Line, spec: SegmentSpec): void {
    const flow = this.flow(line.flow);
    const before = this.host.stateOf(line.flow);
    const opens = spec.flags === 'S' && /^(CLOSED|LISTEN|TIME-WAIT)$/.test(before);
    if (opens) flow.beginAnew(before);
    this.host.receive(flow.encode(spec), spec.gso ?? 0, this.now, spec.more);
    if (!spec.more) this.collect();
  }

  private playIcmp(line: Line, spec: IcmpSpec): void {
    this.host.receive(this.flow(line.flow).encodeIcmp(spec), 0, this.now, false);
    this.collect();
  }

  /** All calls of a line are made in one turn of the application. */
  private playSteps(line: Line, steps: readonly Step[]): void {
    for (const step of steps) this.playStep(line, step);
    this.collect();
  }

  private playStep(line: Line, step: Step): void {
    if ('event' in step) {
      this.playEvent(line, step.event, step.absent);
      return;
    }
    if (step.call === 'stall') {
      this.now += Math.round(Number(step.args[0]) * 1e6);
      this.nominal = Math.max(this.nominal, this.now);
      this.stalled = true;
      return;
    }
    if (step.call === 'connect') this.flow(line.flow).beginAnew(this.host.stateOf(line.flow));
    const result = this.host.call(line.flow, step.call, step.args, this.now);
    const expected = step.result ?? usualResult(step.call, step.args);
    if (result !== expected) {
      throw new Error(`${step.call}(${step.args}) gave ${result}, expected ${expected}`);
    }
  }

  private playEvent(line: Line, event: string, absent: boolean): void {
    const told = this.host.events(line.flow);
    const at = told.findIndex((name) => eventMatches(event, name));
    if (absent && at >= 0) throw new Error(`the application was told: ${told[at]}`);
    if (!absent && at < 0) {
      throw new Error(
        `the application was not told: ${event} (but: ${told.join(' ') || 'nothing'})`,
      );
    }
    if (!absent) told.splice(0, at + 1);
  }

  private playOut(line: Line, at: number): void {
    if (this.pending.length === 0) this.runUntil(at, true);
    const next = this.pending[0];
    if (next === undefined) {
      this.now = Math.max(this.now, at);
      this.runUntil(this.now + LOOK_AHEAD, true);
      throw new Error(this.pending.length > 0 ? 'it comes too late' : 'nothing comes');
    }
    const differences = this.compare(line, next.packet);
    if (differences.length > 0) throw new Error(differences.join('; '));
    if (Math.abs(next.at - at) >= TOLERANCE) {
      throw new Error(`it comes at ${this.since(next.at)}, expected at ${this.since(at)}`);
    }
    this.pending.shift();
    this.ladder.passed(this.since(next.at), line);
  }

  private compare(line: Line, packet: EmittedPacket): string[] {
    const ip = parseIp(packet.bytes);
    const icmp = line.action.kind === 'out-icmp';
    if ((ip.protocol !== TCP) !== icmp) return [`protocol is ${ip.protocol}`];
    if (icmp) return this.compareEcho((line.action as { icmp: IcmpSpec }).icmp, packet);
    const port = (ip.payload[2]! << 8) | ip.payload[3]!;
    if (port !== PEER_PORT + line.flow) return [`it goes to flow ${port - PEER_PORT}`];
    const source = addressText(ip.source);
    if (source !== addressText(addressBytes(LOCAL[this.settings.family]))) {
      return [`it comes from ${source}`];
    }
    const heard = this.flow(line.flow).decode(ip, packet.gsoSize, this.host.stateOf(line.flow));
    const expected = (line.action as { segment: SegmentSpec }).segment;
    return [...segmentDifferences(expected, heard.segment), ...heard.complaints];
  }

  private compareEcho(expected: IcmpSpec, packet: EmittedPacket): string[] {
    const icmp = parseIcmp(parseIp(packet.bytes));
    const type = this.settings.family === 4 ? 0 : 129;
    if (expected.kind !== 'echo-reply') return ['only echo-reply is expected from a host'];
    if (icmp.type !== type || icmp.code !== 0) return [`ICMP type ${icmp.type} code ${icmp.code}`];
    const same = echoBody(expected.bytes).every((byte, i) => byte === icmp.body[i]);
    if (icmp.body.length !== expected.bytes) return [`${icmp.body.length} bytes come back`];
    return same && icmp.rest === 0x04d20007 ? [] : ['the echo differs from the request'];
  }

  /** Runs timers up to `at` (and those due at it); nothing may be sent meanwhile. */
  private quietUntil(at: number, inclusive: boolean): void {
    if (this.pending.length === 0 && !this.stalled) this.runUntil(at, inclusive);
    this.stalled = false;
    if (this.pending.length > 0) throw new Error('the stack sends what the trace does not list');
    this.now = Math.max(this.now, at);
  }

  /** Runs timers until something is sent or `at` is reached. */
  private runUntil(at: number, inclusive: boolean): void {
    for (let steps = 0; ; steps++) {
      const deadline = this.host.nextDeadline();
      if (inclusive ? deadline > at : deadline >= at) return;
      if (steps > 20_000) throw new Error(`timers do not get beyond ${this.since(this.now)}`);
      this.now = Math.max(this.now, deadline);
      this.host.advance(this.now);
      this.collect();
      if (this.pending.length > 0) return;
    }
  }

  private collect(): void {
    for (const packet of this.host.take(this.now)) this.pending.push({ at: this.now, packet });
  }

  private flow(index: number): Flow {
    let flow = this.flows.get(index);
    if (flow === undefined) {
      const iss = this.settings.peerIss + 77_000 * (index - 1);
      flow = new Flow(index, this.settings.family, iss);
      this.flows.set(index, flow);
    }
    return flow;
  }

  private since(at: number): string {
    return ((at - this.origin) / 1e6).toFixed(3);
  }

  private fail(line: Line, error: Error): TraceFailure {
    const came = this.pending.map(
      ({ at, packet }) => `${this.since(at)}  > ${this.describe(packet)}`,
    );
    const state = this.host.stateOf(line.flow);
    return this.ladder.failure(line, error, this.since(this.nominal), came, state);
  }

  private describe(packet: EmittedPacket): string {
    try {
      const ip = parseIp(packet.bytes);
      if (ip.protocol !== TCP) return `protocol ${ip.protocol}, ${ip.payload.length} bytes`;
      const port = (ip.payload[2]! << 8) | ip.payload[3]!;
      const index = port - PEER_PORT;
      if (index < 1 || index > 999) return `a segment to port ${port}`;
      const text = formatSegment(this.flow(index).decode(ip, packet.gsoSize, 'CLOSED').segment);
      const plain = text.replace(' tos 0', '').replace(' ttl 64', '');
      return index === 1 ? plain : `${plain}   (flow ${index})`;
    } catch (error) {
      return `a packet with ${(error as Error).message}`;
    }
  }
}

function usualResult(call: string, args: readonly string[]): string {
  return /^(write|read|skip|sendUrgent)$/.test(call) ? args[0]! : 'ok';
}

function eventMatches(expected: string, told: string): boolean {
  const plain = expected.replaceAll(' ', '');
  return (
    told === plain ||
    told.startsWith(`${plain.replace(/\)$/, '')},`) ||
    told.startsWith(`${plain}(`)
  );
}

function segmentDifferences(expected: SegmentSpec, actual: SegmentSpec): string[] {
  const out: string[] = [];
  const differ = (what: string, is: unknown, should: unknown) => {
    if (is !== should) out.push(`${what} ${is ?? 'none'}, expected ${should ?? 'none'}`);
  };
  differ('flags', actual.flags || '-', expected.flags || '-');
  differ(
    'data',
    formatRange(actual.seq, actual.length),
    formatRange(expected.seq, expected.length),
  );
  differ('ack', actual.ack, expected.ack);
  if (expected.win !== null) differ('win', actual.win, expected.win);
  differ('urg', actual.urg, expected.urg);
  differ('gso', actual.gso, expected.gso);
  differ('tos', actual.tos, expected.tos ?? 0);
  differ('ttl', actual.ttl, expected.ttl ?? 64);
  if (expected.options === '*' || actual.options === '*') return out;
  const should = expected.options;
  const is = actual.options.map((option, i) => {
    const pattern = should[i];
    if (option.kind !== 'TS' || pattern?.kind !== 'TS') return option;
    const val = pattern.val === '*' ? ('*' as const) : option.val;
    return { ...option, val, ecr: pattern.ecr === '*' ? ('*' as const) : option.ecr };
  });
  const text = (options: SegmentSpec['options']) =>
    options === '*' ? '*' : options.map(formatOption).join(',') || 'none';
  differ('options', text(is), text(should));
  return out;
}
