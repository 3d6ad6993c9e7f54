// Passive and simultaneous opening, and odd SYNs: RFC 9293 §3.5, §3.10.7.2, §3.10.7.4.

import { describe } from 'vitest';
import { established, listening, synReceived, synSent, trace } from '../support/dsl.js';

describe('passive open', () => {
  trace(
    'MUST-11: a connection remembers that it came from a LISTEN',
    listening({ families: [4] }),
    `
     0      < S 0:0(0) win 1000 <mss 1460,sackOK,TS 100 0,nop,wscale 2>       SYN-RECEIVED
     0      > S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS 0 100,nop,wscale 7>
    +0      halfOpen() = 1; waiting() = 0; accept() = null
    +0.01   < . 1:1(0) ack 1 win 1000 <nop,nop,TS 110 0>                      ESTABLISHED
    +0      halfOpen() = 0; waiting() = 1; accept(); waiting() = 0
    +0      passive() = true; info(sendWindow) = 4000; info(sendWindowScale) = 2
    `,
  );

  trace(
    'what the peer does not offer is not answered',
    listening({ families: [4] }),
    `
     0      < S 0:0(0) win 1000 <mss 1000>                                    SYN-RECEIVED
     0      > S. 0:0(0) ack 1 win 65535 <mss 1460>
    +0.01   < . 1:1(0) ack 1                                                  ESTABLISHED
    `,
  );

  trace(
    'the SYN,ACK is sent again with back-off, and the place in the backlog comes free in the end',
    listening(),
    `
     0      < S 0:0(0) win 1000 <mss 1000>                                    SYN-RECEIVED
     0      > S. 0:0(0) ack 1 <*>
    +1      > S. 0:0(0) ack 1 <*>
    +2      > S. 0:0(0) ack 1 <*>
    +4      > S. 0:0(0) ack 1 <*>
    +8      > S. 0:0(0) ack 1 <*>
    +16     > S. 0:0(0) ack 1 <*>
    +32     > S. 0:0(0) ack 1 <*>
    +0      halfOpen() = 1
    +64     > S. 0:0(0) ack 1 <*>
    +130                                                                      LISTEN
    +0      halfOpen() = 0; waiting() = 0; connections() = 0
    `,
  );

  trace(
    'a SYN that comes again is answered with the SYN,ACK, as Linux does',
    synReceived(),
    `
    +0.5    < S 0:0(0) win 65535 <mss 1000>                                   SYN-RECEIVED
    +0      > S. 0:0(0) ack 1 <*>
    +0      halfOpen() = 1
    +0.01   < . 1:1(0) ack 1                                                  ESTABLISHED
    `,
  );

  trace(
    'an old duplicate SYN: the peer resets it, and the place comes free (Figure 8)',
    listening(),
    `
     0      < S -500:-500(0) win 1000 <mss 1000>                              SYN-RECEIVED
     0      > S. 0:0(0) ack -499 <*>
    +0.01   < R -499:-499(0)                                                  LISTEN
    +0      halfOpen() = 0
    +0.01   < S 0:0(0) win 1000 <mss 1000>                                    SYN-RECEIVED
     +0     > S. 0:0(0) ack 1 <*>
    +0.01   < . 1:1(0) ack 1                                                  ESTABLISHED
    `,
  );

  trace(
    'LISTEN: a RST is ignored, an ACK gets a RST, all else is dropped (§3.10.7.2)',
    listening(),
    `
     0      < R 0:0(0)                                                        LISTEN
     0      < . 1:1(0) ack 7                                                  LISTEN
     0      > R 7:7(0)
    +0.01   < S. 0:0(0) ack 9 win 1000 <mss 1000>                             LISTEN
     +0     > R 9:9(0)
    +0.01   < R. 0:0(0) ack 9                                                 LISTEN
    +0.01   < P 1:11(10)                                                      LISTEN
    +0.01   < F 1:1(0)                                                        LISTEN
    +0      halfOpen() = 0
    `,
  );

  trace(
    'SYN-RECEIVED: an ACK of something else gets a RST, and the connection goes on to wait',
    synReceived(),
    `
    +0.01   < . 1:1(0) ack 7                                                  SYN-RECEIVED
    +0      > R 7:7(0)
    +0.01   < . 1:1(0) ack 0                                                  SYN-RECEIVED
    +0      > R 0:0(0)
    +0.01   < . 1:1(0) ack 1                                                  ESTABLISHED
    +0      accept()
    `,
  );

  trace(
    'SYN-RECEIVED: a segment without ACK is dropped (fifth check)',
    synReceived(),
    `
    +0.01   < P 1:11(10)                                                      SYN-RECEIVED
    `,
  );

  trace(
    'SYN-RECEIVED: another SYN inside the window sends it back to LISTEN (fourth check)',
    synReceived(),
    `
    +0.01   < S 5:5(0) win 1000 <mss 1000>                                    LISTEN
    +0      halfOpen() = 0; connections() = 0
    `,
  );

  trace(
    'SYN-RECEIVED: only an exact RST ends it (RFC 5961 §3.2)',
    synReceived(),
    `
    +0.01   < R 100000:100000(0)                                              SYN-RECEIVED
    +0.01   < R 5:5(0)                                                        SYN-RECEIVED
    +0      > . 1:1(0) ack 1
    +0.01   < R 1:1(0)                                                        LISTEN
    +0      halfOpen() = 0; waiting() = 0; connections() = 0
    `,
  );

  trace(
    'text with the third segment is delivered',
    synReceived(),
    `
    +0.01   < P. 1:11(10) ack 1                                               ESTABLISHED
    +0      > . 1:1(0) ack 11
    +0      accept()
    +0      established; readable() = 10; readable; read(10)
    `,
  );

  trace(
    'a FIN in SYN-RECEIVED leads to CLOSE-WAIT (eighth check)',
    synReceived(),
    `
    +0.01   < F. 1:1(0) ack 1                                                 CLOSE-WAIT
    +0      > . 1:1(0) ack 2
    +0      halfOpen() = 0; waiting() = 1; accept()
    +0      ended() = true; end; no closed
    +0      shutdown()                                                        LAST-ACK
    +0      > F. 1:1(0) ack 2
    +0.01   < . 2:2(0) ack 2                                                  LISTEN
    +0      closed(fin)
    `,
  );

  trace(
    'text and FIN on the SYN are not lost: the peer sends them again',
    listening(),
    `
     0      < SF 0:10(10) win 1000 <mss 1000>                                 SYN-RECEIVED
     0      > S. 0:0(0) ack 1 <*>
    +0.01   < FP. 1:11(10) ack 1                                              CLOSE-WAIT
    +0      > . 1:1(0) ack 12
    +0      accept()
    +0      end; read(10)
    `,
  );

  trace(
    'a reset connection that nobody has accepted yet does not stay in the backlog',
    established({ passive: true }),
    `
     0      2: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
     0      2: > S. 0:0(0) ack 1 <*>
    +0.01   2: < . 1:1(0) ack 1                                               ESTABLISHED
    +0      2: waiting() = 1
    +0.01   2: < R 1:1(0)                                                     LISTEN
    +0      2: waiting() = 0; halfOpen() = 0; accept() = null; connections() = 1
    `,
  );
});

describe('odd SYNs', () => {
  trace(
    'a SYN with PSH, URG and a pointer is a SYN; with RST it is none',
    listening(),
    `
     0      < SRPU 0:0(0) win 1000 urg 7 <mss 1000>                           LISTEN
     0      < SPU 0:0(0) win 1000 urg 7 <mss 1000>                            SYN-RECEIVED
     0      > S. 0:0(0) ack 1 <*>
    +0.01   < . 1:1(0) ack 1                                                  ESTABLISHED
    `,
  );

  trace(
    'a window of zero in the SYN: the connection opens, and waits',
    listening(),
    `
     0      < S 0:0(0) win 0 <mss 1000>                                       SYN-RECEIVED
     0      > S. 0:0(0) ack 1 <*>
    +0.01   < . 1:1(0) ack 1 win 0                                            ESTABLISHED
    +0      accept(); write(10)
    +0.2    > . 1:2(1) ack 1
    +0.01   < . 1:1(0) ack 1 win 1000
    +0      > P. 1:11(10) ack 1
    `,
  );

  trace(
    'SYN, ACK and data after a long sleep: timers still run',
    established(),
    `
    +2592000  write(10)
    +0      > P. 1:11(10) ack 1
    +0.2    > P. 1:11(10) ack 1
    +0.01   < . 1:1(0) ack 11
    +5184000  shutdown()                                                      FIN-WAIT-1
    +0      > F. 11:11(0) ack 1
    +0.01   < F. 1:1(0) ack 12                                                TIME-WAIT
    +0      > . 12:12(0) ack 2
    +59.999                                                                   TIME-WAIT
    +0.001                                                                    CLOSED
    `,
  );
});

describe('simultaneous open', () => {
  trace(
    'MUST-10: SYNs that cross, and then their SYN,ACKs (Figure 7)',
    synSent(),
    `
    +0.01   < S 0:0(0) win 65535 <mss 1000>                                   SYN-RECEIVED
    +0      > S. 0:0(0) ack 1 <*>
    +0.01   < S. 0:0(0) ack 1 win 65535 <mss 1000>                            ESTABLISHED
    +0      established; passive() = false
    +0      write(10)
    +0      > P. 1:11(10) ack 1
    `,
  );

  trace(
    'MUST-10: SYNs that cross, and a peer that answers with an ACK',
    synSent(),
    `
    +0.01   < S 0:0(0) win 65535 <mss 1000>                                   SYN-RECEIVED
    +0      > S. 0:0(0) ack 1 <*>
    +0.01   < . 1:1(0) ack 1                                                  ESTABLISHED
    +0      established
    `,
  );

  trace(
    'a SYN,ACK that acknowledges something else changes nothing',
    synReceived({ passive: false }),
    `
    +0.01   < S. 0:0(0) ack 9                                                 SYN-RECEIVED
    +0      > . 1:1(0) ack 1
    +0.01   < S. 0:0(0) ack 1                                                 ESTABLISHED
    +0      states() = SYN-SENT>SYN-RECEIVED>ESTABLISHED
    `,
  );

  trace(
    'MUST-11: a RST in SYN-RECEIVED refuses a connection that we opened actively',
    synReceived({ passive: false }),
    `
    +0.01   < R 1:1(0)                                                        CLOSED
    +0      closed(rst, ECONNREFUSED); connections() = 0
    `,
  );

  trace(
    'our SYN,ACK is sent again when it is lost',
    synReceived({ passive: false }),
    `
    +1      > S. 0:0(0) ack 1 <*>
    +2      > S. 0:0(0) ack 1 <*>
    +0.01   < . 1:1(0) ack 1                                                  ESTABLISHED
    `,
  );

  trace(
    'CLOSE in SYN-RECEIVED, with nothing to send, sends the FIN (§3.10.4, Figure 5)',
    synReceived({ passive: false }),
    `
    +0      shutdown()                                                        FIN-WAIT-1
    +0      > F. 1:1(0) ack 1
    +0.01   < . 1:1(0) ack 2                                                  FIN-WAIT-2
    +0.01   < F. 1:1(0) ack 2                                                 TIME-WAIT
    +0      > . 2:2(0) ack 2
    `,
  );

  trace(
    'ABORT in SYN-RECEIVED sends a RST (§3.10.5)',
    synReceived({ passive: false }),
    `
    +0      abort()                                                           CLOSED
    +0      > R 1:1(0)
    +0      closed(abort, ECONNABORTED)
    `,
  );
});
