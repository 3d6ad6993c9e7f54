// What TCP asks of IP, and IP of TCP: RFC 9293 §3.9.2.

import { describe } from 'vitest';
import { closed, established, listening, trace } from '../support/dsl.js';

describe('IP', () => {
  trace(
    'MUST-49: TTL and hop limit can be set for a stack',
    closed({ tcp: { hopLimit: 3 } }),
    `
     0      connect()
     0      > S 0:0(0) <*> ttl 3
    `,
  );

  trace(
    'MUST-48: so can the Diffserv field',
    closed({ tcp: { trafficClass: 0x28 } }),
    `
     0      connect()
     0      > S 0:0(0) <*> tos 40
    +0.01   < S. 0:0(0) ack 1
    +0      > . 1:1(0) ack 1 tos 40
    `,
  );

  trace(
    'SHOULD-21, SHOULD-22, MUST-49: and changed while the connection lives, unaltered on the wire',
    established(),
    `
     0      headerFields(184, 9); write(10)
     0      > P. 1:11(10) ack 1 tos 184 ttl 9
    +0.01   < . 1:1(0) ack 11 tos 96
    +0      headerFields(0, 64); shutdown()
    +0      > F. 11:11(0) ack 1
    `,
  );

  trace(
    'MUST-50: options of IP that mean nothing to us are ignored',
    listening({ families: [4] }),
    `
     0      < S 0:0(0) win 1000 <mss 1000> ipopt 94040000                     SYN-RECEIVED
     0      > S. 0:0(0) ack 1 <*>
    +0.01   < P. 1:11(10) ack 1 ipopt 44080500000000000101010100000000      ESTABLISHED
    +0      > . 1:1(0) ack 11
    `,
  );

  trace(
    'MUST-50: so are hop-by-hop options of IPv6',
    listening({ families: [6] }),
    `
     0      < S 0:0(0) win 1000 <mss 1000> ipopt 0600010400000000             SYN-RECEIVED
     0      > S. 0:0(0) ack 1 <*>
    +0.01   < P. 1:11(10) ack 1 ipopt 0600010400000000                        ESTABLISHED
    +0      > . 1:1(0) ack 11
    `,
  );

  trace(
    "MUST-63, MUST-57: a SYN from or to an address that is no host's is dropped",
    listening({ families: [4] }),
    `
     0      < S 0:0(0) win 1000 from 0.0.0.0                                  LISTEN
     0      < S 0:0(0) win 1000 from 255.255.255.255                          LISTEN
     0      < S 0:0(0) win 1000 from 10.9.0.255                               LISTEN
     0      < S 0:0(0) win 1000 from 224.0.0.1                                LISTEN
     0      < S 0:0(0) win 1000 from 10.9.0.2                                 LISTEN
     0      < S 0:0(0) win 1000 to 10.9.0.255                                 LISTEN
     0      < S 0:0(0) win 1000 to 224.0.0.1                                  LISTEN
     0      < S 0:0(0) win 1000 to 255.255.255.255                            LISTEN
     0      < S 0:0(0) win 1000 to 10.9.0.3                                   LISTEN
     0      halfOpen() = 0; connections() = 0
    `,
  );

  trace(
    'MUST-63, MUST-57: the same over IPv6',
    listening({ families: [6] }),
    `
     0      < S 0:0(0) win 1000 from ::                                       LISTEN
     0      < S 0:0(0) win 1000 from ff02::1                                  LISTEN
     0      < S 0:0(0) win 1000 from fd09::2                                  LISTEN
     0      < S 0:0(0) win 1000 to ff02::1                                    LISTEN
     0      halfOpen() = 0; connections() = 0
    `,
  );
});
