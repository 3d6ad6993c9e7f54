// The engine of the debugger without a terminal: steps, deeds, breakpoints, and the way back.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBreakpoint } from '../../src/debug/breakpoint.js';
import { parseCommand } from '../../src/debug/command.js';
import { type Debuggee, type HeldLook, type Look, Refusal } from '../../src/debug/debuggee.js';
import { NOBODY } from '../../src/debug/ends.js';
import { Session, type SessionCommand } from '../../src/debug/session.js';
import type { View } from '../../src/debug/view.js';
import { reasons } from '../../src/debug/why.js';
import { SCENARIOS } from '../../src/lab/scenarios/index.js';
import { openLikeKernel, openSession } from './simulated.js';

/** Carries out lines as they would be typed. */
async function type(session: Session, ...lines: string[]): Promise<View> {
  for (const line of lines) await session.run(parseCommand(line) as SessionCommand);
  return session.view;
}

const statesOf = ({ ours, theirs }: View) => [ours.state, theirs.state];

describe('stepping', () => {
  it('says what it will do, and does it', async () => {
    const session = await openSession('active-close');
    const said: string[] = [];
    for (let i = 0; i < 7; i++) {
      said.push(session.view.next.text);
      await type(session, 'step');
      expect(session.view.action).toBe(said.at(-1));
    }
    expect(said.slice(0, 3)).toEqual([
      'the peer calls listen',
      'we call connect',
      'SYN passes, to the peer',
    ]);
    expect(statesOf(session.view)).toEqual(['FIN-WAIT-1', 'CLOSE-WAIT']);
  });

  it('tells what changed in the control blocks, in the words of the RFC', async () => {
    const session = await openSession('active-close');
    const { ours, theirs } = await type(session, 'break state=FIN-WAIT-1', 'continue');
    expect(ours.changes).toEqual([
      { field: 'SND.NXT', from: '1', to: '2' },
      { field: 'FIN', from: 'none', to: 'sent' },
    ]);
    expect(theirs.changes).toEqual([]);
    expect(ours.tcb?.timers.map(({ name }) => name)).toContain('retransmit');
  });

  it('says why, with the rule and its section', async () => {
    const session = await openSession('active-close');
    const [first] = (await type(session, 'break ours:state=FIN-WAIT-2', 'continue')).why;
    expect(first).toMatchObject({
      end: 'ours',
      what: 'FIN-WAIT-1 → FIN-WAIT-2, rcv ACK of FIN',
      section: 'RFC 9293 §3.10.7.4',
    });
    expect(first!.why).toMatch(/^The peer has all that we sent/);
  });

  it('knows no rule for what is not TCP', () => {
    const ping: HeldLook = {
      ...{ id: 1, direction: 'in', connection: null, text: 'ICMP, 84 bytes' },
      ...{ origin: 'sent', again: false, segment: null },
    };
    const told = { end: 'ours', what: 'gets ICMP, 84 bytes', why: '', section: '' };
    expect(reasons([], [ping])).toEqual([told]);
  });

  it('says what a segment is for that changes no state', async () => {
    const session = await openSession('half-close');
    await type(session, 'break flag=PSH', 'continue', 'step');
    expect(session.view.why).not.toEqual([]);
    for (const { why, section } of session.view.why) expect(`${why}${section}`).toMatch(/RFC/);
  });

  it.each([
    ['lost-final-ack', '2MSL begin anew', 'eighth check'],
    ['time-wait-rst', 'means nothing in TIME-WAIT', 'RFC 1337'],
    ['time-wait-old-segment', 'not expected in TIME-WAIT', 'first check'],
    ['lost-final-ack', 'ACK is lost', ''],
  ])('says in %s: %s, and where the rule stands', async (name, what, section) => {
    const session = await openSession(name);
    const told: View['why'][number][] = [];
    while (!session.view.done) told.push(...(await type(session, 'step')).why);
    const found = told.find((reason) => reason.what.includes(what));
    expect(found?.section).toContain(section);
    expect(found?.why).not.toBe('');
  });

  it('says that nobody takes a segment for a connection that is no more', async () => {
    const session = await openSession('active-close');
    await type(session, 'step 4', 'inject rst to theirs', 'step');
    expect(session.view.theirs.state).toBe('CLOSED');
    const [told] = (await type(session, 'step')).why;
    expect(told).toMatchObject({ end: 'theirs', section: 'RFC 9293 §3.10.7.1' });
    expect(told!.why).toContain('a RST says so');
  });

  it('says that a RST for nobody is not answered, also where no stack tells so', () => {
    const closed = (text: string, flags: string, state = 'CLOSED'): string => {
      const segment = { flags, length: 0 } as HeldLook['segment'];
      const held: HeldLook = {
        ...{ id: 1, direction: 'out', connection: 'a b', text, origin: 'sent', again: false },
        segment,
      };
      return reasons([], [held], () => ({ ...NOBODY, state }))[0]!.why;
    };
    expect(closed('RST seq 1', 'RST')).toContain('never answered');
    expect(closed('FIN,ACK seq 1', 'FIN,ACK')).toContain('a RST says so');
    expect(closed('SYN seq 0', 'SYN')).not.toContain('a RST says so');
    expect(closed('ACK seq 1', 'ACK', 'LISTEN')).toMatch(/^A listener has sent nothing.*a RST/);
    expect(closed('RST seq 1', 'RST', 'LISTEN')).toMatch(/^A listener has nothing/);
  });

  it('says that an ACK of what was acknowledged before changes nothing', async () => {
    const session = await openSession('active-close');
    await type(session, 'step 4', 'duplicate', 'pass', 'pass');
    const [told] = session.view.why;
    expect(told).toMatchObject({ end: 'theirs', section: 'RFC 9293 §3.10.7.4, fifth check' });
    expect(told!.why).toMatch(/^It acknowledges nothing/);
  });

  it('says why a RST in the window is not obeyed', async () => {
    const session = await openSession('active-close');
    await type(session, 'break ours:flag=FIN', 'continue', 'inject rst to theirs', 'pass');
    const told = session.view.why.find(({ what }) => what.includes('RST not at RCV.NXT'));
    expect(told).toMatchObject({ end: 'theirs', section: 'RFC 5961 §3.2' });
  });

  it('begins with what the scenario is about, and ends with its verdict', async () => {
    const session = await openSession('active-close');
    expect(session.view.why[0]).toMatchObject({ what: 'We close first', section: /RFC/ });
    expect((await type(session, 'continue')).verdict).toEqual({ passed: true, failures: [] });
    await expect(type(session, 'step')).rejects.toThrow(Refusal);
    await expect(type(session, 'continue')).rejects.toThrow('end of the run');
  });

  it.each(SCENARIOS.map(({ name }) => name))('goes through %s to its end', async (name) => {
    const session = await openSession(name);
    expect((await type(session, 'continue')).verdict).toEqual({ passed: true, failures: [] });
  });
});

describe('continuing', () => {
  it('stops before a segment passes, so that something can be done to it', async () => {
    const breakpoints = [parseBreakpoint('theirs:flag=FIN')];
    const session = await openSession('active-close', { breakpoints });
    const view = await type(session, 'continue');
    expect(view.struck).toEqual(['theirs:flag=FIN']);
    expect(view.held.at(-1)).toMatchObject({ direction: 'in', segment: { flags: 'FIN,ACK' } });
    expect(statesOf(view)).toEqual(['FIN-WAIT-2', 'LAST-ACK']);
  });

  it('stops at the number of a segment, at a timer, and at a state of either end', async () => {
    const session = await openSession('lost-fin');
    expect((await type(session, 'break segment=3', 'continue')).held[0]!.id).toBe(3);
    await type(session, 'unbreak all', 'break ours:timer=retransmit', 'continue');
    expect(session.view.struck).toEqual(['ours:timer=retransmit']);
    expect(session.view.why[0]!.section).toMatch(/RFC 6298/);
    await type(session, 'unbreak 1', 'break theirs:state=LAST-ACK', 'continue');
    expect(session.view.theirs.state).toBe('LAST-ACK');
  });

  it('stops when somebody wants it to', async () => {
    const session = await openSession('half-close');
    let asked = 0;
    await session.run({ name: 'continue' }, () => ++asked === 3);
    expect(session.view.message).toBe('stopped by a key');
    expect(session.view.done).toBe(false);
  });

  it('says what it will stop at, and takes nothing that cannot be struck', async () => {
    const session = await openSession('active-close');
    await type(session, 'break flag=FIN', 'break theirs:timer=retransmit');
    expect(session.view.message).toBe('continue stops at flag=FIN, theirs:timer=retransmit');
    expect((await type(session, 'unbreak 1')).message).toMatch(/at theirs:timer=retransmit$/);
    expect((await type(session, 'unbreak all')).message).toBe('no breakpoints');
    const kernel = await openLikeKernel('active-close');
    await expect(type(kernel, 'break theirs:timer=persist')).rejects.toThrow('only retransmit');
    await type(kernel, 'break timer=persist', 'break theirs:timer=retransmit');
  });

  it('does not stop again at what it has stopped at', async () => {
    const session = await openSession('active-close');
    await type(session, 'break flag=FIN', 'continue');
    const first = session.view.step;
    await type(session, 'continue');
    expect(session.view.step).toBeGreaterThan(first);
    expect(session.view.struck).toEqual(['flag=FIN']);
  });
});

describe('what can be done to what waits', () => {
  /** Our FIN waits at the gate. */
  async function atOurFin(): Promise<Session> {
    const session = await openSession('active-close');
    await type(session, 'break ours:flag=FIN', 'continue', 'unbreak all');
    return session;
  }

  it('drop: it is repeated when its timer runs out', async () => {
    const session = await atOurFin();
    await type(session, 'drop');
    expect(session.view.held).toEqual([]);
    expect(session.view.why[0]).toMatchObject({ what: 'FIN,ACK is lost' });
    await type(session, 'skip');
    expect(session.view.held[0]).toMatchObject({ again: true, segment: { flags: 'FIN,ACK' } });
  });

  it('corrupt: it goes, and is thrown away there', async () => {
    const session = await atOurFin();
    const { id } = session.view.held[0]!;
    await type(session, `corrupt ${id}`);
    expect(session.view.held).toEqual([]);
    expect(session.view.theirs.state).toBe('ESTABLISHED');
  });

  it('duplicate and delay: a copy waits behind it, and what is delayed goes to the end', async () => {
    const session = await atOurFin();
    await type(session, 'duplicate');
    expect(session.view.held.map(({ again }) => again)).toEqual([false, true]);
    const [first, second] = session.view.held;
    await type(session, `delay ${first!.id}`);
    expect(session.view.held.map(({ id }) => id)).toEqual([second!.id, first!.id]);
    await type(session, `swap ${second!.id}`);
    expect(session.view.held.map(({ id }) => id)).toEqual([first!.id, second!.id]);
    await type(session, 'pass');
    expect(session.view.theirs.state).toBe('CLOSE-WAIT');
  });

  it('inject: a RST with the right number ends it, an old segment does not', async () => {
    const session = await atOurFin();
    await type(session, 'inject old to ours', 'pass');
    expect(statesOf(session.view)).toEqual(['FIN-WAIT-1', 'ESTABLISHED']);
    await type(session, 'inject rst to ours', 'pass');
    expect(session.view.ours.state).toBe('CLOSED');
    expect(session.view.why[0]!.what).toBe('FIN-WAIT-1 → CLOSED, rcv RST');
  });

  it('numbers stay what they are, whatever somebody forges', async () => {
    const session = await openSession('time-wait-reuse');
    await type(session, 'break ours:state=TIME-WAIT', 'continue', 'unbreak all');
    const texts: string[] = [];
    while (!session.view.done) {
      await type(session, 'step');
      texts.push(...session.view.held.map(({ text }) => text));
    }
    for (const text of texts) expect(text).not.toMatch(/(seq|ack) (-|\d{9})/);
    expect(texts).toContain('ACK seq 2 ack 2');
  });

  it('inject fin: the peer believes it', async () => {
    const session = await openSession('active-close');
    await type(session, 'break theirs:state=ESTABLISHED', 'continue');
    await type(session, 'inject fin to theirs', 'pass');
    expect(session.view.theirs.state).toBe('CLOSE-WAIT');
  });

  it('strikes what is chosen', async () => {
    const session = await atOurFin();
    await type(session, 'duplicate');
    const [first, second] = session.view.held;
    expect(session.view.chosen).toBe(first!.id);
    await session.run({ name: 'choose', by: 1 });
    expect(session.view.chosen).toBe(second!.id);
    await type(session, 'drop');
    expect(session.view.held.map(({ id }) => id)).toEqual([first!.id]);
  });

  it('chooses what comes next, also behind what the scenario holds back', async () => {
    const session = await openSession('fin-overtakes-data');
    const view = await type(session, 'break theirs:flag=FIN', 'continue', 'unbreak all', 'step 4');
    const fin = view.held.find(({ segment }) => segment!.flags.includes('FIN'))!;
    expect(view.next).toMatchObject({ packet: fin.id });
    expect(view.chosen).toBe(fin.id);
    expect(view.held[0]!.id).not.toBe(fin.id);
  });

  it('refuses what makes no sense, and changes nothing', async () => {
    const session = await openSession('active-close');
    const before = session.view;
    for (const line of ['drop', 'swap 3', 'inject rst', 'back', 'branch', 'unbreak 1', 'skip']) {
      await expect(type(session, line)).rejects.toThrow(Refusal);
    }
    expect(session.view).toEqual(before);
  });
});

describe('going back in simulation', () => {
  it('replays the same actions into a fresh world, up to one less', async () => {
    const session = await openSession('active-close');
    await type(session, 'step 5');
    const fifth = session.view;
    await type(session, 'step 2', 'back 2');
    expect(session.view).toEqual(fifth);
    await type(session, 'back 5');
    expect(session.view.step).toBe(0);
    await expect(type(session, 'back')).rejects.toThrow('the beginning');
  });

  it('lets something else be done from there', async () => {
    const session = await openSession('active-close');
    await type(session, 'break ours:flag=FIN', 'continue', 'unbreak all', 'step', 'back', 'drop');
    expect(session.view.theirs.state).toBe('ESTABLISHED');
    expect((await type(session, 'continue')).verdict!.passed).toBe(false);
  });

  const lines = fc.constantFrom(
    ...['step', 'step 3', 'drop', 'delay', 'duplicate', 'swap', 'corrupt', 'pass', 'skip'],
    ...['inject rst', 'inject fin to theirs', 'inject old to ours'],
  );

  it('finds each moment as it was, whatever was done', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SCENARIOS.map(({ name }) => name)),
        fc.array(lines, { minLength: 5, maxLength: 40 }),
        async (name, typed) => {
          const session = await openSession(name);
          const seen: View[] = [session.view];
          for (const line of typed) {
            // What is refused is no step.
            await type(session, line).catch((error) => {
              if (!(error instanceof Refusal)) throw error;
            });
            seen[session.view.step] = session.view;
          }
          for (let step = session.view.step - 1; step >= 0; step -= 3) {
            const now = await type(session, `back ${session.view.step - step}`);
            const was = seen[step];
            if (was !== undefined) expect(plain(now)).toEqual(plain(was));
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});

/** Without what the person has chosen and was told. */
function plain({ message, struck, chosen, ...rest }: View): Partial<View> {
  return rest;
}

describe('going back against a kernel', () => {
  it('shows recorded moments, in which nothing can be done', async () => {
    const session = await openLikeKernel('active-close');
    await type(session, 'step 6');
    const sixth = session.view;
    await type(session, 'step', 'back');
    expect(session.view).toMatchObject({ recorded: true, step: 6, steps: 7 });
    expect(statesOf(session.view)).toEqual(statesOf(sixth));
    await expect(type(session, 'drop')).rejects.toThrow('B goes on from here in simulation');
    await expect(type(session, 'inject rst')).rejects.toThrow(Refusal);
    await type(session, 'step');
    expect(session.view).toMatchObject({ recorded: false, step: 7 });
    await expect(type(session, 'skip')).rejects.toThrow('a kernel’s clock cannot be moved');
  });

  it('branches into a simulation with the same actions, which goes on and back', async () => {
    const session = await openLikeKernel('active-close', 7);
    await type(session, 'step 8', 'back 2', 'branch');
    expect(session.view).toMatchObject({ kind: 'simulation', step: 6, recorded: false });
    expect(session.view.message).toMatch(/both ends in the kernel run’s states/);
    await type(session, 'back 3');
    expect(session.view.step).toBe(3);
    expect((await type(session, 'continue')).verdict!.passed).toBe(true);
  });

  it('does to a segment what was done to it, though the kernel has repeated others before', async () => {
    const session = await openLikeKernel('active-close', 7);
    await type(session, 'step 3');
    // The kernel repeats its SYN,ACK, which we acknowledge once more.
    await session.debuggee.act({ do: 'duplicate', packet: session.view.held[0]!.id });
    await type(session, 'break ours:flag=FIN', 'continue', 'unbreak all');
    expect(session.view.held.at(-1)!.segment!.flags).toBe('FIN,ACK');
    await type(session, `drop ${session.view.held.at(-1)!.id}`, 'branch');
    expect(session.view.message).toMatch(/both ends in the kernel run’s states$/);
    expect(statesOf(session.view)).toEqual(['FIN-WAIT-1', 'ESTABLISHED']);
    expect(session.view.held).toEqual([]);
    expect(session.view.why[0]!.what).toBe('FIN,ACK is lost');
  });

  it.each([
    [1, 'one action found'],
    [2, '2 actions found'],
  ])('counts %i that found nothing to act on', async (count, told) => {
    const session = await openLikeKernel('active-close');
    await type(session, 'step 3');
    const { id } = session.view.held[0]!;
    await session.debuggee.act({ do: 'duplicate', packet: id });
    await session.debuggee.act({ do: 'duplicate', packet: id });
    session.refresh();
    for (let i = 0; i < count; i++) await type(session, `drop ${session.view.held.at(-1)!.id}`);
    expect((await type(session, 'branch')).message).toContain(`${told} nothing to act on`);
  });

  it('says when the simulation differs', async () => {
    const session = await openLikeKernel('active-close');
    // Nobody repeats time in which a kernel did something by itself.
    await type(session, 'break ours:flag=FIN', 'continue', 'drop');
    await session.debuggee.act({ do: 'step' });
    await session.debuggee.act({ do: 'step' });
    session.refresh();
    expect(session.view.theirs.state).toBe('CLOSE-WAIT');
    await type(session, 'branch');
    expect(session.view.message).toMatch(/differs: the kernel run had FIN-WAIT-1 and CLOSE-WAIT/);
  });
});

describe('a stack that runs', () => {
  const look: Look = {
    ...{ timeUs: 0, events: [], connection: null, ours: NOBODY, theirs: NOBODY, held: [] },
    ...{
      next: { text: 'wait', note: null, packet: null },
      about: null,
      done: false,
      verdict: null,
    },
  };
  const idle: Debuggee = {
    ...{ kind: 'live', title: 'fw0', wake: null, follow: null, onChange: null },
    look: () => look,
    act: async () => {},
    failed: new Promise(() => {}),
    close: async () => {},
  };

  it('is remembered for as many steps as there is room for', async () => {
    const session = await Session.open({ open: async () => idle, simulate: null });
    await type(session, 'step 10100', 'back 5000');
    expect(session.view).toMatchObject({ step: 5100, steps: 10100, recorded: true });
    await expect(type(session, 'back 5000')).rejects.toThrow(
      /^there are only \d+ steps to go back/,
    );
    await type(session, 'step 5000');
    expect(session.view).toMatchObject({ step: 10100, recorded: false });
  });
});
