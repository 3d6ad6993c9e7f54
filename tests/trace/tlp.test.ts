// Tail loss probes: RFC 8985 §7.

import { describe } from 'vitest';
import { established, trace } from '../support/dsl.js';

const newReno = { congestion: 'newreno' } as const;

describe('the tail loss probe', () => {
  trace(
    'is the last segment again, two round trips after it; its SACK tells what else is lost (§7.3)',
    established({ sack: true, offload: true, tcp: newReno }),
    `
     0      write(5000)
     0      > P. 1:5001(5000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 2001
    +0      info(timer.name) = loss-probe
    +0.02   > P. 4001:5001(1000) ack 1
    +0      info(tlpProbes) = 1; info(timer.name) = retransmit
    +0.01   < . 1:1(0) ack 2001 <nop,nop,sack 4001:5001>
    +0      > . 2001:3001(1000) ack 1
    +0.01   < . 1:1(0) ack 3001 <nop,nop,sack 4001:5001>
    +0      > . 3001:4001(1000) ack 1
    +0.01   < . 1:1(0) ack 5001
    +0      info(timeouts) = 0; info(fastRetransmits) = 1
    `,
  );

  trace(
    'is something new, when there is any and the peer has room, whatever cwnd says (§7.3)',
    established({ sack: true, offload: true, cwnd: 4000 }),
    `
     0      write(6000)
     0      > . 1:4001(4000) ack 1 gso 1000
    +0.02   > . 4001:5001(1000) ack 1
    +0.01   < . 1:1(0) ack 5001
    +0      > P. 5001:6001(1000) ack 1
    +0      info(tlpProbes) = 1; info(retransmits) = 0
    `,
  );

  trace(
    'waits longer for a segment that is alone: its ACK may be delayed (§7.2)',
    established({ sack: true, tcp: { minRto: 1000 } }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.22   > P. 1:11(10) ack 1
    +1      > P. 1:11(10) ack 1
    +0      info(tlpProbes) = 1; info(timeouts) = 1
    `,
  );

  trace(
    'is not sent where the settings say so: the timeout comes instead',
    established({ sack: true, tcp: { minRto: 1000, tailLossProbe: false } }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +1      > P. 1:11(10) ack 1
    +0      info(tlpProbes) = 0; info(timeouts) = 1
    `,
  );

  trace(
    'does not come later than the timeout would have (§7.2), and there is one only (§7.3)',
    established({ sack: true }),
    `
     0      write(10)
     0      > P. 1:11(10) ack 1
    +0.2    > P. 1:11(10) ack 1
    +0      info(timeouts) = 0
    +0.2    > P. 1:11(10) ack 1
    +0      info(timeouts) = 1
    +0.4    > P. 1:11(10) ack 1
    +0      info(tlpProbes) = 1; info(timeouts) = 2
    `,
  );

  trace(
    'waits from the last segment on, not from the first (§7.2)',
    established({ sack: true, tcp: { noDelay: true } }),
    `
     0      write(1000)
     0      > P. 1:1001(1000) ack 1
    +0.015  write(1000)
    +0      > P. 1001:2001(1000) ack 1
    +0.02   > P. 1001:2001(1000) ack 1
    `,
  );

  trace(
    'does not come while something is missing: then RACK waits (§7.2)',
    established({ sack: true, offload: true, tcp: newReno }),
    `
     0      write(5000)
     0      > P. 1:5001(5000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
    +0.003  > . 1:1001(1000) ack 1
    +0.2    > . 1:1001(1000) ack 1
    +0      info(tlpProbes) = 0; info(timeouts) = 1
    `,
  );

  trace(
    'that repaired a loss nobody saw costs as much as one (§7.4)',
    established({ sack: true, offload: true, cwnd: 10000, tcp: newReno }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 8001
    +0.02   > P. 9001:10001(1000) ack 1
    +0.01   < . 1:1(0) ack 10001
    +0      info(ssthresh) = 2147483647; write(10000)
    +0      > P. 10001:20001(10000) ack 1 gso 1000
    +0.01   < . 1:1(0) ack 20001
    +0      info(ssthresh) = 5000; info(fastRetransmits) = 0
    `,
  );

  trace(
    'for something that had arrived costs nothing, as its D-SACK tells (§7.4)',
    established({ sack: true, offload: true, tcp: newReno }),
    `
     0      write(10000)
     0      > P. 1:10001(10000) ack 1 gso 1000
    +0.02   > P. 9001:10001(1000) ack 1
    +0.005  < . 1:1(0) ack 10001
    +0.005  < . 1:1(0) ack 10001 <nop,nop,sack 9001:10001>
    +0      write(1000)
    +0      > P. 10001:11001(1000) ack 1
    +0.01   < . 1:1(0) ack 11001
    +0      info(ssthresh) = 2147483647
    `,
  );

  trace(
    'is not sent where SACK was not agreed on',
    established({ offload: true }),
    `
     0      write(5000)
     0      > P. 1:5001(5000) ack 1 gso 1000
    +0.2    > . 1:1001(1000) ack 1
    +0      info(tlpProbes) = 0
    `,
  );

  trace(
    'is not sent into a closed window',
    established({ sack: true, tcp: newReno }),
    `
     0      write(2000)
     0      > . 1:1001(1000) ack 1
     0      > P. 1001:2001(1000) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +0.2    > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 0
    +0.39   > . 1001:1002(1) ack 1
    +0.01   < . 1:1(0) ack 1001 win 10000
    +0      > P. 1001:2001(1000) ack 1
    +0.01   < . 1:1(0) ack 2001
    +0      info(tlpProbes) = 0
    `,
  );
});
