// What can be set about TCP, with defaults. Knows numbers and their sources; no behaviour.

/** Settings of a connection. Times in milliseconds, sizes in bytes. */
export interface TcpConfig {
  /** Maximum segment lifetime; TIME-WAIT lasts two of it (RFC 9293 §3.4.2; 2MSL is 60 s as in Linux). */
  msl: number;
  /** Time for which an orphan may stay in FIN-WAIT-2 (Linux tcp_fin_timeout; RFC 9293 has no such limit). */
  finWait2Timeout: number;
  /** Receive buffer at the start: the most that the window can say (Linux tcp_rmem). */
  receiveBuffer: number;
  /** Size to which a fast reader may make the receive buffer grow. */
  receiveBufferMax: number;
  /** Send buffer at the start: what `write` takes before it says "full" (Linux tcp_wmem). */
  sendBuffer: number;
  /** Size to which the send buffer grows, to hold twice what may be in flight. */
  sendBufferMax: number;
  /** Initial congestion window in segments (RFC 6928). */
  initialWindow: number;
  /** Retransmission timeout before the first measurement (RFC 6298 §2.1). */
  initialRto: number;
  /** Least retransmission timeout; RFC 6298 §2.4 wants 1000, Linux has 200. */
  minRto: number;
  /** Largest retransmission timeout, however often it was doubled (RFC 6298 §2.5: 60,000 or more). */
  maxRto: number;
  /** Longest wait before an ACK (MUST-40: under 500; Linux uses 40 and more). */
  delayedAck: number;
  /** Retransmissions of one segment after which the user is advised (RFC 9293 §3.8.3, R1). */
  r1: number;
  /** Time without progress after which the connection is given up (R2; Linux tcp_retries2 = 15). */
  userTimeout: number;
  /** The same for a SYN (MUST-23: at least three minutes). */
  synTimeout: number;
  /** Whether idle connections are probed: off unless asked for (RFC 9293 §3.8.4, MUST-25). */
  keepAlive: boolean;
  /** Idle time before the first keep-alive probe (MUST-28: at least two hours by default). */
  keepAliveIdle: number;
  /** Time from one keep-alive probe to the next (Linux tcp_keepalive_intvl). */
  keepAliveInterval: number;
  /** Keep-alive probes without an answer that end a connection (Linux tcp_keepalive_probes). */
  keepAliveProbes: number;
  /** Whether to offer and accept the window scale option (RFC 7323 §2). */
  windowScaling: boolean;
  /** Whether to offer and accept the timestamps option (RFC 7323 §3). */
  timestamps: boolean;
  /** Whether to offer and accept selective acknowledgments (RFC 2018). */
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
  /** Traffic class (DSCP and ECN bits) of all packets: IPv4's TOS, IPv6's Traffic Class. */
  trafficClass: number;
  /** Hop limit of all packets: IPv4's TTL, IPv6's Hop Limit (RFC 9293 §3.9.1, MUST-49). */
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
