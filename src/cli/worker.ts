// A thread of `finwait serve --workers`: a host and its services, as the crew in the main thread says.
// Knows its orders; must not know the other threads.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Input } from './command.js';
import type { Order, Report, WorkerData } from './crew.js';
import { asFailure } from './failure.js';
import { Host } from './host.js';
import { readStackOptions, STACK_OPTIONS } from './network-options.js';
import { ServiceSet } from './service-set.js';
import { watchDevice } from './solo.js';

const port = parentPort as MessagePort;
const { values, ports, share, team, name } = workerData as WorkerData;

let host: Host | null = null;
let services: ServiceSet | null = null;

function tell(report: Report): void {
  port.postMessage(report);
}

function fail(error: unknown): void {
  const { message, fix, exitCode, stack = '' } = asFailure(error);
  tell({ kind: 'failed', message, fix, exitCode, stack });
}

async function open(): Promise<void> {
  const input = new Input(values, STACK_OPTIONS, []);
  host = await Host.open({ ...readStackOptions(input), ...(name !== null && { name }) }, share);
  // All threads see what happens to the device; one of them says it.
  const warn = (line: string) => share.index === 0 && tell({ kind: 'warning', line });
  watchDevice(host, { warn, say: () => {} }).catch(fail);
  tell({ kind: 'opened', facts: host.facts });
}

async function start(): Promise<void> {
  const say = (line: string) => tell({ kind: 'line', line });
  services = await ServiceSet.start(host!.stack, ports, say, team);
  tell({ kind: 'started' });
}

async function close(): Promise<void> {
  await host?.close(0);
  tell({ kind: 'closed' });
  port.close();
}

async function obey(order: Order): Promise<void> {
  if (order.kind === 'open') await open();
  else if (order.kind === 'start') await start();
  else if (order.kind === 'close') await close();
  else if (order.kind === 'count') tell({ kind: 'count', count: services!.connections });
  else if (order.kind === 'report') tell({ kind: 'report', report: host!.report() });
  else {
    await services!.close(order.graceMs);
    tell({ kind: 'stopped' });
  }
}

port.on('message', (order: Order) => void obey(order).catch(fail));
