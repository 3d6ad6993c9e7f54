// The notation of the traces themselves: what it refuses, and that a wrong stack makes a trace fail.

import { describe, expect, test } from 'vitest';
import { LOCAL, LOCAL_PORT, ourBytes, PEER, PEER_PORT } from '../support/trace-flow.js';
import { addressBytes, buildIp, buildTcp, TCP, type TcpFields } from '../support/trace-packet.js';
import { type EmittedPacket, type TraceHost, TraceRun } from '../support/trace-run.js';
import { formatSegment, parseScript } from '../support/trace-script.js';

describe('a script', () => {
  const refused: [mistake: string, line: string, complaint: RegExp][] = [
    ['no time', '> . 1:1(0) ack 1', /expected a time/],
    ['an unknown state', '+0  shutdown()  FINWAIT-1', /no state has the name FINWAIT-1/],
    ['a state after one space', '+0  > . 1:1(0) ack 1 CLOSED', /"CLOSED"/],
    ['an unknown flag', '+0  > X. 1:1(0) ack 1', /expected flags/],
    ['a flag twice', '+0  > FF. 1:1(0) ack 1', /twice/],
    ['a length that does not fit', '+0  > . 1:11(9) ack 1', /1:11 is not 9 bytes/],
    ['an ACK without number', '+0  > . 1:1(0)', /flag \. and "ack n"/],
    ['a number without ACK', '+0  > R 1:1(0) ack 1', /flag \. and "ack n"/],
    ['an urgent flag without pointer', '+0  > U. 1:1(0) ack 1', /flag U and "urg n"/],
    ['an unknown option', '+0  > S 0:0(0) <mms 1460>', /no option is written "mms 1460"/],
    ['an option without value', '+0  > S 0:0(0) <mss>', /no option is written "mss"/],
    ['an unknown word', '+0  > . 1:1(0) ack 1 tso 1000', /"tso" is no part of a segment/],
    ['any options to send', '+0  < . 1:1(0) ack 1 <*>', /needs its options/],
    ['an unknown call', '+0  shutdwon()', /there is no call shutdwon\(\)/],
    ['a call with too many arguments', '+0  write(1, 2)', /does not take 2/],
    ['a call without argument', '+0  write()', /does not take 0/],
    ['an unknown event', '+0  closing', /neither a call nor an event/],
    ['an unknown ICMP message', '+0  < icmp unreachabel port [1:1(0)]', /a kind of ICMP/],
    ['an unreachable without code', '+0  < icmp unreachable [1:1(0)]', /says what/],
  ];

  test.each(refused)('with %s is refused: %s', (_mistake, line, complaint) => {
    const script = `\n   0  connect()   # fine\n   ${line}\n`;
    expect(() => parseScript(script)).toThrow(complaint);
    expect(() => parseScript(script)).toThrow(/^line 3: /);
  });

  test('keeps what it says', () => {
    const text = 'FPU. -5:5(10) ack 7 win 9 urg 3 <mss 1460,sackOK,nop,TS * 8,sack 1:2 3:4> gso 5';
    const [line] = parseScript(`+2MSL-0.001  2: > ${text}  TIME-WAIT # comment`);
    expect(line).toMatchObject({
      time: { relative: true, us: -1000, msls: 2 },
      flow: 2,
      state: 'TIME-WAIT',
    });
    const { action } = line!;
    expect(action.kind).toBe('out');
    if (action.kind === 'out') expect(formatSegment(action.segment)).toBe(text);
  });

  test('has calls, results and events', () => {
    const [line] = parseScript(
      '+0  connect() = EADDRINUSE; close(5);no end; closed(rst, ECONNRESET)',
    );
    expect(line!.action).toEqual({
      kind: 'steps',
      steps: [
        { call: 'connect', args: [], result: 'EADDRINUSE' },
        { call: 'close', args: ['5'], result: null },
        { event: 'end', absent: true },
        { event: 'closed(rst, ECONNRESET)', absent: false },
      ],
    });
  });
});

/** A stack that answers each packet, and each call, with what it was told to answer. */
class ParrotHost implements TraceHost {
  state = 'ESTABLISHED';
  readonly told: string[] = [];
  wrong: string[] = [];
  private readonly waiting: Array<{ at: number; packet: EmittedPacket }> = [];
  private now = 0;

  /** @param answers what it sends: milliseconds after the beginning, or when it is called. */
  constructor(...answers: [ms: number | 'call', bytes: Uint8Array, gso?: number][]) {
    for (const [ms, bytes, gso] of answers) {
      const at = ms === 'call' ? Number.POSITIVE_INFINITY : ms * 1000;
      this.waiting.push({ at, packet: { bytes, gsoSize: gso ?? 0 } });
    }
  }

  receive(_packet: Uint8Array, _gsoSize: number, now: number): void {
    this.now = now;
  }

  call(_flow: number, call: string): string {
    for (const answer of this.waiting) if (!Number.isFinite(answer.at)) answer.at = this.now;
    return call === 'readable' ? '7' : 'ok';
  }

  advance(now: number): void {
    this.now = now;
  }

  nextDeadline(): number {
    return this.waiting[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  take(): EmittedPacket[] {
    const due = this.waiting.filter(({ at }) => at <= this.now);
    this.waiting.splice(0, due.length);
    return due.map(({ packet }) => packet);
  }

  stateOf(): string {
    return this.state;
  }

  events(): string[] {
    return this.told;
  }

  complaints(): string[] {
    return this.wrong;
  }
}

/** A packet of the stack under test; no SYN was seen, so its numbers count from zero. */
function sent(fields: Partial<TcpFields>, destination: string = PEER[4]): Uint8Array {
  const ip = { source: addressBytes(LOCAL[4]), destination: addressBytes(destination) };
  const tcp: TcpFields = {
    ...{ sourcePort: LOCAL_PORT, destinationPort: PEER_PORT + 1, seq: 1, ack: 1001, flags: '.' },
    ...{ window: 500, urgent: 0, options: [], payload: new Uint8Array(0) },
    ...fields,
  };
  const payload = buildTcp(ip, tcp);
  return buildIp({ ...ip, protocol: TCP, trafficClass: 0, hopLimit: 64, payload });
}

function play(host: TraceHost, script: string): void {
  const run = new TraceRun('a trace', host, { family: 4, peerIss: 1000, mslMs: 50, start: 0 });
  run.play(parseScript(script), 'trace');
}

describe('a trace', () => {
  const ack = sent({});
  const data = sent({ flags: '.P', payload: ourBytes(0, 10) });

  test('passes when all is as it says', () => {
    const host = new ParrotHost(['call', ack], [10, data], [100, sent({ seq: 11 }), 5]);
    host.told.push('readable', 'end');
    play(
      host,
      `0       readable() = 7; end                            ESTABLISHED
       0       > . 1:1(0) ack 1 win 500
       +0.01   > P. 1:11(10) ack 1
       +2MSL-0.01   > . 11:11(0) ack 1 gso 5                  ESTABLISHED`,
    );
  });

  const failures: [what: string, host: ParrotHost, script: string, message: RegExp][] = [
    [
      'a segment too many at the end',
      new ParrotHost(['call', ack]),
      '0  readable() = 7',
      /more than/,
    ],
    [
      'a segment too many before a line',
      new ParrotHost([5, ack]),
      '0  readable() = 7\n+0.01  < . 1:1(0) ack 1',
      /line 2: the stack sends what the trace does not list/,
    ],
    ['a segment too few', new ParrotHost(), '0  > . 1:1(0) ack 1', /line 1: nothing comes/],
    [
      'a segment too late',
      new ParrotHost([20, ack]),
      '+0.01 > . 1:1(0) ack 1',
      /too late\n(.*\n)*.*0\.020/,
    ],
    [
      'a segment too early',
      new ParrotHost([5, ack]),
      '+0.01 > . 1:1(0) ack 1',
      /it comes at 0\.005, expected at 0\.010/,
    ],
    ['other flags', new ParrotHost([0, ack]), '0  > P. 1:1(0) ack 1', /flags \., expected P\./],
    ['other data', new ParrotHost([0, ack]), '0  > . 1:2(1) ack 1', /data 1:1\(0\), expected 1:2/],
    ['another ACK', new ParrotHost([0, ack]), '0  > . 1:1(0) ack 2', /ack 1, expected 2/],
    [
      'another window',
      new ParrotHost([0, ack]),
      '0  > . 1:1(0) ack 1 win 9',
      /win 500, expected 9/,
    ],
    ['a super-segment', new ParrotHost([0, ack, 9]), '0  > . 1:1(0) ack 1', /gso 9, expected none/],
    [
      'another option',
      new ParrotHost([0, sent({ options: [{ kind: 'mss', value: 9 }] })]),
      '0  > . 1:1(0) ack 1 <mss 10>',
      /options mss 9, expected mss 10/,
    ],
    [
      'an option too many',
      new ParrotHost([0, sent({ options: [{ kind: 'mss', value: 9 }] })]),
      '0  > . 1:1(0) ack 1',
      /options mss 9, expected none/,
    ],
    [
      'another state',
      new ParrotHost(),
      '0  readable() = 7  CLOSED',
      /state is ESTABLISHED, expected CLOSED/,
    ],
    ['another result', new ParrotHost(), '0  readable() = 8', /readable\(\) gave 7, expected 8/],
    ['an event that is missing', new ParrotHost(), '0  end', /was not told: end/],
    [
      'wrong bytes',
      new ParrotHost([0, sent({ flags: '.P', payload: ourBytes(1, 10) })]),
      '0  > P. 1:11(10) ack 1',
      /byte 0 of the stream/,
    ],
    [
      'a wrong checksum',
      new ParrotHost([0, sent({ badChecksum: true })]),
      '0  > . 1:1(0) ack 1',
      /wrong TCP checksum/,
    ],
    [
      'a window that shrinks',
      new ParrotHost([0, ack], [0, sent({ window: 400 })]),
      '0  > . 1:1(0) ack 1\n0  > . 1:1(0) ack 1',
      /right edge of the window moved from 501 to 401/,
    ],
    [
      'another connection',
      new ParrotHost([0, sent({ destinationPort: PEER_PORT + 2 })]),
      '0  > . 1:1(0) ack 1',
      /it goes to flow 2/,
    ],
    [
      'time that goes back',
      new ParrotHost(),
      '+1  readable() = 7\n0  readable() = 7',
      /line 2: time goes back/,
    ],
  ];

  test.each(failures)('fails on %s', (_what, host, script, message) => {
    expect(() => play(host, script)).toThrow(message);
  });

  test('fails on an event that must not come, and on what the host complains of', () => {
    const host = new ParrotHost();
    host.told.push('closed(rst,ECONNRESET)');
    expect(() => play(host, '0  no closed')).toThrow(/was told: closed\(rst,ECONNRESET\)/);
    expect(() => play(host, '0  closed(rst, EPIPE)')).toThrow(/was not told/);
    play(host, '0  closed(rst)');
    host.wrong = ['told twice'];
    expect(() => play(host, '0  readable() = 7')).toThrow(/told twice/);
  });

  test('that fails shows what passed, what was expected and what came', () => {
    const host = new ParrotHost(['call', ack], [10, data], [10, ack]);
    const script = `
      0      readable() = 7             ESTABLISHED  # a remark
      0      > . 1:1(0) ack 1
      +0.01  > FP. 1:11(10) ack 1       FIN-WAIT-1`;
    expect(() => play(host, script)).toThrow(
      [
        'a trace',
        'trace, line 4: flags P., expected FP.',
        '',
        '   --- trace',
        `      0.000  ${'readable() = 7'.padEnd(64)}  ESTABLISHED`,
        '      0.000  > . 1:1(0) ack 1',
        ` -    0.010  ${'> FP. 1:11(10) ack 1'.padEnd(64)}  FIN-WAIT-1`,
        ' +    0.010  > P. 1:11(10) ack 1 win 500',
        ' +    0.010  > . 1:1(0) ack 1 win 500',
        '   state now: ESTABLISHED',
      ].join('\n'),
    );
  });
});
