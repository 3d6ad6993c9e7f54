// One iperf3 test from its parameters to its results. Knows the order of the conversation; must not know
// listeners, or other tests.

import { type Control, HungUp } from './iperf3-control.js';
import type { Line } from './iperf3-line.js';
import {
  CLIENT_TERMINATE,
  CREATE_STREAMS,
  DISPLAY_RESULTS,
  ERROR_CONGESTION,
  ERROR_IDLE,
  ERROR_PARAMETERS,
  ERROR_RESULTS,
  EXCHANGE_RESULTS,
  errorBytes,
  Iperf3Error,
  jsonBytes,
  MAX_JSON,
  PARAM_EXCHANGE,
  parseObject,
  parseParameters,
  stateByte,
  TEST_END,
  TEST_RUNNING,
  TEST_START,
  type TestParameters,
} from './iperf3-protocol.js';
import {
  CpuMeter,
  formatSummary,
  resultsFor,
  type StreamResult,
  type TestSummary,
} from './iperf3-results.js';
import type { Pace, TestStream } from './iperf3-stream.js';

/** How long a client may take, milliseconds. */
export interface Patience {
  /** For its next message, where it has nothing else to do. */
  readonly stepMs: number;
  /** Without a byte on any stream, while a test runs. */
  readonly idleMs: number;
}

/** How often it is looked which streams the client sends on. */
const LOOK_MS = 2;
const MAX_TIMER_MS = 0x7fff_ffff;
const LINGER_MS = 2000;

export class Iperf3Test {
  private readonly control: Control;
  private readonly patience: Patience;
  private parameters: TestParameters | null = null;
  private streams: TestStream[] = [];
  private streamsComplete: (() => void) | null = null;
  private omitTimer: NodeJS.Timeout | undefined;
  private idleTimer: NodeJS.Timeout | undefined;
  private startedAt = 0;
  private measured = false;
  private movedBefore = -1;
  private seconds = 0;
  private results: StreamResult[] = [];
  private cpu = new CpuMeter();

  constructor(control: Control, patience: Patience) {
    this.control = control;
    this.patience = patience;
  }

  /** Runs it to its end, good or bad; never rejects. */
  async run(): Promise<TestSummary> {
    const { peer } = this.control.line;
    let failure: string | null = null;
    try {
      await this.converse();
    } catch (error) {
      failure = this.explain(error as Error);
    }
    await this.measure();
    this.stop();
    return { peer, seconds: this.seconds, streams: this.results, failure };
  }

  /** Takes a connection as a stream, if it waits for one. */
  offer(line: Line): boolean {
    const { parameters, streams } = this;
    if (parameters === null || this.streamsComplete === null) return false;
    streams.push(line.toStream(parameters.noDelay));
    if (streams.length === countStreams(parameters)) this.streamsComplete();
    return true;
  }

  /** Ends it now. */
  abort(why: string): void {
    this.control.fail(new HungUp(why));
  }

  /** The client speaks first; the server moves the test on from state to state. */
  private async converse(): Promise<void> {
    const { control, patience } = this;
    control.say(stateByte(PARAM_EXCHANGE));
    const parameters = parseParameters(await this.readJson(ERROR_PARAMETERS));
    this.checkCongestion(parameters);
    await this.collectStreams(parameters);
    control.say(stateByte(TEST_START));
    control.say(stateByte(TEST_RUNNING));
    await this.transfer(parameters);
    await this.measure();
    control.say(stateByte(EXCHANGE_RESULTS));
    parseObject(await this.readJson(ERROR_RESULTS), ERROR_RESULTS);
    control.say(jsonBytes(this.ownResults(parameters)));
    control.say(stateByte(DISPLAY_RESULTS));
    // IPERF_DONE (16), or its FIN: either is the end.
    await control.take(1, patience.stepMs).catch(() => {});
  }

  private async readJson(errorNumber: number): Promise<string> {
    const { control, patience } = this;
    const length = (await control.take(4, patience.stepMs)).readUInt32BE();
    if (length === 0 || length > MAX_JSON) {
      throw new Iperf3Error(errorNumber, `it announced ${length} bytes of JSON`);
    }
    return (await control.take(length, patience.stepMs)).toString();
  }

  private checkCongestion({ congestion }: TestParameters): void {
    const ours = this.control.line.congestion;
    if (congestion === null || congestion === ours) return;
    throw new Iperf3Error(ERROR_CONGESTION, `it insists on ${congestion}, not ${ours}`);
  }

  private async collectStreams(parameters: TestParameters): Promise<void> {
    const { control, patience, streams } = this;
    this.parameters = parameters;
    control.say(stateByte(CREATE_STREAMS));
    let late: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const wanted = countStreams(parameters);
        this.streamsComplete = resolve;
        control.onOver = reject;
        late = setTimeout(() => {
          reject(new HungUp(`it has opened ${streams.length} of ${wanted} streams`));
        }, patience.stepMs);
      });
    } finally {
      clearTimeout(late);
      control.onOver = null;
      this.streamsComplete = null;
    }
  }

  /** Data flow until the client says that the test is over. */
  private async transfer(parameters: TestParameters): Promise<void> {
    const { control, patience, streams } = this;
    const { seconds, omitSeconds, reverse, bidirectional } = parameters;
    this.startedAt = performance.now();
    this.cpu = new CpuMeter();
    for (const stream of streams) stream.begin();
    if (reverse && !bidirectional) this.send(parameters, streams);
    else if (bidirectional) void this.findDirections(parameters);
    if (omitSeconds > 0) this.omitTimer = setTimeout(() => this.omit(), omitSeconds * 1000);
    this.idleTimer = setInterval(() => void this.checkProgress(), patience.idleMs);
    // Who counts bytes ends when they are through, be it tomorrow.
    const lasts = seconds > 0 ? (omitSeconds + seconds) * 1000 + patience.idleMs : MAX_TIMER_MS;
    const state = (await control.take(1, lasts)).readInt8();
    if (state === CLIENT_TERMINATE) throw new HungUp('its user has ended it');
    if (state !== TEST_END) throw new HungUp(`it sent ${state} instead of the end of the test`);
  }

  private send(parameters: TestParameters, streams: readonly TestStream[]): void {
    for (const [i, stream] of streams.entries()) stream.send(paceOf(parameters, i));
  }

  /**
   * Of two directions the client opens its own first, but of connections in different threads nobody
   * knows the order: those on which it sends at once are its own.
   */
  private async findDirections(parameters: TestParameters): Promise<void> {
    while (!this.measured) {
      const moved = await this.progress();
      const [theirs, ours] = [(i: number) => moved[i]! > 0, (i: number) => moved[i] === 0];
      const all = this.streams;
      if (all.filter((_, i) => theirs(i)).length >= parameters.parallel) {
        // In the order in which the client numbers them.
        this.streams = [...all.filter((_, i) => theirs(i)), ...all.filter((_, i) => ours(i))];
        if (!this.measured) this.send(parameters, this.streams.slice(parameters.parallel));
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  private progress(): Promise<number[]> {
    return Promise.all(this.streams.map((stream) => stream.progress()));
  }

  private async checkProgress(): Promise<void> {
    const moved = (await this.progress()).reduce((sum, bytes) => sum + bytes, 0);
    if (this.measured) return;
    if (moved === this.movedBefore) this.control.fail(new Iperf3Error(ERROR_IDLE, 'nothing moved'));
    this.movedBefore = moved;
  }

  private omit(): void {
    for (const stream of this.streams) stream.omit();
    this.startedAt = performance.now();
    this.cpu = new CpuMeter();
  }

  /** Takes the numbers of a test that runs; at most once. */
  private async measure(): Promise<void> {
    if (this.startedAt === 0 || this.measured) return;
    this.measured = true;
    clearTimeout(this.omitTimer);
    clearInterval(this.idleTimer);
    this.seconds = (performance.now() - this.startedAt) / 1000;
    const { streams } = this;
    const counts = await Promise.all(streams.map((stream) => stream.end()));
    // Of a test that was over before directions were found, those without data were to be ours.
    const unsure = this.parameters?.bidirectional && !streams.some(({ sends }) => sends);
    this.results = counts.map((count, i) => ({
      ...count,
      sent: unsure ? count.bytes === 0 : streams[i]!.sends,
    }));
  }

  private ownResults(parameters: TestParameters): Record<string, unknown> {
    const { results, seconds, control } = this;
    const { congestion, peer } = control.line;
    const own = resultsFor(results, seconds, this.cpu.read(), congestion);
    if (!parameters.wantsOutput) return own;
    const text = formatSummary({ peer, seconds, streams: results, failure: null });
    return { ...own, server_output_text: `${text}\n` };
  }

  /** What went wrong, for people; the client is told where it can be. */
  private explain(error: Error): string {
    if (error instanceof Iperf3Error) this.complain(error.number);
    else if (!(error instanceof HungUp)) throw error;
    return error.message;
  }

  private complain(errorNumber: number): void {
    this.control.line.write(errorBytes(errorNumber));
  }

  private stop(): void {
    for (const stream of this.streams) stream.close(LINGER_MS);
    this.control.close(LINGER_MS);
  }
}

function countStreams({ parallel, bidirectional }: TestParameters): number {
  return bidirectional ? 2 * parallel : parallel;
}

/** The share of stream `index` in what we send. */
function paceOf({ bytes, parallel, omitSeconds, rate }: TestParameters, index: number): Pace {
  // The client counts from the end of the omitted seconds on, which it knows better than we do.
  if (bytes === 0 || omitSeconds > 0) return { bytes: Number.POSITIVE_INFINITY, rate };
  const share = Math.floor(bytes / parallel);
  return { bytes: index === 0 ? bytes - share * (parallel - 1) : share, rate };
}
