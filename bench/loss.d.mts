// Types of loss.mjs.
export interface LossRow {
  congestion: string;
  lossPercent: number;
  /** Median of the seeds, application data; what the response function says; their ratio. */
  mbits: number;
  expected: number;
  ratio: number;
  slowest: number;
  fastest: number;
  /** Sums over the seeds. */
  timeouts: number;
  retransmits: number;
}

export function lossRows(options?: {
  seeds?: readonly number[];
  bytes?: number;
  lossPercents?: readonly number[];
  controllers?: readonly string[];
  rttMs?: number;
  tcp?: object;
  /** StackCore, IdleHandler, MemoryLink, Simulation, IpAddress and Subnet; by default those of `dist`. */
  modules?: object;
}): Promise<LossRow[]>;
export function responseFunction(congestion: string, loss: number, rtt: number): number;
