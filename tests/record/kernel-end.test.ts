// The kernel's end, from its tables to events: what the rows of /proc/net/tcp say, and what two looks say
// about the time between them.

import { describe, expect, it } from 'vitest';
import type { KernelView, TraceEvent } from '../../src/trace/event.js';
import { KernelEnd } from '../../src/trace/kernel-end.js';
import { type KernelSocket, parseSockets } from '../../src/trace/kernel-sockets.js';
import { Timeline } from '../../src/trace/timeline.js';

const TITLES =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

describe('a row of /proc/net/tcp', () => {
  const row = (text: string) => parseSockets(`${TITLES}\n${text}\n`)[0]!;

  it('of a connection that retransmits', () => {
    const text =
      '   1: 0100090A:D431 0200090A:0050 04 00000001:00000000 01:00000013 00000002     0        0 0 2 ' +
      '0000000000000000 20 4 30 10 -1';
    expect(row(text)).toEqual({
      state: 'FIN-WAIT-1',
      localAddress: '10.9.0.1',
      localPort: 54_321,
      remoteAddress: '10.9.0.2',
      remotePort: 80,
      timer: { name: 'retransmit', ms: 190 },
      sendQueue: 1,
      receiveQueue: 0,
      retransmits: 2,
    });
  });

  it('of TIME-WAIT, and of a listener', () => {
    const ends = '0100090A:D431 0200090A:0050';
    expect(row(`   2: ${ends} 06 00000000:00000000 03:00001770 00000000 0 0 0 3 0`)).toMatchObject({
      state: 'TIME-WAIT',
      timer: { name: 'time-wait', ms: 60_000 },
    });
    const listener =
      '00000000:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000 0 0 7 1 0';
    expect(row(`   0: ${listener}`)).toMatchObject({
      state: 'LISTEN',
      localAddress: '0.0.0.0',
      remotePort: 0,
      timer: null,
      receiveQueue: 3,
    });
  });

  it('of tcp6: words as they are in memory, and IPv4 as itself', () => {
    const fd09 = '000009FD000000000000000001000000';
    const mapped = '0000000000000000FFFF00000100090A';
    const rest = '01 00000000:00000000 00:00000000 00000000 0 0 0 1 0';
    expect(row(`   3: ${fd09}:0050 ${mapped}:9C40 ${rest}`)).toMatchObject({
      state: 'ESTABLISHED',
      localAddress: 'fd09::1',
      remoteAddress: '10.9.0.1',
      remotePort: 40_000,
    });
  });
});

/** What a look shows of one connection; null when it shows nothing. */
function looks(views: readonly (Partial<KernelView & KernelSocket> | null)[]): TraceEvent[] {
  const timeline = new Timeline();
  const end = new KernelEnd(timeline, () => 7);
  const ends = {
    localAddress: '10.9.0.1',
    localPort: 40_000,
    remoteAddress: '10.9.0.2',
    remotePort: 80,
  };
  const idle = { timer: null, sendQueue: 0, receiveQueue: 0, retransmits: 0 };
  for (const view of views) {
    const socket = { state: 'ESTABLISHED', ...idle, ...ends, ...view } as KernelSocket;
    end.sample(view === null ? [] : [socket]);
  }
  return [...timeline.events];
}

const statesOf = (events: readonly TraceEvent[]) =>
  events.flatMap((event) => (event.kind === 'state' ? `${event.from} → ${event.to}` : []));

describe('from one look to the next', () => {
  it('a state that can follow at once is told as it is', () => {
    const events = looks([
      { state: 'SYN-SENT' },
      { state: 'ESTABLISHED' },
      { state: 'FIN-WAIT-1' },
    ]);
    expect(statesOf(events)).toEqual([
      'CLOSED → SYN-SENT',
      'SYN-SENT → ESTABLISHED',
      'ESTABLISHED → FIN-WAIT-1',
    ]);
    expect(events[0]).toMatchObject({
      end: 'theirs',
      connection: '10.9.0.2:80 10.9.0.1:40000',
      timeUs: 7,
      tcb: null,
    });
  });

  it('between two that cannot, something was not seen', () => {
    const events = looks([{ state: 'ESTABLISHED' }, { state: 'LAST-ACK' }, null]);
    expect(statesOf(events)).toEqual([
      'CLOSED → not seen',
      'not seen → ESTABLISHED',
      'ESTABLISHED → not seen',
      'not seen → LAST-ACK',
      'LAST-ACK → CLOSED',
    ]);
  });

  it('a listener is told once, and those who call it find it in LISTEN', () => {
    const listener: Partial<KernelSocket> = { state: 'LISTEN', remotePort: 0 };
    const events = looks([listener, listener, { state: 'SYN-RECEIVED' }]);
    expect(statesOf(events)).toEqual(['CLOSED → LISTEN', 'LISTEN → SYN-RECEIVED']);
    expect(events[0]).toMatchObject({ end: 'theirs', connection: null });
    const [, called] = looks([listener, { state: 'SYN-SENT' }]);
    expect(called).toMatchObject({ from: 'CLOSED', to: 'SYN-SENT' });
  });

  it('nothing is told while nothing changes, though timers run down', () => {
    const timer = (ms: number) => ({ timer: { name: 'retransmit', ms }, sendQueue: 1 });
    const events = looks([timer(200), timer(190), timer(10)]);
    expect(events.filter(({ kind }) => kind === 'sample')).toHaveLength(1);
  });

  it('a timer that is set, and what waits in a queue, are told with what the kernel says', () => {
    const events = looks([{}, { timer: { name: 'retransmit', ms: 200 }, sendQueue: 9 }, {}]);
    expect(events.filter(({ kind }) => kind === 'sample')).toMatchObject([
      { state: 'ESTABLISHED', timer: { name: 'retransmit', ms: 200 }, sendQueue: 9 },
      { state: 'ESTABLISHED', timer: null, sendQueue: 0 },
    ]);
  });
});
