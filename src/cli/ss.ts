// `finwait ss`: what the running stacks are doing, as ss(8) shows it. Must not know stacks, only reports.

import { styleText } from 'node:util';
import { WAITED_FOR } from '../lab/states.js';
import { formatEndpoint } from '../services/describe.js';
import type { Command, Input } from './command.js';
import { EXIT_OK, usage } from './failure.js';
import type { SocketReport, StackReport, WorkerReport } from './report.js';
import { runningStacks } from './stacks.js';
import { amount, formatDuration, formatTable } from './text.js';

const HEADINGS = ['State', 'Recv-Q', 'Send-Q', 'Local Address:Port', 'Peer Address:Port', 'Timer'];

/** What ss(8) leaves out unless it is asked: listeners, half-open connections, TIME-WAIT. */
const QUIET_STATES = new Set(['LISTEN', 'SYN-RECEIVED', 'TIME-WAIT']);

export const ssCommand: Command = {
  name: 'ss',
  usage: ['ss [-a | -l] [--json] [--name NAME]'],
  description:
    'Shows the TCP connections of the running finwait stacks, in the columns of `ss -tano`.\n' +
    'Recv-Q and Send-Q count bytes; of a listener, connections to be accepted and the backlog.',
  options: {
    all: { short: 'a', help: 'listeners, half-open connections and TIME-WAIT records, too' },
    listening: { short: 'l', help: 'listeners only' },
    name: { value: 'NAME', help: 'only the stack on the interface of this name' },
    json: { help: 'as JSON: an array, one object a stack' },
  },
  maxArguments: 0,
  run: runSs,
};

async function runSs(input: Input): Promise<number> {
  if (input.given('all') && input.given('listening')) {
    throw usage('--all and --listening exclude each other', 'leave out one of them');
  }
  const stacks = await runningStacks(input.text('name'), 'ss');
  const reports = stacks.map(({ report }) => report);
  const wanted = reports.map((report) => ({
    ...report,
    sockets: report.sockets.filter(({ state }) =>
      input.given('listening')
        ? state === 'LISTEN'
        : input.given('all') || !QUIET_STATES.has(state),
    ),
  }));
  if (input.given('json')) process.stdout.write(`${JSON.stringify(wanted, null, 2)}\n`);
  else process.stdout.write(wanted.map((shown, i) => formatReport(reports[i]!, shown)).join('\n'));
  return EXIT_OK;
}

/** A heading with the counts of all there is, then a table of what is to be shown. */
function formatReport(all: StackReport, shown: StackReport): string {
  const count = (test: (state: string) => boolean) =>
    all.sockets.filter(({ state }) => test(state)).length;
  const heading = [
    `${all.name} (pid ${all.pid}, ${all.addresses.join(', ')})`,
    amount(
      count((state) => state !== 'LISTEN' && state !== 'TIME-WAIT'),
      'connection',
    ),
    amount(
      count((state) => state === 'LISTEN'),
      'listener',
    ),
    `${count((state) => state === 'TIME-WAIT')} in TIME-WAIT`,
  ].join(', ');
  const workers = (all.workers ?? []).map(formatWorker).join('');
  return `${styleText('bold', heading)}\n${workers}${formatSockets(shown.sockets)}`;
}

/** A table, with who has to act where that one may take its time. */
export function formatSockets(sockets: readonly SocketReport[]): string {
  return formatTable([HEADINGS, ...sockets.map(formatRow)]);
}

/** Whether somebody is waited for who may take any time. */
export function waitsForSomebody({ state }: SocketReport): boolean {
  return state in WAITED_FOR;
}

function formatWorker(worker: WorkerReport, index: number): string {
  const { connections, packetsIn, packetsOut, passedOn, takenOver } = worker;
  const misled =
    passedOn + takenOver === 0 ? '' : `; ${passedOn} passed on, ${takenOver} taken over`;
  return (
    `worker ${index}: ${amount(connections, 'connection')}, ` +
    `${packetsIn} packets in, ${packetsOut} out${misled}\n`
  );
}

function formatRow(socket: SocketReport): string[] {
  const { state, recvQ, sendQ, local, peer, timer } = socket;
  const notes = [
    ...(timer === null ? [] : [`timer:(${timer.name},${formatDuration(timer.ms)},${timer.tries})`]),
    ...(state in WAITED_FOR ? [WAITED_FOR[state]!] : []),
  ];
  return [
    state,
    String(recvQ),
    String(sendQ),
    formatEndpoint(local.address, local.port),
    formatEndpoint(peer.address, peer.port),
    notes.join(' '),
  ];
}
