// Carries out a scenario in a world, step by step. Knows the order of things; must not know which world
// it is, or who watches.

import type { HeldPacket } from '../device/gate.js';
import type { SegmentFields } from '../trace/event.js';
import { isTrue } from './conditions.js';
import { Faults } from './faults.js';
import { Gatekeeper } from './gatekeeper.js';
import { judge, type Result } from './result.js';
import type { Call, Condition, Fault, Injection, Scenario, Step } from './scenario.js';
import {
  callInWords,
  conditionInWords,
  duration,
  heading,
  injectionInWords,
  segmentInWords,
} from './words.js';
import type { World } from './world.js';

/** What `step()` would do now. */
export type Next = {
  /** In words. */
  readonly text: string;
  /** What the scenario says about it, or what it waits for. */
  readonly note: string | null;
} & (
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'inject'; readonly injection: Injection }
  | {
      readonly kind: 'segment';
      readonly held: HeldPacket;
      readonly segment: SegmentFields | null;
      /** Strikes the segment instead of letting it pass. */
      readonly fault: Fault | null;
    }
  /** At most so many milliseconds; less when something happens. */
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'done' }
);

/** How long one `until` may take: of virtual time, or of real time in which nobody was thinking. */
const PATIENCE_MS = { simulation: 3_600_000, kernel: 30_000 };
/** And how many steps: more than megabytes need, fewer than for ever. */
const PATIENCE_STEPS = 100_000;
/** Time passes in pieces, so that whoever steps gets an answer soon. */
const SLICE_MS = 1000;

export class Run {
  readonly scenario: Scenario;
  readonly world: World;
  readonly keeper: Gatekeeper;
  /** Place in the scenario's steps. */
  #at = 0;
  /** What went wrong on the way; the first such thing ends the run. */
  #failure: string | null = null;
  /** Of the step at which we stand: time that has passed, and steps taken. */
  #waitedMs = 0;
  #stepsTaken = 0;
  readonly #faults: Faults;

  constructor(scenario: Scenario, world: World) {
    this.scenario = scenario;
    this.world = world;
    this.keeper = new Gatekeeper(world);
    this.#faults = new Faults(this.keeper, scenario.faults);
  }

  get done(): boolean {
    this.#advance();
    return this.#failure !== null || this.#at >= this.scenario.steps.length;
  }

  /** What `step()` would do now; nothing happens. */
  next(): Next {
    if (this.done)
      return { kind: 'done', text: this.#failure ?? 'the scenario is over', note: null };
    const step = this.scenario.steps[this.#at]!;
    const note = step.note ?? null;
    if ('call' in step) return { kind: 'call', call: step, text: callInWords(step), note };
    if ('inject' in step) {
      const injection = step.inject;
      return { kind: 'inject', injection, text: injectionInWords(injection), note };
    }
    return this.#nextPassage('until' in step ? step.until : step.holds, note);
  }

  /** Carries out what `next()` says. Does not wait for longer than a second. */
  async step(): Promise<void> {
    const next = this.next();
    switch (next.kind) {
      case 'done':
        return;
      case 'call':
        await this.#call(next.call);
        break;
      case 'inject':
        this.#inject(next.injection);
        break;
      case 'segment':
        this.#faults.carryOut(next.held);
        break;
      case 'time':
        await this.#pass(next.ms);
    }
    await this.world.settle();
    this.keeper.look();
    this.#stepsTaken += 1;
    this.#advance();
  }

  /** What has come of it so far: passed or failed only when the run is done. */
  result(): Result {
    return judge(this.scenario, this.world, this.keeper, this.#failure);
  }

  // ── Where we stand ──

  /** Goes over all steps that need nothing to be done. */
  #advance(): void {
    const { steps } = this.scenario;
    while (this.#failure === null && this.#at < steps.length) {
      const step = steps[this.#at]!;
      if ('until' in step && this.#isTrue(step.until)) this.#stepDone();
      else if ('holds' in step) this.#check(step.holds, step.note);
      else break;
    }
    if (this.#stepsTaken > PATIENCE_STEPS) this.#fail('this goes on for ever');
  }

  #stepDone(): void {
    this.#at += 1;
    this.#waitedMs = 0;
    this.#stepsTaken = 0;
  }

  #check(condition: Condition, note: string): void {
    if (this.#isTrue(condition)) this.#stepDone();
    else this.#fail(`${note}: that ${conditionInWords(condition)} does not hold`);
  }

  #isTrue(condition: Condition): boolean {
    return isTrue(condition, this.world, this.keeper);
  }

  #fail(why: string): void {
    const { steps } = this.scenario;
    const step = steps[Math.min(this.#at, steps.length - 1)]!;
    const { ours, theirs } = this.world;
    this.#failure ??=
      `step ${this.#at + 1} of ${steps.length} (${stepInWords(step)}): ${why}; ` +
      `we are in ${ours.state}, the peer is in ${theirs.state}`;
  }

  // ── What comes next ──

  #nextPassage(until: Condition, note: string | null): Next {
    const why = note ?? `until ${conditionInWords(until)}`;
    const held = this.world.gate.held.find((packet) => this.#faults.mayGo(packet));
    if (held === undefined) {
      const left = PATIENCE_MS[this.world.kind] - this.#waitedMs;
      return this.#time(Math.max(Math.floor(left), 0), why);
    }
    const segment = this.keeper.seen(held)?.segment ?? null;
    const fault = this.#faults.of(held);
    const what = segment === null ? 'a packet' : segmentInWords(segment);
    const text =
      fault === null
        ? `${what} passes, ${heading(held.direction)}`
        : `${what}, ${heading(held.direction)}, ${faultInWords(fault)}: ${fault.note}`;
    return { kind: 'segment', held, segment, fault, text, note: why };
  }

  #time(most: number, note: string | null): Next {
    const timer = this.world.nextTimer();
    const slice = timer === null || this.world.kind === 'kernel' ? SLICE_MS : timer.ms;
    const ms = Math.min(Math.max(slice, 1), most);
    const whose = timer?.end === 'ours' ? 'our' : "the peer's";
    const text =
      timer === null
        ? 'time passes; no timer is known to run'
        : `time passes; ${whose} ${timer.name} timer is due in ${duration(timer.ms)}`;
    return { kind: 'time', ms, text, note };
  }

  // ── What is done ──

  async #call(call: Call & { fails?: string }): Promise<void> {
    const error = await this.world[call.end].call(call);
    const expected = call.fails ?? null;
    if (error === expected) this.#stepDone();
    else if (error === null) this.#fail(`it succeeds, though ${expected} is expected`);
    else this.#fail(`it fails with ${error}${expected === null ? '' : `, not with ${expected}`}`);
  }

  #inject(injection: Injection): void {
    if (this.keeper.inject(injection) === null)
      this.#fail('there is no connection to forge one of');
    else this.#stepDone();
  }

  async #pass(ms: number): Promise<void> {
    const before = this.world.now();
    const somethingComes = ms > 0 && (await this.world.pass(ms));
    this.#waitedMs += (this.world.now() - before) / 1000;
    if (somethingComes) return;
    this.#fail(ms > 0 ? 'nothing will ever happen any more' : 'patience is over');
  }
}

function faultInWords({ do: what }: Fault): string {
  if (typeof what === 'object') return 'is held back';
  const words = {
    drop: 'is lost',
    duplicate: 'comes twice',
    swap: 'is overtaken',
    corrupt: 'is damaged',
  };
  return words[what];
}

function stepInWords(step: Step): string {
  if ('call' in step) return callInWords(step);
  if ('inject' in step) return injectionInWords(step.inject);
  if ('until' in step) return `until ${conditionInWords(step.until)}`;
  return conditionInWords(step.holds);
}

/** Carries out all of it, and closes the world. */
export async function runScenario(scenario: Scenario, world: World): Promise<Result> {
  try {
    const run = new Run(scenario, world);
    while (!run.done) await run.step();
    return run.result();
  } finally {
    await world.close();
  }
}
