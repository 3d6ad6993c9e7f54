// Data that arrive and data that leave, without loss: RFC 9293 §3.8 and §3.10.7.4, seventh check.

import { describe } from 'vitest';
import { closeWait, established, trace } from '../support/dsl.js';

describe('data arrive', () => {
  trace(
    'in order',
    established(),
    `
     0      < P. 1:101(100) ack 1
     0      > . 1:1(0) ack 101
     0      readable; readable() = 100; read(60); read(40); readable() = 0
     0      < P. 101:111(10) ack 1
     0      > . 1:1(0) ack 111
     0      readable; skip(3); skip(7)
     0      info(bytesReceived) = 110; info(segmentsIn) = 3; info(segmentsOut) = 4
    `,
  );

  trace(
    'SHOULD-31, MAY-13: beyond a gap they are kept, and acknowledged at once',
    established(),
    `
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 1
     0      no readable; info(outOfOrder) = 1000
    +0.01   < . 3001:4001(1000) ack 1
    +0      > . 1:1(0) ack 1
    +0.01   < . 1:1001(1000) ack 1
    +0      > . 1:1(0) ack 2001
    +0      readable; read(2000); info(outOfOrder) = 1000
    +0.01   < . 2001:3001(1000) ack 1
    +0      > . 1:1(0) ack 4001
    +0      read(2000); info(outOfOrder) = 0
    `,
  );

  trace(
    'what was received before is trimmed at the front (§3.10.7.4, first check)',
    established(),
    `
     0      < P. 1:101(100) ack 1
     0      > . 1:1(0) ack 101
     0      < P. 51:151(100) ack 1
     0      > . 1:1(0) ack 151
     0      readable() = 150; read(150)
    `,
  );

  trace(
    'segments that overlap beyond a gap',
    established(),
    `
     0      < . 101:201(100) ack 1
     0      > . 1:1(0) ack 1
     0      < . 151:301(150) ack 1
     0      > . 1:1(0) ack 1
     0      < . 51:251(200) ack 1
     0      > . 1:1(0) ack 1
     0      < . 1:120(119) ack 1
     0      > . 1:1(0) ack 301
     0      read(300)
    `,
  );

  trace(
    'a segment that spans a queued one',
    established(),
    `
     0      < . 101:201(100) ack 1
     0      > . 1:1(0) ack 1
     0      < . 1:501(500) ack 1
     0      > . 1:1(0) ack 501
     0      read(500)
    `,
  );

  trace(
    'twice: acknowledged again, delivered once',
    established(),
    `
     0      < P. 1:101(100) ack 1
     0      > . 1:1(0) ack 101
    +0.2    < P. 1:101(100) ack 1
    +0      > . 1:1(0) ack 101
    +0      readable() = 100
    `,
  );

  trace(
    'MUST-58, MUST-59: segments of one turn are all processed before one ACK is sent',
    established({ offload: true }),
    `
     0      < . 1:1001(1000) ack 1 more
     0      < . 1001:2001(1000) ack 1 more
     0      < . 2001:3001(1000) ack 1 more
     0      < P. 3001:3501(500) ack 1
     0      > . 1:1(0) ack 3501
     0      read(3500)
    `,
  );

  trace(
    'MUST-59: a gap that is filled within a turn never was one',
    established({ offload: true, sack: true }),
    `
     0      < . 1001:2001(1000) ack 1 more
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 2001
     0      read(2000)
    `,
  );

  trace(
    'MUST-3: what has a wrong checksum never arrived',
    established(),
    `
     0      < P. 1:101(100) ack 1 badsum
     0      counter(badChecksum) = 1; readable() = 0
    `,
  );

  const gaps = Array.from({ length: 100 }, (_, i) => 21 + 20 * i);
  trace(
    'a hundred gaps: bounded memory, and nothing is lost in the end',
    established(),
    `
    ${gaps.map((at) => `0 < . ${at}:${at + 10}(10) ack 1\n0 > . 1:1(0) ack 1`).join('\n')}
    +0      < . 1:1001(1000) ack 1
    +0      > . 1:1(0) ack ${1 + 1010}
    +0      read(1010)
    +0      < . 1001:2021(1020) ack 1
    +0      > . 1:1(0) ack 2021
    +0      read(1010)
    `,
  );
});

describe('data leave', () => {
  trace(
    'MUST-60, MUST-61, SHOULD-27, MAY-16: PSH on what empties the queue, and on nothing else',
    established(),
    `
     0      write(2500)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
     0      > P. 2001:2501(500) ack 1
    +0.01   < . 1:1(0) ack 2501
    +0      write(300); write(300)
    +0      > P. 2501:3101(600) ack 1
    +0      info(bytesAcknowledged) = 2500; info(segmentsOut) = 6; unacknowledged() = 600
    `,
  );

  trace(
    'MUST-2: checksums of odd lengths, and of bytes from both ends of the ring',
    established({ tcp: { sendBuffer: 4096, sendBufferMax: 4096 } }),
    `
     0      write(3001)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
     0      > . 2001:3001(1000) ack 1
     0      > P. 3001:3002(1) ack 1
    +0.01   < . 1:1(0) ack 3002
    +0      write(2001)
    +0      > . 3002:4002(1000) ack 1
    +0      > . 4002:5002(1000) ack 1
    +0      > P. 5002:5003(1) ack 1
    +0.01   < . 1:1(0) ack 5003
    `,
  );

  trace(
    'an ACK travels with the data',
    established(),
    `
     0      < P. 1:101(100) ack 1
     0      > . 1:1(0) ack 101
     0      write(10)
     0      > P. 1:11(10) ack 101
    `,
  );

  trace(
    'a full ring takes no more, and says when it does again',
    established({ cwnd: 1000, tcp: { sendBuffer: 2048, sendBufferMax: 2048 } }),
    `
     0      write(2048); writable() = 0; write(1) = 0; unsent() = 2048
     0      > . 1:1001(1000) ack 1
     0      no writable; unsent() = 1048; unacknowledged() = 1000
    +0.01   < . 1:1(0) ack 1001
    +0      > . 1001:2001(1000) ack 1
    +0      > P. 2001:2049(48) ack 1
    +0      writable; writable() = 1000; unsent() = 0; unacknowledged() = 1048
    `,
  );

  trace(
    'RFC 6928: the initial window is ten segments',
    established({ mss: 1460, families: [4], offload: true }),
    `
     0      write(20000)
     0      > . 1:14601(14600) ack 1 gso 1460
    `,
  );

  trace(
    'the application hears of the end once, though the FIN comes again and again',
    closeWait(),
    `
     0      end
    +0.2    < F. 1:1(0) ack 1
    +0      > . 1:1(0) ack 2
    +0.4    < F. 1:1(0) ack 1
    +0      > . 1:1(0) ack 2
    +0      no end
    `,
  );
});

describe('super-segments', () => {
  trace(
    'SHOULD-28: what leaves is as large as windows and device allow',
    established({ offload: true, cwnd: 10000 }),
    `
     0      write(25500)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 10001
    +0      > P. 10001:25501(15500) ack 1 gso 1000
    `,
  );

  trace(
    'SHOULD-28: full segments only, where the window is no multiple of them',
    established({ offload: true, win: 2500 }),
    `
     0      write(5000)
     0      > . 1:2001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 2001 win 3700
    +0      > P. 2001:5001(3000) ack 1 gso 1000
    `,
  );

  trace(
    'one that is acknowledged in part',
    established({ offload: true, cwnd: 10000 }),
    `
     0      write(20000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 2001
    +0      > . 10001:14001(4000) ack 1 gso 1000
    `,
  );

  trace(
    'a single segment is an ordinary packet',
    established({ offload: true }),
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1
    `,
  );

  trace(
    'one that arrives counts as the segments that it stands for',
    established({ offload: true }),
    `
     0      < P. 1:5001(5000) ack 1 gso 1000
     0      > . 1:1(0) ack 5001
     0      info(segmentsIn) = 6; info(receiveMss) = 1000; read(5000)
    `,
  );

  trace(
    'one that arrives beyond a gap, and one that overlaps it',
    established({ offload: true }),
    `
     0      < . 5001:10001(5000) ack 1 gso 1000
     0      > . 1:1(0) ack 1
     0      < . 1:6001(6000) ack 1 gso 1000
     0      > . 1:1(0) ack 10001
     0      read(10000)
    `,
  );

  trace(
    'with FIN and PSH',
    established({ offload: true }),
    `
     0      < FP. 1:5501(5500) ack 1 gso 1000                                 CLOSE-WAIT
     0      > . 1:1(0) ack 5502
     0      write(3500); shutdown()                                           LAST-ACK
     0      > FP. 1:3501(3500) ack 5502 gso 1000
    `,
  );

  trace(
    'MUST-1: a window above 32767 is used in full',
    established({ offload: true, cwnd: 60000, families: [4] }),
    `
     0      write(60000)
     0      > P. 1:60001(60000) ack 1 gso 1000
    `,
  );

  trace(
    'a timeout sends one segment of it again, not all',
    established({ offload: true, cwnd: 10000 }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.2    > . 1:1001(1000) ack 1
    `,
  );
});
