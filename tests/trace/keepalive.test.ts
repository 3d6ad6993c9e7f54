// Keep-alive: RFC 9293 §3.8.4.

import { describe } from 'vitest';
import { closeWait, established, finWait2, trace } from '../support/dsl.js';

describe('keep-alive', () => {
  trace(
    'MUST-25: off by default',
    established(),
    `
    +1000000                                                                  ESTABLISHED
    `,
  );

  trace(
    'MAY-5, MUST-24, MUST-28, SHOULD-12: on request; after two hours, with an old number and no data',
    established(),
    `
     0      keepAlive(true)
    +7199.9                                                                   ESTABLISHED
    +0.1    > . 0:0(0) ack 1
    +0.01   < . 1:1(0) ack 1
    +7199.9                                                                   ESTABLISHED
    +0.1    > . 0:0(0) ack 1
    `,
  );

  trace(
    'MUST-24: it can be switched off again',
    established(),
    `
     0      keepAlive(true, 10000, 1000, 3)
    +9      keepAlive(false)
    +1000000                                                                  ESTABLISHED
    `,
  );

  trace(
    'MUST-24: for all connections of a stack',
    established({ tcp: { keepAlive: true, keepAliveIdle: 5000 } }),
    `
    +5      > . 0:0(0) ack 1
    `,
  );

  trace(
    'MUST-27: idle time and interval can be set',
    established(),
    `
     0      keepAlive(true, 10000, 1000, 3)
    +10     > . 0:0(0) ack 1
    +0.01   < . 1:1(0) ack 1
    +10     > . 0:0(0) ack 1
    +1      > . 0:0(0) ack 1
    `,
  );

  trace(
    'MUST-29: a probe without answer is no death; several are',
    established(),
    `
     0      keepAlive(true, 10000, 1000, 3)
    +10     > . 0:0(0) ack 1
    +1      > . 0:0(0) ack 1
    +1      > . 0:0(0) ack 1
    +0.5    < . 1:1(0) ack 1                                                  ESTABLISHED
    +10     > . 0:0(0) ack 1
    +1      > . 0:0(0) ack 1
    +1      > . 0:0(0) ack 1
    +0.999                                                                    ESTABLISHED
    +0.001                                                                    CLOSED
    +0      closed(timeout, ETIMEDOUT); connections() = 0
    `,
  );

  trace(
    'MUST-26: not while anything is heard',
    established(),
    `
     0      keepAlive(true, 10000, 1000, 3)
    +9      < P. 1:11(10) ack 1
    +0      > . 1:1(0) ack 11
    +9      < . 11:11(0) ack 1
    +10     > . 0:0(0) ack 11
    `,
  );

  trace(
    'MUST-26: not while data are outstanding',
    established(),
    `
     0      keepAlive(true, 1000, 1000, 3); write(10)
     0      > P. 1:11(10) ack 1
    +0.2    > P. 1:11(10) ack 1
    +0.4    > P. 1:11(10) ack 1
    +0.8    > P. 1:11(10) ack 1
    +1.6    > P. 1:11(10) ack 1
    +0.1    < . 1:1(0) ack 11
    +1      > . 10:10(0) ack 1
    `,
  );

  trace(
    'a peer that crashed and came back resets',
    established(),
    `
     0      keepAlive(true, 10000, 1000, 3)
    +10     > . 0:0(0) ack 1
    +0.01   < R 1:1(0)                                                        CLOSED
    +0      closed(rst, ECONNRESET)
    `,
  );

  trace(
    'it finds out in CLOSE-WAIT and FIN-WAIT-2 too',
    closeWait({ tcp: { keepAlive: true, keepAliveIdle: 5000, keepAliveInterval: 1000 } }),
    `
    +5      > . 0:0(0) ack 2                                                  CLOSE-WAIT
    +0.01   < . 2:2(0) ack 1
    +5      > . 0:0(0) ack 2
    `,
  );

  trace(
    'in FIN-WAIT-2',
    finWait2({ tcp: { keepAlive: true, keepAliveIdle: 5000, keepAliveInterval: 1000 } }),
    `
    +5      > . 1:1(0) ack 1                                                  FIN-WAIT-2
    +0.01   < . 1:1(0) ack 2
    +5      > . 1:1(0) ack 1
    `,
  );

  trace(
    'a probe of the peer is answered (§3.10.7.4, first check)',
    established(),
    `
     0      < . 0:0(0) ack 1                                                  ESTABLISHED
     0      > . 1:1(0) ack 1
    +75     < . 0:0(0) ack 1
    +0      > . 1:1(0) ack 1
    +75     < . 0:1(1) ack 1
    +0      > . 1:1(0) ack 1
    `,
  );
});
