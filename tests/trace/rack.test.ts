// Losses found by time: RACK (RFC 8985 §6) on the SACK scoreboard (RFC 6675).

import { describe } from 'vitest';
import { established, trace } from '../support/dsl.js';

const newReno = { tcp: { congestion: 'newreno' } } as const;
/** Ten segments are out; the smallest round-trip time is 10 ms. */
const tenSegments = `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000`;

describe('RACK', () => {
  trace(
    'three segments beyond a gap mean a loss at once (RFC 8985 §6.2 step 4)',
    established({ sack: true, offload: true, ...newReno }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
    +0      info(lost) = 0; info(sacked) = 2000; info(pipe) = 8000
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1
    +0      info(fastRetransmits) = 1; info(losses) = 1; info(ssthresh) = 5000
    +0.01   < . 1:1(0) ack 10001
    +0      info(cwnd) = 6400; info(retransmits) = 1; info(timeouts) = 0
    `,
  );

  trace(
    'fewer do so after a quarter of the smallest round-trip time (step 5)',
    established({ sack: true, offload: true }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
    +0      info(timer.name) = reorder
    +0.003  > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 10001
    `,
  );

  trace(
    'what arrives in that time was overtaken, not lost; and from then on three beyond a gap may wait, too (steps 3, 4)',
    established({ sack: true, offload: true }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
    +0.001  < . 1:1(0) ack 3001
    +0      info(reorderings) = 1
    +0      < . 1:1(0) ack 3001 <nop,nop,sack 4001:9001>
    +0      info(lost) = 0
    +0.003  > . 3001:4001(1000) ack 1
    +0.01   < . 1:1(0) ack 10001
    +0      info(retransmits) = 1
    `,
  );

  trace(
    'nobody knows the order of what one ACK tells: no reordering is seen in it (step 3)',
    established({ sack: true, offload: true }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 3001 <nop,nop,sack 7001:8001 4001:5001>
    +0      info(reorderings) = 0
    +0.003  > . 3001:4001(1000) ack 1
    +0      info(lost) = 2000; info(pipe) = 3000
    +0.007  < . 1:1(0) ack 4001 <nop,nop,sack 4001:5001 7001:10001>
    +0      > . 5001:7001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 10001
    +0      info(retransmits) = 3; info(reorderings) = 0
    `,
  );

  trace(
    'only what was sent before something that has arrived can be lost (§6.2 step 2)',
    established({ sack: true, cwnd: 4000 }),
    `
     0      write(4000)
     0      > . 1:1001(1000) ack 1
     0      > . 1001:2001(1000) ack 1
     0      > . 2001:3001(1000) ack 1
     0      > P. 3001:4001(1000) ack 1
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 2001:3001>
    +0.003  > . 1:1001(1000) ack 1
    +0      info(lost) = 1000; info(pipe) = 2000
    +0.007  < . 1:1(0) ack 1 <nop,nop,sack 2001:4001>
    +0      > . 1001:2001(1000) ack 1
    +0      info(lost) = 0; info(losses) = 2
    +0.01   < . 1:1(0) ack 4001
    `,
  );

  trace(
    'a retransmission that is lost is found by what was sent after it (§3.1)',
    established({ sack: true, offload: true, ...newReno }),
    `
     0      write(30000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1
    +0.001  < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
    +0      > . 10001:14001(4000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:11001>
    +0      > . 1:1001(1000) ack 1
    +0      > . 14001:15001(1000) ack 1
    +0      info(losses) = 2; info(fastRetransmits) = 1; info(ssthresh) = 5000
    +0.01   < . 1:1(0) ack 15001
    +0      > . 15001:21001(6000) ack 1 gso 1000
    +0      info(timeouts) = 0; info(retransmits) = 2
    `,
  );

  trace(
    'what was sent again stands before what was not, and is younger all the same (step 5)',
    established({ sack: true, offload: true }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
    +0.003  > . 1:1001(1000) ack 1
    +0.002  < . 1:1(0) ack 1 <nop,nop,sack 1001:2001 3001:10001>
    +0      > . 2001:3001(1000) ack 1
    +0      info(losses) = 2; info(retransmits) = 2
    +0.01   < . 1:1(0) ack 10001
    `,
  );

  trace(
    'an ACK within less than any round trip is that of the first transmission (§6.2 step 2)',
    established({ sack: true, offload: true }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1
    +0.001  < . 1:1(0) ack 4001
    +0.003  info(losses) = 1
    +0.006  < . 1:1(0) ack 10001
    `,
  );

  trace(
    'a timestamp tells the same, however late it comes (step 2)',
    established({ sack: true, timestamps: true, offload: true, mss: 1012 }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 <nop,nop,TS 10 100> gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,TS 100 0,nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1 <nop,nop,TS 20 100>
    +0.015  < . 1:1(0) ack 4001 <nop,nop,TS 100 10>
    +0      info(losses) = 1
    +0.001  < . 1:1(0) ack 10001 <nop,nop,TS 100 10>
    `,
  );

  trace(
    'a recovery that was a mistake is reordering, too',
    established({ sack: true, timestamps: true, offload: true, mss: 1012 }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 <nop,nop,TS 10 100> gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,TS 100 0,nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1 <nop,nop,TS 20 100>
    +0.001  < . 1:1(0) ack 4001 <nop,nop,TS 100 10>
    +0      info(undos) = 1; info(reorderings) = 0
    +0      < . 1:1(0) ack 4001 <nop,nop,TS 100 10,nop,nop,sack 5001:9001>
    +0      info(lost) = 0; info(timer.name) = reorder
    +0.001  < . 1:1(0) ack 10001 <nop,nop,TS 100 10>
    `,
  );

  trace(
    'a D-SACK makes the reordering window wider (step 4)',
    established({ sack: true, offload: true }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
    +0.003  > . 1:1001(1000) ack 1
    +0.001  < . 1:1(0) ack 2001
    +0.006  < . 1:1(0) ack 10001 <nop,nop,sack 1:1001>
    +0      write(10000)
    +0      > P. 10001:20001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 10001 <nop,nop,sack 11001:12001>
    +0.005  > . 10001:11001(1000) ack 1
    +0.01   < . 1:1(0) ack 20001
    `,
  );

  trace(
    'many D-SACKs in one round trip make it no wider (step 4)',
    established({ sack: true, offload: true }),
    `
     0      write(20000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 5001
    +0      > P. 10001:20001(10000) ack 1 gso 1000
    +0.001  < . 1:1(0) ack 5001 <nop,nop,sack 1:1001>
    +0      < . 1:1(0) ack 5001 <nop,nop,sack 1001:2001>
    +0      < . 1:1(0) ack 5001 <nop,nop,sack 2001:3001>
    +0.009  < . 1:1(0) ack 10001 <nop,nop,sack 11001:12001>
    +0.005  > . 10001:11001(1000) ack 1
    +0.01   < . 1:1(0) ack 20001
    `,
  );

  trace(
    'small segments that are lost together go out again together',
    established({ sack: true, tcp: { noDelay: true } }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.0001 write(10)
    +0      > P. 11:21(10) ack 1
    +0.0001 write(10)
    +0      > P. 21:31(10) ack 1
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 21:31>
    +0.003  > . 1:21(20) ack 1
    +0.01   < . 1:1(0) ack 31
    `,
  );
});

describe('the scoreboard', () => {
  trace(
    'what has arrived makes room for something new: limited transmit (RFC 3042, RFC 6675 §5)',
    established({ sack: true, offload: true, cwnd: 4000 }),
    `
     0      write(8000)
     0      > . 1:4001(4000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
    +0      > . 4001:5001(1000) ack 1
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
    +0      > . 5001:6001(1000) ack 1
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1
    `,
  );

  trace(
    'what is lost goes before what is new (RFC 6675 §4, NextSeg)',
    established({ sack: true, offload: true, ...newReno }),
    `
     0      write(30000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 2001:4001 5001:7001 8001:10001>
    +0      > . 1:2001(2000) ack 1 gso 1000
    +0      > . 4001:5001(1000) ack 1
    +0      > . 7001:8001(1000) ack 1
    +0      > . 10001:11001(1000) ack 1
    +0      info(pipe) = 5000; info(cwnd) = 5000
    +0.01   < . 1:1(0) ack 11001
    +0      > . 11001:17001(6000) ack 1 gso 1000
    `,
  );

  trace(
    'a FIN that is lost goes out again with the data before it',
    established({ sack: true, offload: true }),
    `
     0      write(5000); shutdown()                                           FIN-WAIT-1
     0      > FP. 1:5001(5000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 4001
    +0.02   > FP. 4001:5001(1000) ack 1
    +0.01   < . 1:1(0) ack 5002                                               FIN-WAIT-2
    `,
  );

  trace(
    'blocks below the cumulative ACK, beyond what was sent, empty or backwards say nothing (RFC 2018)',
    established({ sack: true, offload: true }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 10001:11001>
    +0      < . 1:1(0) ack 1 <nop,nop,sack 5001:5001>
    +0      < . 1:1(0) ack 1 <nop,nop,sack 5001:4001>
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1:1001>
    +0      < . 1:1(0) ack 1 <nop,nop,sack -70000:5001>
    +0      < . 1:1(0) ack 1 <nop,nop,sack 9001:10002 2147480001:-2147480001>
    +0      info(sacked) = 0
    +0.001  < . 1:1(0) ack 10001
    `,
  );

  trace(
    'the same block again, and blocks that overlap, count once',
    established({ sack: true, offload: true }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 3001:4001 3001:3501 2501:3001>
    +0      info(sacked) = 1500
    +0      < . 1:1(0) ack 1 <nop,nop,sack 3001:4001 2501:4001>
    +0      info(sacked) = 1500
    +0.0005 < . 1:1(0) ack 10001
    `,
  );

  trace(
    'what goes again stays within a window that has shrunk (RFC 9293 SHLD-16)',
    established({ sack: true, offload: true, win: 10000 }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 win 2000 <nop,nop,sack 5001:10001>
    +0      > . 1:2001(2000) ack 1 gso 1000
    +0      info(lost) = 3000
    +0.01   < . 1:1(0) ack 2001 win 1500 <nop,nop,sack 5001:10001>
    +0      > . 2001:3501(1500) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 3501 win 10000 <nop,nop,sack 5001:10001>
    +0      > . 3501:5001(1500) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 10001
    `,
  );

  trace(
    'after a timeout nothing is believed of a peer that does not acknowledge what it held (RFC 2018 §8)',
    established({ sack: true, offload: true, ...newReno }),
    `${tenSegments}
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
    +0      > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001
    +0      info(sacked) = 9000; info(pipe) = 0
    +0.2    > . 1001:2001(1000) ack 1
    +0      info(sacked) = 0; info(lost) = 8000
    +0      info(ssthresh) = 5000; info(cwnd) = 1000
    +0.01   < . 1:1(0) ack 2001
    +0      > . 2001:4001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 4001
    +0      > . 4001:8001(4000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 8001
    +0      > P. 8001:10001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 10001
    `,
  );

  trace(
    'a smaller MTU sends all of it anew, whatever has arrived beyond',
    established({ sack: true, mtu: 1500, mss: 1460, families: [4] }),
    `
     0      write(2920)
     0      > . 1:1461(1460) ack 1
     0      > P. 1461:2921(1460) ack 1
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1461:2921>
    +0      < icmp too-big mtu 1000 [1:1461(1460)]
    +0      > . 1:961(960) ack 1
    +0      > . 961:1921(960) ack 1
    +0      > . 1921:2881(960) ack 1
    +0      > P. 2881:2921(40) ack 1
    +0      info(sacked) = 0; info(pipe) = 2920
    +0.01   < . 1:1(0) ack 2921
    `,
  );
});

describe('proportional rate reduction', () => {
  trace(
    'sends ssthresh / flight for each byte that arrives (RFC 9937 §6.2)',
    established({ sack: true, offload: true, ...newReno }),
    `
     0      write(40000)
     0      > . 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
    +0      > . 1:1001(1000) ack 1
    +0      info(pipe) = 7000; info(cwnd) = 7500
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1001:5001>
    +0      > . 10001:11001(1000) ack 1
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1001:6001>
    +0      info(pipe) = 6000; info(cwnd) = 6500
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1001:7001>
    +0      info(pipe) = 5000; info(cwnd) = 5000
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1001:8001>
    +0      > . 11001:12001(1000) ack 1
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1001:9001>
    +0      > . 12001:13001(1000) ack 1
    +0      < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
    +0      > . 13001:14001(1000) ack 1
    +0      info(pipe) = 5000; info(ssthresh) = 5000
    +0.01   < . 1:1(0) ack 11001
    +0      > . 14001:16001(2000) ack 1 gso 1000
    +0      info(cwnd) = 5400
    `,
  );

  trace(
    'where most is lost it sends what arrives, and one segment more while all goes well (PRR-SSRB)',
    established({ sack: true, offload: true, ...newReno }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 9001:10001>
    +0.003  > . 1:1001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 <nop,nop,sack 9001:10001>
    +0      > . 1001:3001(2000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 3001 <nop,nop,sack 9001:10001>
    +0      > . 3001:6001(3000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 6001 <nop,nop,sack 9001:10001>
    +0      > . 6001:9001(3000) ack 1 gso 1000
    +0      info(cwnd) = 4000
    +0.01   < . 1:1(0) ack 10001
    +0      info(cwnd) = 5600; info(retransmits) = 9
    `,
  );
});
