// Congestion control and fast retransmit: RFC 5681, RFC 6582, RFC 6928.

import { describe } from 'vitest';
import { established, trace } from '../support/dsl.js';

describe('windows', () => {
  trace(
    'MUST-19: slow start doubles the window in each round trip (RFC 5681 §3.1)',
    established({ offload: true, cwnd: 2000 }),
    `
     0      write(30000)
     0      > . 1:2001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 2001
    +0      > . 2001:6001(4000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 6001
    +0      > . 6001:14001(8000) ack 1 gso 1000
    +0      info(cwnd) = 8000
    `,
  );

  trace(
    'where windows are wide, what is left of them waits for a whole super-segment',
    established({
      offload: true,
      cwnd: 300_000,
      wscale: 3,
      memory: 32 << 20,
      tcp: { congestion: 'newreno', sendBuffer: 500_000 },
    }),
    `
     0      write(500000)
     0      > . 1:65001(65000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 65001 win 65535
    +0      > . 65001:130001(65000) ack 1 gso 1000
    +0      > . 130001:195001(65000) ack 1 gso 1000
    +0      > . 195001:260001(65000) ack 1 gso 1000
    +0      > . 260001:325001(65000) ack 1 gso 1000
    +0      info(cwnd) = 300000; unsent() = 175000           # 40000 more would fit
    +0.01   < . 1:1(0) ack 130001 win 65535
    +0      > . 325001:390001(65000) ack 1 gso 1000
    +0      > . 390001:455001(65000) ack 1 gso 1000
    +0      info(cwnd) = 365000; unsent() = 45000
    +0.01   < . 1:1(0) ack 195001 win 65535
    +0      > P. 455001:500001(45000) ack 1 gso 1000         # the last of the data does not wait
    `,
  );

  trace(
    'MUST-19: a timeout leaves one segment, slow start ends at half of what was in flight',
    established({ offload: true, cwnd: 10000 }),
    `
     0      write(40000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.2    > . 1:1001(1000) ack 1
    +0      info(cwnd) = 1000; info(ssthresh) = 5000
    +0.01   < . 1:1(0) ack 1001
    +0      > . 1001:3001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 3001
    +0      > . 3001:7001(4000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 7001
    +0      > . 7001:12001(5000) ack 1 gso 1000
    +0      info(cwnd) = 5600                                # 3000 of 4000 were beyond it
    `,
  );

  trace(
    'MUST-19: congestion avoidance adds a segment in each round trip (RFC 5681 §3.1)',
    established({ offload: true, cwnd: 4000 }),
    `
     0      write(60000)
     0      > . 1:4001(4000) ack 1 gso 1000
    +0.2    > . 1:1001(1000) ack 1
    +0      info(ssthresh) = 2000
    +0.01   < . 1:1(0) ack 2001
    +0      > . 2001:4001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 4001
    +0      > . 4001:7001(3000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 7001
    +0      > . 7001:11001(4000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 9001
    +0      > . 11001:13001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 11001
    +0      > . 13001:16001(3000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 13001
    +0      > . 16001:18001(2000) ack 1 gso 1000
    `,
  );

  trace(
    'a second timeout of the same segment does not halve again (RFC 5681 §3.1)',
    established({ offload: true, cwnd: 10000 }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.2    > . 1:1001(1000) ack 1
    +0      info(ssthresh) = 5000
    +0.4    > . 1:1001(1000) ack 1
    +0      info(ssthresh) = 5000; info(cwnd) = 1000
    `,
  );

  trace(
    'after a pause the window begins anew (RFC 5681 §4.1)',
    established({ offload: true, cwnd: 2000 }),
    `
     0      write(6000)
     0      > . 1:2001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 2001
    +0      > P. 2001:6001(4000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 6001
    +0      info(cwnd) = 8000
    +10     write(10000)
    +0      > . 6001:8001(2000) ack 1 gso 1000
    `,
  );

  trace(
    'ssthresh is two segments at least (RFC 5681 equation 4)',
    established({ cwnd: 1000 }),
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1
    +0.2    > P. 1:1001(1000) ack 1
    +0      info(ssthresh) = 2000; info(cwnd) = 1000
    `,
  );
});

/** Ten segments are out, the first is lost. */
const tenSegments = `
     0      write(40000)
     0      > . 1:10001(10000) ack 1 gso 1000`;

describe('fast retransmit and fast recovery', () => {
  trace(
    'three duplicate ACKs, not two, mean a loss (RFC 5681 §3.2)',
    established({ offload: true, win: 10000 }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      > . 1:1001(1000) ack 1
    +0      info(ssthresh) = 5000; info(cwnd) = 8000; info(timeouts) = 0
    +0      info(duplicateAcks) = 3; info(retransmits) = 1
    `,
  );

  trace(
    'MUST-18: what was retransmitted fast gives no sample either',
    established({ offload: true, win: 10000 }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      > . 1:1001(1000) ack 1
    +0.15   < . 1:1(0) ack 10001 win 0
    +0      info(rttUs) = 10000
    `,
  );

  trace(
    'duplicates are counted from the last new ACK',
    established({ offload: true, win: 10000 }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0.01   < . 1:1(0) ack 1001 win 9000
    +0.01   < . 1:1(0) ack 1001
    +0      < . 1:1(0) ack 1001
    +0      info(retransmits) = 0
    +0      < . 1:1(0) ack 1001
    +0      > . 1001:2001(1000) ack 1
    `,
  );

  trace(
    'the window grows by what has arrived, and ends at ssthresh (steps 4 to 6)',
    established({ offload: true, win: 30000, cwnd: 10000 }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 win 10000
    +0      < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      > . 1:1001(1000) ack 1
    +0      < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      info(cwnd) = 10000
    +0.01   < . 1:1(0) ack 10001 win 30000
    +0      > . 10001:12001(2000) ack 1 gso 1000
    +0      info(cwnd) = 2000
    `,
  );

  trace(
    'a partial ACK sends the next hole at once (RFC 6582 §3.2, step 3)',
    established({ offload: true, win: 10000 }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 3001 win 7000
    +0      > . 3001:4001(1000) ack 1
    +0      info(cwnd) = 6000
    +0.01   < . 1:1(0) ack 10001 win 0
    +0      info(timeouts) = 0
    `,
  );

  trace(
    'duplicates of what was sent before a timeout start no fast retransmit (RFC 6582 §3.2, step 2)',
    established({ offload: true, win: 10000 }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.2    > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      info(cwnd) = 1000
    `,
  );

  trace(
    'no duplicate is an ACK with data, with another window, or with nothing outstanding (§2)',
    established({ offload: true, win: 10000 }),
    `
     0      < . 1:1(0) ack 1
     0      < . 1:1(0) ack 1
     0      < . 1:1(0) ack 1
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 win 10001
    +0      < . 1:1(0) ack 1 win 10002
    +0      < . 1:1(0) ack 1 win 10003
    +0      < P. 1:11(10) ack 1
    +0      > . 10001:10001(0) ack 11
    +0      < P. 11:21(10) ack 1
    +0      > . 10001:10001(0) ack 21
    +0      < P. 21:31(10) ack 1
    +0      > . 10001:10001(0) ack 31
    +0      info(duplicateAcks) = 0; info(retransmits) = 0
    `,
  );

  trace(
    'the first two duplicates each let one new segment go (RFC 5681 §3.2, step 1; RFC 3042)',
    established({ offload: true, cwnd: 4000 }),
    `
     0      write(8000)
     0      > . 1:4001(4000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1
    +0      > . 4001:5001(1000) ack 1
    +0      < . 1:1(0) ack 1
    +0      > . 5001:6001(1000) ack 1
    +0      < . 1:1(0) ack 1
    +0      > . 1:1001(1000) ack 1
    +0      info(ssthresh) = 2000
    `,
  );

  trace(
    'the FIN is found missing by duplicates too',
    established({ offload: true }),
    `
     0      write(5000); shutdown()                                           FIN-WAIT-1
     0      > FP. 1:5001(5000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 5002                                               FIN-WAIT-2
    `,
  );
});
