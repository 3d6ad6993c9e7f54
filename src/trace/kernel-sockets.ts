// The TCP sockets of a kernel, as /proc/net/tcp and tcp6 list them (proc(5)). Knows their format; must not
// know whose they are.

import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { formatEnd, IpAddress } from '../wire/address.js';
import type { KernelView } from './event.js';

/** Linux's numbers of states (include/net/tcp_states.h), with the names of RFC 9293. */
const STATES: readonly string[] = [
  'CLOSED',
  'ESTABLISHED',
  'SYN-SENT',
  'SYN-RECEIVED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'TIME-WAIT',
  'CLOSED',
  'CLOSE-WAIT',
  'LAST-ACK',
  'LISTEN',
  'CLOSING',
  'SYN-RECEIVED',
];

/** The column `tr`. The first stands for the tail loss probe and for reordering, too. */
const TIMERS: readonly string[] = ['', 'retransmit', 'keepalive', 'time-wait', 'persist'];

/** The column `tm->when` counts in these (USER_HZ is 100 everywhere). */
const TICK_MS = 10;

/** Words stand in the file as the machine has them in memory. */
const LITTLE_ENDIAN = endianness() === 'LE';

export interface KernelSocket extends KernelView {
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  /** 0 of a listener. */
  remotePort: number;
}

/**
 * All of one network namespace.
 * @param folder `/proc/net`, or `/proc/PID/net` for the namespace of a process
 * @throws Error when the folder cannot be read: the process is gone
 */
export function kernelSockets(folder: string): KernelSocket[] {
  return ['tcp', 'tcp6'].flatMap((file) => parseSockets(readTable(join(folder, file))));
}

/** There is no tcp6 in a kernel without IPv6. */
function readTable(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (path.endsWith('6') && (error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** The rows of such a file; its first line has the titles. */
export function parseSockets(text: string): KernelSocket[] {
  const lines = text.split('\n').slice(1);
  return lines.filter((line) => line !== '').map(parseRow);
}

/** As in `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 …`. */
function parseRow(line: string): KernelSocket {
  const [, local, remote, state, queues, timer, retransmits] = line.trim().split(/\s+/) as string[];
  const [localAddress, localPort] = parseEnd(local!);
  const [remoteAddress, remotePort] = parseEnd(remote!);
  const [sendQueue, receiveQueue] = parsePair(queues!);
  const [kind, ticks] = parsePair(timer!);
  return {
    state: STATES[hex(state!)] ?? `state ${hex(state!)}`,
    localAddress,
    localPort,
    remoteAddress,
    remotePort,
    timer: kind === 0 ? null : { name: TIMERS[kind] ?? `timer ${kind}`, ms: ticks * TICK_MS },
    sendQueue,
    receiveQueue,
    retransmits: hex(retransmits!),
  };
}

function parseEnd(text: string): [address: string, port: number] {
  const [digits, port] = text.split(':') as [string, string];
  const words = (digits.match(/.{8}/g) ?? []).map(parseWord);
  const address =
    words.length === 1
      ? IpAddress.v4(words[0]!)
      : IpAddress.v6(words[0]!, words[1]!, words[2]!, words[3]!);
  return [address.toString(), hex(port)];
}

function parseWord(digits: string): number {
  const bytes = digits.match(/../g)!;
  return hex((LITTLE_ENDIAN ? bytes.reverse() : bytes).join('')) | 0;
}

function parsePair(text: string): [number, number] {
  const [first, second] = text.split(':') as [string, string];
  return [hex(first), hex(second)];
}

function hex(digits: string): number {
  return Number.parseInt(digits, 16);
}

/** Both ends as text, as `TraceEvent.connection` has them: the socket's own end last. */
export function connectionOf(socket: KernelSocket): string {
  const ours = formatEnd(socket.remoteAddress, socket.remotePort);
  return `${ours} ${formatEnd(socket.localAddress, socket.localPort)}`;
}
