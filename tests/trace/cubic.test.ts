// CUBIC with HyStart++ on the wire: RFC 9438, RFC 9406; and windows that are not used: RFC 7661.

import { describe } from 'vitest';
import { established, type TraceOptions, trace } from '../support/dsl.js';

const cubic = (options: TraceOptions = {}) =>
  established({ offload: true, ...options, tcp: { congestion: 'cubic', ...options.tcp } });

describe('CUBIC', () => {
  trace(
    'a loss leaves seven tenths of the window (RFC 9438 §4.6)',
    cubic({ win: 10000 }),
    `
     0      write(40000); info(congestion) = cubic
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      < . 1:1(0) ack 1
    +0      > . 1:1001(1000) ack 1
    +0      info(ssthresh) = 7000
    `,
  );

  trace(
    'a timeout leaves one segment, and slow start ends at seven tenths (RFC 9438 §4.8)',
    cubic(),
    `
     0      write(40000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.2    > . 1:1001(1000) ack 1
    +0      info(cwnd) = 1000; info(ssthresh) = 7000
    +0.01   < . 1:1(0) ack 1001
    +0      > . 1001:3001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 3001
    +0      > . 3001:7001(4000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 10001
    +0      > . 10001:17001(7000) ack 1 gso 1000
    +0      info(cwnd) = 7302                                # 9/17 of 4000/7000 of a segment
    `,
  );

  trace(
    'a window that is not used does not grow (RFC 7661 §4.3, RFC 9438 §5.8)',
    cubic(),
    `
     0      write(3000)
     0      > P. 1:3001(3000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 3001
    +0      write(5000)
    +0      > P. 3001:8001(5000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 8001
    +0      info(cwnd) = 10000
    +0      write(6000)
    +0      > P. 8001:14001(6000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 14001                             # more than half of it was: slow start
    +0      info(cwnd) = 16000
    `,
  );
});

/** So many ACKs of one segment each, all in one turn, behind `from`. */
const acks = (count: number, from: number): string =>
  Array.from({ length: count }, (_, i) => {
    const more = i < count - 1 ? ' more' : '';
    return `    +0      < . 1:1(0) ack ${from + (i + 1) * 1000}${more}`;
  }).join('\n');

describe('HyStart++', () => {
  trace(
    'longer round trips end slow start, by way of five rounds at a fourth of the pace (RFC 9406 §4.2)',
    cubic({ sack: true, rtt: 0.1, wscale: 4, memory: 16 << 20 }),
    `
     0      write(262000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.1    no closed
${acks(10, 1)}
    +0      > . 10001:30001(20000) ack 1 gso 1000
    +0.12   no closed                                        # 20 ms more; an eighth is 12.5
${acks(20, 10001)}
    +0      > . 30001:60001(30000) ack 1 gso 1000
    +0      info(cwnd) = 30250; info(ssthresh) = 2147483647  # 7 whole ones, 13 fourths
    +0.12   < . 1:1(0) ack 60001
    +0      > . 60001:97001(37000) ack 1 gso 1000
    +0.12   < . 1:1(0) ack 97001
    +0      > . 97001:144001(47000) ack 1 gso 1000
    +0.12   < . 1:1(0) ack 144001
    +0      > . 144001:202001(58000) ack 1 gso 1000
    +0      info(ssthresh) = 2147483647
    +0.12   < . 1:1(0) ack 202001
    +0      > . 202001:261001(59000) ack 1 gso 1000
    +0      info(ssthresh) = 58750
    `,
  );

  trace(
    'round trips of the same length do not (RFC 9406 §4.2)',
    cubic({ sack: true, rtt: 0.1, wscale: 4, memory: 16 << 20 }),
    `
     0      write(262000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.1    no closed
${acks(10, 1)}
    +0      > . 10001:30001(20000) ack 1 gso 1000
    +0.112  no closed                                        # 12 ms are less than an eighth
${acks(20, 10001)}
    +0      > . 30001:70001(40000) ack 1 gso 1000
    +0      info(cwnd) = 40000
    `,
  );
});
