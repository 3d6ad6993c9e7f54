// `finwait ss`: what the running stacks are doing, as ss(8) shows it. Must not know stacks, only reports.

import { styleText } from 'node:util';
import { formatEndpoint } from '../services/describe.js';
import type { Command, Input } from './command.js';
import { ask, controlSockets, runtimeDirectories } from './control.js';
import { EXIT_FAILED, EXIT_OK, Failure, usage } from './failure.js';
import type { SocketReport, StackReport, WorkerReport } from './report.js';
import { formatDuration, formatTable } from './text.js';

const HEADINGS = ['State', 'Recv-Q', 'Send-Q', 'Local Address:Port', 'Peer Address:Port', 'Timer'];

/** What ss(8) leaves out unless it is asked: listeners, half-open connections, TIME-WAIT. */
const QUIET_STATES = new Set(['LISTEN', 'SYN-RECEIVED', 'TIME-WAIT']);

/** Who has to act before a state is left, where it may last as long as that one pleases. */
const WAITING: Readonly<Record<string, string>> = {
  'CLOSE-WAIT': 'the application has not closed',
  'FIN-WAIT-2': 'the peer has not closed',
};

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
  const reports = await collect(input.text('name'));
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

async function collect(name: string | undefined): Promise<StackReport[]> {
  const paths = controlSockets();
  const answers = await Promise.all(paths.map((path) => ask(path, { command: 'sockets' })));
  const reports = answers.filter((answer) => answer !== null) as StackReport[];
  const chosen = reports.filter((report) => name === undefined || report.name === name);
  if (chosen.length > 0) return chosen;
  if (reports.length > 0) {
    const names = reports.map((report) => report.name).join(', ');
    throw new Failure(EXIT_FAILED, `no stack runs on ${name}`, `choose one of ${names}`);
  }
  const elsewhere = process.getuid!() === 0 ? '' : '; one that root started: sudo finwait ss';
  throw new Failure(
    EXIT_FAILED,
    `no finwait stack of this user is running (none in ${runtimeDirectories().join(', ')})`,
    `start one with finwait serve${elsewhere}`,
  );
}

/** A heading with the counts of all there is, then a table of what is to be shown. */
function formatReport(all: StackReport, shown: StackReport): string {
  const count = (test: (state: string) => boolean) =>
    all.sockets.filter(({ state }) => test(state)).length;
  const heading = [
    `${all.name} (pid ${all.pid}, ${all.addresses.join(', ')})`,
    `${count((state) => state !== 'LISTEN' && state !== 'TIME-WAIT')} connections`,
    `${count((state) => state === 'LISTEN')} listeners`,
    `${count((state) => state === 'TIME-WAIT')} in TIME-WAIT`,
  ].join(', ');
  const rows = shown.sockets.map(formatRow);
  const workers = (all.workers ?? []).map(formatWorker).join('');
  return `${styleText('bold', heading)}\n${workers}${formatTable([HEADINGS, ...rows])}`;
}

function formatWorker(worker: WorkerReport, index: number): string {
  const { connections, packetsIn, packetsOut, passedOn, takenOver } = worker;
  const misled =
    passedOn + takenOver === 0 ? '' : `; ${passedOn} passed on, ${takenOver} taken over`;
  return (
    `worker ${index}: ${connections} connections, ` +
    `${packetsIn} packets in, ${packetsOut} out${misled}\n`
  );
}

function formatRow(socket: SocketReport): string[] {
  const { state, recvQ, sendQ, local, peer, timer } = socket;
  const notes = [
    ...(timer === null ? [] : [`timer:(${timer.name},${formatDuration(timer.ms)},${timer.tries})`]),
    ...(state in WAITING ? [WAITING[state]!] : []),
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
