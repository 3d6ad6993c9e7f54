// A debugging session without a terminal: commands in, views out. Knows the history and how to go back in
// it; must not know what a view looks like, or what stands behind the debuggee.

import type { TraceEvent } from '../trace/event.js';
import { type Breakpoint, formatBreakpoint, strikes } from './breakpoint.js';
import type { Command } from './command.js';
import { type Action, type Debuggee, Refusal } from './debuggee.js';
import { compared, describeAction, haveSameStates } from './phrases.js';
import { Tally } from './tally.js';
import { makeView, type View } from './view.js';

/** Steps after which `continue` asks whether somebody wants it to stop. */
const STEPS_AT_ONCE = 16;
/** Steps of one `continue`; a run that is longer does not end by itself. */
const MAX_STEPS = 100_000;
/** Moments of a running stack that can be looked at again: it may be debugged for hours. */
const KEPT_MOMENTS = 5000;

export interface SessionOptions {
  /** Makes the debuggee, each time the same one at its beginning. */
  open: () => Promise<Debuggee>;
  /** The same in simulation, for a branch; null where there is nothing to be repeated. */
  simulate: (() => Promise<Debuggee>) | null;
  breakpoints?: readonly Breakpoint[];
}

/** What was done; `mark`: to which segment, since in a repetition its number may be another one. */
interface Done {
  action: Action;
  mark: string | null;
}

/** Commands that change something, or only the view; the rest is for whoever shows views. */
export type SessionCommand = Exclude<
  Command,
  { name: 'explain' | 'ladder' | 'help' | 'quit' | 'breaks' }
>;

/** Whether somebody wants a long command to stop. */
export type Interrupted = () => boolean;

export class Session {
  /** Called with each view of a long command. */
  onProgress: ((view: View) => void) | null = null;
  /** Rejects when the debuggee cannot go on. */
  readonly failed: Promise<never>;
  #open: SessionOptions['open'];
  readonly #simulate: SessionOptions['simulate'];
  #debuggee: Debuggee;
  #history: View[] = [];
  #actions: Done[] = [];
  #tally = new Tally();
  /** Which of the history is shown; the last one, but when a kernel's past is looked at. */
  #at = 0;
  #startUs: number | null = null;
  /** Index of the first event of the last view. */
  #since = 0;
  readonly #breakpoints: Breakpoint[];
  /** Actions that a simulated world has refused, since its packets are not the kernel's. */
  #refused = 0;
  /** Steps that were left out of a repetition, since what passed in them does not wait here. */
  #owed = 0;

  private constructor(options: SessionOptions, debuggee: Debuggee) {
    this.#open = options.open;
    this.#simulate = options.simulate;
    this.#debuggee = debuggee;
    this.failed = debuggee.failed;
    this.#breakpoints = [...(options.breakpoints ?? [])];
    for (const breakpoint of this.#breakpoints) this.#check(breakpoint);
    this.#history = [this.#look('', null, 0)];
  }

  /** @throws Refusal for a breakpoint that can never be struck there */
  static async open(options: SessionOptions): Promise<Session> {
    const debuggee = await options.open();
    try {
      return new Session(options, debuggee);
    } catch (error) {
      await debuggee.close();
      throw error;
    }
  }

  get view(): View {
    return this.#history[this.#at]!;
  }

  /** The newest moment, whichever is shown. */
  get last(): View {
    return this.#history.at(-1)!;
  }

  get breakpoints(): readonly Breakpoint[] {
    return this.#breakpoints;
  }

  get debuggee(): Debuggee {
    return this.#debuggee;
  }

  /** All that had happened until the moment that is shown. */
  get events(): readonly TraceEvent[] {
    const { events } = this.#debuggee.look();
    const count = this.view.upTo - (events[0]?.index ?? 0);
    return count >= events.length ? events : events.slice(0, Math.max(count, 0));
  }

  close(): Promise<void> {
    return this.#debuggee.close();
  }

  /** Carries out a command. @throws Refusal when it makes no sense now; nothing has changed then */
  async run(command: SessionCommand, interrupted: Interrupted = () => false): Promise<View> {
    this.#show({ message: null, struck: [] });
    switch (command.name) {
      case 'step':
        await this.#stepTimes(command.times, interrupted);
        break;
      case 'continue':
        await this.#continue(interrupted);
        break;
      case 'back':
        await this.#back(command.times);
        break;
      case 'branch':
        await this.#branch();
        break;
      case 'skip':
        await this.#act({ do: 'skip' });
        break;
      case 'inject':
        await this.#act({ do: 'inject', what: command.what, towards: command.towards });
        break;
      case 'follow':
        await this.#follow();
        break;
      case 'choose':
        this.#choose(command.by);
        break;
      case 'break':
        this.#check(command.breakpoint);
        this.#breakpoints.push(command.breakpoint);
        this.#tellBreakpoints();
        break;
      case 'unbreak':
        this.#unbreak(command.which);
        this.#tellBreakpoints();
        break;
      default:
        await this.#act({ do: command.name, packet: this.#packet(command.packet) });
    }
    return this.view;
  }

  /** Looks again where a clock runs by itself; the place in the history is the same. */
  refresh(): void {
    const last = this.#history.length - 1;
    const old = this.#history[last]!;
    const now = this.#look(old.action, this.#history[last - 1] ?? null, this.#since);
    const { chosen, struck, message, steps } = old;
    this.#history[last] = { ...now, struck, message, steps };
    const stillThere = now.held.some(({ id }) => id === chosen);
    if (stillThere) this.#history[last].chosen = chosen;
  }

  #look(action: string, before: View | null, since: number): View {
    const { kind, title } = this.#debuggee;
    const step = before === null ? 0 : before.step + 1;
    const look = this.#debuggee.look();
    this.#startUs ??= look.timeUs;
    const startUs = this.#startUs;
    this.#tally.note(look.held);
    return makeView(look, { kind, title, step, action, before, since, startUs });
  }

  #show(change: Partial<View>): void {
    this.#history[this.#at] = { ...this.view, ...change };
  }

  // ── Forwards ──

  async #stepTimes(times: number, interrupted: Interrupted): Promise<void> {
    for (let i = 0; i < times; i++) {
      if (i > 0 && (this.view.done || interrupted())) return;
      await this.#step();
      if (i + 1 < times) await this.#report(i);
    }
  }

  /** A step; in a kernel's past to the next recorded moment. */
  async #step(): Promise<void> {
    if (this.#at < this.#history.length - 1) {
      this.#at++;
      this.#recall();
      return;
    }
    if (this.view.done) throw new Refusal('this is the end of the run: go back, or quit');
    await this.#act({ do: 'step' });
  }

  async #continue(interrupted: Interrupted): Promise<void> {
    for (let i = 0; i < MAX_STEPS; i++) {
      if (this.#at === this.#history.length - 1 && this.view.done) {
        if (i === 0) throw new Refusal('this is the end of the run: go back, or quit');
        return;
      }
      await this.#step();
      const struck = this.#struck();
      if (struck.length > 0) {
        this.#show({ struck });
        return;
      }
      await this.#report(i);
      if (interrupted()) {
        this.#show({ message: 'stopped by a key' });
        return;
      }
    }
  }

  /** Lets whoever shows views do so, and whoever presses keys be heard. */
  async #report(steps: number): Promise<void> {
    if (steps % STEPS_AT_ONCE !== STEPS_AT_ONCE - 1 && this.#debuggee.kind === 'simulation') return;
    this.onProgress?.(this.view);
    await new Promise((resolve) => setImmediate(resolve));
  }

  #struck(): string[] {
    const { fresh, held } = this.view;
    const before = this.#history[this.#at - 1];
    const known = new Set(before?.held.map(({ id }) => id));
    const came = held.filter(({ id }) => !known.has(id));
    return this.#breakpoints
      .filter((breakpoint) => strikes(breakpoint, fresh, came))
      .map(formatBreakpoint);
  }

  async #act(action: Action): Promise<void> {
    this.#checkPresent();
    if (this.#debuggee.kind !== 'simulation') this.refresh();
    const before = this.view;
    const packet = 'packet' in action ? action.packet : before.next.packet;
    const mark = packet === null ? null : this.#tally.markOf(packet);
    await this.#debuggee.act(action);
    this.#since = before.upTo;
    const text = action.do === 'step' ? before.next.text : describeAction(action);
    this.#record({ action, mark }, this.#look(text, before, before.upTo));
    if (action.do !== 'step' && action.do !== 'inject') this.#keepChosen(before);
  }

  /** A scenario's run is kept from its beginning, so that it can be repeated. */
  #record(done: Done, moment: View): void {
    this.#history.push(moment);
    if (this.#debuggee.kind !== 'live') this.#actions.push(done);
    else if (this.#history.length >= 2 * KEPT_MOMENTS) {
      this.#history = this.#history.slice(-KEPT_MOMENTS);
    }
    this.#at = this.#history.length - 1;
  }

  #checkPresent(): void {
    if (this.#at === this.#history.length - 1) return;
    throw new Refusal('a recorded moment cannot be changed: B goes on from here in simulation');
  }

  /** What was chosen stays so while it waits. */
  #keepChosen({ chosen }: View): void {
    if (this.view.held.some(({ id }) => id === chosen)) this.#show({ chosen });
  }

  // ── Backwards ──

  async #back(times: number): Promise<void> {
    const to = this.#at - times;
    if (this.#at === 0) throw new Refusal('this is the beginning');
    if (to < 0) throw new Refusal(`there are only ${this.#at} steps to go back`);
    if (this.#debuggee.kind !== 'simulation') {
      this.#at = to;
      this.#recall();
      return;
    }
    const expected = this.#history[to]!;
    const repeated = await this.#repeat(this.#open, this.#actions.slice(0, to));
    const { ours, theirs } = repeated.view;
    if (ours.state !== expected.ours.state || theirs.state !== expected.theirs.state) {
      throw new Error(`the replay of ${to} actions went another way`);
    }
    await this.#takeOver(repeated);
  }

  /** What is shown is a recorded moment, or the present again. */
  #recall(): void {
    const last = this.#history.at(-1)!;
    this.#show({ recorded: this.view !== last, steps: last.step, message: null, struck: [] });
  }

  /** Goes on from what is shown in a simulated world that has seen the same actions. */
  async #branch(): Promise<void> {
    if (this.#debuggee.kind === 'simulation') {
      throw new Refusal('this is a simulation: go back, and do something else there');
    }
    const simulate = this.#simulate;
    if (simulate === null) {
      throw new Refusal(
        'no scenario can repeat what programs have done: lab run NAME --step has branches',
      );
    }
    const kernel = this.view;
    const repeated = await this.#repeat(simulate, this.#actions.slice(0, this.#at));
    await repeated.#catchUp(kernel);
    await this.#takeOver(repeated);
    // From here on this is a run in simulation, which can be rewound to its beginning.
    this.#open = simulate;
    this.#show({ message: compared(kernel, this.view, repeated.#refused) });
  }

  /** A fresh debuggee, to which the same is done. */
  async #repeat(open: () => Promise<Debuggee>, actions: readonly Done[]): Promise<Session> {
    const session = await Session.open({ open, simulate: this.#simulate });
    await session.#redo(actions);
    return session;
  }

  async #redo(actions: readonly Done[]): Promise<void> {
    for (const { action, mark } of actions) {
      try {
        if ('packet' in action) await this.#redoDeed(action, mark);
        else if (action.do !== 'step') await this.#act(action);
        else if (mark !== null && this.#tally.find(mark) === null) this.#owed++;
        else if (!this.view.done) await this.#act(action);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        this.#refused++;
      }
    }
  }

  /** To the segment that is the same here: it may have another number, or come only with steps left out. */
  async #redoDeed(action: Extract<Action, { packet: number }>, mark: string | null): Promise<void> {
    const find = () => (mark === null ? null : this.#tally.find(mark));
    while (find() === null && (await this.#stepOwed()));
    const packet = find();
    if (packet === null) throw new Refusal('no such segment waits here');
    await this.#act({ ...action, packet });
  }

  /** Until both ends are where they were in the other run. */
  async #catchUp(other: View): Promise<void> {
    while (!haveSameStates(this.view, other) && (await this.#stepOwed()));
  }

  /** @returns whether one was left */
  async #stepOwed(): Promise<boolean> {
    if (this.#owed === 0 || this.view.done) return false;
    this.#owed--;
    await this.#act({ do: 'step' });
    return true;
  }

  async #takeOver(other: Session): Promise<void> {
    await this.#debuggee.close();
    this.#debuggee = other.#debuggee;
    this.#history = other.#history;
    this.#actions = other.#actions;
    this.#tally = other.#tally;
    this.#at = other.#at;
    this.#since = other.#since;
    this.#startUs = other.#startUs;
  }

  // ── Choices ──

  async #follow(): Promise<void> {
    const { follow } = this.#debuggee;
    if (follow === null) throw new Refusal('a scenario shows its newest connection');
    const message = await follow();
    this.refresh();
    this.#show({ message });
  }

  #choose(by: 1 | -1): void {
    const { held, chosen } = this.view;
    if (held.length === 0) throw new Refusal('nothing waits at the gate');
    const from = held.findIndex(({ id }) => id === chosen);
    const to = Math.min(Math.max(from + by, 0), held.length - 1);
    this.#show({ chosen: held[to]!.id });
  }

  #packet(id: number | null): number {
    this.#checkPresent();
    const packet = id ?? this.view.chosen;
    if (packet === null) throw new Refusal('nothing waits at the gate');
    return packet;
  }

  /** What would never be struck is not taken. */
  #check(breakpoint: Breakpoint): void {
    if (breakpoint.on !== 'timer' || breakpoint.end !== 'theirs') return;
    if (breakpoint.timer === 'retransmit' || this.#debuggee.kind === 'simulation') return;
    throw new Refusal('of a kernel’s timers only retransmit can be seen to run out');
  }

  #tellBreakpoints(): void {
    const all = this.#breakpoints.map(formatBreakpoint).join(', ');
    this.#show({ message: all === '' ? 'no breakpoints' : `continue stops at ${all}` });
  }

  #unbreak(which: number | null): void {
    if (which === null) this.#breakpoints.length = 0;
    else if (which > this.#breakpoints.length) throw new Refusal(`there is no breakpoint ${which}`);
    else this.#breakpoints.splice(which - 1, 1);
  }
}
