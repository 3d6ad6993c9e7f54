// Probing a closed window: RFC 9293 §3.8.6.1.

import { describe } from 'vitest';
import { established, trace } from '../support/dsl.js';

/** The peer takes a segment, and closes its window. */
const closedWindow = `
     0      write(3000)
     0      > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0`;

describe('zero-window probes', () => {
  trace(
    'MUST-36, SHOULD-29, SHOULD-30: the first after the timeout, then further and further apart',
    established({ win: 1000 }),
    `${closedWindow}
    +0.2    > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +0.39   > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +0.79   > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +1.59   > . 1001:1002(1) ack 1
    `,
  );

  trace(
    'the back-off of probes ends with them: what is lost afterwards is sent again in time',
    established({ win: 1000 }),
    `${closedWindow}
    +0.2    > . 1001:1002(1) ack 1
    +0.4    > . 1001:1002(1) ack 1
    +0.8    > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 2000
    +0      > . 1001:2001(1000) ack 1
    +0      > P. 2001:3001(1000) ack 1
    +0.2    > . 1001:2001(1000) ack 1
    +0.4    > . 1001:2001(1000) ack 1
    `,
  );

  trace(
    'an answer with an open window sets the data free',
    established({ win: 1000 }),
    `${closedWindow}
    +0.2    > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 2000
    +0      > . 1001:2001(1000) ack 1
    +0      > P. 2001:3001(1000) ack 1
    `,
  );

  trace(
    'a peer that keeps the octet of the probe',
    established({ win: 1000 }),
    `${closedWindow}
    +0.2    > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1002 win 0
    +0.39   > . 1002:1003(1) ack 1
    +0.01   < . 1:1(0) ack 1003 win 2000
    +0      > . 1003:2003(1000) ack 1
    +0      > P. 2003:3001(998) ack 1
    `,
  );

  trace(
    'a window that opens between probes',
    established({ win: 1000 }),
    `${closedWindow}
    +0.1    < . 1:1(0) ack 1001 win 2000
    +0      > . 1001:2001(1000) ack 1
    +0      > P. 2001:3001(1000) ack 1
    `,
  );

  trace(
    'the window update was lost: the probe gets it',
    established({ win: 1000 }),
    `${closedWindow}
    +0.2    > . 1001:1002(1) ack 1
    +0.4    > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 5000
    +0      > . 1001:2001(1000) ack 1
    +0      > P. 2001:3001(1000) ack 1
    `,
  );

  const answered = Array.from(
    { length: 14 },
    (
      _,
      i,
    ) => `+${(Math.min(0.2 * 2 ** i, 120) - (i > 0 ? 0.01 : 0)).toFixed(2)}  > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0                                         ESTABLISHED`,
  );
  trace(
    'MUST-37: a peer that answers may keep it closed for ever',
    established({ win: 1000, tcp: { userTimeout: 5000 } }),
    `${closedWindow}
    ${answered.join('\n')}
    +0      no closed
    `,
  );

  trace(
    'a peer that does not answer is given up after R2',
    established({ win: 1000, tcp: { userTimeout: 1000 } }),
    `${closedWindow}
    +0.2    > . 1001:1002(1) ack 1
    +0.4    > . 1001:1002(1) ack 1
    +0.8                                                                      CLOSED
    +0      closed(timeout, ETIMEDOUT)
    `,
  );

  trace(
    'R2 counts from the first probe, not from when anything was heard last',
    established({ win: 1000, tcp: { userTimeout: 1000 } }),
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +1000   write(10)
    +0.2    > . 1001:1002(1) ack 1                                            ESTABLISHED
    +0.4    > . 1001:1002(1) ack 1                                            ESTABLISHED
    +0.8                                                                      CLOSED
    `,
  );

  trace(
    'the answers are no duplicate ACKs: no fast retransmit, no smaller cwnd',
    established({ win: 1000 }),
    `${closedWindow}
    +0.2    > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +0.01   < . 1:1(0) ack 1001 win 0
    +0.01   < . 1:1(0) ack 1001 win 0
    +0.01   < . 1:1(0) ack 1001 win 0
    +0      info(duplicateAcks) = 0
    +0.01   < . 1:1(0) ack 1001 win 2000
    +0      > . 1001:2001(1000) ack 1
    +0      > P. 2001:3001(1000) ack 1
    `,
  );

  trace(
    'no probe when nothing waits',
    established({ win: 1000 }),
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +1000                                                                     ESTABLISHED
    +0      write(10)
    +0.2    > . 1001:1002(1) ack 1
    `,
  );
});
