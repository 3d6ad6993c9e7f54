// Explicit congestion notification: RFC 3168.

import { describe } from 'vitest';
import {
  closed,
  established,
  type Fixture,
  listening,
  type TraceOptions,
  trace,
} from '../support/dsl.js';

/** Both sides use ECN. */
const agreed = (options: TraceOptions = {}): Fixture => ({
  options,
  prelude: `
     0      listen()                                                          LISTEN
    +0      < SEW 0:0(0) win ${options.win ?? 65535} <mss 1000>               SYN-RECEIVED
    +0      > SE. 0:0(0) ack 1 <*>
    +0.01   < . 1:1(0) ack 1 win ${options.win ?? 65535}                      ESTABLISHED
    +0      accept()
  `,
});

const asking = closed({ tcp: { ecn: 'request' } });

describe('the handshake (RFC 3168 §6.1.1)', () => {
  trace(
    'a SYN asks with ECE and CWR, a SYN,ACK with ECE agrees; SYNs and ACKs are not ECT themselves',
    asking,
    `
     0      connect()
     0      > SEW 0:0(0) <*>
    +0.01   < SE. 0:0(0) ack 1 <mss 1000>                                     ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      write(10)
    +0      > P. 1:11(10) ack 1 tos 2
    +0      info(ecn) = true
    `,
  );

  trace(
    'a SYN,ACK without ECE declines',
    asking,
    `
     0      connect()
     0      > SEW 0:0(0) <*>
    +0.01   < S. 0:0(0) ack 1 <mss 1000>                                      ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      write(10)
    +0      > P. 1:11(10) ack 1
    +0      info(ecn) = false
    `,
  );

  trace(
    'a SYN,ACK that only mirrors our bits declines',
    asking,
    `
     0      connect()
     0      > SEW 0:0(0) <*>
    +0.01   < SEW. 0:0(0) ack 1 <mss 1000>                                    ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      info(ecn) = false
    `,
  );

  trace(
    'a SYN that goes out again does not ask, and then there is no ECN (§6.1.1.1)',
    asking,
    `
     0      connect()
     0      > SEW 0:0(0) <*>
    +1      > S 0:0(0) <*>
    +0.01   < SE. 0:0(0) ack 1 <mss 1000>                                     ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      write(10)
    +0      > P. 1:11(10) ack 1
    `,
  );

  trace(
    'by default we agree, and do not ask',
    listening(),
    `
     0      < SEW 0:0(0) win 1000 <mss 1000>                                  SYN-RECEIVED
     0      > SE. 0:0(0) ack 1 <*>
    +1      > SE. 0:0(0) ack 1 <*>
    +0.01   < . 1:1(0) ack 1                                                  ESTABLISHED
    +0      accept(); info(ecn) = true
    `,
  );

  trace(
    'a SYN without the bits, or with one of them, is not answered with ECE',
    listening(),
    `
     0      < SE 0:0(0) win 1000 <mss 1000>                                   SYN-RECEIVED
     0      > S. 0:0(0) ack 1 <*>
    +0      2: < SW 0:0(0) win 1000 <mss 1000>                                SYN-RECEIVED
    +0      2: > S. 0:0(0) ack 1 <*>
    `,
  );

  trace(
    'where it is off a SYN that asks is only a SYN',
    listening({ tcp: { ecn: 'off' } }),
    `
     0      < SEW 0:0(0) win 1000 <mss 1000>                                  SYN-RECEIVED
     0      > S. 0:0(0) ack 1 <*>
    +0.01   < . 1:1(0) ack 1                                                  ESTABLISHED
    +0      accept(); write(10)
    +0      > P. 1:11(10) ack 1
    `,
  );

  trace(
    'a peer whose second SYN does not ask any more gets a SYN,ACK without ECE',
    listening(),
    `
     0      < SEW 0:0(0) win 1000 <mss 1000>                                  SYN-RECEIVED
     0      > SE. 0:0(0) ack 1 <*>
    +0.5    < S 0:0(0) win 1000 <mss 1000>
    +0      > S. 0:0(0) ack 1 <*>
    +0.01   < . 1:1(0) ack 1                                                  ESTABLISHED
    +0      accept(); info(ecn) = false
    `,
  );

  trace(
    'two SYNs that cross and ask both agree',
    asking,
    `
     0      connect()                                                         SYN-SENT
     0      > SEW 0:0(0) <*>
    +0.01   < SEW 0:0(0) win 1000 <mss 1000>                                  SYN-RECEIVED
    +0      > SE. 0:0(0) ack 1 <*>
    +0.01   < SE. 0:0(0) ack 1                                                ESTABLISHED
    +0      info(ecn) = true
    `,
  );

  trace(
    'the ECN field is not the user’s while it is in use, the rest of the traffic class is',
    agreed(),
    `
     0      headerFields(187, 64); write(10)
     0      > P. 1:11(10) ack 1 tos 186
    +0.01   < P. 1:11(10) ack 11
    +0      > . 11:11(0) ack 11 tos 184
    `,
  );
});

describe('the receiver (§6.1.3)', () => {
  trace(
    'a mark is echoed at once and on everything, until the peer has heard it',
    agreed(),
    `
     0      < P. 1:1001(1000) ack 1 tos 3
     0      > E. 1:1(0) ack 1001
    +0.01   < P. 1001:2001(1000) ack 1 tos 2
    +0      > E. 1:1(0) ack 2001
    +0      write(10)
    +0      > PE. 1:11(10) ack 2001 tos 2
    +0.01   < PW. 2001:3001(1000) ack 11 tos 2
    +0      > . 11:11(0) ack 3001
    `,
  );

  trace(
    'CWR on a packet that is marked itself begins anew',
    agreed(),
    `
     0      < P. 1:1001(1000) ack 1 tos 3
     0      > E. 1:1(0) ack 1001
    +0.01   < PW. 1001:2001(1000) ack 1 tos 3
    +0      > E. 1:1(0) ack 2001
    +0.01   < PW. 2001:3001(1000) ack 1 tos 2
    +0      > . 1:1(0) ack 3001
    `,
  );

  trace(
    'a marked super-segment is one mark',
    agreed({ offload: true }),
    `
     0      < P. 1:5001(5000) ack 1 tos 3 gso 1000
     0      > E. 1:1(0) ack 5001
    +0.01   < PW. 5001:10001(5000) ack 1 tos 2 gso 1000
    +0      > . 1:1(0) ack 10001
    `,
  );

  trace(
    'marks on ACKs and on segments outside of the window say nothing (§6.1.4, §6.1.5)',
    agreed(),
    `
     0      < P. 1:1001(1000) ack 1 tos 2
     0      > . 1:1(0) ack 1001
    +0      < . 1001:1001(0) ack 1 tos 3
    +0.01   < P. 1:1001(1000) ack 1 tos 3
    +0      > . 1:1(0) ack 1001
    +0.01   < P. 70001:71001(1000) ack 1 tos 3
    +0      > . 1:1(0) ack 1001
    `,
  );

  trace(
    'without ECN a mark means nothing',
    established(),
    `
     0      < P. 1:1001(1000) ack 1 tos 3
     0      > . 1:1(0) ack 1001
    `,
  );
});

describe('the sender (§6.1.2)', () => {
  trace(
    'an echo halves the window once, nothing is sent again, and the next new data say CWR once',
    agreed({ offload: true, cwnd: 8000 }),
    `
     0      write(40000)
     0      > . 1:8001(8000) ack 1 gso 1000 tos 2
    +0.01   < E. 1:1(0) ack 2001
    +0      info(cwnd) = 4000; info(ssthresh) = 4000; info(retransmits) = 0
    +0      < E. 1:1(0) ack 4001
    +0      < E. 1:1(0) ack 6001
    +0      > W. 8001:10001(2000) ack 1 gso 1000 tos 2
    +0      < E. 1:1(0) ack 8001
    +0      > . 10001:12001(2000) ack 1 gso 1000 tos 2
    +0      info(cwnd) = 4000
    `,
  );

  trace(
    'an echo of the next window halves again',
    agreed({ offload: true, cwnd: 8000 }),
    `
     0      write(40000)
     0      > . 1:8001(8000) ack 1 gso 1000 tos 2
    +0.01   < E. 1:1(0) ack 8001
    +0      > W. 8001:12001(4000) ack 1 gso 1000 tos 2
    +0.01   < E. 1:1(0) ack 10001
    +0      info(cwnd) = 2000
    +0      < . 1:1(0) ack 12001
    +0      > W. 12001:15001(3000) ack 1 gso 1000 tos 2
    `,
  );

  trace(
    'where it was not agreed upon an echo means nothing',
    established({ offload: true, cwnd: 2000 }),
    `
     0      write(40000)
     0      > . 1:2001(2000) ack 1 gso 1000
    +0.01   < E. 1:1(0) ack 2001
    +0      > . 2001:6001(4000) ack 1 gso 1000
    `,
  );

  trace(
    'a loss is told with CWR as well; what is sent again is not ECT (§6.1.5)',
    agreed({ offload: true, cwnd: 8000 }),
    `
     0      write(40000)
     0      > . 1:8001(8000) ack 1 gso 1000 tos 2
    +0.01   < . 1:1(0) ack 1
    +0      > . 8001:9001(1000) ack 1 tos 2
    +0      < . 1:1(0) ack 1
    +0      > . 9001:10001(1000) ack 1 tos 2
    +0      < . 1:1(0) ack 1
    +0      > . 1:1001(1000) ack 1
    +0      < E. 1:1(0) ack 1
    +0      info(ssthresh) = 4000
    +0.01   < E. 1:1(0) ack 10001
    +0      > W. 10001:12001(2000) ack 1 gso 1000 tos 2
    +0      info(ssthresh) = 4000
    `,
  );

  trace(
    'a timeout is told with CWR as well',
    agreed({ cwnd: 2000 }),
    `
     0      write(2000)
     0      > . 1:1001(1000) ack 1 tos 2
     0      > P. 1001:2001(1000) ack 1 tos 2
    +0.2    > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 2001
    +0      write(10)
    +0      > PW. 2001:2011(10) ack 1 tos 2
    `,
  );

  trace(
    'a window probe is not ECT (§6.1.6)',
    agreed(),
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1 tos 2
    +0.01   < . 1:1(0) ack 1001 win 0
    +0      write(10)
    +0.2    > . 1001:1002(1) ack 1
    `,
  );
});
