// Active opening, and the MSS that follows from it: RFC 9293 §3.5, §3.7.1, §3.10.7.3.

import { describe } from 'vitest';
import { closed, established, synSent, trace } from '../support/dsl.js';

describe('active open', () => {
  trace(
    'MUST-14, MUST-65, MUST-67, SHOULD-5, MAY-3: the SYN, and only it, says what we can receive',
    closed({ families: [4] }),
    `
     0      connect()                                                         SYN-SENT
     0      > S 0:0(0) win 65535 <mss 1460,sackOK,TS 0 0,nop,wscale 7>
    +0.01   < S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS 100 0,nop,wscale 7>  ESTABLISHED
    +0      > . 1:1(0) ack 1 win 2048 <nop,nop,TS 10 100>
    +0      established; passive() = false
    `,
  );

  trace(
    'MUST-67: over IPv6 the MSS is what an MTU of 1500 leaves',
    closed({ families: [6] }),
    `
     0      connect()                                                         SYN-SENT
     0      > S 0:0(0) win 65535 <mss 1440,sackOK,TS 0 0,nop,wscale 7>
    `,
  );

  trace(
    'MUST-67: the MSS follows the MTU of the device',
    closed({ families: [4], mtu: 576 }),
    `
     0      connect()                                                         SYN-SENT
     0      > S 0:0(0) win 65535 <mss 536,sackOK,TS 0 0,nop,wscale 7>
    `,
  );

  trace(
    'options that the peer does not offer are not used (RFC 7323 §2.2, §3.2, RFC 2018 §2)',
    synSent(),
    `
    +0.01   < S. 0:0(0) ack 1 win 1000 <mss 1000>                             ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      info(timestamps) = false; info(sack) = false; info(sendWindowScale) = 0; info(receiveWindowScale) = 0
    `,
  );

  trace(
    'options that are switched off are not offered, and not used when the peer offers them',
    closed({ families: [4], tcp: { timestamps: false, sack: false, windowScaling: false } }),
    `
     0      connect()                                                         SYN-SENT
     0      > S 0:0(0) win 65535 <mss 1460>
    +0.01   < S. 0:0(0) ack 1 win 1000 <mss 1460,sackOK,TS 100 0,nop,wscale 7>  ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      info(timestamps) = false; info(sack) = false; info(sendWindowScale) = 0
    `,
  );

  trace(
    'an ACK of something never sent gets a RST, and the SYN still waits (§3.10.7.3, first check)',
    synSent(),
    `
    +0.01   < S. 0:0(0) ack 2                                                 SYN-SENT
    +0      > R 2:2(0)
    +0.01   < . 1:1(0) ack 0                                                  SYN-SENT
    +0      > R 0:0(0)
    +0.01   < R. 0:0(0) ack 2                                                 SYN-SENT
    +0.01   < S. 0:0(0) ack 1 <mss 1000>                                      ESTABLISHED
    +0      > . 1:1(0) ack 1
    `,
  );

  trace(
    'a RST refuses the connection only with an ACK of our SYN (second check)',
    synSent(),
    `
    +0.01   < R 0:0(0)                                                        SYN-SENT
    +0.01   < R. 0:0(0) ack 1                                                 CLOSED
    +0      closed(rst, ECONNREFUSED); no established
    `,
  );

  trace(
    'neither SYN nor RST: dropped (fifth check); a FIN cannot be judged (§3.10.7.4, eighth check)',
    synSent(),
    `
    +0.01   < . 1:1(0) ack 1                                                  SYN-SENT
    +0.01   < F. 1:1(0) ack 1                                                 SYN-SENT
    +0.01   < P. 1:11(10) ack 1                                               SYN-SENT
    `,
  );

  trace(
    'text on the SYN,ACK is not acknowledged, so that the peer sends it again',
    synSent(),
    `
    +0.01   < S. 0:10(10) ack 1 <mss 1000>                                    ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0.2    < P. 1:11(10) ack 1                                               ESTABLISHED
    +0      > . 1:1(0) ack 11
    +0      readable; read(10)
    `,
  );

  trace(
    'a FIN on the SYN,ACK counts when it comes again',
    synSent(),
    `
    +0.01   < SF. 0:0(0) ack 1 <mss 1000>                                     ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0.2    < F. 1:1(0) ack 1                                                 CLOSE-WAIT
    +0      > . 1:1(0) ack 2
    +0      end
    `,
  );

  trace(
    'MUST-68, MUST-69: options without timestamps end on a word as well',
    closed({ families: [4], tcp: { timestamps: false } }),
    `
     0      connect()                                                         SYN-SENT
     0      > S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 7>
    `,
  );

  trace(
    'CLOSE while text waits for the handshake: text and FIN go out after it (§3.10.4)',
    closed(),
    `
     0      connect(); write(100); shutdown()                                 SYN-SENT
     0      > S 0:0(0) <*>
    +0.01   < S. 0:0(0) ack 1 <mss 1000>                                      FIN-WAIT-1
    +0      > FP. 1:101(100) ack 1
    +0.01   < . 1:1(0) ack 102                                                FIN-WAIT-2
    `,
  );

  trace(
    'text that is written before the handshake is complete goes out after it (§3.10.2)',
    closed(),
    `
     0      connect(); write(100)                                             SYN-SENT
     0      > S 0:0(0) <*>
    +0.01   < S. 0:0(0) ack 1 <mss 1000>                                      ESTABLISHED
    +0      > P. 1:101(100) ack 1
    `,
  );

  trace(
    'MUST-22, MUST-23, SHOULD-9: a SYN is sent again with back-off, for at least three minutes',
    synSent(),
    `
    +1      > S 0:0(0) <*>
    +2      > S 0:0(0) <*>
    +0      no advice
    +4      > S 0:0(0) <*>
    +0      advice
    +8      > S 0:0(0) <*>
    +16     > S 0:0(0) <*>
    +32     > S 0:0(0) <*>
    +64     > S 0:0(0) <*>
    +52.9                                                                     SYN-SENT
    +70                                                                       CLOSED
    +0      closed(timeout, ETIMEDOUT); connections() = 0
    `,
  );

  trace(
    'RFC 6298 §5.7, RFC 5681 §3.1: after a SYN was lost, timeout and window begin with care',
    synSent(),
    `
    +1      > S 0:0(0) <*>
    +0.01   < S. 0:0(0) ack 1 <mss 1000>                                      ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      write(3000); info(retransmits) = 1
    +0      > . 1:1001(1000) ack 1
    +3      > . 1:1001(1000) ack 1
    `,
  );

  trace(
    'close() in SYN-SENT deletes the connection, without a segment (§3.10.4)',
    synSent(),
    `
    +0.01   close()                                                           CLOSED
    +0      connections() = 0
    +0.01   < S. 0:0(0) ack 1                                                 CLOSED
    +0      > R 1:1(0)
    `,
  );

  trace(
    'abort() in SYN-SENT deletes the connection, without a segment (§3.10.5)',
    synSent(),
    `
    +0.01   abort()                                                           CLOSED
    +0      closed(abort, ECONNABORTED); connections() = 0
    +10                                                                       CLOSED
    `,
  );
});

describe('the MSS that we send', () => {
  trace(
    'MUST-15: 536 for IPv4 when the peer says nothing',
    established({ mss: 0, families: [4] }),
    `
     0      write(1100)
     0      > . 1:537(536) ack 1
     0      > . 537:1073(536) ack 1
     0      > P. 1073:1101(28) ack 1
    `,
  );

  trace(
    'MUST-15: 1220 for IPv6 when the peer says nothing',
    established({ mss: 0, families: [6] }),
    `
     0      write(2500)
     0      > . 1:1221(1220) ack 1
     0      > . 1221:2441(1220) ack 1
     0      > P. 2441:2501(60) ack 1
    `,
  );

  trace(
    'MUST-16, SHOULD-28: the smaller of what the peer and the path take, in full segments',
    established({ mss: 9000, families: [4] }),
    `
     0      write(3000)
     0      > . 1:1461(1460) ack 1
     0      > . 1461:2921(1460) ack 1
     0      > P. 2921:3001(80) ack 1
    `,
  );

  trace(
    'MUST-16: options take their room from the segment',
    established({ mss: 1460, timestamps: true, families: [4] }),
    `
     0      write(3000)
     0      > . 1:1449(1448) ack 1 <nop,nop,TS 10 100>
     0      > . 1449:2897(1448) ack 1 <nop,nop,TS 10 100>
     0      > P. 2897:3001(104) ack 1 <nop,nop,TS 10 100>
    `,
  );

  trace(
    'an MSS below 48 counts as 48',
    established({ mss: 1 }),
    `
     0      write(100)
     0      > . 1:49(48) ack 1
     0      > . 49:97(48) ack 1
     0      > P. 97:101(4) ack 1
    `,
  );

  trace(
    'an MSS of zero is none (Linux)',
    synSent({ families: [4] }),
    `
    +0.01   < S. 0:0(0) ack 1 <mss 0>                                         ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      write(600)
    +0      > . 1:537(536) ack 1
    +0      > P. 537:601(64) ack 1
    `,
  );
});
