// Listeners and their queues: RFC 9293 §3.10.7.2 for many connections at once.

import { describe } from 'vitest';
import { closed, listening, trace } from '../support/dsl.js';

const flows = (count: number, lines: (flow: number) => string) =>
  Array.from({ length: count }, (_, i) => lines(i + 1)).join('\n');

describe('the backlog', () => {
  trace(
    'ten times SYN, SYN,ACK, RST: all places come free, and the next peer is served',
    closed(),
    `
     0      listen(3)                                                         LISTEN
    ${flows(
      10,
      (i) => `
    +0      ${i}: < S 0:0(0) win 1000 <mss 1000>                              SYN-RECEIVED
    +0      ${i}: > S. 0:0(0) ack 1 <*>
    +0.01   ${i}: < R 1:1(0)                                                  LISTEN`,
    )}
    +0      halfOpen() = 0; waiting() = 0; connections() = 0
    +0      11: < S 0:0(0) win 1000 <mss 1000>                                SYN-RECEIVED
    +0      11: > S. 0:0(0) ack 1 <*>
    +0.01   11: < . 1:1(0) ack 1                                              ESTABLISHED
    +0      waiting() = 1; accept()
    `,
  );

  trace(
    'a flood of SYNs fills the half-open queue only; further ones are dropped until they time out',
    closed(),
    `
     0      listen(3)
    ${flows(
      3,
      (i) => `
    +0      ${i}: < S 0:0(0) win 1000 <mss 1000>                              SYN-RECEIVED
    +0      ${i}: > S. 0:0(0) ack 1 <*>`,
    )}
    +0      4: < S 0:0(0) win 1000 <mss 1000>                                 LISTEN
    +0      halfOpen() = 3; counter(synDropped) = 1
    +0.01   1: < . 1:1(0) ack 1                                               ESTABLISHED
    +0      halfOpen() = 2; waiting() = 1
    +0.01   4: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
    +0      4: > S. 0:0(0) ack 1 <*>
    `,
  );

  trace(
    'a full accept queue: SYNs are dropped, and accept() makes room',
    closed(),
    `
     0      listen(1)
     0      1: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
     0      1: > S. 0:0(0) ack 1 <*>
    +0.01   1: < . 1:1(0) ack 1                                               ESTABLISHED
    +0.01   2: < S 0:0(0) win 1000 <mss 1000>                                 LISTEN
    +0      counter(synDropped) = 1; accept(); waiting() = 0
    +1      2: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
    +0      2: > S. 0:0(0) ack 1 <*>
    `,
  );

  trace(
    'a full accept queue: the last ACK of a handshake waits for its turn (as Linux)',
    closed(),
    `
     0      listen(2)
     0      1: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
     0      1: > S. 0:0(0) ack 1 <*>
     0      2: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
     0      2: > S. 0:0(0) ack 1 <*>
    +0.01   1: < . 1:1(0) ack 1                                               ESTABLISHED
    +0      3: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
    +0      3: > S. 0:0(0) ack 1 <*>
    +0.01   2: < . 1:1(0) ack 1                                               ESTABLISHED
    +0.01   3: < . 1:1(0) ack 1                                               SYN-RECEIVED
    +0      waiting() = 2; halfOpen() = 1; accept(); accept()
    +0.98   3: > S. 0:0(0) ack 1 <*>
    +0.01   3: < . 1:1(0) ack 1                                               ESTABLISHED
    +0      waiting() = 1; halfOpen() = 0
    `,
  );

  trace(
    'MUST-41: a listener does not disturb what was accepted before',
    listening(),
    `
     0      1: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
     0      1: > S. 0:0(0) ack 1 <*>
    +0.01   1: < . 1:1(0) ack 1                                               ESTABLISHED
    +0      1: accept()
    +0      2: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
    +0      2: > S. 0:0(0) ack 1 <*>
    +0.01   2: < . 1:1(0) ack 1                                               ESTABLISHED
    +0      2: accept()
    +0      1: write(10)
    +0      1: > P. 1:11(10) ack 1
    +0      2: write(20)
    +0      2: > P. 1:21(20) ack 1
    +0      unlisten()
    +0.01   1: < . 1:1(0) ack 11                                              ESTABLISHED
    +0      3: < S 0:0(0) win 1000 <mss 1000>                                 CLOSED
    +0      3: > R. 0:0(0) ack 1
    `,
  );

  trace(
    'a listener that closes resets what nobody has accepted',
    listening(),
    `
     0      1: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
     0      1: > S. 0:0(0) ack 1 <*>
     0      2: < S 0:0(0) win 1000 <mss 1000>                                 SYN-RECEIVED
     0      2: > S. 0:0(0) ack 1 <*>
    +0.01   2: < . 1:1(0) ack 1                                               ESTABLISHED
    +0      unlisten()
    +0      1: > R 1:1(0)                                                     CLOSED
    +0      2: > R 1:1(0)                                                     CLOSED
    +0      connections() = 0
    `,
  );

  trace(
    'connections to one port are told apart by their peers',
    listening(),
    `
    ${flows(
      4,
      (i) => `
    +0      ${i}: < S 0:0(0) win 1000 <mss 1000>                              SYN-RECEIVED
    +0      ${i}: > S. 0:0(0) ack 1 <*>
    +0.01   ${i}: < . 1:1(0) ack 1                                            ESTABLISHED
    +0      ${i}: accept()`,
    )}
    +0      2: < R 1:1(0)                                                     LISTEN
    +0      2: closed(rst)
    +0      3: < F. 1:1(0) ack 1                                              CLOSE-WAIT
    +0      3: > . 1:1(0) ack 2
    +0      4: no closed; no end
    +0      1: no closed; no end; connections() = 3
    `,
  );
});
