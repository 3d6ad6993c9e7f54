// Retransmissions that were a mistake: F-RTO (RFC 5682), Eifel (RFC 3522, RFC 4015), D-SACK (RFC 2883,
// RFC 3708).

import { describe } from 'vitest';
import { established, trace } from '../support/dsl.js';

const newReno = { congestion: 'newreno' } as const;
const withStamps = established({
  sack: true,
  timestamps: true,
  offload: true,
  mss: 1012,
  tcp: newReno,
});

describe('Eifel', () => {
  trace(
    'an ACK that echoes the first transmission takes fast recovery back (RFC 3522 §3.2)',
    withStamps,
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 <nop,nop,TS 10 100> gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,TS 100 0,nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1 <nop,nop,TS 20 100>
    +0      info(ssthresh) = 5000
    +0.003  < . 1:1(0) ack 4001 <nop,nop,TS 100 10>
    +0      info(undos) = 1; info(cwnd) = 11000; info(ssthresh) = 2147483647
    +0.005  < . 1:1(0) ack 10001 <nop,nop,TS 100 10>
    `,
  );

  trace(
    'an ACK of the retransmission does not',
    withStamps,
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 <nop,nop,TS 10 100> gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,TS 100 0,nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1 <nop,nop,TS 20 100>
    +0.01   < . 1:1(0) ack 10001 <nop,nop,TS 100 20>
    +0      info(undos) = 0; info(ssthresh) = 5000
    `,
  );

  trace(
    'nor do later ACKs: only the first one tells of the first retransmission',
    withStamps,
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 <nop,nop,TS 10 100> gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,TS 100 0,nop,nop,sack 1001:4001 5001:10001>
    +0      > . 1:1001(1000) ack 1 <nop,nop,TS 20 100>
    +0      > . 4001:5001(1000) ack 1 <nop,nop,TS 20 100>
    +0.01   < . 1:1(0) ack 4001 <nop,nop,TS 100 20,nop,nop,sack 5001:10001>
    +0.001  < . 1:1(0) ack 10001 <nop,nop,TS 100 10>
    +0      info(undos) = 0; info(ssthresh) = 5000
    `,
  );

  trace(
    'takes a timeout back, too (RFC 4015)',
    withStamps,
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1 <nop,nop,TS 10 100>
    +0.2    > P. 1:1001(1000) ack 1 <nop,nop,TS 210 100>
    +0.2    > P. 1:1001(1000) ack 1 <nop,nop,TS 410 100>
    +0      info(timeouts) = 1; info(cwnd) = 1000
    +0.01   < . 1:1(0) ack 1001 <nop,nop,TS 100 10>
    +0      info(undos) = 1; info(cwnd) = 10000; info(ssthresh) = 2147483647
    `,
  );
});

describe('D-SACK', () => {
  trace(
    'when all that was sent again had arrived, the episode is taken back (RFC 3708 §3)',
    established({ sack: true, offload: true, tcp: newReno }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1
    +0.001  < . 1:1(0) ack 5001
    +0      info(cwnd) = 5000; info(undos) = 0
    +0.009  < . 1:1(0) ack 10001 <nop,nop,sack 1:1001>
    +0      info(undos) = 1; info(cwnd) = 15000; info(spuriousRetransmits) = 1
    +0      info(ssthresh) = 2147483647
    `,
  );

  trace(
    'also when it comes after the end of recovery',
    established({ sack: true, offload: true, tcp: newReno }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1
    +0.001  < . 1:1(0) ack 10001
    +0      info(cwnd) = 6400
    +0.009  < . 1:1(0) ack 10001 <nop,nop,sack 1:1001>
    +0      info(undos) = 1; info(cwnd) = 10000
    `,
  );

  trace(
    'of one of two retransmissions is not enough',
    established({ sack: true, offload: true, tcp: newReno }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:4001 5001:10001>
    +0      > . 1:1001(1000) ack 1
    +0      > . 4001:5001(1000) ack 1
    +0.01   < . 1:1(0) ack 10001 <nop,nop,sack 1:1001>
    +0      info(undos) = 0; info(ssthresh) = 5000
    `,
  );

  trace(
    'may stand above the cumulative ACK, within the next block (RFC 2883 §4.2)',
    established({ sack: true, offload: true, tcp: newReno }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:3001 4001:10001>
    +0      > . 1:1001(1000) ack 1
    +0      > . 3001:4001(1000) ack 1
    +0.001  < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
    +0      info(spuriousRetransmits) = 0
    +0.009  < . 1:1(0) ack 1 <nop,nop,sack 3001:4001 1001:10001>
    +0      info(spuriousRetransmits) = 1; info(undos) = 0
    +0.001  < . 1:1(0) ack 10001 <nop,nop,sack 1:1001>
    +0      info(spuriousRetransmits) = 2; info(undos) = 1
    `,
  );

  trace(
    'that reports what was never sent again, or never sent, says nothing',
    established({ sack: true, offload: true, tcp: newReno }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1
    +0.001  < . 1:1(0) ack 4001 <nop,nop,sack -90000:-80000>
    +0      < . 1:1(0) ack 4001 <nop,nop,sack 3001:1001>
    +0      < . 1:1(0) ack 4001 <nop,nop,sack -1000:1>
    +0      info(undos) = 0; info(spuriousRetransmits) = 0
    +0.008  < . 1:1(0) ack 10001
    `,
  );
});

describe('F-RTO', () => {
  trace(
    'what was sent once is acknowledged after a timeout: that was spurious (RFC 5682 §3.1 step 3b)',
    established({ sack: true, offload: true, tcp: newReno }),
    `
     0      write(9000)
     0      > P. 1:9001(9000) ack 1 gso 1000
    +0.02   > P. 8001:9001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0      info(timeouts) = 1; info(cwnd) = 1000; info(lost) = 8000
    +0.05   < . 1:1(0) ack 3001
    +0      info(undos) = 1; info(cwnd) = 13000; info(lost) = 0
    +0      info(retransmits) = 2
    +0.01   < . 1:1(0) ack 9001
    `,
  );

  trace(
    'when only the retransmission is acknowledged, new data tell more (steps 2b, 3b)',
    established({ sack: true, offload: true, cwnd: 4000, tcp: newReno }),
    `
     0      write(20000)
     0      > . 1:4001(4000) ack 1 gso 1000
    +0.02   > . 4001:5001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0.05   < . 1:1(0) ack 1001
    +0      > . 5001:7001(2000) ack 1 gso 1000
    +0.001  < . 1:1(0) ack 2001
    +0      info(undos) = 1; info(lost) = 0
    +0      info(retransmits) = 1
    `,
  );

  trace(
    'a duplicate then says that it was lost indeed (step 3a)',
    established({ sack: true, offload: true, cwnd: 4000, tcp: newReno }),
    `
     0      write(20000)
     0      > . 1:4001(4000) ack 1 gso 1000
    +0.02   > . 4001:5001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001
    +0      > . 5001:7001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1001 <nop,nop,sack 5001:6001>
    +0      > . 1001:2001(1000) ack 1
    +0      info(undos) = 0
    `,
  );

  trace(
    'with no room for anything new all goes as ever (step 2a)',
    established({ sack: true, offload: true, cwnd: 4000, win: 5000, tcp: newReno }),
    `
     0      write(20000)
     0      > . 1:4001(4000) ack 1 gso 1000
    +0.02   > . 4001:5001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 4000
    +0      > . 1001:3001(2000) ack 1 gso 1000
    `,
  );

  trace(
    'with nothing new to send all goes as ever (step 2a)',
    established({ sack: true, offload: true, tcp: newReno }),
    `
     0      write(4000)
     0      > P. 1:4001(4000) ack 1 gso 1000
    +0.02   > P. 3001:4001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001
    +0      > . 1001:3001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 3001
    +0      > P. 3001:4001(1000) ack 1
    +0.01   < . 1:1(0) ack 4001
    +0      info(undos) = 0
    `,
  );
});
