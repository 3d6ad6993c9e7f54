// Resets and suspicious segments: RFC 9293 §3.5.2, §3.5.3, §3.10.7.4, and RFC 5961.

import { describe } from 'vitest';
import {
  closed,
  closeWait,
  closing,
  established,
  finWait1,
  finWait2,
  lastAck,
  trace,
} from '../support/dsl.js';

describe('what belongs to nobody (§3.10.7.1)', () => {
  trace(
    'without ACK: a RST that acknowledges it',
    closed(),
    `
     0      < S 0:0(0) win 1000 <mss 1000>                                    CLOSED
     0      > R. 0:0(0) ack 1
     0      < P 1:11(10)                                                      CLOSED
     0      > R. 0:0(0) ack 11
     0      < SF 0:5(5)                                                       CLOSED
     0      > R. 0:0(0) ack 7
     0      < - 1:1(0)                                                        CLOSED
     0      > R. 0:0(0) ack 1
    `,
  );

  trace(
    'with ACK: a RST with the number that it acknowledges',
    closed(),
    `
     0      < . 1:1(0) ack 77                                                 CLOSED
     0      > R 77:77(0)
     0      < FP. 1:11(10) ack 78                                             CLOSED
     0      > R 78:78(0)
     0      < S. 0:0(0) ack 79                                                CLOSED
     0      > R 79:79(0)
     0      < . 1:1(0) ack 0                                                  CLOSED
     0      > R 0:0(0)
    `,
  );

  trace(
    'a RST gets no answer',
    closed(),
    `
     0      < R 0:0(0)                                                        CLOSED
     0      < R. 0:0(0) ack 1                                                 CLOSED
     0      < SR 0:0(0)                                                       CLOSED
    +1                                                                        CLOSED
    `,
  );

  trace(
    'MUST-57: what is not sent to us alone, or comes from no possible sender, gets no answer',
    closed({ families: [4] }),
    `
     0      < S 0:0(0) to 255.255.255.255
     0      < S 0:0(0) to 10.9.0.255
     0      < S 0:0(0) to 224.0.0.1
     0      < S 0:0(0) to 10.9.0.77
     0      < S 0:0(0) from 255.255.255.255
     0      < S 0:0(0) from 10.9.0.255
     0      < S 0:0(0) from 224.0.0.1
     0      < S 0:0(0) from 0.0.0.0
     0      < S 0:0(0) from 10.9.0.2
     0      < . 1:1(0) ack 1 from 10.9.0.2
    +1                                                                        CLOSED
    `,
  );

  trace(
    'MUST-57: the same over IPv6',
    closed({ families: [6] }),
    `
     0      < S 0:0(0) to ff02::1
     0      < S 0:0(0) to fd09::77
     0      < S 0:0(0) from ff02::1
     0      < S 0:0(0) from ::
     0      < S 0:0(0) from fd09::2
    +1                                                                        CLOSED
    `,
  );

  trace(
    'MUST-3: what has a wrong checksum gets no answer',
    closed(),
    `
     0      < S 0:0(0) badsum                                                 CLOSED
     0      counter(badChecksum) = 1
    `,
  );
});

describe('a RST arrives (RFC 5961 §3)', () => {
  trace(
    'MUST-12: with the exact number it ends the connection, and the user is told',
    established(),
    `
     0      < R 1:1(0)                                                        CLOSED
     0      closed(rst, ECONNRESET); no end; connections() = 0
     0      write(1) = EPIPE
    `,
  );

  trace(
    'elsewhere in the window it is challenged; outside it is dropped',
    established(),
    `
     0      < R 2:2(0)                                                        ESTABLISHED
     0      > . 1:1(0) ack 1
    +1      < R 65535:65535(0)                                                ESTABLISHED
    +0      > . 1:1(0) ack 1
    +1      < R 65536:65536(0)                                                ESTABLISHED
    +1      < R 0:0(0)                                                        ESTABLISHED
    +1      < R 3000000:3000000(0)                                            ESTABLISHED
    +1      < R. 1:1(0) ack 1                                                 CLOSED
    `,
  );

  trace(
    'a RST whose number lies before the window is dropped, though its data reach into it',
    established(),
    `
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11
     0      < R. 1:21(20) ack 1                                               ESTABLISHED
    `,
  );

  trace(
    'SHOULD-2: a RST may carry data',
    established(),
    `
     0      < R. 1:11(10) ack 1                                               CLOSED
     0      closed(rst, ECONNRESET); readable() = 0
    `,
  );

  trace(
    'MUST-66: at a closed window as well',
    established({ tcp: { receiveBuffer: 4096, receiveBufferMax: 4096 } }),
    `
     0      < . 1:2049(2048) ack 1
     0      > . 1:1(0) ack 2049
     0      < P. 2049:4097(2048) ack 1
     0      > . 1:1(0) ack 4097 win 0
     0      < R 4098:4098(0)                                                  ESTABLISHED
     0      < R 4097:4097(0)                                                  CLOSED
     0      closed(rst, ECONNRESET); read(4096)
    `,
  );

  for (const [name, fixture, seq] of [
    ['CLOSE-WAIT', closeWait(), 2],
    ['FIN-WAIT-1', finWait1(), 1],
    ['FIN-WAIT-2', finWait2(), 1],
    ['CLOSING', closing(), 2],
    ['LAST-ACK', lastAck(), 2],
  ] as const) {
    trace(
      `MUST-12: a RST in ${name} ends the connection`,
      fixture,
      `
      0      < R ${seq}:${seq}(0)                                             CLOSED
      0      closed(rst, ECONNRESET); connections() = 0; timeWaits() = 0
     +200                                                                     CLOSED
      `,
    );

    trace(
      `a RST beside the exact number is challenged in ${name}, a SYN too`,
      fixture,
      `
      0      < R ${seq + 1}:${seq + 1}(0)                                     ${name}
      0      > . ${name === 'CLOSE-WAIT' ? '1:1' : '2:2'}(0) ack ${seq}
      `,
    );
  }

  trace(
    'data that came before the RST can still be read',
    established(),
    `
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11
     0      < R 11:11(0)                                                      CLOSED
     0      readable; closed(rst, ECONNRESET); read(10)
    `,
  );
});

describe('a SYN arrives (RFC 5961 §4)', () => {
  for (const [name, fixture, ours, ack] of [
    ['ESTABLISHED', established({ passive: true }), '1:1(0)', 1],
    ['CLOSE-WAIT', closeWait(), '1:1(0)', 2],
    ['FIN-WAIT-1', finWait1(), '2:2(0)', 1],
    ['FIN-WAIT-2', finWait2(), '2:2(0)', 1],
    ['CLOSING', closing(), '2:2(0)', 2],
    ['LAST-ACK', lastAck(), '2:2(0)', 2],
  ] as const) {
    trace(
      `in ${name}: challenged, inside the window and outside`,
      fixture,
      `
      0      < S 5000:5000(0) win 1000 <mss 1000>                             ${name}
      0      > . ${ours} ack ${ack}
      `,
    );
    trace(
      `in ${name}: challenged, the very SYN of the beginning`,
      fixture,
      `
      0      < S 0:0(0) win 1000 <mss 1000>                                   ${name}
      0      > . ${ours} ack ${ack}
      `,
    );
  }

  trace(
    'a peer that crashed and opens anew: the challenge makes it reset (Figure 9)',
    established(),
    `
     0      < S 400:400(0) win 1000 <mss 1000>                                ESTABLISHED
     0      > . 1:1(0) ack 1
    +0.01   < R 1:1(0)                                                        CLOSED
    +0      closed(rst, ECONNRESET)
    `,
  );

  trace(
    'all flags at once are no way in',
    established(),
    `
     0      < SFPUEW. 1:11(10) ack 1 urg 10                                   ESTABLISHED
     0      > . 1:1(0) ack 1
    +1      < SF 1:1(0)                                                       ESTABLISHED
    +0      > . 1:1(0) ack 1
    +1      < - 1:1(0)                                                        ESTABLISHED
    +1      < SR. 1:1(0) ack 1                                                CLOSED
    +0      closed(rst)
    `,
  );

  trace(
    'a peer that crashed resets what we send (Figure 10)',
    established(),
    `
     0      write(100)
     0      > P. 1:101(100) ack 1
    +0.01   < R 1:1(0)                                                        CLOSED
    +0      closed(rst, ECONNRESET)
    +10                                                                       CLOSED
    `,
  );
});

describe('an ACK arrives (RFC 5961 §5)', () => {
  trace(
    'MAY-12: of something never sent: challenged, and its data are dropped',
    established(),
    `
     0      < P. 1:11(10) ack 2                                               ESTABLISHED
     0      > . 1:1(0) ack 1
     0      readable() = 0
    `,
  );

  trace(
    'MAY-12: older than the largest window: challenged, and its data are dropped',
    established({ win: 1000 }),
    `
     0      < P. 1:11(10) ack -1001                                           ESTABLISHED
     0      > . 1:1(0) ack 1
     0      readable() = 0
    +1      < P. 1:11(10) ack -999                                            ESTABLISHED
    +0      > . 1:1(0) ack 11
    `,
  );

  trace(
    'challenges of one connection are limited: one in half a second',
    established(),
    `
     0      < R 2:2(0)
     0      > . 1:1(0) ack 1
    +0.1    < R 2:2(0)
    +0.1    < S 9:9(0)
    +0.1    < . 1:1(0) ack 5
    +0.3    < R 2:2(0)                                                        ESTABLISHED
    +0      > . 1:1(0) ack 1
    `,
  );

  trace(
    'bare ACKs outside the window are not all answered: two confused ends fall silent',
    established(),
    `
     0      < . 3000000:3000000(0) ack 1
     0      > . 1:1(0) ack 1
    +0.1    < . 3000000:3000000(0) ack 1
    +0.1    < . 0:0(0) ack 1                                                  ESTABLISHED
    `,
  );

  trace(
    'data outside the window are acknowledged each time (first check)',
    established(),
    `
     0      < P. 3000000:3000010(10) ack 1
     0      > . 1:1(0) ack 1
    +0.1    < P. -9:1(10) ack 1
    +0      > . 1:1(0) ack 1
    +0      readable() = 0
    `,
  );

  trace(
    'a segment without ACK is dropped (fifth check)',
    established(),
    `
     0      < P 1:11(10)                                                      ESTABLISHED
     0      < F 1:1(0)                                                        ESTABLISHED
     0      readable() = 0; no end
    `,
  );
});

describe('ABORT (§3.10.5)', () => {
  for (const [name, fixture, seq] of [
    ['ESTABLISHED', established(), 1],
    ['CLOSE-WAIT', closeWait(), 1],
    ['FIN-WAIT-1', finWait1(), 2],
    ['FIN-WAIT-2', finWait2(), 2],
  ] as const) {
    trace(
      `MUST-12: in ${name} sends <SEQ=SND.NXT><CTL=RST>`,
      fixture,
      `
      0      abort()                                                          CLOSED
      0      > R ${seq}:${seq}(0)
      0      closed(abort, ECONNABORTED); connections() = 0
     +200                                                                     CLOSED
      `,
    );
  }

  for (const [name, fixture] of [
    ['CLOSING', closing()],
    ['LAST-ACK', lastAck()],
  ] as const) {
    trace(
      `in ${name} deletes the connection, without a segment`,
      fixture,
      `
      0      abort()                                                          CLOSED
      0      connections() = 0
     +200                                                                     CLOSED
      `,
    );
  }

  trace(
    'what was not sent is thrown away; SND.NXT is behind all that was sent, also after a timeout',
    established({ cwnd: 2000 }),
    `
     0      write(5000)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0      abort()                                                           CLOSED
    +0      > R 2001:2001(0)
    `,
  );
});
