// A scenario of the lab as something to be stepped through. Knows runs and worlds; must not know who steps.

import type { Run } from '../lab/run.js';
import { mirrored } from '../trace/connection-name.js';
import type { Direction, End, TraceEvent } from '../trace/event.js';
import {
  type Action,
  type Debuggee,
  type Deed,
  type EndLook,
  type Forgery,
  type Look,
  Refusal,
} from './debuggee.js';
import { doDeed, FORGERIES } from './deeds.js';
import {
  connectionOfHeld,
  endOfKernel,
  endOfStack,
  lastTcb,
  NOBODY,
  newestConnection,
  Waiting,
} from './ends.js';

export class RunDebuggee implements Debuggee {
  readonly kind;
  readonly title: string;
  readonly wake = null;
  readonly follow = null;
  onChange: (() => void) | null = null;
  readonly failed = new Promise<never>(() => {});
  readonly #run: Run;
  readonly #waiting = new Waiting();
  #verdict: Look['verdict'] = null;

  constructor(run: Run) {
    this.#run = run;
    this.kind = run.world.kind;
    this.title = run.scenario.name;
    run.world.halt?.();
  }

  look(): Look {
    const { world, scenario, keeper } = this.#run;
    const { events } = world.timeline;
    const [first] = world.gate.held;
    const connection = newestConnection(events) ?? (first ? connectionOfHeld(first) : null);
    const theirs = this.#theirs(connection, events); // a kernel's is looked at now
    const next = this.#run.next();
    const { text, note } = next;
    const done = next.kind === 'done';
    const packet = next.kind === 'segment' ? next.held.id : null;
    return {
      timeUs: world.now(),
      events,
      connection,
      ours: this.#ours(connection, events),
      theirs,
      held: this.#waiting.look(world.gate, (held) => keeper.seen(held)?.origin ?? 'sent'),
      next: { text, note, packet },
      about: { end: null, what: scenario.title, why: scenario.why, section: scenario.section },
      done,
      verdict: done ? this.#judge() : null,
    };
  }

  #ours(connection: string | null, events: readonly TraceEvent[]): EndLook {
    const { core, ours } = this.#run.world;
    const { state } = ours;
    if (connection === null) return { ...NOBODY, state };
    const last = () => lastTcb(events, 'ours', connection);
    return { ...endOfStack(core, connection, last), state, endpoint: endpoint(connection, 'ours') };
  }

  #theirs(connection: string | null, events: readonly TraceEvent[]): EndLook {
    const { world } = this.#run;
    const sockets = world.theirSockets?.();
    const { state } = world.theirs;
    if (connection === null) return { ...NOBODY, state };
    const named = { ...NOBODY, state, endpoint: endpoint(connection, 'theirs') };
    if (sockets !== undefined) return { ...named, ...endOfKernel(sockets, connection), state };
    if (world.theirCore === undefined) return named;
    const last = () => lastTcb(events, 'theirs', connection);
    return { ...named, ...endOfStack(world.theirCore, mirrored(connection), last), state };
  }

  /** Judged once, when the scenario is over: what is done later is not its business. */
  #judge(): Look['verdict'] {
    if (this.#verdict === null) {
      const { passed, failures } = this.#run.result();
      this.#verdict = { passed, failures };
    }
    return this.#verdict;
  }

  /** Our time goes on only while something is done: thinking takes none of it. */
  async act(action: Action): Promise<void> {
    const { world } = this.#run;
    world.resume?.();
    try {
      await this.#act(action);
    } finally {
      world.halt?.();
    }
  }

  async #act(action: Action): Promise<void> {
    const { world, keeper } = this.#run;
    switch (action.do) {
      case 'step':
        await this.#run.step();
        return;
      case 'skip':
        await this.#skip();
        break;
      case 'inject':
        this.#inject(action.what, action.towards);
        break;
      default:
        this.#deed(action.do, action.packet);
    }
    await world.settle();
    keeper.look();
  }

  async #skip(): Promise<void> {
    const { world } = this.#run;
    if (world.kind === 'kernel') {
      throw new Refusal('a kernel’s clock cannot be moved: wait, or B branches into simulation');
    }
    const timer = world.nextTimer();
    if (timer === null) throw new Refusal('no timer runs: nothing will happen by itself');
    await world.pass(Math.max(Math.ceil(timer.ms), 1));
  }

  #inject(what: Forgery, towards: End): void {
    const direction: Direction = towards === 'ours' ? 'in' : 'out';
    if (this.#run.keeper.inject({ direction, ...FORGERIES[what] }) === null) {
      throw new Refusal('nothing was sent yet: there is no connection to forge a segment of');
    }
  }

  #deed(deed: Deed, id: number): void {
    const { keeper, world } = this.#run;
    const held = world.gate.held.find((each) => each.id === id);
    if (held === undefined) throw new Refusal(`packet #${id} does not wait at the gate`);
    doDeed(keeper, deed, held);
  }

  close(): Promise<void> {
    this.#run.world.resume?.();
    return this.#run.world.close();
  }
}

function endpoint(connection: string, end: End): string {
  return connection.split(' ')[end === 'ours' ? 0 : 1]!;
}
