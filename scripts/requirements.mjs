// Which requirements of RFC 9293 (Appendix B) have a test: those whose id stands in a test's title.
// Prints a list; with --strict it fails when one has none and no reason. Knows ids, not tests.
//
//   node scripts/requirements.mjs [--strict]
//
// The RFC writes SHLD-9 where titles here write SHOULD-9; both count.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rows of Appendix B in a few words each; the place in the list is the number of the id. */
const REQUIREMENTS = {
  MUST: [
    'the window is unsigned',
    'the sender computes the checksum',
    'the receiver checks it',
    'options: end of list, no-operation, MSS',
    'options in any segment',
    'unknown options are ignored',
    'an illegal option length does no harm',
    'a clock drives initial sequence numbers',
    'outsiders cannot compute them',
    'simultaneous open',
    'SYN-RECEIVED remembers whether it came from LISTEN',
    'the user is told of an abort',
    'TIME-WAIT lasts two MSL',
    'MSS option, sent and received',
    'default send MSS of 536 and 1220',
    'effective send MSS',
    'Nagle can be switched off',
    "Karn's algorithm",
    'slow start, congestion avoidance, back-off',
    'R1 advises, R2 closes',
    'the user can set R2',
    'the same for SYNs',
    'R2 of a SYN is three minutes at least',
    'keep-alive on request',
    'keep-alive is off by default',
    'keep-alive only when idle',
    'its interval can be set',
    'its default is two hours at least',
    'one lost probe is no death',
    'urgent data are supported',
    'urgent data of any length',
    'the user is told of urgent data',
    'the user can learn how much is left',
    'a window may shrink',
    'standard probing then',
    'zero windows are probed',
    'a window may stay closed for ever',
    'the sender avoids silly windows',
    'the receiver avoids silly windows',
    'an ACK waits less than 0.5 s',
    'a passive OPEN disturbs nothing',
    'several LISTENs on a port',
    'OPEN may name the local address',
    'else IP is asked for it',
    'it stays the same then',
    'OPEN to no single host is refused',
    'errors are reported',
    'the user sets the Diffserv field',
    'TTL can be set',
    'unknown IP options are ignored',
    'OPEN may name a source route',
    'it overrides one received',
    'the way back follows a source route',
    'ICMP is acted on',
    'Source Quench is dropped',
    'soft errors abort nothing',
    'segments to broadcast or multicast are dropped',
    'ACKs are aggregated',
    'all that waits is processed before an ACK',
    'nothing is buffered for ever without PUSH',
    'PSH on the last segment',
    'the urgent pointer: behind the urgent data',
    'a SYN from no single host is refused',
    'options at any alignment',
    'MSS on SYNs only',
    'RST and URG count at a closed window',
    'the MSS follows MMS_R',
    'options carry a length',
    'the header is padded with zeros',
  ],
  SHOULD: [
    'ISNs by a pseudorandom function',
    'data in a RST are accepted',
    'a RST when data are lost on close',
    'timestamps shorten TIME-WAIT',
    'the MSS is sent unless it is the default',
    'the MSS follows a changing MTU',
    "Nagle's algorithm",
    'ECN',
    'the user is told between R1 and R2',
    'R1 is three retransmissions',
    'R2 is 100 s at least',
    'keep-alive carries no data',
    'new applications use no urgent data',
    'our window does not shrink',
    'nothing new beyond a window that shrank',
    'what is in it is sent again',
    'what is beyond it does not time out',
    'delayed ACK',
    'an ACK for every second full segment',
    'reports can be switched off',
    'Diffserv can be changed',
    'and is passed on unchanged',
    'and is not changed often',
    'a later source route wins',
    'soft errors are reported',
    'hard errors abort',
    'successive PSH bits are collapsed',
    'segments of maximum size',
    'the first probe after the RTO',
    'probes back off',
    'data beyond a gap are queued',
  ],
  MAY: [
    'half-duplex close',
    'a SYN reopens from TIME-WAIT',
    'the MSS is always sent',
    'the same IP ID when sent again',
    'keep-alives',
    'with a garbage octet',
    'beyond a window that shrank',
    'our window may stay closed',
    'Diffserv is passed up',
    'IP timestamp option',
    'IP record route option',
    'RFC 5961: data injection',
    'an ACK for data beyond a gap',
    'FLUSH',
    'SEND says PUSH',
    'data without PUSH are aggregated',
    'the user is told of PSH',
    'other congestion control',
  ],
  REC: ['windows are 32-bit numbers'],
};

const SOURCE_ROUTES = 'source routes are not supported: RFC 7126 and Linux drop such packets';

/** Those without a test, and why. */
const NOT_APPLICABLE = {
  'MUST-51': SOURCE_ROUTES,
  'MUST-52': SOURCE_ROUTES,
  'MUST-53': SOURCE_ROUTES,
  'SHOULD-8': 'ECN is not implemented',
  'SHOULD-13': 'for applications; the mechanism is there for those that use it',
  'SHOULD-20': 'reports are a call of the handler, which may do nothing',
  'SHOULD-23': 'for applications; the stack itself never changes it',
  'SHOULD-24': SOURCE_ROUTES,
  'MAY-4': 'not done: the ID of a packet that is never fragmented means nothing (RFC 6864)',
  'MAY-6': 'not done: no such peers are left',
  'MAY-7': 'not done, but for the one octet of a probe',
  'MAY-9': 'not offered',
  'MAY-10': 'not offered',
  'MAY-11': 'not offered',
  'MAY-14': 'not offered',
  'MAY-15': 'not offered: all that is written is pushed (MUST-60, MUST-61)',
  'MAY-17': 'not offered: the user is told of data as they come',
  'MAY-18': 'there is an interface, and one algorithm so far',
};

/** A call of test(), trace() and the like, as far as its title. */
const TITLE =
  /\b(?:test|it|trace|describe)(?:\.\w+)?(?:\((?:[^()]|\([^()]*\))*\))?\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g;
const ID = /\b(MUST|SHOULD|SHLD|MAY|REC)-(\d+)/g;

/** Number of tests by id. */
function idsInTitles(folder) {
  const counts = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.test.ts')) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
    for (const [, , title] of text.matchAll(TITLE)) {
      for (const [, kind, number] of title.matchAll(ID)) {
        const id = `${kind === 'SHLD' ? 'SHOULD' : kind}-${number}`;
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
    }
  }
  return counts;
}

const tested = idsInTitles(new URL('../tests', import.meta.url).pathname);
const known = new Set();
const missing = [];
for (const [kind, rows] of Object.entries(REQUIREMENTS)) {
  rows.forEach((words, index) => {
    const id = `${kind}-${index + 1}`;
    const count = tested.get(id) ?? 0;
    const reason = NOT_APPLICABLE[id];
    known.add(id);
    if (count === 0 && reason === undefined) missing.push(id);
    const without = reason === undefined ? 'NONE' : 'n/a';
    const verdict = count > 0 ? `${count} tests` : without;
    const note = count === 0 && reason !== undefined ? ` (${reason})` : '';
    console.log(`${id.padEnd(10)} ${verdict.padStart(8)}  ${words}${note}`);
  });
}

const unknown = [...tested.keys()].filter((id) => !known.has(id));
const needless = Object.keys(NOT_APPLICABLE).filter((id) => tested.has(id));
console.log(`\n${[...known].filter((id) => tested.has(id)).length} of ${known.size} have a test`);
if (missing.length > 0) console.log(`without test and without reason: ${missing.join(' ')}`);
if (unknown.length > 0) console.log(`in titles, but no such requirement: ${unknown.join(' ')}`);
if (needless.length > 0) console.log(`said not to apply, but tested: ${needless.join(' ')}`);
const wrong = missing.length + unknown.length + needless.length > 0;
process.exitCode = wrong && process.argv.includes('--strict') ? 1 : 0;
