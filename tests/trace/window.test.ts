// Windows, both sides: RFC 9293 §3.8.6, silly windows and shrinking ones.

import { describe } from 'vitest';
import { established, trace } from '../support/dsl.js';

/** A receive buffer of four segments and a bit. */
const SMALL_BUFFER = { tcp: { receiveBuffer: 4096, receiveBufferMax: 4096 } };

describe('the window that we offer', () => {
  trace(
    'MAY-8: it closes when nobody reads, and stays closed as long as nobody does',
    established(SMALL_BUFFER),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001 win 3096
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 2001 win 2096
     0      < . 2001:3001(1000) ack 1
     0      > . 1:1(0) ack 3001 win 1096
     0      < . 3001:4001(1000) ack 1
     0      > . 1:1(0) ack 4001 win 96
     0      < P. 4001:4097(96) ack 1
     0      > . 1:1(0) ack 4097 win 0
    +1000   < . 4097:4098(1) ack 1
    +0      > . 1:1(0) ack 4097 win 0
    +1000   < . 4097:4098(1) ack 1
    +0      > . 1:1(0) ack 4097 win 0
    +0      readable() = 4096; read(4096)
    +0      > . 1:1(0) ack 4097 win 4096
    +0      < . 4097:4107(10) ack 1
    +0      > . 1:1(0) ack 4107
    +0      read(10)
    `,
  );

  trace(
    'SHOULD-14: its right edge does not move to the left',
    established(SMALL_BUFFER),
    `
     0      < . 1:501(500) ack 1
     0      > . 1:1(0) ack 501 win 3596
     0      < . 501:1001(500) ack 1
     0      > . 1:1(0) ack 1001 win 3096
     0      < . 2001:3001(1000) ack 1
     0      > . 1:1(0) ack 1001 win 3096
    `,
  );

  trace(
    'what lies beyond it is cut off (§3.10.7.4, first check)',
    established(SMALL_BUFFER),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 2001
     0      < . 2001:3001(1000) ack 1
     0      > . 1:1(0) ack 3001
     0      < . 3001:4001(1000) ack 1
     0      > . 1:1(0) ack 4001 win 96
     0      < FP. 4001:5001(1000) ack 1                                       ESTABLISHED
     0      > . 1:1(0) ack 4097 win 0
     0      no end; read(4096)
     0      > . 1:1(0) ack 4097 win 4096
     0      < FP. 4097:5001(904) ack 1                                        CLOSE-WAIT
     0      > . 1:1(0) ack 5002
     0      end; read(904)
    `,
  );

  trace(
    'a segment larger than what is left of it is cut on both sides',
    established({ tcp: { receiveBuffer: 2048, receiveBufferMax: 2048 } }),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 2001 win 48
     0      < . 1501:2101(600) ack 1
     0      > . 1:1(0) ack 2049 win 0
     0      read(2048)
     0      > . 1:1(0) ack 2049 win 2048
    `,
  );

  trace(
    'MUST-39: it does not open by small steps: half the buffer, or a segment',
    established(SMALL_BUFFER),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001 win 3096
     0      read(500)
     0      < . 1001:1101(100) ack 1
     0      > . 1:1(0) ack 1101 win 2996
     0      read(500)
     0      < . 1101:1201(100) ack 1
     0      > . 1:1(0) ack 1201 win 3896
    `,
  );

  trace(
    'MUST-39: a closed window opens by a segment at least, and the peer is told at once',
    established(SMALL_BUFFER),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 2001
     0      < . 2001:3001(1000) ack 1
     0      > . 1:1(0) ack 3001
     0      < . 3001:4001(1000) ack 1
     0      > . 1:1(0) ack 4001
     0      < P. 4001:4097(96) ack 1
     0      > . 1:1(0) ack 4097 win 0
     0      read(999)
     0      < . 4097:4098(1) ack 1
     0      > . 1:1(0) ack 4097 win 0
     0      read(1)
     0      > . 1:1(0) ack 4097 win 1000
    `,
  );

  trace(
    'MUST-39: a closed window opens by half the buffer, if that is less than a segment',
    established({ mss: 1460, families: [4], tcp: { receiveBuffer: 2048, receiveBufferMax: 2048 } }),
    `
     0      < . 1:1461(1460) ack 1
     0      > . 1:1(0) ack 1461 win 588
     0      < P. 1461:2049(588) ack 1
     0      > . 1:1(0) ack 2049 win 0
     0      read(1023)
     0      read(1)
     0      > . 1:1(0) ack 2049 win 1024
    `,
  );

  trace(
    'ACKs, and the data of ours that they acknowledge, count while it is closed (first check)',
    established({ tcp: { receiveBuffer: 2048, receiveBufferMax: 2048 } }),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 2001
     0      < P. 2001:2049(48) ack 1
     0      > . 1:1(0) ack 2049 win 0
     0      write(10)
     0      > P. 1:11(10) ack 2049 win 0
    +0.01   < . 2049:2049(0) ack 11
    +0      unacknowledged() = 0
    +0      write(10)
    +0      > P. 11:21(10) ack 2049 win 0
    +0.01   < P. 2049:2149(100) ack 21
    +0      > . 21:21(0) ack 2049 win 0
    +0      unacknowledged() = 0
    `,
  );

  trace(
    'reading says nothing to the peer while the window is wide open',
    established({ tcp: { receiveBuffer: 8192, receiveBufferMax: 8192 } }),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001 win 7192
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 2001 win 6192
     0      < . 2001:3001(1000) ack 1
     0      > . 1:1(0) ack 3001 win 5192
     0      read(3000)
    +1      < . 3001:3101(100) ack 1
    +0      > . 1:1(0) ack 3101 win 8092
    `,
  );

  trace(
    'a FIN finds no place in a closed window, and is acknowledged when it comes again',
    established({ tcp: { receiveBuffer: 2048, receiveBufferMax: 2048 } }),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 2001
     0      < FP. 2001:2049(48) ack 1                                         ESTABLISHED
     0      > . 1:1(0) ack 2049 win 0
    +0.2    < F. 2049:2049(0) ack 1                                           ESTABLISHED
    +0      > . 1:1(0) ack 2049 win 0
    +0      no end; read(2048)
    +0      > . 1:1(0) ack 2049 win 2048
    +0.2    < F. 2049:2049(0) ack 1                                           CLOSE-WAIT
    +0      > . 1:1(0) ack 2050
    +0      end
    `,
  );

  trace(
    'a reader that is fast gets a larger buffer',
    established({ wscale: 7, tcp: { receiveBuffer: 8192, receiveBufferMax: 65536 }, win: 8192 }),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001 <*>
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 2001 <*>
     0      < . 2001:3001(1000) ack 1
     0      > . 1:1(0) ack 3001 <*>
     0      < . 3001:4001(1000) ack 1
     0      > . 1:1(0) ack 4001 <*>
     0      < . 4001:5001(1000) ack 1
     0      > . 1:1(0) ack 5001 <*>
    +0.02   read(5000)
    +0      > . 1:1(0) ack 5001 win 8192 <*>
    `,
  );
});

describe('the window that the peer offers', () => {
  trace(
    'no more than it is sent',
    established({ win: 2500 }),
    `
     0      write(5000)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
    +0.01   < . 1:1(0) ack 2001 win 2500
    +0      > . 2001:3001(1000) ack 1
    +0      > . 3001:4001(1000) ack 1
    +0.01   < . 1:1(0) ack 4001 win 2500
    +0      > P. 4001:5001(1000) ack 1
    `,
  );

  trace(
    'MUST-38: no small segment, unless it is half of the largest window (§3.8.6.2.1)',
    established({ win: 1800 }),
    `
     0      write(4000)
     0      > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 100
    +0.05   < . 1:1(0) ack 1001 win 899
    +0.05   < . 1:1(0) ack 1001 win 900
    +0      > . 1001:1901(900) ack 1
    `,
  );

  trace(
    'MUST-38: in the end the override timeout sends what fits',
    established({ win: 1800 }),
    `
     0      write(4000)
     0      > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 100
    +0.2    > . 1001:1101(100) ack 1
    `,
  );

  trace(
    'it comes from the newest segment only (SND.WL1, SND.WL2)',
    established(),
    `
     0      < P. 1:11(10) ack 1 win 2000
     0      > . 1:1(0) ack 11
     0      info(sendWindow) = 2000
     0      < . 1:1(0) ack 1 win 3000
     0      > . 1:1(0) ack 11
     0      info(sendWindow) = 2000
     0      < . 11:11(0) ack 1 win 4000
     0      info(sendWindow) = 4000
    `,
  );

  trace(
    'not from one that was overtaken (SND.WL1)',
    established(),
    `
     0      < . 101:201(100) ack 1 win 2000
     0      > . 1:1(0) ack 1
     0      info(sendWindow) = 2000
     0      < . 1:101(100) ack 1 win 3000
     0      > . 1:1(0) ack 201
     0      info(sendWindow) = 2000
     0      < . 201:201(0) ack 1 win 4000
     0      info(sendWindow) = 4000
    `,
  );

  trace(
    'it comes with an ACK that is not older (SND.WL2)',
    established(),
    `
     0      write(20)
     0      > P. 1:21(20) ack 1
     0      < . 1:1(0) ack 21 win 2000
     0      info(sendWindow) = 2000
     0      < . 1:1(0) ack 11 win 3000
     0      info(sendWindow) = 2000
    `,
  );

  trace(
    'MUST-34, SHOULD-15: it may shrink; nothing new is sent beyond it',
    established({ win: 5000 }),
    `
     0      write(9000)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
     0      > . 2001:3001(1000) ack 1
     0      > . 3001:4001(1000) ack 1
     0      > . 4001:5001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 1000
    +0.01   < . 1:1(0) ack 3001 win 1000
    +0.01   < . 1:1(0) ack 5001 win 1000
    +0      > . 5001:6001(1000) ack 1
    `,
  );

  trace(
    'SHOULD-16: what is inside a window that shrank is retransmitted, in order',
    established({ win: 4000 }),
    `
     0      write(4000)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
     0      > . 2001:3001(1000) ack 1
     0      > P. 3001:4001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 1000
    +0.2    > . 1001:2001(1000) ack 1
    +0.01   < . 1:1(0) ack 2001 win 1000
    +0      > . 2001:3001(1000) ack 1
    +0.01   < . 1:1(0) ack 3001 win 1000
    +0      > P. 3001:4001(1000) ack 1
    `,
  );

  trace(
    'MUST-35: one that shrinks to nothing is probed',
    established({ win: 4000 }),
    `
     0      write(4000)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
     0      > . 2001:3001(1000) ack 1
     0      > P. 3001:4001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +0.2    > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +0.39   > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 4000
    +0      > . 1001:2001(1000) ack 1
    `,
  );

  const rounds = Array.from(
    { length: 6 },
    (_, i) => `+${(0.2 * 2 ** i - (i > 0 ? 0.01 : 0)).toFixed(2)}  > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0                                         ESTABLISHED`,
  );
  trace(
    'SHOULD-17, MUST-37: data beyond the edge are no reason to give up while the peer answers',
    established({ win: 4000, tcp: { userTimeout: 2000 } }),
    `
     0      write(4000)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
     0      > . 2001:3001(1000) ack 1
     0      > P. 3001:4001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    ${rounds.join('\n')}
    `,
  );
});
