// TCP options: RFC 9293 §3.1 and §3.2, window scale and timestamps of RFC 7323.

import { describe } from 'vitest';
import { established, listening, settled, synSent, trace } from '../support/dsl.js';

describe('parsing', () => {
  trace(
    'MUST-4, MUST-64: options stand where they stand, without alignment',
    synSent(),
    `
    +0.01   < S. 0:0(0) ack 1 win 7 <nop,mss 700,nop,wscale 3,sackOK,nop,nop,eol>  ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      info(sendMss) = 700; info(sendWindowScale) = 3; info(sack) = true
    `,
  );

  trace(
    'MUST-4: nothing counts behind the end of the list',
    synSent(),
    `
    +0.01   < S. 0:0(0) ack 1 <mss 700,eol,wscale 3>                          ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      info(sendMss) = 700; info(sendWindowScale) = 0
    `,
  );

  trace(
    'MUST-5, MUST-6, MUST-68: an unknown option, in any segment, is skipped by its length',
    synSent(),
    `
    +0.01   < S. 0:0(0) ack 1 <hex fd06000011aa,mss 700>                      ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      info(sendMss) = 700
    +0.01   < P. 1:11(10) ack 1 <hex fd0411aa>
    +0      > . 1:1(0) ack 11
    +0      read(10)
    `,
  );

  for (const [what, bytes] of [
    ['length zero', 'fd00'],
    ['length one', 'fd01'],
    ['a length beyond the header', 'fd2800'],
    ['an MSS of the wrong length', '020304'],
    ['a kind without length', '010101fd'],
  ]) {
    trace(
      `MUST-7: an option with ${what} does no harm`,
      synSent(),
      `
      +0.01   < S. 0:0(0) ack 1 win 1000 <hex ${bytes}>                       ESTABLISHED
      +0      > . 1:1(0) ack 1
      +0.01   < P. 1:11(10) ack 1 <hex ${bytes}>                              ESTABLISHED
      +0      > . 1:1(0) ack 11
      +0      read(10)
      `,
    );
  }

  trace(
    'a data offset beyond the segment, or below the header, is dropped',
    established(),
    `
     0      < P. 1:11(10) ack 1 doff 15                                       ESTABLISHED
     0      < P. 1:11(10) ack 1 doff 4                                        ESTABLISHED
     0      counter(badTcp) = 2; readable() = 0
    `,
  );

  trace(
    'an MSS option on a segment that is no SYN is ignored',
    established(),
    `
     0      < . 1:1(0) ack 1 <mss 100>                                        ESTABLISHED
     0      write(1000)
     0      > P. 1:1001(1000) ack 1
    `,
  );
});

describe('window scale, RFC 7323 §2', () => {
  trace(
    'a shift of zero is an offer as well',
    synSent(),
    `
    +0.01   < S. 0:0(0) ack 1 win 1000 <mss 1000,nop,wscale 0>                ESTABLISHED
    +0      > . 1:1(0) ack 1 win 2048
    +0      info(sendWindowScale) = 0; info(receiveWindowScale) = 7
    `,
  );

  trace(
    'a shift above 14 counts as 14',
    synSent(),
    `
    +0.01   < S. 0:0(0) ack 1 win 1000 <mss 1000,nop,wscale 15>               ESTABLISHED
    +0      > . 1:1(0) ack 1
    +0      info(sendWindowScale) = 14; info(sendWindow) = 1000
    +0.01   < . 1:1(0) ack 1 win 2
    +0      info(sendWindow) = 32768
    `,
  );

  trace(
    'MUST-1, REC-1: a window is unsigned, and may have 30 bits',
    established({ wscale: 14 }),
    `
     0      < . 1:1(0) ack 1 win 65535
     0      info(sendWindow) = 1073725440
     0      < . 1:1(0) ack 1 win 32768
     0      info(sendWindow) = 536870912
    `,
  );

  trace(
    'the window of a SYN is not scaled, that of all other segments is',
    listening({ families: [4] }),
    `
     0      < S 0:0(0) win 65535 <mss 1000,nop,wscale 3>                      SYN-RECEIVED
     0      > S. 0:0(0) ack 1 win 65535 <mss 1460,nop,wscale 7>
    +0.01   < . 1:1(0) ack 1 win 65535                                        ESTABLISHED
    +0      accept(); info(sendWindow) = 524280
    +0      write(10)
    +0      > P. 1:11(10) ack 1 win 2048
    `,
  );
});

describe('timestamps, RFC 7323 §3 to §5', () => {
  trace(
    'in every segment once negotiated; the echo is that of the segment which is acknowledged',
    established({ timestamps: true }),
    `
     0      < P. 1:11(10) ack 1 <nop,nop,TS 150 10>
     0      > . 1:1(0) ack 11 <nop,nop,TS 10 150>
    +0.02   write(10)
    +0      > P. 1:11(10) ack 11 <nop,nop,TS 30 150>
    +0.01   shutdown()
    +0      > F. 11:11(0) ack 11 <nop,nop,TS 40 150>
    `,
  );

  trace(
    'PAWS: a segment older than what was seen is acknowledged and dropped (§5.3)',
    established({ timestamps: true }),
    `
     0      < P. 1:11(10) ack 1 <nop,nop,TS 150 10>
     0      > . 1:1(0) ack 11 <nop,nop,TS 10 150>
     0      < P. 11:21(10) ack 1 <nop,nop,TS 149 10>
     0      > . 1:1(0) ack 11 <nop,nop,TS 10 150>
     0      readable() = 10
     0      < P. 11:21(10) ack 1 <nop,nop,TS 150 10>
     0      > . 1:1(0) ack 21 <nop,nop,TS 10 150>
    `,
  );

  trace(
    'PAWS: timestamps wrap (§5.2)',
    synSent(),
    `
    +0.01   < S. 0:0(0) ack 1 <mss 1000,TS 4294967290 0>                      ESTABLISHED
    +0      > . 1:1(0) ack 1 <nop,nop,TS 10 4294967290>
    +0      < P. 1:11(10) ack 1 <nop,nop,TS 5 10>
    +0      > . 1:1(0) ack 11 <nop,nop,TS 10 5>
    +0      < P. 11:21(10) ack 1 <nop,nop,TS 4294967295 10>
    +0      > . 1:1(0) ack 11 <nop,nop,TS 10 5>
    `,
  );

  trace(
    'PAWS: a RST is not judged by its timestamp (§5.2)',
    established({ timestamps: true }),
    `
     0      < P. 1:11(10) ack 1 <nop,nop,TS 150 10>
     0      > . 1:1(0) ack 11 <nop,nop,TS 10 150>
     0      < R 11:11(0) <nop,nop,TS 7 10>                                    CLOSED
     0      closed(rst, ECONNRESET)
    `,
  );

  trace(
    'TS.Recent does not come from a segment beyond a gap (§4.3)',
    established({ timestamps: true }),
    `
     0      < P. 11:21(10) ack 1 <nop,nop,TS 150 10>
     0      > . 1:1(0) ack 1 <nop,nop,TS 10 100>
     0      < P. 1:11(10) ack 1 <nop,nop,TS 120 10>
     0      > . 1:1(0) ack 21 <nop,nop,TS 10 120>
    `,
  );

  trace(
    'the echo of a delayed ACK is that of the first segment (§4.3)',
    settled({ timestamps: true }),
    `
     0      < P. 1:11(10) ack 21 <nop,nop,TS 500 210>
    +0.01   < P. 11:21(10) ack 21 <nop,nop,TS 510 210>
    +0.03   > . 21:21(0) ack 21 <nop,nop,TS 250 500>
    +0.01   < P. 21:31(10) ack 21 <nop,nop,TS 560 210>
    +0.04   > . 21:21(0) ack 31 <nop,nop,TS 300 560>
    `,
  );

  trace(
    'TS.Recent older than 24 days says nothing (§5.5)',
    established({ timestamps: true }),
    `
     0      < P. 1:11(10) ack 1 <nop,nop,TS 2000 10>
     0      > . 1:1(0) ack 11 <nop,nop,TS 10 2000>
    +2100000  < P. 11:21(10) ack 1 <nop,nop,TS 1999 10>
    +0      > . 1:1(0) ack 21 <nop,nop,TS * 1999>
    `,
  );

  trace(
    'timestamps that were not agreed upon mean nothing',
    established(),
    `
     0      < P. 1:11(10) ack 1 <nop,nop,TS 5 5>
     0      > . 1:1(0) ack 11
     0      < P. 11:21(10) ack 1 <nop,nop,TS 4000000000 5>
     0      > . 1:1(0) ack 21
    `,
  );

  trace(
    'segments without the option are taken all the same, as Linux does (Deviation from §3.2)',
    established({ timestamps: true }),
    `
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11 <nop,nop,TS 10 100>
     0      read(10)
    `,
  );

  trace(
    'the round trip is measured by the echo after a retransmission too (§4.1)',
    established({ timestamps: true }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1 <nop,nop,TS 10 100>
    +0.2    > P. 1:11(10) ack 1 <nop,nop,TS 210 100>
    +0.05   < . 1:1(0) ack 11 <nop,nop,TS 300 210>
    +0      info(rtoMs) = 200; unacknowledged() = 0
    `,
  );
});
