// When an ACK is sent: RFC 9293 §3.8.6.3, RFC 5681 §4.2.

import { describe } from 'vitest';
import { established, settled, trace } from '../support/dsl.js';

describe('delayed ACK', () => {
  trace(
    'SHOULD-18, MUST-40: an ACK waits, less than half a second',
    settled(),
    `
     0      < P. 1:101(100) ack 21
    +0.04   > . 21:21(0) ack 101
    `,
  );

  trace(
    'the wait can be set',
    settled({ tcp: { delayedAck: 200 } }),
    `
     0      < P. 1:101(100) ack 21
    +0.2    > . 21:21(0) ack 101
    `,
  );

  trace(
    'SHOULD-19: at least every second full-sized segment is acknowledged',
    settled(),
    `
     0      < . 1:1001(1000) ack 21
    +0.001  < . 1001:2001(1000) ack 21
    +0      > . 21:21(0) ack 2001
    +0.001  < . 2001:3001(1000) ack 21
    +0.001  < . 3001:4001(1000) ack 21
    +0      > . 21:21(0) ack 4001
    +0.001  < . 4001:5001(1000) ack 21
    +0.04   > . 21:21(0) ack 5001
    `,
  );

  trace(
    'SHOULD-19: a super-segment is more than one segment',
    settled({ offload: true }),
    `
     0      < . 1:2001(2000) ack 21 gso 1000
     0      > . 21:21(0) ack 2001
    `,
  );

  trace(
    'the ACK travels with data that leave meanwhile',
    settled(),
    `
     0      < P. 1:101(100) ack 21
    +0.01   write(10)
    +0      > P. 21:31(10) ack 101
    +0.01   < . 101:101(0) ack 31
    +1
    `,
  );

  trace(
    'the wait is that of the first segment, not of the last',
    settled(),
    `
     0      < P. 1:101(100) ack 21
    +0.03   < P. 101:201(100) ack 21
    +0.01   > . 21:21(0) ack 201
    `,
  );

  trace(
    'at the beginning each segment is acknowledged at once',
    established(),
    `
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11
     0      < P. 11:21(10) ack 1
     0      > . 1:1(0) ack 21
     0      < P. 21:31(10) ack 1
     0      > . 1:1(0) ack 31
     0      < P. 31:41(10) ack 1
     0      > . 1:1(0) ack 41
    `,
  );
});

describe('an ACK at once (RFC 5681 §4.2)', () => {
  trace(
    'for data beyond a gap, and for data that fill it, in part or in full',
    settled(),
    `
     0      < . 1001:2001(1000) ack 21
     0      > . 21:21(0) ack 1
     0      < . 1:501(500) ack 21
     0      > . 21:21(0) ack 501
     0      < . 501:1001(500) ack 21
     0      > . 21:21(0) ack 2001
    `,
  );

  trace(
    'for a FIN, with the data before it',
    settled(),
    `
     0      < P. 1:101(100) ack 21
    +0.01   < F. 101:101(0) ack 21                                            CLOSE-WAIT
    +0      > . 21:21(0) ack 102
    `,
  );

  trace(
    'for what came before',
    settled(),
    `
     0      < P. 1:101(100) ack 21
    +0.04   > . 21:21(0) ack 101
    +0.2    < P. 1:101(100) ack 21
    +0      > . 21:21(0) ack 101
    `,
  );

  trace(
    'none for an ACK without data',
    settled(),
    `
     0      < . 1:1(0) ack 21
     0      < . 1:1(0) ack 21 win 1000
    +10                                                                       ESTABLISHED
    `,
  );
});
