// One iperf3 test from its parameters to its results. Knows the order of the conversation; must not know
// listeners, or other tests.

import type { Connection } from '../tcp/connection.js';
import { mayQueueData } from '../tcp/state.js';
import { type Control, HungUp } from './iperf3-control.js';
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
  formatPeer,
  formatSummary,
  resultsFor,
  type StreamResult,
  type TestSummary,
} from './iperf3-results.js';
import { DataStream, type Pace } from './iperf3-stream.js';

/** How long a client may take, milliseconds. */
export interface Patience {
  /** For its next message, where it has nothing else to do. */
  readonly stepMs: number;
  /** Without a byte on any stream, while a test runs. */
  readonly idleMs: number;
}

const MAX_TIMER_MS = 0x7fff_ffff;
const LINGER_MS = 2000;

export class Iperf3Test {
  private readonly control: Control;
  private readonly patience: Patience;
  private parameters: TestParameters | null = null;
  private readonly streams: DataStream[] = [];
  private streamsComplete: (() => void) | null = null;
  private omitTimer: NodeJS.Timeout | undefined;
  private idleTimer: NodeJS.Timeout | undefined;
  private startedAt = 0;
  private seconds = 0;
  private results: StreamResult[] = [];
  private cpu = new CpuMeter();

  constructor(control: Control, patience: Patience) {
    this.control = control;
    this.patience = patience;
  }

  /** Runs it to its end, good or bad; never rejects. */
  async run(): Promise<TestSummary> {
    const { remoteAddress, remotePort } = this.control.connection;
    const peer = formatPeer(remoteAddress, remotePort);
    let failure: string | null = null;
    try {
      await this.converse(peer);
    } catch (error) {
      failure = this.explain(error as Error);
    }
    this.measure();
    this.stop();
    return { peer, seconds: this.seconds, streams: this.results, failure };
  }

  /** Takes a connection as a stream, if it waits for one. */
  offer(connection: Connection): boolean {
    const { parameters, streams } = this;
    if (parameters === null || this.streamsComplete === null) return false;
    // As the client opens them: of two directions its sending half comes first.
    const half = parameters.bidirectional && streams.length >= parameters.parallel;
    const sends = parameters.bidirectional ? half : parameters.reverse;
    const index = half ? streams.length - parameters.parallel : streams.length;
    const pace = sends ? paceOf(parameters, index) : null;
    streams.push(new DataStream(connection, pace, parameters.noDelay));
    if (streams.length === countStreams(parameters)) this.streamsComplete();
    return true;
  }

  /** Ends it now. */
  abort(why: string): void {
    this.control.fail(new HungUp(why));
  }

  /** The client speaks first; the server moves the test on from state to state. */
  private async converse(peer: string): Promise<void> {
    const { control, patience } = this;
    control.say(stateByte(PARAM_EXCHANGE));
    const parameters = parseParameters(await this.readJson(ERROR_PARAMETERS));
    this.checkCongestion(parameters);
    await this.collectStreams(parameters);
    control.say(stateByte(TEST_START));
    control.say(stateByte(TEST_RUNNING));
    await this.transfer(parameters);
    this.measure();
    control.say(stateByte(EXCHANGE_RESULTS));
    parseObject(await this.readJson(ERROR_RESULTS), ERROR_RESULTS);
    control.say(jsonBytes(this.ownResults(parameters, peer)));
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
    const ours = this.control.connection.info().congestion;
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
  private async transfer({ seconds, omitSeconds }: TestParameters): Promise<void> {
    const { control, patience } = this;
    this.startedAt = performance.now();
    this.cpu = new CpuMeter();
    for (const stream of this.streams) stream.begin();
    if (omitSeconds > 0) this.omitTimer = setTimeout(() => this.omit(), omitSeconds * 1000);
    this.watchProgress();
    // Who counts bytes ends when they are through, be it tomorrow.
    const lasts = seconds > 0 ? (omitSeconds + seconds) * 1000 + patience.idleMs : MAX_TIMER_MS;
    const state = (await control.take(1, lasts)).readInt8();
    if (state === CLIENT_TERMINATE) throw new HungUp('its user has ended it');
    if (state !== TEST_END) throw new HungUp(`it sent ${state} instead of the end of the test`);
  }

  private watchProgress(): void {
    let before = -1;
    this.idleTimer = setInterval(() => {
      const moved = this.streams.reduce((sum, stream) => sum + stream.moved, 0);
      if (moved === before) this.control.fail(new Iperf3Error(ERROR_IDLE, 'nothing moved'));
      before = moved;
    }, this.patience.idleMs);
  }

  private omit(): void {
    for (const stream of this.streams) stream.omit();
    this.startedAt = performance.now();
    this.cpu = new CpuMeter();
  }

  /** Takes the numbers of a test that runs; at most once. */
  private measure(): void {
    if (this.startedAt === 0 || this.seconds > 0) return;
    this.seconds = (performance.now() - this.startedAt) / 1000;
    this.results = this.streams.map((stream) => ({ ...stream.end(), sent: stream.sends }));
  }

  private ownResults(parameters: TestParameters, peer: string): Record<string, unknown> {
    const { results, seconds, control } = this;
    const { congestion } = control.connection.info();
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
    const { connection } = this.control;
    const message = errorBytes(errorNumber);
    if (mayQueueData(connection.state) && !connection.finQueued) connection.write(message);
  }

  private stop(): void {
    clearTimeout(this.omitTimer);
    clearInterval(this.idleTimer);
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
