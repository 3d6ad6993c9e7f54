// TIME-WAIT: RFC 9293 §3.6.1, RFC 1337 and RFC 6191.

import { describe } from 'vitest';
import { closing, established, finWait2, timeWait, trace } from '../support/dsl.js';

describe('how long it lasts', () => {
  trace(
    'MUST-13: TIME-WAIT lasts 2MSL',
    timeWait(),
    `
    +59.999                                                                   TIME-WAIT
    +0.001                                                                    CLOSED
    +0      timeWaits() = 0
    +0      connect()                                                         SYN-SENT
    +0      > S 0:0(0) <*>
    `,
  );

  trace(
    'MUST-13: the MSL can be set',
    timeWait({ tcp: { msl: 500 } }),
    `
    +0.999                                                                    TIME-WAIT
    +0.001                                                                    CLOSED
    `,
  );

  trace(
    'MUST-13: from CLOSING as well',
    closing(),
    `
    +0.01   < . 2:2(0) ack 2                                                  TIME-WAIT
    +2MSL-0.001                                                               TIME-WAIT
    +0.001                                                                    CLOSED
    `,
  );

  trace(
    'no other timer runs in it: keep-alive, retransmission, delayed ACK',
    established(),
    `
     0      keepAlive(true, 1000, 1000, 2); shutdown()                        FIN-WAIT-1
     0      > F. 1:1(0) ack 1
    +0.01   < F. 1:1(0) ack 2                                                 TIME-WAIT
    +0      > . 2:2(0) ack 2
    +59.9                                                                     TIME-WAIT
    +0.1                                                                      CLOSED
    `,
  );

  trace(
    'only a repeated FIN begins 2MSL anew: neither an ACK nor old or new data do',
    timeWait(),
    `
    +10     < . 2:2(0) ack 2                                                  TIME-WAIT
    +10     < P. 1:1(0) ack 1                                                 TIME-WAIT
    +0      > . 2:2(0) ack 2
    +10     < P. 2:12(10) ack 2                                               TIME-WAIT
    +0      > . 2:2(0) ack 2
    +29.999                                                                   TIME-WAIT
    +0.001                                                                    CLOSED
    `,
  );

  trace(
    'the application is done on entry, and the record does not count as a connection',
    finWait2(),
    `
    +0.01   < F. 1:1(0) ack 2                                                 TIME-WAIT
    +0      > . 2:2(0) ack 2
    +0      closed(fin); connections() = 0; timeWaits() = 1
    `,
  );
});

describe('late segments', () => {
  trace(
    'a RST is ignored (RFC 1337)',
    timeWait(),
    `
    +1      < R 2:2(0)                                                        TIME-WAIT
    +1      < R. 2:2(0) ack 2                                                 TIME-WAIT
    +1      < R 5:5(0)                                                        TIME-WAIT
    +56.9                                                                     TIME-WAIT
    +0.1                                                                      CLOSED
    `,
  );

  trace(
    'a repeated FIN, with data too, is acknowledged each time',
    established(),
    `
     0      shutdown()                                                        FIN-WAIT-1
     0      > F. 1:1(0) ack 1
    +0.01   < FP. 1:11(10) ack 2                                              TIME-WAIT
    +0      > . 2:2(0) ack 12
    +0.2    < FP. 1:11(10) ack 2                                              TIME-WAIT
    +0      > . 2:2(0) ack 12
    +0.4    < F. 11:11(0) ack 2                                               TIME-WAIT
    +0      > . 2:2(0) ack 12
    +59.9                                                                     TIME-WAIT
    +0.1                                                                      CLOSED
    `,
  );

  trace(
    'an old SYN gets an ACK, and nothing else happens',
    timeWait({ passive: true }),
    `
    +1      < S -100:-100(0) win 1000 <mss 1000>                              TIME-WAIT
    +0      > . 2:2(0) ack 2
    +1      < S 0:0(0) win 1000 <mss 1000>                                    TIME-WAIT
    +0      > . 2:2(0) ack 2
    +57.9                                                                     TIME-WAIT
    +0.1                                                                      LISTEN
    `,
  );

  trace(
    'the ACK of an old SYN makes a peer in SYN-SENT reset, which is ignored in turn',
    timeWait({ passive: true }),
    `
    +1      < S 0:0(0) win 1000 <mss 1000>                                    TIME-WAIT
    +0      > . 2:2(0) ack 2
    +0.01   < R 2:2(0)                                                        TIME-WAIT
    `,
  );

  trace(
    'the ACK offers the window that was open',
    timeWait({ passive: true, wscale: 3, timestamps: true, sack: true }),
    `
    +1      < F. 1:1(0) ack 2 <nop,nop,TS 100 0>                              TIME-WAIT
    +0      > . 2:2(0) ack 2 win 2047 <nop,nop,TS * 100>
    `,
  );

  trace(
    'SYN and ACK together begin nothing',
    timeWait({ passive: true }),
    `
    +1      < S. 5000:5000(0) ack 2 win 1000 <mss 1000>                       TIME-WAIT
    +0      > . 2:2(0) ack 2
    `,
  );

  trace(
    'old data get an ACK',
    timeWait(),
    `
    +1      < P. -99:1(100) ack 2                                             TIME-WAIT
    +0      > . 2:2(0) ack 2
    `,
  );
});

describe('a new connection', () => {
  trace(
    'MAY-2: a SYN beyond the old sequence numbers reopens (RFC 1122 §4.2.2.13)',
    timeWait({ passive: true }),
    `
    +1      < S 1000:1000(0) win 1000 <mss 1000>                              SYN-RECEIVED
    +0      > S. 0:0(0) ack 1001 <*>
    +0.01   < . 1001:1001(0) ack 1                                            ESTABLISHED
    +0      timeWaits() = 0; accept()
    +2MSL                                                                     ESTABLISHED
    `,
  );

  trace(
    'SHOULD-4, MAY-2: a SYN with a newer timestamp reopens, whatever its number (RFC 6191)',
    timeWait({ passive: true, timestamps: true }),
    `
    +1      < S -5000:-5000(0) win 1000 <mss 1000,TS 2000 0>                  SYN-RECEIVED
    +0      > S. 0:0(0) ack -4999 <*>
    +0.01   < . -4999:-4999(0) ack 1 <nop,nop,TS 2010 0>                      ESTABLISHED
    +0      timeWaits() = 0; connections() = 1; accept()
    `,
  );

  trace(
    'SHOULD-4: a SYN with an older timestamp does not, whatever its number (RFC 6191)',
    timeWait({ passive: true, timestamps: true }),
    `
    +1      < S 5000:5000(0) win 1000 <mss 1000,TS 99 0>                      TIME-WAIT
    +0      > . 2:2(0) ack 2 <nop,nop,TS * 100>
    `,
  );

  trace(
    'SHOULD-4: with the same timestamp the sequence number decides (RFC 6191)',
    timeWait({ passive: true, timestamps: true }),
    `
    +1      < S 1:1(0) win 1000 <mss 1000,TS 100 0>                           TIME-WAIT
    +0      > . 2:2(0) ack 2 <nop,nop,TS * 100>
    +1      < S 5000:5000(0) win 1000 <mss 1000,TS 100 0>                     SYN-RECEIVED
    +0      > S. 0:0(0) ack 5001 <*>
    `,
  );

  trace(
    'SHOULD-4: a timestamp says nothing when the old connection had none',
    timeWait({ passive: true }),
    `
    +1      < S -100:-100(0) win 1000 <mss 1000,TS 4000 0>                    TIME-WAIT
    +0      > . 2:2(0) ack 2
    +1      < S 1000:1000(0) win 1000 <mss 1000,TS 5 0>                       SYN-RECEIVED
    +0      > S. 0:0(0) ack 1001 <*>
    `,
  );

  trace(
    'a SYN for which nobody listens gets an ACK, and the record stays',
    timeWait(),
    `
    +1      < S 1000:1000(0) win 1000 <mss 1000>                              TIME-WAIT
    +0      > . 2:2(0) ack 2
    `,
  );

  trace(
    'the port is busy as long as TIME-WAIT lasts',
    timeWait(),
    `
    +1      connect() = EADDRINUSE; listen() = EADDRINUSE
    +0                                                                        TIME-WAIT
    +59     connect()                                                         SYN-SENT
    +0      > S 0:0(0) <*>
    `,
  );

  trace(
    'the address can be used again by those who ask for it: a listener',
    timeWait(),
    `
    +1      listen(reuse)                                                     TIME-WAIT
    +0      2: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
    +0      2: > S. 0:0(0) ack 1 <*>
    `,
  );

  trace(
    'a new connection to the same peer needs timestamps to be told from the old one',
    timeWait({ timestamps: true }),
    `
    +0.5    connect() = EADDRINUSE                                       TIME-WAIT
    +1      connect()                                                    SYN-SENT
    +0      > S 0:0(0) <*>
    +0      timeWaits() = 0
    +0.01   < S. 5000:5000(0) ack 1 <mss 1000,TS 3000 0>                      ESTABLISHED
    +0      > . 1:1(0) ack 5001 <*>
    `,
  );

  trace(
    'without them the same four numbers stay busy',
    timeWait(),
    `
    +2      connect() = EADDRINUSE                                       TIME-WAIT
    `,
  );
});
