// ICMP: RFC 9293 §3.9.2.2, RFC 5927, RFC 1191, RFC 8201; echo as of RFC 1122 §3.2.2.6.

import { describe } from 'vitest';
import { established, synReceived, synSent, trace } from '../support/dsl.js';

describe('errors while the connection opens', () => {
  trace(
    'MUST-54, SHOULD-26: port unreachable refuses it',
    synSent(),
    `
    +0.01   < icmp unreachable port [0:0(0)]                                  CLOSED
    +0      closed(icmp, ECONNREFUSED); connections() = 0
    `,
  );

  trace(
    'SHOULD-26: protocol unreachable ends it',
    synSent({ families: [4] }),
    `
    +0.01   < icmp unreachable protocol [0:0(0)]                              CLOSED
    +0      closed(icmp)
    `,
  );

  trace(
    'MUST-56, SHOULD-25: net and host unreachable do not; the user is told',
    synSent(),
    `
    +0.01   < icmp unreachable net [0:0(0)]                                   SYN-SENT
    +0      advice(ENETUNREACH)
    +0.01   < icmp unreachable host [0:0(0)]                                  SYN-SENT
    +0      advice(EHOSTUNREACH)
    +0.98   > S 0:0(0) <*>
    +0.01   < S. 0:0(0) ack 1                                                 ESTABLISHED
    +0      > . 1:1(0) ack 1
    `,
  );

  trace(
    'what does not quote our SYN is ignored (RFC 5927 §4.1)',
    synSent(),
    `
    +0.01   < icmp unreachable port [1:1(0)]                                  SYN-SENT
    +0.01   < icmp unreachable port [-1:-1(0)]                                SYN-SENT
    +0      counter(icmpErrorsIgnored) = 2; no advice
    `,
  );

  trace(
    'a half-open connection goes, and its place in the backlog comes free',
    synReceived(),
    `
    +0.01   < icmp unreachable port [0:0(0)]                                  LISTEN
    +0      halfOpen() = 0; connections() = 0
    `,
  );
});

describe('errors once it is established', () => {
  trace(
    'MUST-56: hard errors are soft then, and the user is told (RFC 5927 §5.2)',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.01   < icmp unreachable port [1:11(10)]                                ESTABLISHED
    +0      advice(ECONNREFUSED); no closed
    +0.01   < . 1:1(0) ack 11
    +0      unacknowledged() = 0
    `,
  );

  trace(
    'MUST-56: neither time exceeded nor parameter problem ends it',
    established(),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.01   < icmp time-exceeded [1:11(10)]                                   ESTABLISHED
    +0      advice
    +0.01   < icmp parameter-problem [1:11(10)]                               ESTABLISHED
    +0      advice
    `,
  );

  trace(
    'MUST-55: Source Quench is dropped in silence',
    established({ families: [4], cwnd: 10000 }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.01   < icmp source-quench [1:11(10)]                                   ESTABLISHED
    +0      info(cwnd) = 10000; no advice
    `,
  );

  trace(
    'what quotes nothing in flight is ignored (RFC 5927 §4.1)',
    established(),
    `
     0      < icmp unreachable host [1:1(0)]                                  ESTABLISHED
     0      write(10)
     0      > P. 1:11(10) ack 1
     0      < icmp unreachable host [11:11(0)]                                ESTABLISHED
     0      < icmp unreachable host [0:0(0)]                                  ESTABLISHED
     0      < icmp unreachable host [-100:-100(0)]                            ESTABLISHED
     0      no advice; counter(icmpErrorsIgnored) = 4
    `,
  );
});

describe('what the user is told in the end', () => {
  trace(
    'SHOULD-25: after a soft error and nothing else, the timeout names it, as in Linux',
    established({ tcp: { userTimeout: 1000 } }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.01   < icmp unreachable host [1:11(10)]
    +0.19   > P. 1:11(10) ack 1
    +0.4    > P. 1:11(10) ack 1
    +0.8                                                                      CLOSED
    +0      closed(timeout, EHOSTUNREACH)
    `,
  );

  trace(
    'not when there was progress after it',
    established({ tcp: { userTimeout: 1000 } }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.01   < icmp unreachable host [1:11(10)]
    +0.01   < . 1:1(0) ack 11
    +0      write(10)
    +0      > P. 11:21(10) ack 1
    +0.2    > P. 11:21(10) ack 1
    +0.4    > P. 11:21(10) ack 1
    +0.8                                                                      CLOSED
    +0      closed(timeout, ETIMEDOUT)
    `,
  );

  trace(
    'SHOULD-25: the same while it opens',
    synSent({ tcp: { synTimeout: 2000 } }),
    `
    +0.01   < icmp unreachable net [0:0(0)]
    +0.99   > S 0:0(0) <*>
    +2                                                                        CLOSED
    +0      closed(timeout, ENETUNREACH)
    `,
  );
});

describe('path MTU', () => {
  trace(
    'SHOULD-6, MUST-16: too big: smaller segments from now on, what was lost goes again at once',
    established({ mss: 1460, families: [4] }),
    `
     0      write(1460)
     0      > P. 1:1461(1460) ack 1
    +0.01   < icmp too-big mtu 1000 [1:1461(1460)]                            ESTABLISHED
    +0      > . 1:961(960) ack 1
    +0      > P. 961:1461(500) ack 1
    +0      info(sendMss) = 960; info(timeouts) = 0
    +0.01   < . 1:1(0) ack 1461
    +0      write(1920)
    +0      > . 1461:2421(960) ack 1
    +0      > P. 2421:3381(960) ack 1
    `,
  );

  trace(
    'SHOULD-6: over IPv6 not below 1280 (RFC 8200 §5)',
    established({ mss: 1440, families: [6] }),
    `
     0      write(1440)
     0      > P. 1:1441(1440) ack 1
    +0.01   < icmp too-big mtu 500 [1:1441(1440)]                             ESTABLISHED
    +0      > . 1:1221(1220) ack 1
    +0      > P. 1221:1441(220) ack 1
    `,
  );

  trace(
    'SHOULD-6: over IPv4 not below 552, as Linux (RFC 5927 §7)',
    established({ mss: 1460, families: [4] }),
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1
    +0.01   < icmp too-big mtu 68 [1:1001(1000)]                              ESTABLISHED
    +0      > . 1:513(512) ack 1
    +0      > P. 513:1001(488) ack 1
    +0      info(sendMss) = 512
    `,
  );

  trace(
    'SHOULD-6, MUST-16: options take their room from it',
    established({ mss: 1460, families: [4], timestamps: true }),
    `
     0      write(1448)
     0      > P. 1:1449(1448) ack 1 <*>
    +0.01   < icmp too-big mtu 1000 [1:1449(1448)]                            ESTABLISHED
    +0      > . 1:949(948) ack 1 <*>
    +0      > P. 949:1449(500) ack 1 <*>
    `,
  );

  trace(
    'super-segments follow',
    established({ mss: 1460, families: [4], offload: true }),
    `
     0      write(4380)
     0      > P. 1:4381(4380) ack 1 gso 1460
    +0.01   < icmp too-big mtu 1000 [1:1461(1460)]                            ESTABLISHED
    +0      > P. 1:4381(4380) ack 1 gso 960
    `,
  );

  trace(
    'a larger MTU than ours, or one about nothing in flight, changes nothing',
    established({ mss: 1000 }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.01   < icmp too-big mtu 1400 [1:11(10)]
    +0      < icmp too-big mtu 1300 [11:11(0)]
    +0      info(sendMss) = 1000; info(retransmits) = 0
    `,
  );
});

describe('echo', () => {
  trace(
    'is answered with what came',
    established(),
    `
     0      < icmp echo-request 56
     0      > icmp echo-reply 56
     0      < icmp echo-request 0
     0      > icmp echo-reply 0
     0      < icmp echo-request 1399
     0      > icmp echo-reply 1399
     0      < icmp echo-reply 56
    +1                                                                        ESTABLISHED
    `,
  );
});
