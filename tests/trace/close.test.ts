// The four-way close in order, and half-closed connections: RFC 9293 §3.6 and §3.10.4.

import { describe } from 'vitest';
import { closeWait, closing, established, finWait1, finWait2, trace } from '../support/dsl.js';

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
