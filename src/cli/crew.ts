// `finwait serve --workers`: several threads, each with a queue of one device and a stack of its own, as one
// to everybody else. Knows orders and answers; what a thread does stands in worker.ts.

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { SYSTEM } from '../device/process-time.js';
import { connectShares, type Share } from '../device/shared.js';
import type { Input } from './command.js';
import { ControlServer } from './control.js';
import { EXIT_FAILED, type ExitCode, Failure } from './failure.js';
import { type HostFacts, openControl, refused } from './host.js';
import { mergeReports, type StackReport } from './report.js';
import type { Ports, Team } from './service-set.js';
import type { Serving, Speech } from './solo.js';

/** What a thread is told when it begins. */
export interface WorkerData {
  /** Of the command line. */
  readonly values: Input['values'];
  readonly ports: Ports;
  readonly share: Share;
  readonly team: Team;
  /** Of the interface that the first thread has made; null for that one. */
  readonly name: string | null;
}

/** What a thread is told to do; it answers each order with the report of the same row. */
export type Order =
  | { kind: 'open' } // opened
  | { kind: 'start' } // started
  | { kind: 'count' } // count
  | { kind: 'report' } // report
  | { kind: 'stop'; graceMs: number } // stopped
  | { kind: 'close' }; // closed

/** What a thread says; 'line', 'warning' and 'failed' come unasked. */
export type Report =
  | { kind: 'opened'; facts: HostFacts }
  | { kind: 'started' | 'stopped' | 'closed' }
  | { kind: 'count'; count: number }
  | { kind: 'report'; report: StackReport }
  | { kind: 'line' | 'warning'; line: string }
  | { kind: 'failed'; message: string; fix: string; exitCode: ExitCode; stack: string };

type Answer<Kind extends Report['kind']> = Extract<Report, { kind: Kind }>;

interface Question {
  readonly kind: Report['kind'];
  resolve(report: Report): void;
  reject(error: Error): void;
}

/** One thread, seen from the main one. */
class Member {
  readonly exited: Promise<void>;
  private readonly worker: Worker;
  private readonly questions: Question[] = [];
  private failure: Error | null = null;

  constructor(data: WorkerData, speech: Speech, failed: (error: Error) => void) {
    const { share, team } = data;
    const all = [...share.peers, ...(team.others ?? []), team.first];
    const ports = all.filter((port): port is MessagePort => port !== null);
    const url = new URL('./worker.js', import.meta.url);
    this.worker = new Worker(url, { workerData: data, transferList: ports });
    const fail = (error: Error) => {
      this.failure ??= error;
      for (const { reject } of this.questions.splice(0)) reject(this.failure);
      failed(error);
    };
    this.worker.on('message', (report: Report) => {
      if (report.kind === 'line') speech.say(report.line);
      else if (report.kind === 'warning') speech.warn(report.line);
      else if (report.kind === 'failed') fail(toFailure(report));
      else this.answered(report);
    });
    this.worker.on('error', (error: Error) => fail(crashed(share.index, error)));
    this.exited = new Promise((resolve) => {
      this.worker.once('exit', () => {
        fail(crashed(share.index, new Error('it has ended')));
        resolve();
      });
    });
  }

  ask<Kind extends Report['kind']>(order: Order, kind: Kind): Promise<Answer<Kind>> {
    if (this.failure !== null) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.questions.push({ kind, resolve: resolve as (report: Report) => void, reject });
      this.worker.postMessage(order);
    });
  }

  /** An order may take longer than those after it. */
  private answered(report: Report): void {
    const i = this.questions.findIndex(({ kind }) => kind === report.kind);
    this.questions.splice(i, 1)[0]?.resolve(report);
  }

  async end(): Promise<void> {
    // A thread that hangs must not keep the program: its queue goes with it.
    const timer = setTimeout(() => void this.worker.terminate(), CLOSE_MS);
    await this.ask({ kind: 'close' }, 'closed').catch(() => this.worker.terminate());
    await this.exited;
    clearTimeout(timer);
  }
}

/** Why no debugger can step through several threads. */
const NO_GATE: readonly [error: string, fix: string] = [
  'it serves with several workers, whose packets cannot wait at one gate',
  'start it with one: finwait serve, without --workers',
];

/** Longest that a thread may take to close its device. */
const CLOSE_MS = 2000;

export class Crew implements Serving {
  readonly facts: HostFacts;
  readonly failed: Promise<never>;
  private readonly members: readonly Member[];
  private readonly control: ControlServer | null;

  private constructor(
    members: readonly Member[],
    facts: HostFacts,
    failed: Promise<never>,
    control: ControlServer | string,
  ) {
    this.members = members;
    this.failed = failed;
    this.control = control instanceof ControlServer ? control : null;
    const warnings = typeof control === 'string' ? [...facts.warnings, control] : facts.warnings;
    this.facts = { ...facts, warnings };
  }

  /** Opens `count` threads and starts their services; throws failures, and leaves nothing behind. */
  static async open(count: number, input: Input, ports: Ports, speech: Speech): Promise<Crew> {
    const members: Member[] = [];
    let fail = (_: Error) => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    failed.catch(() => {}); // whoever serves looks at it later
    try {
      const peers = connectShares(count);
      const teams = connectTeam(count);
      let facts: HostFacts | null = null;
      // One after the other: the kernel numbers queues in the order in which they come.
      for (let index = 0; index < count; index++) {
        const share: Share = { index, count, peers: peers[index]! };
        const data: WorkerData = {
          values: orders(input),
          ports,
          share,
          team: teams[index]!,
          name: facts?.name ?? null,
        };
        const member: Member = new Member(data, speech, fail);
        members.push(member);
        const opened: Answer<'opened'> = await member.ask({ kind: 'open' }, 'opened');
        facts ??= opened.facts;
      }
      await Promise.all(members.map((member) => member.ask({ kind: 'start' }, 'started')));
      const control = await openControl(facts!.name, () => collectReports(members), {
        debug: (caller) => refused(caller, ...NO_GATE),
      });
      return new Crew(members, facts!, failed, control);
    } catch (error) {
      await Promise.all(members.map((member) => member.end()));
      throw error;
    }
  }

  async connections(): Promise<number> {
    const answers = await Promise.all(
      this.members.map((member) => member.ask({ kind: 'count' }, 'count')),
    );
    return answers.reduce((sum, { count }) => sum + count, 0);
  }

  /** All end before any device is closed: until then each may get packets for the others. */
  async stop(graceMs: number): Promise<void> {
    await Promise.all(this.members.map((each) => each.ask({ kind: 'stop', graceMs }, 'stopped')));
  }

  async close(): Promise<void> {
    this.control?.close();
    await Promise.all(this.members.map((member) => member.end()));
  }
}

/** The command line for a thread, which cannot know whether there is a debugger. */
function orders({ values }: Input): Input['values'] {
  return SYSTEM.isInspected() ? new Map(values).set('discount-pauses', true) : values;
}

/** The ports between the first thread and each other one. */
function connectTeam(count: number): Team[] {
  const pairs = Array.from({ length: count - 1 }, () => new MessageChannel());
  return [
    { others: pairs.map(({ port1 }) => port1), first: null },
    ...pairs.map(({ port2 }) => ({ others: null, first: port2 })),
  ];
}

async function collectReports(members: readonly Member[]): Promise<StackReport> {
  const answers = members.map((member) => member.ask({ kind: 'report' }, 'report'));
  return mergeReports((await Promise.all(answers)).map(({ report }) => report));
}

function toFailure({ exitCode, message, fix, stack }: Answer<'failed'>): Failure {
  const cause = new Error(message);
  cause.stack = stack;
  return new Failure(exitCode, message, fix, cause);
}

function crashed(index: number, error: Error): Failure {
  return new Failure(
    EXIT_FAILED,
    `worker ${index} has crashed: ${error.message}`,
    'run the same command with --debug, and report what it prints',
    error,
  );
}
