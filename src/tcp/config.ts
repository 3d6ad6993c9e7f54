// What can be set about TCP, with defaults. Knows numbers and their sources; no behaviour.

/** Settings of a connection. Times in milliseconds, sizes in bytes. */
export interface TcpConfig {
  /** Maximum segment lifetime; TIME-WAIT lasts two of it (RFC 9293 §3.4.2; 2MSL is 60 s as in Linux). */
  msl: number;
  /** Time for which an orphan may stay in FIN-WAIT-2 (Linux tcp_fin_timeout). */
  finWait2Timeout: number;
  /** Receive buffer at the start, and the size to which a fast reader may make it grow. */
  receiveBuffer: number;
  receiveBufferMax: number;
  /**
   * Send buffer, bytes that `write` takes before it says "full": at the start, and at most; in between
   * twice what may be in flight.
   */
  sendBuffer: number;
  sendBufferMax: number;
  /** Initial congestion window in segments (RFC 6928). */
  initialWindow: number;
  /** Retransmission timeout: first value (RFC 6298 §2.1), floor (Linux) and ceiling. */
  initialRto: number;
  minRto: number;
  maxRto: number;
  /** Longest wait before an ACK (MUST-40: under 500; Linux uses 40 and more). */
  delayedAck: number;
  /** Retransmissions of one segment after which the user is advised (RFC 9293 §3.8.3, R1). */
  r1: number;
  /** Time without progress after which the connection is given up (R2; Linux tcp_retries2 = 15). */
  userTimeout: number;
  /** The same for a SYN (MUST-23: at least three minutes). */
  synTimeout: number;
  /** Keep-alive: off unless asked for (MUST-25); idle time, interval and probes (Linux). */
  keepAlive: boolean;
  keepAliveIdle: number;
  keepAliveInterval: number;
  keepAliveProbes: number;
  /** Options to offer and accept: RFC 7323 and RFC 2018. */
  windowScaling: boolean;
  timestamps: boolean;
  sack: boolean;
  /** Whether the end of a flight is asked for before the timeout (RFC 8985 §7; Linux tcp_early_retrans). */
  tailLossProbe: boolean;
  /** Whether Nagle's algorithm is off (RFC 9293 §3.7.4). */
  noDelay: boolean;
  /** The congestion controller: CUBIC with HyStart++ (RFC 9438, RFC 9406) or NewReno (RFC 5681). */
  congestion: 'cubic' | 'newreno';
  /**
   * Explicit congestion notification (RFC 3168): `accept` when the peer asks for it (Linux tcp_ecn=2),
   * `request` it as well, or `off`.
   */
  ecn: 'off' | 'accept' | 'request';
  /** Whether a window is spread over the round trip where that takes milliseconds (as Linux's fq). */
  pacing: boolean;
  /** Traffic class (DSCP and ECN bits) and hop limit of all packets of a connection. */
  trafficClass: number;
  hopLimit: number;
  /** Header prediction; off to compare it with the full path. */
  headerPrediction: boolean;
}

/** The defaults. */
export const DEFAULT_TCP_CONFIG: Readonly<TcpConfig> = {
  msl: 30_000,
  finWait2Timeout: 60_000,
  receiveBuffer: 256 * 1024,
  receiveBufferMax: 4 * 1024 * 1024,
  sendBuffer: 256 * 1024,
  sendBufferMax: 2 * 1024 * 1024,
  initialWindow: 10,
  initialRto: 1000,
  minRto: 200,
  maxRto: 120_000,
  delayedAck: 40,
  r1: 3,
  userTimeout: 924_600,
  synTimeout: 180_000,
  keepAlive: false,
  keepAliveIdle: 7_200_000,
  keepAliveInterval: 75_000,
  keepAliveProbes: 9,
  windowScaling: true,
  timestamps: true,
  sack: true,
  tailLossProbe: true,
  noDelay: false,
  congestion: 'cubic',
  ecn: 'accept',
  pacing: true,
  trafficClass: 0,
  hopLimit: 64,
  headerPrediction: true,
};
