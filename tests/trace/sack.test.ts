// The SACK option that we send: RFC 2018, and RFC 2883 for duplicates.

import { describe } from 'vitest';
import { established, trace } from '../support/dsl.js';

describe('SACK', () => {
  trace(
    'the block with the newest segment comes first (RFC 2018 §4)',
    established({ sack: true }),
    `
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
     0      < . 3001:4001(1000) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 3001:4001 1001:2001>
     0      < . 2001:2501(500) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 1001:2501 3001:4001>
     0      < . 4001:5001(1000) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 3001:5001 1001:2501>
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 2501 <nop,nop,sack 3001:5001>
     0      < . 2501:3001(500) ack 1
     0      > . 1:1(0) ack 5001
     0      read(5000)
    `,
  );

  trace(
    'four blocks at most, three beside timestamps (RFC 2018 §3)',
    established({ sack: true }),
    `
     0      < . 101:111(10) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 101:111>
     0      < . 201:211(10) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 201:211 101:111>
     0      < . 301:311(10) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 301:311 201:211 101:111>
     0      < . 401:411(10) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 401:411 301:311 201:211 101:111>
     0      < . 501:511(10) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 501:511 401:411 301:311 201:211>
    `,
  );

  trace(
    'beside timestamps three',
    established({ sack: true, timestamps: true }),
    `
     0      < . 101:111(10) ack 1 <nop,nop,TS 100 0>
     0      > . 1:1(0) ack 1 <nop,nop,TS 10 100,nop,nop,sack 101:111>
     0      < . 201:211(10) ack 1 <nop,nop,TS 100 0>
     0      > . 1:1(0) ack 1 <nop,nop,TS 10 100,nop,nop,sack 201:211 101:111>
     0      < . 301:311(10) ack 1 <nop,nop,TS 100 0>
     0      > . 1:1(0) ack 1 <nop,nop,TS 10 100,nop,nop,sack 301:311 201:211 101:111>
     0      < . 401:411(10) ack 1 <nop,nop,TS 100 0>
     0      > . 1:1(0) ack 1 <nop,nop,TS 10 100,nop,nop,sack 401:411 301:311 201:211>
    `,
  );

  trace(
    'data carry the blocks too, and leave them room (MUST-16)',
    established({ sack: true }),
    `
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
     0      write(1500)
     0      > . 1:989(988) ack 1 <nop,nop,sack 1001:2001>
     0      > P. 989:1501(512) ack 1 <nop,nop,sack 1001:2001>
    `,
  );

  trace(
    'where segments are small, fewer blocks leave room for data',
    established({ sack: true, mss: 48 }),
    `
     0      < . 101:111(10) ack 1
     0      > . 1:1(0) ack 1 <*>
     0      < . 201:211(10) ack 1
     0      > . 1:1(0) ack 1 <*>
     0      < . 301:311(10) ack 1
     0      > . 1:1(0) ack 1 <*>
     0      write(60)
     0      > . 1:29(28) ack 1 <nop,nop,sack 301:311 201:211>
     0      > . 29:57(28) ack 1 <nop,nop,sack 301:311 201:211>
     0      > P. 57:61(4) ack 1 <nop,nop,sack 301:311 201:211>
    `,
  );

  trace(
    'none when the peer did not permit it',
    established(),
    `
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 1
    `,
  );
});

describe('D-SACK (RFC 2883)', () => {
  trace(
    'a segment that came twice is reported, once (§4.1.1)',
    established({ sack: true }),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001 <nop,nop,sack 1:1001>
     0      < . 1001:2001(1000) ack 1
     0      > . 1:1(0) ack 2001
    `,
  );

  trace(
    'beyond a gap: the duplicate, then the block that holds it (§4.1.2)',
    established({ sack: true }),
    `
     0      < . 1001:3001(2000) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
     0      < . 2001:3001(1000) ack 1
     0      > . 1:1(0) ack 1 <nop,nop,sack 2001:3001 1001:3001>
    `,
  );

  trace(
    'data outside of the window are no duplicate',
    established({ sack: true }),
    `
     0      < P. 3000000:3000010(10) ack 1
     0      > . 1:1(0) ack 1
    `,
  );

  trace(
    'the part of a segment that came before (§4.2.1)',
    established({ sack: true }),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001
     0      < . 501:1501(1000) ack 1
     0      > . 1:1(0) ack 1501 <nop,nop,sack 501:1001>
    `,
  );

  trace(
    'a duplicate below, with a gap above',
    established({ sack: true }),
    `
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001
     0      < . 2001:3001(1000) ack 1
     0      > . 1:1(0) ack 1001 <nop,nop,sack 2001:3001>
     0      < . 1:1001(1000) ack 1
     0      > . 1:1(0) ack 1001 <nop,nop,sack 1:1001 2001:3001>
    `,
  );
});
