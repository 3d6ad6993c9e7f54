// The user lets go of a connection, or calls it when it is over: RFC 9293 §3.6.1, §3.10.4.

import { describe } from 'vitest';
import { established, finWait1, finWait2, trace } from '../support/dsl.js';

describe('after the end', () => {
  trace(
    'calls after a reset do nothing, and what was not read is given back with close()',
    established(),
    `
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11
     0      < R 11:11(0)                                                      CLOSED
     0      closed(rst, ECONNRESET); write(1) = EPIPE; shutdown()             CLOSED
     0      readable() = 10; close(); close(); abort()                        CLOSED
     0      memory() = 0; no closed
    +10                                                                       CLOSED
    `,
  );

  trace(
    'abort() after a reset gives back what was not read',
    established(),
    `
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11
     0      < R 11:11(0)                                                      CLOSED
     0      abort(); memory() = 0
    `,
  );

  trace(
    'calls in TIME-WAIT do nothing: not even abort() shortens it',
    finWait2(),
    `
     0      < FP. 1:11(10) ack 2                                              TIME-WAIT
     0      > . 2:2(0) ack 12
     0      closed(fin); write(1) = EPIPE; shutdown(); abort()                TIME-WAIT
     0      memory() = 0; no closed
    +59.999                                                                   TIME-WAIT
    +0.001                                                                    CLOSED
    `,
  );

  trace(
    'what was not read in TIME-WAIT is given back with close(), or when it is read',
    finWait2(),
    `
     0      < FP. 1:11(10) ack 2                                              TIME-WAIT
     0      > . 2:2(0) ack 12
     0      read(9); close()                                                  TIME-WAIT
     0      memory() = 0; closed(fin)
    `,
  );

  trace(
    'nothing is kept for a connection that is idle, or over',
    established({ cwnd: 1000 }),
    `
     0      memory() = 0; write(1500)
     0      > . 1:1001(1000) ack 1
    +0.01   < P. 1:11(10) ack 1001
    +0      > P. 1001:1501(500) ack 11
    +0      read(10)
    +0.01   < . 11:11(0) ack 1501
    +0      memory() = 0; write(1500)
    +0      > . 1501:2501(1000) ack 11
    +0      > P. 2501:3001(500) ack 11
    +0      < . 21:31(10) ack 1501
    +0      > . 3001:3001(0) ack 11
    +0      < R 11:11(0)                                                      CLOSED
    +0      memory() = 0
    `,
  );
});

describe('the user lets go', () => {
  trace(
    'SHOULD-3: close with unread data sends a RST, not a FIN (§3.6.1)',
    established(),
    `
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11
     0      close()                                                           CLOSED
     0      > R 1:1(0)
     0      closed(abort, ECONNABORTED); connections() = 0
    `,
  );

  trace(
    'SHOULD-3: so does close in CLOSE-WAIT',
    established(),
    `
     0      < FP. 1:11(10) ack 1                                              CLOSE-WAIT
     0      > . 1:1(0) ack 12
     0      read(9); close()                                                  CLOSED
     0      > R 1:1(0)
    `,
  );

  trace(
    'close after all was read sends a FIN',
    established(),
    `
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11
     0      read(10); close()                                                 FIN-WAIT-1
     0      > F. 1:1(0) ack 11
    `,
  );

  trace(
    'SHOULD-3, MAY-1: data that arrive after close get a RST, in FIN-WAIT-1',
    finWait1({ orphan: true }),
    `
    +0.01   < P. 1:11(10) ack 1                                               CLOSED
    +0      > R 2:2(0)
    +0      connections() = 0; timeWaits() = 0
    `,
  );

  trace(
    'SHOULD-3, MAY-1: data that arrive after close get a RST, in FIN-WAIT-2',
    finWait2({ orphan: true }),
    `
    +0.01   < P. 1:11(10) ack 2                                               CLOSED
    +0      > R 2:2(0)
    `,
  );

  trace(
    'data that arrive after close get no RST when they are old',
    established(),
    `
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11
     0      read(10); close()                                                 FIN-WAIT-1
     0      > F. 1:1(0) ack 11
    +0.01   < P. 1:11(10) ack 1                                               FIN-WAIT-1
    +0      > . 2:2(0) ack 11
    `,
  );

  trace(
    'data that are written before close are still sent',
    established({ cwnd: 1000 }),
    `
     0      write(2500); close()                                              FIN-WAIT-1
     0      > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001
    +0      > . 1001:2001(1000) ack 1
    +0      > FP. 2001:2501(500) ack 1
    +0.01   < F. 1:1(0) ack 2502                                              TIME-WAIT
    +0      > . 2502:2502(0) ack 2
    `,
  );

  trace(
    'close right after the peer has closed: LAST-ACK, and no RST for the FIN that comes again',
    established(),
    `
     0      < F. 1:1(0) ack 1                                                 CLOSE-WAIT
     0      > . 1:1(0) ack 2
     0      close()                                                           LAST-ACK
     0      > F. 1:1(0) ack 2
    +0.01   < F. 1:1(0) ack 1                                                 LAST-ACK
    +0      > . 2:2(0) ack 2
    +0.01   < . 2:2(0) ack 2                                                  CLOSED
    `,
  );

  trace(
    'a FIN without data after close is in order, data before it are not',
    finWait2({ orphan: true }),
    `
     0      < FP. 1:11(10) ack 2                                              CLOSED
     0      > R 2:2(0)
    `,
  );

  trace(
    'FIN-WAIT-2 of an orphan ends after 60 s',
    finWait2({ orphan: true }),
    `
    +59.9                                                                     FIN-WAIT-2
    +0.1                                                                      CLOSED
    +0      connections() = 0
    +0.01   < F. 1:1(0) ack 2                                                 CLOSED
    +0      > R 2:2(0)
    `,
  );

  trace(
    'FIN-WAIT-2 of an orphan: the timeout can be set, and a FIN in time is in order',
    finWait2({ orphan: true, tcp: { finWait2Timeout: 5000 } }),
    `
    +4.9    < F. 1:1(0) ack 2                                                 TIME-WAIT
    +0      > . 2:2(0) ack 2
    +0      closed(fin)
    +5                                                                        TIME-WAIT
    +55                                                                       CLOSED
    `,
  );

  trace(
    'close after shutdown makes FIN-WAIT-2 an orphan',
    finWait2(),
    `
    +100    close()                                                           FIN-WAIT-2
    +59.9                                                                     FIN-WAIT-2
    +0.1                                                                      CLOSED
    `,
  );

  trace(
    'linger 0 is an abort',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      close(0)                                                          CLOSED
     0      > R 11:11(0)
     0      closed(abort, ECONNABORTED); connections() = 0
    +10                                                                       CLOSED
    `,
  );

  trace(
    'linger with a time: what is not acknowledged by then is given up, with a RST',
    established(),
    `
     0      write(10); close(500)                                             FIN-WAIT-1
     0      > FP. 1:11(10) ack 1
    +0.2    > FP. 1:11(10) ack 1
    +0.3    > R 12:12(0)                                                      CLOSED
    +0      closed(timeout, ETIMEDOUT); connections() = 0
    `,
  );

  trace(
    'linger with a time: it is over when the FIN is acknowledged',
    established(),
    `
     0      close(500)                                                        FIN-WAIT-1
     0      > F. 1:1(0) ack 1
    +0.01   < . 1:1(0) ack 2                                                  FIN-WAIT-2
    +10                                                                       FIN-WAIT-2
    +0.01   < F. 1:1(0) ack 2                                                 TIME-WAIT
    +0      > . 2:2(0) ack 2
    +0      closed(fin)
    `,
  );
});
