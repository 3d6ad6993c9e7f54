// One data stream of an iperf3 test: sends or discards, and counts. Knows one connection; must not know
// the protocol around it.

import { type Connection, IdleHandler } from '../tcp/connection.js';
import { mayQueueData } from '../tcp/state.js';

/** How a stream is to send. */
export interface Pace {
  /** Bytes in all; Infinity: until it is told to stop. */
  readonly bytes: number;
  /** Bits per second; 0: as fast as it can. */
  readonly rate: number;
}

/** What a stream did, without what was omitted. */
export interface StreamCount {
  readonly bytes: number;
  /** Segments that were sent again. */
  readonly retransmits: number;
}

/** A stream, with its connection in this thread or in another one. */
export interface TestStream {
  /** Whether it was told to send. */
  readonly sends: boolean;
  /** What comes from now on is thrown away, and counted. */
  begin(): void;
  /** It sends from now on; only that is counted. */
  send(pace: Pace): void;
  /** What was up to now does not count. */
  omit(): void;
  /** Bytes moved since `begin`, those that do not count included. */
  progress(): Promise<number>;
  /**
   * What it did. A sender ends with its FIN, since clients go on reading whole blocks until then; what
   * still comes to a receiver is thrown away, and not counted.
   */
  end(): Promise<StreamCount>;
  /** Lets the connection go: what is under way may arrive for so long, then it is reset. */
  close(lingerMs: number): void;
}

const BLOCK = Buffer.alloc(1024 * 1024, 'iperf3 over finwait; ');
/** As iperf3's own pacing timer. */
const PACE_MS = 1;

export class DataStream extends IdleHandler implements TestStream {
  private readonly connection: Connection;
  private pace: Pace | null = null;
  private running = false;
  private counting = false;
  private bytes = 0;
  private omittedBytes = 0;
  private omittedRetransmits = 0;
  private startedAt = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(connection: Connection, noDelay: boolean) {
    super();
    this.connection = connection;
    connection.noDelay = noDelay;
    connection.handler = this;
  }

  get sends(): boolean {
    return this.pace !== null;
  }

  begin(): void {
    this.running = true;
    this.counting = true;
    this.discard();
  }

  send(pace: Pace): void {
    this.pace = pace;
    this.startedAt = performance.now();
    this.pour();
  }

  omit(): void {
    this.omittedBytes = this.bytes;
    this.omittedRetransmits = this.connection.info().retransmits;
  }

  async progress(): Promise<number> {
    return this.bytes;
  }

  async end(): Promise<StreamCount> {
    this.counting = false;
    clearTimeout(this.timer);
    if (this.sends) this.connection.shutdown();
    return {
      bytes: this.bytes - this.omittedBytes,
      retransmits: this.connection.info().retransmits - this.omittedRetransmits,
    };
  }

  close(lingerMs: number): void {
    this.running = false;
    this.counting = false;
    clearTimeout(this.timer);
    this.connection.skip(this.connection.readable);
    this.connection.close(lingerMs);
  }

  override onReadable(): void {
    if (this.running) this.discard();
  }

  override onWritable(): void {
    if (this.counting) this.pour();
  }

  private discard(): void {
    const skipped = this.connection.skip(this.connection.readable);
    if (this.pace === null && this.counting) this.bytes += skipped;
  }

  private pour(): void {
    const { connection, pace } = this;
    if (pace === null || !this.counting) return;
    if (connection.finQueued || !mayQueueData(connection.state)) return;
    for (;;) {
      const wanted = Math.min(this.allowance(pace), BLOCK.length);
      const taken = wanted > 0 ? connection.write(BLOCK, 0, wanted) : 0;
      this.bytes += taken;
      if (taken < BLOCK.length) break;
    }
    if (pace.rate > 0) this.pourLater();
  }

  /** Bytes that it may send now. */
  private allowance({ bytes, rate }: Pace): number {
    const left = bytes - this.bytes;
    if (rate === 0) return left;
    const due = Math.floor(((performance.now() - this.startedAt) * rate) / 8000);
    return Math.max(Math.min(left, due - this.bytes), 0);
  }

  private pourLater(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pour(), PACE_MS);
  }
}
