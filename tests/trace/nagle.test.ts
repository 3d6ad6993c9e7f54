// Nagle's algorithm: RFC 9293 §3.7.4, in the form of Minshall (its appendix A.3).

import { describe } from 'vitest';
import { established, trace } from '../support/dsl.js';

describe('Nagle', () => {
  trace(
    'SHOULD-7: a small segment waits as long as another one is not acknowledged',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      write(10)
    +0.05   write(10)
    +0.05   < . 1:1(0) ack 11
    +0      > P. 11:31(20) ack 1
    `,
  );

  trace(
    'a full segment does not wait; what is left does',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      write(1500)
     0      > . 11:1011(1000) ack 1
    +0.05   < . 1:1(0) ack 11
    +0      > P. 1011:1511(500) ack 1
    `,
  );

  trace(
    'a small segment does not wait for full ones (Minshall)',
    established(),
    `
     0      write(1500)
     0      > . 1:1001(1000) ack 1
     0      > P. 1001:1501(500) ack 1
     0      write(10)
    +0.05   < . 1:1(0) ack 1001
    +0.01   < . 1:1(0) ack 1501
    +0      > P. 1501:1511(10) ack 1
    `,
  );

  trace(
    'MUST-17: it can be switched off',
    established(),
    `
     0      noDelay(true); write(10)
     0      > P. 1:11(10) ack 1
     0      write(10)
     0      > P. 11:21(10) ack 1
    `,
  );

  trace(
    'MUST-17: for all connections of a stack',
    established({ tcp: { noDelay: true } }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      write(10)
     0      > P. 11:21(10) ack 1
    `,
  );

  trace(
    'MUST-17: switching it off lets go what waits (tcp(7), TCP_NODELAY)',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      write(10)
    +0.01   noDelay(true)
    +0      > P. 11:21(10) ack 1
    `,
  );

  trace(
    'CLOSE lets go what waits: nothing can be added to it (§3.8)',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      write(10)
    +0.01   shutdown()                                                        FIN-WAIT-1
    +0      > FP. 11:21(10) ack 1
    `,
  );

  trace(
    'what waits does not wait for ever: it goes with the ACK of the retransmission',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      write(10)
    +0.2    > P. 1:21(20) ack 1
    +0.01   < . 1:1(0) ack 21
    `,
  );
});
