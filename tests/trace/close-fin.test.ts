// Our FIN waits, is lost, or overtakes; so does the peer's: RFC 9293 §3.6, §3.10.4, §3.10.7.4.

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
    established({ cwnd: 1000, tcp: { sendBuffer: 4096, sendBufferMax: 4096 } }),
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
