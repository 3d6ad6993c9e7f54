// What a moment looks like: on a screen of any size, in lines, with and without colour and Unicode.

import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../src/debug/command.js';
import { ladderLines } from '../../src/debug/ladder.js';
import type { Style } from '../../src/debug/layout.js';
import { formatView } from '../../src/debug/report.js';
import { drawScreen, type Size } from '../../src/debug/screen.js';
import type { Session, SessionCommand } from '../../src/debug/session.js';
import { SCENARIOS } from '../../src/lab/scenarios/index.js';
import { openLikeKernel, openSession } from './simulated.js';

const PLAIN: Style = { colour: false, unicode: true };
const USUAL: Size = { columns: 80, rows: 24 };

function draw(session: Session, size = USUAL, style = PLAIN): string[] {
  return drawScreen(session.view, size, style, (view, columns) =>
    ladderLines(view, session.events, columns),
  );
}

async function type(session: Session, ...lines: string[]): Promise<void> {
  for (const line of lines) await session.run(parseCommand(line) as SessionCommand);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what such a sequence begins with
const SGR = /\u001b\[\d+m/g;

describe('a screen of 80 by 24', () => {
  it('shows the ladder, both states, what changed, what waits, what comes next, and why', async () => {
    const session = await openSession('active-close');
    await type(session, 'break ours:state=FIN-WAIT-1', 'continue');
    const screen = draw(session).map((line) => line.trimEnd());
    expect(screen.join('\n')).toMatchInlineSnapshot(`
      " finwait · active-close · simulation                           step 6 · 0.004 s
       ours 10.9.0.2:11522 FIN-WAIT-1          theirs 10.9.0.1:26159 ESTABLISHED
      ────────────────────────────────────────────────────────────────────────────────
         0.000              │                            listen *:26159 │
         0.000              │                                           │ LISTEN
         0.000 connect()    │                                           │
         0.000 SYN-SENT     ├── SYN seq 0 ─────────────────────────────▶│ SYN-RECEIVED
         0.003 ESTABLISHED  │◀── SYN,ACK seq 0 ack 1 ───────────────────┤
         0.003              ├── ACK seq 1 ack 1 ───────────────────────▶│ ESTABLISHED
         0.004 shutdown()   │                                           │
         0.004 FIN-WAIT-1   ├── FIN,ACK seq 1 ack 1 (waits) ──┊         │

      ── we call shutdown ────────────────────────────────────────────────────────────
       ours    SND.NXT 1 → 2, FIN none → sent
       theirs  no change
       timers: ours retransmit in 200 ms, loss-probe in 200 ms · theirs none
      ── waits at the gate: 1 ────────────────────────────────────────────────────────
       ▶ #4 → FIN,ACK seq 1 ack 1
      ── why ─────────────────────────────────────────────────────────────────────────
       ours: ESTABLISHED → FIN-WAIT-1, CLOSE. We have no more to send; our FIN is
         queued behind what is unsent. (RFC 9293 §3.10.4)
       next: FIN,ACK passes, to the peer (until we are in FIN-WAIT-2)
       stopped at ours:state=FIN-WAIT-1
       space step  c continue  d drop  b back  e explain  : command  ? help  q quit"
    `);
  });

  it('marks what becomes of a segment at the gate', async () => {
    const session = await openSession('active-close');
    await type(session, 'break ours:flag=FIN', 'continue', 'drop', 'skip', 'duplicate');
    const screen = draw(session).join('\n');
    expect(screen).toMatch(/├── FIN,ACK seq 1 ack 1 ─+X +│/);
    expect(screen).toMatch(/├── FIN seq 1 ack 1 \(waits, again, twi.* ─+┊ +│/);
    expect(screen).toContain('── waits at the gate: 2 ──');
    expect(screen).toMatch(
      /▶ #5 → FIN,ACK seq 1 ack 1 · again\s+#6 → FIN,ACK seq 1 ack 1 · a copy/,
    );
  });

  /** Rungs with arrows, without times. */
  const arrows = (session: Session) =>
    ladderLines(session.view, session.events, 80)
      .filter((line) => /[▶◀X┊]/.test(line))
      .map((line) => line.slice(9));

  it('never says that a lost or damaged copy has established the peer', async () => {
    const session = await openSession('active-close');
    await type(session, 'step 4', 'duplicate', 'drop 3');
    expect(arrows(session).slice(2)).toEqual([
      '             ├── ACK seq 1 ack 1 (duplicated) ─X         │',
      '             ├── ACK seq 1 ack 1 (waits, a copy) ─┊      │',
    ]);
    await type(session, 'step');
    expect(arrows(session).slice(2)).toEqual([
      '             ├── ACK seq 1 ack 1 (duplicated) ─X         │',
      '             ├── ACK seq 1 ack 1 (a copy) ──────────────▶│ ESTABLISHED',
    ]);
    const other = await openSession('active-close');
    await type(other, 'step 4', 'duplicate', 'corrupt', 'step');
    expect(arrows(other).slice(2)).toEqual([
      expect.stringMatching(/ACK seq 1 ack 1 \(bad, twice\) ─+X│$/),
      '             ├── ACK seq 1 ack 1 (a copy) ──────────────▶│ ESTABLISHED',
    ]);
  });

  it('draws what is forged towards the peer as waiting, and first where it went first', async () => {
    const session = await openSession('active-close');
    await type(session, 'step 4', 'inject rst to theirs');
    expect(arrows(session).slice(2)).toEqual([
      expect.stringMatching(/^ +│ +●── RST.* \(waits, injected\) ─+┊│$/),
      '             ├── ACK seq 1 ack 1 (waits) ──────┊         │',
    ]);
    await type(session, 'step 2');
    expect(arrows(session).slice(2, 4)).toEqual([
      expect.stringMatching(/●── RST.* \(injected\) ─+▶│ CLOSED$/),
      '             ├── ACK seq 1 ack 1 ───────────────────────▶│',
    ]);
  });

  it('draws what waits to come in on its side, sent or forged', async () => {
    const session = await openSession('active-close');
    await type(session, 'step 3', 'inject rst to ours');
    expect(arrows(session).slice(1)).toEqual([
      expect.stringMatching(/^ +│┊── RST.* \(waits, injected\) ─+● +│$/),
      '             │         ┊── SYN,ACK seq 0 ack 1 (waits) ──┤',
    ]);
  });

  it('marks it also where a forged segment has confused all numbers', async () => {
    const session = await openSession('old-duplicate-syn');
    await type(session, 'break ours:flag=SYN', 'continue');
    expect(draw(session).join('\n')).toMatch(/├── SYN,ACK seq 0 ack -?\d+ \(waits\) ─+┊ +│/);
  });

  it('says that a recorded moment is one, and how to go on', async () => {
    const session = await openLikeKernel('active-close');
    await type(session, 'step 5', 'back 2');
    const screen = draw(session).join('\n');
    expect(screen).toContain('step 3 of 5, recorded');
    expect(screen).toContain('recorded: no kernel can be rewound');
  });

  it('follows the chosen packet where more wait than there is room for', async () => {
    const session = await openSession('active-close');
    await type(session, 'break ours:flag=FIN', 'continue', ...new Array(6).fill('duplicate'));
    for (let i = 0; i < 5; i++) await session.run({ name: 'choose', by: 1 });
    expect(draw(session).join('\n')).toMatch(new RegExp(`▶ #${session.view.chosen} `));
  });
});

describe('a screen', () => {
  const sizes: Size[] = [
    { columns: 60, rows: 20 },
    { columns: 80, rows: 24 },
    { columns: 132, rows: 50 },
    { columns: 200, rows: 21 },
  ];

  it.each(SCENARIOS.map(({ name }) => name))('fits at each step of %s', async (name) => {
    const session = await openSession(name);
    for (let i = 0; i < 40 && !session.view.done; i++) {
      for (const size of sizes) {
        const lines = draw(session, size);
        expect(lines.length).toBe(size.rows);
        for (const line of lines) expect([line, line.length <= size.columns]).toEqual([line, true]);
      }
      await type(session, 'step');
    }
  });

  it.each([
    [10, 3],
    [59, 24],
    [80, 19],
  ])('says that %i by %i is too small', async (columns, rows) => {
    const lines = draw(await openSession('handshake'), { columns, rows });
    expect(lines.length).toBe(rows);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    expect(lines.join(' ')).toMatch(/^This term/);
  });

  it('names the way out at its smallest, too', async () => {
    const session = await openSession('handshake');
    for (const size of sizes) expect(draw(session, size).at(-1)).toMatch(/ {2}\? help {2}q quit$/);
  });

  it('says the same with colour, which only adds sequences', async () => {
    const session = await openSession('active-close');
    await type(session, 'step 7');
    const coloured = draw(session, USUAL, { colour: true, unicode: true });
    expect(coloured.join('')).toMatch(SGR);
    expect(coloured.map((line) => line.replace(SGR, ''))).toEqual(draw(session));
  });

  it('keeps its columns in letters that every terminal has', async () => {
    const session = await openSession('active-close');
    await type(session, 'step 7');
    const ascii = draw(session, USUAL, { colour: false, unicode: false });
    expect(ascii.join('')).toMatch(/^[ -~]*$/);
    expect(ascii.join('')).not.toContain('?  ?');
    expect(ascii.map((line) => line.length)).toEqual(draw(session).map((line) => line.length));
  });
});

describe('lines', () => {
  it('say the same in words', async () => {
    const session = await openSession('active-close');
    await type(session, 'break ours:state=FIN-WAIT-2', 'continue');
    expect(formatView(session.view, PLAIN)).toMatchInlineSnapshot(`
      "[8] 0.006 s  ACK passes, to us
        ours    FIN-WAIT-1 → FIN-WAIT-2  10.9.0.2:11522
                SND.UNA 1 → 2, FIN sent → acknowledged, SND.WND 65535 → 262144
        theirs  CLOSE-WAIT  10.9.0.1:26159
        waits   nothing
        why     ours: FIN-WAIT-1 → FIN-WAIT-2, rcv ACK of FIN. The peer has all that we sent, our FIN included; it may go on sending. (RFC 9293 §3.10.7.4)
        next    the peer calls shutdown
        note    stopped at ours:state=FIN-WAIT-2
      "
    `);
  });

  it('are ASCII where nothing else is known, and without colour where none is wanted', async () => {
    const session = await openSession('active-close');
    await type(session, 'step 7');
    const text = formatView(session.view, { colour: false, unicode: false });
    expect(text).toMatch(/^[ -~\n]*$/);
  });
});
