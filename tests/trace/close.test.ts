// The four-way close and all that can go differently: RFC 9293 §3.6 and §3.10.4.

import { describe } from 'vitest';
import {
  closeWait,
  closing,
  established,
  finWait1,
  finWait2,
  lastAck,
  timeWait,
  trace,
} from '../support/dsl.js';

describe('in order', () => {
  trace(
    'active close: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT (Figure 12)',
    established(),
    `
     0      shutdown()                                                        FIN-WAIT-1
     0      > F. 1:1(0) ack 1
    +0.01   < . 1:1(0) ack 2                                                  FIN-WAIT-2
    +0      no end; no closed
    +0.01   < F. 1:1(0) ack 2                                                 TIME-WAIT
    +0      > . 2:2(0) ack 2
    +0      end; closed(fin); connections() = 0; timeWaits() = 1
    +2MSL                                                                     CLOSED
    +0      timeWaits() = 0
    `,
  );

  trace(
    'passive close: CLOSE-WAIT, LAST-ACK, CLOSED',
    established(),
    `
     0      < F. 1:1(0) ack 1                                                 CLOSE-WAIT
     0      > . 1:1(0) ack 2
     0      end; no closed
    +1      shutdown()                                                        LAST-ACK
    +0      > F. 1:1(0) ack 2
    +0.01   < . 2:2(0) ack 2                                                  CLOSED
    +0      closed(fin); connections() = 0; timeWaits() = 0
    +0      states() = SYN-SENT>ESTABLISHED>CLOSE-WAIT>LAST-ACK>CLOSED
    `,
  );

  trace(
    'the other way round: a connection that the peer opened, closed by us',
    established({ passive: true }),
    `
     0      close()                                                           FIN-WAIT-1
     0      > F. 1:1(0) ack 1
    +0.01   < . 1:1(0) ack 2                                                  FIN-WAIT-2
    +0.01   < F. 1:1(0) ack 2                                                 TIME-WAIT
    +0      > . 2:2(0) ack 2
    +0      closed(fin)
    +2MSL                                                                     LISTEN
    `,
  );

  trace(
    'FIN and ACK in one segment: FIN-WAIT-1 straight to TIME-WAIT',
    finWait1(),
    `
    +0.01   < F. 1:1(0) ack 2                                                 TIME-WAIT
    +0      > . 2:2(0) ack 2
    +0      end; closed(fin); states() = SYN-SENT>ESTABLISHED>FIN-WAIT-1>TIME-WAIT
    +2MSL                                                                     CLOSED
    `,
  );

  trace(
    'FIN, ACK and the last data in one segment',
    finWait1(),
    `
    +0.01   < FP. 1:101(100) ack 2                                            TIME-WAIT
    +0      > . 2:2(0) ack 102
    +0      readable; end; closed(fin); read(100)
    `,
  );

  trace(
    'simultaneous close: CLOSING (Figure 13)',
    finWait1(),
    `
    +0.01   < F. 1:1(0) ack 1                                                 CLOSING
    +0      > . 2:2(0) ack 2
    +0      end; no closed
    +0.01   < . 2:2(0) ack 2                                                  TIME-WAIT
    +0      closed(fin); connections() = 0
    +0      states() = SYN-SENT>ESTABLISHED>FIN-WAIT-1>CLOSING>TIME-WAIT
    +2MSL                                                                     CLOSED
    `,
  );

  trace(
    'close with the peer in CLOSE-WAIT by FIN with data',
    established(),
    `
     0      < FP. 1:101(100) ack 1                                            CLOSE-WAIT
     0      > . 1:1(0) ack 102
     0      readable; end; read(100); ended() = true
     0      write(50); shutdown()                                             LAST-ACK
     0      > FP. 1:51(50) ack 102
    +0.01   < . 102:102(0) ack 52                                             CLOSED
    `,
  );
});

describe('half-close', () => {
  trace(
    'data still flow to us after our FIN',
    finWait2(),
    `
     0      < P. 1:101(100) ack 2                                             FIN-WAIT-2
     0      > . 2:2(0) ack 101
     0      read(100)
    +60     < P. 101:201(100) ack 2                                           FIN-WAIT-2
    +0      > . 2:2(0) ack 201
    +0      read(100); no end
    +0.01   < F. 201:201(0) ack 2                                             TIME-WAIT
    +0      > . 2:2(0) ack 202
    +0      end; closed(fin)
    `,
  );

  trace(
    'data reach us in FIN-WAIT-1, before and with the ACK of our FIN',
    finWait1(),
    `
    +0.01   < P. 1:101(100) ack 1                                             FIN-WAIT-1
    +0      > . 2:2(0) ack 101
    +0.01   < P. 101:201(100) ack 2                                           FIN-WAIT-2
    +0      > . 2:2(0) ack 201
    +0      read(200)
    `,
  );

  trace(
    'data still flow from us after the peer has closed',
    closeWait(),
    `
     0      write(100)                                                        CLOSE-WAIT
     0      > P. 1:101(100) ack 2
    +0.01   < . 2:2(0) ack 101                                                CLOSE-WAIT
    +60     write(100); shutdown()                                            LAST-ACK
    +0      > FP. 101:201(100) ack 2
    +0.01   < . 2:2(0) ack 202                                                CLOSED
    +0      closed(fin)
    `,
  );

  trace(
    'an ACK of data, not of the FIN, does not end LAST-ACK',
    closeWait(),
    `
     0      write(100); shutdown()                                            LAST-ACK
     0      > FP. 1:101(100) ack 2
    +0.01   < . 2:2(0) ack 101                                                LAST-ACK
    +0.01   < . 2:2(0) ack 1                                                  LAST-ACK
    +0.01   < . 2:2(0) ack 102                                                CLOSED
    `,
  );

  trace(
    'an ACK of data, not of the FIN, does not end FIN-WAIT-1',
    established(),
    `
     0      write(100); shutdown()                                            FIN-WAIT-1
     0      > FP. 1:101(100) ack 1
    +0.01   < . 1:1(0) ack 101                                                FIN-WAIT-1
    +0.01   < . 1:1(0) ack 102                                                FIN-WAIT-2
    `,
  );

  trace(
    'an ACK that does not cover our FIN does not end CLOSING',
    closing(),
    `
     0      < . 2:2(0) ack 1                                                  CLOSING
    +0.01   < . 2:2(0) ack 2                                                  TIME-WAIT
    `,
  );

  trace(
    'CLOSE-WAIT stays as long as the application does not close, and can be seen',
    closeWait(),
    `
    +86400                                                                    CLOSE-WAIT
    +0      connections() = 1; info(state) = CLOSE-WAIT; info(finQueued) = false; no closed
    +0      close()                                                           LAST-ACK
    +0      > F. 1:1(0) ack 2
    `,
  );

  trace(
    'FIN-WAIT-2 stays as long as somebody reads',
    finWait2(),
    `
    +86400                                                                    FIN-WAIT-2
    +0.01   < P. 1:11(10) ack 2                                               FIN-WAIT-2
    +0      > . 2:2(0) ack 11
    `,
  );

  trace(
    'closing twice sends one FIN, and nothing can be written behind it',
    finWait1(),
    `
     0      shutdown(); shutdown()                                            FIN-WAIT-1
     0      write(10) = EPIPE
    +0.01   < . 1:1(0) ack 2                                                  FIN-WAIT-2
    +0      shutdown()                                                        FIN-WAIT-2
    +0      write(10) = EPIPE
    `,
  );
});

describe('the FIN waits', () => {
  trace(
    'behind data',
    established({ cwnd: 1000 }),
    `
     0      write(1500); shutdown()                                           FIN-WAIT-1
     0      > . 1:1001(1000) ack 1
     0      info(finQueued) = true; info(finSent) = false
    +0.01   < . 1:1(0) ack 1001 win 65535                                     FIN-WAIT-1
    +0      > FP. 1001:1501(500) ack 1
    +0      info(finSent) = true; info(finAcknowledged) = false
    +0.01   < F. 1:1(0) ack 1502                                              TIME-WAIT
    +0      > . 1502:1502(0) ack 2
    +2MSL                                                                     CLOSED
    `,
  );

  trace(
    'behind a closed window',
    established({ win: 1000 }),
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +0      shutdown()                                                        FIN-WAIT-1
    +0      info(finQueued) = true; info(finSent) = false
    +0.2    > F. 1001:1001(0) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0                                         FIN-WAIT-1
    +0.39   > F. 1001:1001(0) ack 1
    +0.01   < . 1:1(0) ack 1001 win 1000                                      FIN-WAIT-1
    +0      > F. 1001:1001(0) ack 1
    +0.01   < . 1:1(0) ack 1002 win 1000                                      FIN-WAIT-2
    `,
  );

  trace(
    'behind data behind a closed window',
    established({ win: 1000 }),
    `
     0      write(1500); shutdown()                                           FIN-WAIT-1
     0      > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0                                         FIN-WAIT-1
    +0.2    > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0                                         FIN-WAIT-1
    +0.1    < . 1:1(0) ack 1001 win 1000                                      FIN-WAIT-1
    +0      > FP. 1001:1501(500) ack 1
    +0.01   < . 1:1(0) ack 1502 win 1000                                      FIN-WAIT-2
    `,
  );

  trace(
    'a window that has room for the data has none for the FIN',
    established({ win: 1000 }),
    `
     0      write(1000); shutdown()                                           FIN-WAIT-1
     0      > P. 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 1000                                      FIN-WAIT-1
    +0      > F. 1001:1001(0) ack 1
    `,
  );

  trace(
    'behind a full send ring',
    established({ cwnd: 1000, tcp: { sendBuffer: 4096 } }),
    `
     0      write(5000) = 4096; shutdown()                                    FIN-WAIT-1
     0      > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001
    +0      > . 1001:2001(1000) ack 1
    +0      > . 2001:3001(1000) ack 1
    +0.01   < . 1:1(0) ack 3001                                               FIN-WAIT-1
    +0      > . 3001:4001(1000) ack 1
    +0      > FP. 4001:4097(96) ack 1
    +0.01   < . 1:1(0) ack 4098                                               FIN-WAIT-2
    `,
  );

  trace(
    'not for the congestion window, once the data are out',
    established({ cwnd: 1000 }),
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1
     0      shutdown()                                                        FIN-WAIT-1
     0      > F. 1001:1001(0) ack 1
    `,
  );
});

describe('the FIN is lost or overtakes', () => {
  trace(
    'our FIN is lost: sent again with back-off, like data',
    finWait1(),
    `
    +0.2    > F. 1:1(0) ack 1
    +0.4    > F. 1:1(0) ack 1
    +0.8    > F. 1:1(0) ack 1
    +0.01   < . 1:1(0) ack 2                                                  FIN-WAIT-2
    +10                                                                       FIN-WAIT-2
    `,
  );

  trace(
    'our FIN is lost in LAST-ACK',
    lastAck(),
    `
    +0.2    > F. 1:1(0) ack 2
    +0.4    > F. 1:1(0) ack 2
    +0.01   < . 2:2(0) ack 2                                                  CLOSED
    +0      closed(fin)
    `,
  );

  trace(
    'our FIN is lost in CLOSING',
    closing(),
    `
    +0.19   > F. 1:1(0) ack 2                                                 CLOSING
    +0.01   < . 2:2(0) ack 2                                                  TIME-WAIT
    `,
  );

  trace(
    'the ACK of our FIN, and all else, is lost: LAST-ACK ends after R2',
    lastAck({ tcp: { userTimeout: 1000 } }),
    `
    +0.2    > F. 1:1(0) ack 2
    +0.4    > F. 1:1(0) ack 2
    +0.8                                                                      CLOSED
    +0      closed(timeout, ETIMEDOUT); connections() = 0
    `,
  );

  trace(
    'nobody answers any more: FIN-WAIT-1 of an orphan ends after R2',
    finWait1({ orphan: true, tcp: { userTimeout: 1000 } }),
    `
    +0.2    > F. 1:1(0) ack 1
    +0.4    > F. 1:1(0) ack 1
    +0.8                                                                      CLOSED
    +0      connections() = 0
    `,
  );

  trace(
    'the last ACK is lost: the FIN comes again, is acknowledged, and 2MSL begins anew',
    timeWait(),
    `
    +30     < F. 1:1(0) ack 2                                                 TIME-WAIT
    +0      > . 2:2(0) ack 2
    +59.9                                                                     TIME-WAIT
    +0.1                                                                      CLOSED
    `,
  );

  trace(
    'the ACK of the FIN is lost on the way to a peer in FIN-WAIT-1: CLOSE-WAIT acknowledges again',
    closeWait(),
    `
    +0.2    < F. 1:1(0) ack 1                                                 CLOSE-WAIT
    +0      > . 1:1(0) ack 2
    +0      end; no end
    `,
  );

  trace(
    'a FIN that comes again in CLOSING and in LAST-ACK is acknowledged',
    closing(),
    `
    +0.1    < F. 1:1(0) ack 1                                                 CLOSING
    +0      > . 2:2(0) ack 2
    +0.01   < F. 1:1(0) ack 2                                                 CLOSING
    +0      > . 2:2(0) ack 2
    +0.01   < . 2:2(0) ack 2                                                  TIME-WAIT
    `,
  );

  trace(
    'a FIN that overtakes its data counts when the stream reaches it',
    established(),
    `
     0      < F. 101:101(0) ack 1                                             ESTABLISHED
     0      > . 1:1(0) ack 1
     0      no end
    +0.01   < P. 1:101(100) ack 1                                             CLOSE-WAIT
    +0      > . 1:1(0) ack 102
    +0      readable; end; read(100)
    `,
  );

  trace(
    'a FIN that overtakes its data, with the ACK of ours: FIN-WAIT-2 until the data come',
    finWait1(),
    `
    +0.01   < F. 101:101(0) ack 2                                             FIN-WAIT-2
    +0      > . 2:2(0) ack 1
    +0      no end
    +0.01   < P. 1:101(100) ack 2                                             TIME-WAIT
    +0      > . 2:2(0) ack 102
    +0      end; closed(fin)
    `,
  );

  trace(
    'a FIN with data that overtakes other data',
    established(),
    `
     0      < FP. 51:101(50) ack 1                                            ESTABLISHED
     0      > . 1:1(0) ack 1
    +0.01   < . 1:51(50) ack 1                                                CLOSE-WAIT
    +0      > . 1:1(0) ack 102
    +0      end; read(100)
    `,
  );

  trace(
    'a FIN that overtakes its data in FIN-WAIT-2',
    finWait2(),
    `
     0      < F. 101:101(0) ack 2                                             FIN-WAIT-2
     0      > . 2:2(0) ack 1
    +0.01   < P. 1:101(100) ack 2                                             TIME-WAIT
    +0      > . 2:2(0) ack 102
    `,
  );

  trace(
    'the FIN is sent again with the data that were lost before it',
    established(),
    `
     0      write(1500); shutdown()                                           FIN-WAIT-1
     0      > . 1:1001(1000) ack 1
     0      > FP. 1001:1501(500) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001                                               FIN-WAIT-1
    +0      > FP. 1001:1501(500) ack 1
    +0.01   < . 1:1(0) ack 1502                                               FIN-WAIT-2
    `,
  );

  trace(
    'data beyond the place of a FIN that waits are of no stream',
    established(),
    `
     0      < F. 101:101(0) ack 1
     0      > . 1:1(0) ack 1
     0      < P. 151:161(10) ack 1
     0      > . 1:1(0) ack 1
     0      < . 1:101(100) ack 1                                              CLOSE-WAIT
     0      > . 1:1(0) ack 102
     0      readable() = 100; read(100); end
     0      shutdown()                                                        LAST-ACK
     0      > F. 1:1(0) ack 102
    +0.01   < . 102:102(0) ack 2                                              CLOSED
    `,
  );

  trace(
    "data behind the peer's FIN are ignored (seventh check)",
    closeWait(),
    `
     0      < P. 2:12(10) ack 1                                               CLOSE-WAIT
     0      readable() = 0
    `,
  );
});

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
