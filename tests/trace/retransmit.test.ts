// Retransmission and its timer: RFC 6298, RFC 9293 §3.8.1 to §3.8.3.

import { describe } from 'vitest';
import { established, synSent, trace } from '../support/dsl.js';

describe('the timeout', () => {
  trace(
    'comes from the round trip of the handshake (RFC 6298 §2.2)',
    established({ rtt: 0.5 }),
    `
     0      info(rtoMs) = 1500; write(10)
     0      > P. 1:11(10) ack 1
    +1.5    > P. 1:11(10) ack 1
    +3      > P. 1:11(10) ack 1
    `,
  );

  trace(
    'follows further samples (§2.3)',
    established({ rtt: 0.1 }),
    `
     0      info(rtoMs) = 300; write(10)
     0      > P. 1:11(10) ack 1
    +0.2    < . 1:1(0) ack 11
    +0      info(rttUs) = 112500; info(rttVarUs) = 62500; info(rtoMs) = 363
    `,
  );

  trace(
    'is 200 ms at least, as in Linux, also when the round trip is next to nothing',
    established({ rtt: 0.000001 }),
    `
     0      info(rtoMs) = 200; write(10)
     0      > P. 1:11(10) ack 1
    +0.2    > P. 1:11(10) ack 1
    `,
  );

  trace(
    'is one second before there is a sample (§2.1)',
    synSent(),
    `
     0      info(rtoMs) = 1000
    `,
  );

  trace(
    'MUST-19: backs off by doubling (§5.5), up to a ceiling (§2.5)',
    established({ tcp: { maxRto: 1000 } }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.2    > P. 1:11(10) ack 1
    +0.4    > P. 1:11(10) ack 1
    +0.8    > P. 1:11(10) ack 1
    +1      > P. 1:11(10) ack 1
    +1      > P. 1:11(10) ack 1
    `,
  );

  trace(
    'MUST-18: no sample from what was sent twice (Karn), and the back-off stays till there is one',
    established({ rtt: 0.1 }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.3    > P. 1:11(10) ack 1
    +0.05   < . 1:1(0) ack 11
    +0      info(rttUs) = 100000; info(rtoMs) = 600; write(10)
    +0      > P. 11:21(10) ack 1
    +0.6    > P. 11:21(10) ack 1
    +0.05   < . 1:1(0) ack 21
    +0      write(10)
    +0      > P. 21:31(10) ack 1
    +0.1    < . 1:1(0) ack 31
    +0      info(rtoMs) = 250
    `,
  );

  trace(
    'runs from the oldest segment, and begins anew with each ACK of something new (§5.1, §5.3)',
    established(),
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1
    +0.1    write(1000)
    +0      > P. 1001:2001(1000) ack 1
    +0.05   < . 1:1(0) ack 1001
    +0.2    > P. 1001:2001(1000) ack 1
    `,
  );

  trace(
    'ends when all is acknowledged (§5.2)',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.19   < . 1:1(0) ack 11
    +100                                                                      ESTABLISHED
    `,
  );

  trace(
    'an ACK that was read too late comes before the timer',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      stall(10)
    +0      < . 1:1(0) ack 11
    +100                                                                      ESTABLISHED
    +0      info(timeouts) = 0; info(retransmits) = 0
    `,
  );

  trace(
    'after a process was held up, one timeout counts as one',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      stall(10)
    +0      > P. 1:11(10) ack 1
    +0.4    > P. 1:11(10) ack 1
    +0      info(timeouts) = 2
    `,
  );
});

describe('what is sent again', () => {
  trace(
    'the oldest segment only; the ACK says what is missing next',
    established(),
    `
     0      write(3000)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
     0      > P. 2001:3001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 3001
    +100
    `,
  );

  trace(
    'all of it, when all of it was lost, in slow start',
    established(),
    `
     0      write(4000)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
     0      > . 2001:3001(1000) ack 1
     0      > P. 3001:4001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001
    +0      > . 1001:2001(1000) ack 1
    +0      > . 2001:3001(1000) ack 1
    +0.01   < . 1:1(0) ack 3001
    +0      > P. 3001:4001(1000) ack 1
    +0.01   < . 1:1(0) ack 4001
    `,
  );

  trace(
    'an ACK of the original, which was only late',
    established(),
    `
     0      write(2000)
     0      > . 1:1001(1000) ack 1
     0      > P. 1001:2001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 2001
    +0      write(10)
    +0      > P. 2001:2011(10) ack 1
    `,
  );

  trace(
    'small segments together',
    established({ tcp: { noDelay: true } }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      write(10)
     0      > P. 11:21(10) ack 1
    +0.2    > P. 1:21(20) ack 1
    `,
  );

  trace(
    'from where the ACK ends, also in the middle of a segment',
    established(),
    `
     0      write(2000)
     0      > . 1:1001(1000) ack 1
     0      > P. 1001:2001(1000) ack 1
    +0.01   < . 1:1(0) ack 501
    +0.2    > . 501:1501(1000) ack 1
    +0.01   < . 1:1(0) ack 2001
    `,
  );

  trace(
    'with what has arrived meanwhile acknowledged',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.1    < P. 1:11(10) ack 1
    +0      > . 11:11(0) ack 11
    +0.1    > P. 1:11(10) ack 11
    `,
  );
});

describe('giving up', () => {
  const resent = (delays: number[]) =>
    delays.map((delay) => `+${delay}  > P. 1:11(10) ack 1`).join('\n');
  const doubled = Array.from({ length: 10 }, (_, i) => Number((0.2 * 2 ** i).toFixed(1)));

  trace(
    'MUST-20, SHOULD-9, SHOULD-10: the user is told after R1, three retransmissions',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.2    > P. 1:11(10) ack 1
    +0.4    > P. 1:11(10) ack 1
    +0      no advice
    +0.8    > P. 1:11(10) ack 1
    +0      advice(ETIMEDOUT)
    `,
  );

  trace(
    'MUST-20, SHOULD-11, MUST-12: after R2, 15 retransmissions as in Linux, the connection is closed',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    ${resent(doubled)}
    ${resent([120, 120, 120, 120, 120])}
    +119.999                                                                  ESTABLISHED
    +0.001                                                                    CLOSED
    +0      closed(timeout, ETIMEDOUT); connections() = 0
    `,
  );

  trace(
    'MUST-21: the user can set R2',
    established(),
    `
     0      userTimeout(1000); write(10)
     0      > P. 1:11(10) ack 1
    ${resent([0.2, 0.4])}
    +0.8                                                                      CLOSED
    +0      closed(timeout, ETIMEDOUT)
    `,
  );

  trace(
    'SHOULD-9: R1 counts retransmissions of the same segment',
    established(),
    `
     0      write(2000)
     0      > . 1:1001(1000) ack 1
     0      > P. 1001:2001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0.4    > . 1:1001(1000) ack 1
    +0.1    < . 1:1(0) ack 1001
    +0      > P. 1001:2001(1000) ack 1
    +0.8    > P. 1001:2001(1000) ack 1
    +0      no advice
    `,
  );

  trace(
    'R2 counts from the last progress',
    established({ tcp: { userTimeout: 1000 } }),
    `
     0      write(2000)
     0      > . 1:1001(1000) ack 1
     0      > P. 1001:2001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0.4    > . 1:1001(1000) ack 1
    +0.1    < . 1:1(0) ack 1001
    +0      > P. 1001:2001(1000) ack 1
    +0.8    > P. 1001:2001(1000) ack 1                                        ESTABLISHED
    `,
  );
});
