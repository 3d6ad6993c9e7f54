// Urgent data: RFC 9293 §3.8.5, RFC 6093.

import { describe } from 'vitest';
import { closeWait, established, finWait2, trace } from '../support/dsl.js';

describe('urgent data arrive', () => {
  trace(
    'MUST-30, MUST-32, MUST-33: in line; the user is told, and can ask how much is left',
    established(),
    `
     0      < PU. 1:21(20) ack 1 urg 10
     0      > . 1:1(0) ack 21
     0      urgent; readable; urgentRemaining() = 10
     0      read(4); urgentRemaining() = 6
     0      read(6); urgentRemaining() = 0
     0      read(10); urgentRemaining() = 0
    `,
  );

  trace(
    'MUST-32: told before the data themselves arrive',
    established(),
    `
     0      < U. 1:1(0) ack 1 urg 3000
     0      urgent; urgentRemaining() = 3000; no readable
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11
     0      read(10); urgentRemaining() = 2990; no urgent
    `,
  );

  trace(
    'MUST-32: told again when the pointer advances, and only then',
    established(),
    `
     0      < PU. 1:11(10) ack 1 urg 10
     0      > . 1:1(0) ack 11
     0      urgent; no urgent
     0      < PU. 11:21(10) ack 1 urg 0
     0      > . 1:1(0) ack 21
     0      no urgent; urgentRemaining() = 10
     0      < PU. 21:31(10) ack 1 urg 10
     0      > . 1:1(0) ack 31
     0      urgent; urgentRemaining() = 30
    `,
  );

  trace(
    'a pointer that goes back is ignored',
    established(),
    `
     0      < PU. 1:11(10) ack 1 urg 100
     0      > . 1:1(0) ack 11
     0      urgent; urgentRemaining() = 100
     0      < PU. 11:21(10) ack 1 urg 5
     0      > . 1:1(0) ack 21
     0      no urgent; urgentRemaining() = 100
    `,
  );

  trace(
    'a pointer far beyond the segment does no harm',
    established(),
    `
     0      < FPU. 1:11(10) ack 1 urg 65535                                   CLOSE-WAIT
     0      > . 1:1(0) ack 12
     0      read(10)
     0      shutdown()                                                        LAST-ACK
     0      > F. 1:1(0) ack 12
    `,
  );

  trace(
    'without the flag the pointer means nothing (§3.1)',
    established(),
    `
     0      < P. 1:11(10) ack 1
     0      > . 1:1(0) ack 11
     0      no urgent; urgentRemaining() = 0
    `,
  );

  trace(
    'MUST-66: also while our window is closed',
    established({ tcp: { receiveBuffer: 2048, receiveBufferMax: 2048 } }),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 2001
     0      < P. 2001:2049(48) ack 1
     0      > . 1:1(0) ack 2049 win 0
     0      < U. 2049:2049(0) ack 1 urg 100
     0      urgent; urgentRemaining() = 2148
    `,
  );

  trace(
    "in FIN-WAIT-2 too; not behind the peer's FIN (sixth check)",
    finWait2(),
    `
     0      < PU. 1:11(10) ack 2 urg 10
     0      > . 2:2(0) ack 11
     0      urgent; urgentRemaining() = 10
    `,
  );

  trace(
    'in CLOSE-WAIT it is ignored (sixth check)',
    closeWait(),
    `
     0      < U. 2:2(0) ack 1 urg 10
     0      no urgent; urgentRemaining() = 0
    `,
  );

  trace(
    'MUST-31: more than one segment of them',
    established(),
    `
     0      < U. 1:1001(1000) ack 1 urg 2500
     0      > . 1:1(0) ack 1001
     0      < U. 1001:2001(1000) ack 1 urg 1500
     0      > . 1:1(0) ack 2001
     0      < PU. 2001:2501(500) ack 1 urg 500
     0      > . 1:1(0) ack 2501
     0      urgent; no urgent; urgentRemaining() = 2500; read(2500); urgentRemaining() = 0
    `,
  );
});

describe('urgent data leave', () => {
  trace(
    'MUST-30, MUST-62: the pointer says where they end: the octet behind them',
    established(),
    `
     0      sendUrgent(10)
     0      > PU. 1:11(10) ack 1 urg 10
    +0.01   < . 1:1(0) ack 11
    +0      write(10)
    +0      > P. 11:21(10) ack 1
    `,
  );

  trace(
    'MUST-31: of any length, in as many segments as it takes',
    established(),
    `
     0      sendUrgent(2500)
     0      > U. 1:1001(1000) ack 1 urg 2500
     0      > U. 1001:2001(1000) ack 1 urg 1500
     0      > PU. 2001:2501(500) ack 1 urg 500
    `,
  );

  trace(
    'MUST-30: with the data before them',
    established({ cwnd: 1000 }),
    `
     0      write(1500)
     0      > . 1:1001(1000) ack 1
     0      sendUrgent(10)
    +0.01   < . 1:1(0) ack 1001
    +0      > PU. 1001:1511(510) ack 1 urg 510
    `,
  );

  trace(
    'again after a timeout',
    established(),
    `
     0      sendUrgent(10)
     0      > PU. 1:11(10) ack 1 urg 10
    +0.2    > PU. 1:11(10) ack 1 urg 10
    +0.01   < . 1:1(0) ack 11
    `,
  );

  trace(
    'not with what follows them',
    established({ tcp: { noDelay: true } }),
    `
     0      sendUrgent(10)
     0      > PU. 1:11(10) ack 1 urg 10
     0      write(10)
     0      > P. 11:21(10) ack 1
    `,
  );
});
