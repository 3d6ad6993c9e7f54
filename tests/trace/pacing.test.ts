// Pacing: what goes out when. Linux's factors: 2 · cwnd / SRTT in slow start, 1.2 · cwnd / SRTT after it.

import { describe } from 'vitest';
import { established, type TraceOptions, trace } from '../support/dsl.js';

const paced = (options: TraceOptions = {}) =>
  established({ offload: true, rtt: 0.1, ...options, tcp: { pacing: true, ...options.tcp } });

describe('pacing', () => {
  trace(
    'ten segments go at once, the rest of the window two by two: 400 bytes in a millisecond',
    paced({ cwnd: 20000 }),
    `
     0      write(40000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.005  > . 10001:12001(2000) ack 1 gso 1000
    +0.005  > . 12001:14001(2000) ack 1 gso 1000
    +0      info(timer.name) = pacing
    +0.005  > . 14001:16001(2000) ack 1 gso 1000
    +0.005  > . 16001:18001(2000) ack 1 gso 1000
    +0.005  > . 18001:20001(2000) ack 1 gso 1000
    +0.075  < . 1:1(0) ack 10001                  # cwnd is 30000 now, and there is some credit again
    +0      > . 20001:30001(10000) ack 1 gso 1000
    +0.003  < . 1:1(0) ack 12001
    +0.001  > . 30001:32001(2000) ack 1 gso 1000
    `,
  );

  trace(
    'behind a threshold the rate is 1.2 windows a round trip',
    paced({ cwnd: 20000 }),
    `
     0      write(60000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.005  > . 10001:12001(2000) ack 1 gso 1000
    +0.005  > . 12001:14001(2000) ack 1 gso 1000
    +0.005  > . 14001:16001(2000) ack 1 gso 1000
    +0.005  > . 16001:18001(2000) ack 1 gso 1000
    +0.005  > . 18001:20001(2000) ack 1 gso 1000
    +0.275  > . 1:1001(1000) ack 1
    +0.1    < . 1:1(0) ack 20001
    +0      > . 20001:30001(10000) ack 1 gso 1000
    +0      info(cwnd) = 11100; info(ssthresh) = 10000                          # 134 bytes/ms
    +0.008  > . 30001:31001(1000) ack 1
    +0      < . 1:1(0) ack 22001
    +0.015  > . 31001:33001(2000) ack 1 gso 1000
    `,
  );

  trace(
    'what goes out in recovery has its own measure: PRR (RFC 9937)',
    paced({ cwnd: 20000, sack: true }),
    `
     0      write(30000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.005  > . 10001:12001(2000) ack 1 gso 1000
    +0.005  > . 12001:14001(2000) ack 1 gso 1000
    +0.005  > . 14001:16001(2000) ack 1 gso 1000
    +0.005  > . 16001:18001(2000) ack 1 gso 1000
    +0.005  > . 18001:20001(2000) ack 1 gso 1000
    +0.001  < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
    +0      > . 1:1001(1000) ack 1
    +0.001  < . 1:1(0) ack 1 <nop,nop,sack 1001:20001>
    +0      > . 20001:29001(9000) ack 1 gso 1000
    `,
  );

  trace(
    'the end of the data need not be a full segment',
    paced({ cwnd: 20000 }),
    `
     0      write(11500); shutdown()                                          FIN-WAIT-1
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.004  > FP. 10001:11501(1500) ack 1 gso 1000
    `,
  );

  trace(
    'a round trip of 3 ms is too short for it',
    paced({ cwnd: 20000, rtt: 0.003 }),
    `
     0      write(20000)
     0      > P. 1:20001(20000) ack 1 gso 1000
    `,
  );

  trace(
    'it can be off',
    paced({ cwnd: 20000, tcp: { pacing: false } }),
    `
     0      write(20000)
     0      > P. 1:20001(20000) ack 1 gso 1000
    `,
  );
});
