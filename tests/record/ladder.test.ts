// Ladders as people see them: which state stands beside which segment, what faults look like, and what is
// left out.

import { describe, expect, it } from 'vitest';
import { SCENARIOS } from '../../src/lab/scenarios/index.js';
import type { Origin, SegmentFields } from '../../src/trace/event.js';
import { ladderJson } from '../../src/trace/ladder-json.js';
import { ladderText } from '../../src/trace/ladder-text.js';
import { CONNECTION, segment, sends, theirState, timelineFrom, timelineOf } from './runs.js';

/** The rungs of a ladder, without their times and without the line of names. */
function rungs(text: string): string[] {
  const lines = text.trimEnd().split('\n');
  return lines.slice(1).map((line) => line.slice(11));
}

/** Those that have a certain text. */
function linesWith(text: string, part: string): string[] {
  return rungs(text).filter((line) => line.includes(part));
}

describe('a close', () => {
  it('has each state beside the segment that it comes with', async () => {
    const text = ladderText(await timelineOf('active-close'));
    const close = rungs(text).slice(rungs(text).findIndex((line) => line.includes('FIN-WAIT-1')));
    expect(close.filter((line) => /[▶◀]/.test(line))).toEqual([
      'FIN-WAIT-1   ├── FIN,ACK seq 1 ack 1 ────────────────▶│ CLOSE-WAIT',
      'FIN-WAIT-2   │◀── ACK seq 1 ack 2 ────────────────────┤',
      'TIME-WAIT    │◀── FIN,ACK seq 1 ack 2 ────────────────┤ LAST-ACK',
      '             ├── ACK seq 2 ack 2 ────────────────────▶│ CLOSED',
    ]);
  });

  it('of both ends at once: the FINs cross', async () => {
    const text = ladderText(await timelineOf('simultaneous-close'));
    const first = rungs(text).findIndex((line) => line.includes('╮ ╭'));
    expect(rungs(text).slice(first, first + 3)).toEqual([
      'FIN-WAIT-1   ├── FIN,ACK seq 1 ack 1 ─────╮ ╭─────────┤ FIN-WAIT-1',
      '             │                             ╳          │',
      'CLOSING      │◀── FIN,ACK seq 1 ack 1 ────╯ ╰────────▶│ CLOSING',
    ]);
  });

  it('of which the second FIN answers the first: they do not cross', () => {
    const text = ladderText(
      timelineFrom([
        sends('out', 'FIN,ACK', 100, 500),
        // Acknowledges the FIN, and so has seen it.
        sends('in', 'FIN,ACK', 500, 101),
      ]),
    );
    expect(text).not.toContain('╳');
  });

  it('whose last ACK is lost: an X, then the FIN again, and 2MSL anew', async () => {
    const text = ladderText(await timelineOf('lost-final-ack'));
    expect(linesWith(text, 'X  ')).toEqual([
      '             ├── ACK seq 2 ack 2 ──────────X          │',
    ]);
    expect(linesWith(text, '(again)')).toEqual([
      '             │◀── FIN,ACK seq 1 ack 2 (again) ────────┤',
    ]);
    expect(linesWith(text, '2MSL begin anew')).toHaveLength(1);
    expect(text.indexOf('X  ')).toBeLessThan(text.indexOf('(again)'));
  });
});

describe('faults', () => {
  const out = segment('out', 'ACK', 100, 500, 10);
  const into = segment('in', 'ACK', 500, 100, 10);
  const fault = (
    action: 'drop' | 'corrupt' | 'delay' | 'inject' | 'duplicate' | 'swap',
    one = out,
  ) => ({ kind: 'fault', action, direction: one === out ? 'out' : 'in', segment: one }) as const;
  const told = (one = out) =>
    ({ kind: 'segment', direction: one === out ? 'out' : 'in', segment: one }) as const;

  it.each([
    ['drop', '├── ACK seq 1 ack 1 len 10 ───X          │'],
    ['corrupt', '├── ACK seq 1 ack 1 len 10 (corrupted) ─X│'],
    ['delay', '├── ACK seq 1 ack 1 len 10 (delayed) ───▶│'],
    ['duplicate', '├── ACK seq 1 ack 1 len 10 (twice) ─────▶│'],
    ['swap', '├── ACK seq 1 ack 1 len 10 (overtaken) ─▶│'],
  ] as const)('%s: of what we send', (action, arrow) => {
    expect(rungs(ladderText(timelineFrom([told(), fault(action)])))[1]!.trim()).toBe(arrow);
  });

  it.each([
    ['drop', '│          X── ACK seq 1 ack 1 len 10 ───┤'],
    ['delay', '│◀── ACK seq 1 ack 1 len 10 (delayed) ───┤'],
    ['corrupt', '│X── ACK seq 1 ack 1 len 10 (corrupted) ─┤'],
    ['inject', '│◀── seq 1 ack 1 len 10 (injected) ───●  │'],
  ] as const)('%s: of what comes to us, told before it arrives', (action, arrow) => {
    const arrives = action === 'drop' ? [] : [told(into)];
    const text = ladderText(timelineFrom([fault(action, into), ...arrives]));
    expect(rungs(text)[1]!.trim()).toBe(arrow);
    expect(rungs(text)).toHaveLength(2);
  });

  it('inject: an old SYN before the true one shows how old it is', () => {
    const old = segment('in', 'SYN', 1000, 0);
    const text = ladderText(
      timelineFrom([
        fault('inject', old),
        told(old),
        sends('out', 'SYN,ACK', 100, 1001),
        sends('in', 'RST', 1001, 0),
        sends('in', 'SYN', 5000, 0),
        sends('out', 'SYN,ACK', 100, 5001),
      ]),
    );
    expect(
      rungs(text)
        .slice(1)
        .map((line) => line.replace(/[^-\w ,]+/g, '').trim()),
    ).toEqual([
      'SYN seq -4000 injected',
      'SYN,ACK seq 0 ack -3999',
      'RST seq -3999',
      'SYN seq 0',
      'SYN,ACK seq 0 ack 1 again',
    ]);
  });

  it('inject: what nobody of us has sent begins at the gate', () => {
    const text = ladderText(timelineFrom([fault('inject')]));
    expect(rungs(text)[1]!.trim()).toBe('│  ●── seq 1 ack 1 len 10 (injected) ───▶│');
  });
});

describe('a gate', () => {
  const fin = segment('out', 'FIN,ACK', 100, 500);
  const ack = segment('out', 'ACK', 101, 501);
  const release = (one: SegmentFields, origin: Origin = 'sent') =>
    ({ kind: 'release', direction: 'out', segment: one, origin }) as const;
  const fault = (
    action: 'drop' | 'corrupt' | 'duplicate' | 'inject',
    one: SegmentFields,
    origin: Origin = 'sent',
  ) => ({ kind: 'fault', action, direction: 'out', segment: one, origin }) as const;
  const sendsFin = sends('out', 'FIN,ACK', 100, 500);
  const sendsAck = sends('out', 'ACK', 101, 501);
  const drawn = (...happenings: Parameters<typeof timelineFrom>[0]) =>
    rungs(ladderText(timelineFrom(happenings)));

  it('keeps what waits there: no state of the peer can have come of it', () => {
    const [first, ...rest] = drawn(
      ...[sendsFin, release(fin), sendsAck],
      theirState('ESTABLISHED', 'CLOSE-WAIT'),
    ).slice(1);
    expect(first).toBe('             ├── FIN,ACK seq 1 ack 1 ────────────────▶│ CLOSE-WAIT');
    expect(rest).toEqual(['             ├── ACK seq 2 ack 2 (waits) ──┊          │']);
  });

  it.each([
    ['drop', '             ├── ACK seq 2 ack 2 (duplicated) ─X      │'],
    ['corrupt', '             ├── seq 2 ack 2 (corrupted, duplicated) ─X│'],
  ] as const)('gives the state to the copy that arrives, where there is a %s', (action, spoilt) => {
    const lines = drawn(
      ...[sendsFin, release(fin), sendsAck, fault('duplicate', ack), fault(action, ack)],
      release(ack, 'copied'),
      theirState('LAST-ACK', 'CLOSED'),
    );
    expect(lines.slice(2)).toEqual([
      action === 'drop' ? spoilt : expect.stringMatching(/twice\) ─+X│$/),
      '             ├── ACK seq 2 ack 2 (a copy) ───────────▶│ CLOSED',
    ]);
  });

  it('gives a state a row of its own where nothing has arrived that could have caused it', () => {
    const lines = drawn(
      ...[sendsFin, release(fin), theirState('ESTABLISHED', 'CLOSE-WAIT')],
      ...[sendsAck, fault('drop', ack), theirState('LAST-ACK', 'CLOSED')],
    );
    expect(lines.slice(2)).toEqual([
      '             ├── ACK seq 2 ack 2 ──────────X          │',
      '             │                                        │ CLOSED',
    ]);
  });

  it('orders by release: what was put in and went first stands above what it overtook', () => {
    const rst = segment('out', 'RST', 100, 0);
    const lines = drawn(
      ...[sendsFin, fault('inject', rst, 'injected'), release(rst, 'injected')],
      ...[theirState('ESTABLISHED', 'CLOSED'), release(fin)],
    );
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/●── RST .*▶│ CLOSED$/),
      '             ├── FIN,ACK seq 1 ack 1 ────────────────▶│',
    ]);
  });

  it('shows a state before later ones, though the segment that it came with still waits', () => {
    const ours = (from: string, to: string, event: string) =>
      ({ kind: 'state', from, to, event, section: '', why: '' }) as const;
    const lines = drawn(
      ...[ours('ESTABLISHED', 'FIN-WAIT-1', 'CLOSE'), sendsFin],
      ...[sends('in', 'FIN,ACK', 500, 100), ours('FIN-WAIT-1', 'CLOSING', 'rcv FIN')],
      release(fin),
    );
    expect(lines.slice(1)).toEqual([
      'FIN-WAIT-1   │                                        │',
      'CLOSING      │◀── FIN,ACK seq 1 ack 1 ────────────────┤',
      '             ├── FIN,ACK seq 1 ack 1 ────────────────▶│',
    ]);
  });

  it('may get a super-segment in pieces, of which one is lost', () => {
    const whole = { ...segment('out', 'ACK', 100, 500, 3000), gsoSize: 1000 };
    const piece = (i: number) => segment('out', 'ACK', 100 + 1000 * i, 500, 1000);
    const lines = drawn(
      { kind: 'segment', direction: 'out', segment: whole },
      ...[release(piece(0)), fault('drop', piece(1)), release(piece(2))],
    );
    expect(lines.map((line) => /seq (\d+).*([▶X])/.exec(line)?.slice(1)).slice(1)).toEqual([
      ['1', '▶'],
      ['1001', 'X'],
      ['2001', '▶'],
    ]);
  });
});

describe('windows', () => {
  const ack = (window: number, flags = 'ACK') =>
    ({
      kind: 'segment',
      direction: 'in',
      segment: { ...segment('in', flags, 501, 101), window },
    }) as const;
  const syn = (direction: 'in' | 'out', windowScale: number) => {
    const one = segment(direction, 'SYN', direction === 'in' ? 500 : 100, 0);
    return { kind: 'segment', direction, segment: { ...one, options: { windowScale } } } as const;
  };

  it('are told where one closes, and where it opens, scaled as the SYNs have offered', () => {
    const text = ladderText(
      timelineFrom([syn('out', 7), syn('in', 3), ack(9), ack(0), ack(0), ack(100), ack(200)]),
    );
    expect(
      linesWith(text, 'ACK').map((line) => /ACK seq 1 ack 1 (win \d+)?/.exec(line)![1]),
    ).toEqual([undefined, 'win 0', 'win 0', 'win 800', undefined]);
  });

  it('of a RST mean nothing', () => {
    expect(ladderText(timelineFrom([ack(0, 'RST')]))).not.toContain('win');
  });

  it('keep their ACKs out of runs', async () => {
    const text = ladderText(await timelineOf('fin-behind-zero-window'));
    expect(linesWith(text, ' win 0 ').length).toBeGreaterThan(1);
    expect(text).toMatch(/ win [1-9]/);
  });
});

describe('the kernel at the other end', () => {
  it('is seen from outside: what was missed is said to be, and never guessed', () => {
    const text = ladderText(
      timelineFrom([
        sends('out', 'SYN', 100, 0),
        theirState('CLOSED', 'not seen'),
        theirState('not seen', 'ESTABLISHED'),
        sends('in', 'SYN,ACK', 500, 101),
      ]),
    );
    expect(rungs(text)).toEqual([
      '             │                                        │ CLOSED',
      '             ├── SYN seq 0 ──────────────────────────▶│ (not seen)',
      '             │◀── SYN,ACK seq 0 ack 1 ────────────────┤ ESTABLISHED',
    ]);
  });

  it('has its state by a call before what it sends, by a segment beside what has arrived', () => {
    const text = ladderText(
      timelineFrom([
        sends('out', 'FIN,ACK', 100, 500),
        theirState('ESTABLISHED', 'CLOSE-WAIT'),
        theirState('CLOSE-WAIT', 'LAST-ACK'),
        sends('in', 'FIN,ACK', 500, 101),
        sends('out', 'ACK', 101, 501),
        theirState('LAST-ACK', 'CLOSED'),
      ]),
    );
    expect(rungs(text).slice(1)).toEqual([
      '             ├── FIN,ACK seq 1 ack 1 ────────────────▶│ CLOSE-WAIT',
      '             │◀── FIN,ACK seq 1 ack 2 ────────────────┤ LAST-ACK',
      '             ├── ACK seq 2 ack 2 ────────────────────▶│ CLOSED',
    ]);
  });
});

it('the kernel’s timer is told when its count of retransmissions grows', () => {
  const sample = (retransmits: number) =>
    ({
      kind: 'sample',
      end: 'theirs',
      state: 'LAST-ACK',
      timer: null,
      sendQueue: 1,
      receiveQueue: 0,
      retransmits,
    }) as const;
  const fin = sends('in', 'FIN,ACK', 500, 100);
  const text = ladderText(timelineFrom([sample(0), fin, sample(1), fin, sample(1), sample(0)]));
  expect(rungs(text).slice(1)).toEqual([
    '             │◀── FIN,ACK seq 1 ack 1 ────────────────┤',
    '             │                       retransmit timer │',
    '             │◀── FIN,ACK seq 1 ack 1 (again) ────────┤',
  ]);
});

describe('the kernel’s program', () => {
  const shutdown = { kind: 'call', end: 'theirs', call: 'shutdown', bytes: 0 } as const;
  const close = { ...shutdown, call: 'close' } as const;

  it('ends its connection by a call: that is not the doing of what had come before', () => {
    const text = ladderText(
      timelineFrom([
        sends('out', 'PSH,ACK', 100, 500, 10),
        close,
        theirState('ESTABLISHED', 'CLOSED'),
        sends('in', 'RST', 500, 0),
      ]),
    );
    expect(rungs(text).slice(1)).toEqual([
      '             ├── PSH,ACK seq 1 ack 1 len 10 ─────────▶│',
      '             │                                        │ close()',
      '             │◀── RST seq 1 ──────────────────────────┤ CLOSED',
    ]);
  });

  it('has its state alone where what is sent next was sent before', () => {
    const text = ladderText(
      timelineFrom([
        close,
        theirState('ESTABLISHED', 'FIN-WAIT-1'),
        sends('in', 'ACK', 500, 100, 10),
        sends('in', 'FIN,ACK', 510, 100),
      ]),
    );
    expect(rungs(text).slice(2)).toEqual([
      '             │                                        │ FIN-WAIT-1',
      '             │◀── ACK seq 1 ack 1 len 10 ─────────────┤',
      '             │◀── FIN,ACK seq 11 ack 1 ───────────────┤',
    ]);
  });

  it('closes while our FIN waits: the FINs cross, though nobody tells when ours arrives', () => {
    const text = ladderText(
      timelineFrom([
        sends('out', 'FIN,ACK', 100, 500),
        shutdown,
        theirState('ESTABLISHED', 'FIN-WAIT-1'),
        theirState('FIN-WAIT-1', 'CLOSING'),
        { kind: 'news', end: 'theirs', news: 'end' },
        sends('in', 'FIN,ACK', 500, 100),
      ]),
    );
    expect(rungs(text).slice(2)).toEqual([
      '             ├── FIN,ACK seq 1 ack 1 ─────╮ ╭─────────┤ FIN-WAIT-1',
      '             │                             ╳          │',
      '             │◀── FIN,ACK seq 1 ack 1 ────╯ ╰────────▶│ CLOSING',
      '             │                          end of stream │',
    ]);
  });
});

describe('what is left out', () => {
  const data = (count: number) =>
    Array.from({ length: count }, (_, i) => sends('out', 'ACK', 100 + i * 1428, 500, 1428));

  it('three segments of data stand for themselves, a fourth makes them one rung', () => {
    expect(linesWith(ladderText(timelineFrom(data(3))), 'len 1428')).toHaveLength(3);
    const text = ladderText(timelineFrom(data(45)));
    expect(rungs(text)[1]).toContain('╞═════ … 45 segments, 64,260 bytes ═════▶│');
    expect(rungs(text)).toHaveLength(2);
  });

  it('a run ends where a state changes, or something is lost', () => {
    const lost = segment('out', 'ACK', 100 + 4 * 1428, 500, 1428);
    const text = ladderText(
      timelineFrom([
        ...data(5),
        { kind: 'fault', action: 'drop', direction: 'out', segment: lost },
        ...data(5),
      ]),
    );
    expect(linesWith(text, '4 segments')).toHaveLength(1);
    expect(linesWith(text, 'X  ')).toHaveLength(1);
    expect(linesWith(text, '(again)').length).toBeGreaterThan(0);
  });

  it('ACKs where there is no room to say how many', () => {
    const acks = Array.from({ length: 1234 }, () => sends('in', 'ACK', 500, 100));
    const text = ladderText(timelineFrom([...data(1234), ...acks]));
    expect(rungs(text)[1]).toContain('1,234 segments, 1,762,152 bytes');
    expect(rungs(text)[1]).not.toContain('…═');
    expect(ladderJson(timelineFrom([...data(1234), ...acks])).ladders[0]!.rungs[0]).toMatchObject({
      kind: 'run',
      acks: 1234,
    });
  });

  it('numbers from before the SYN are negative, not four thousand millions', () => {
    const text = ladderText(
      timelineFrom([sends('in', 'SYN', 1000, 0), sends('in', 'ACK', 900, 0, 10)]),
    );
    expect(text).toContain('seq -100');
  });
});

describe('every scenario', () => {
  it.each(SCENARIOS.map(({ name }) => name))(
    '%s: 80 columns, times that go forward',
    async (name) => {
      const timeline = await timelineOf(name);
      const text = ladderText(timeline);
      for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      expect(text).not.toMatch(/\u001b/);
      const { ladders } = ladderJson(timeline);
      for (const { rungs: steps } of ladders) {
        const times = steps.map(({ timeUs }) => timeUs);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }
    },
  );

  it('has colours for those who ask, and the same text', async () => {
    const timeline = await timelineOf('lost-final-ack');
    const coloured = ladderText(timeline, { colour: true });
    expect(coloured).toContain('\u001b[31m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR
    expect(coloured.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, '')).toBe(ladderText(timeline));
  });
});

it('several connections make several ladders, and one can be asked for', () => {
  const timeline = timelineFrom([sends('out', 'SYN', 100, 0)]);
  timeline.add({
    ...timeline.events[0]!,
    connection: '10.9.0.2:81 10.9.0.1:40000',
    kind: 'call',
    call: 'close',
    bytes: 0,
  });
  expect(ladderText(timeline).match(/finwait/g)).toHaveLength(2);
  const one = ladderText(timeline, { connection: CONNECTION });
  expect(one.match(/finwait 10\.9\.0\.2:80 /g)).toHaveLength(1);
  expect(one).not.toContain(':81');
});
