// The iperf3 server to clients that make no sense, do too much or too little: over the loopback of a
// stack without a device, by bytes. The real client is in tests/kernel/iperf3.test.ts.

import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/device/system-clock.js';
import type { Socket } from '../../src/net/socket.js';
import { Stack } from '../../src/net/stack.js';
import { Iperf3Server } from '../../src/services/iperf3.js';

const COOKIE = 'abcdefghijklmnopqrstuvwxyz0123456789\0';
const OTHER = COOKIE.replace('a', 'b');

const PARAM_EXCHANGE = 9;
const CREATE_STREAMS = 10;
const TEST_START = 1;
const TEST_RUNNING = 2;
const TEST_END = 4;
const EXCHANGE_RESULTS = 13;
const DISPLAY_RESULTS = 14;
const IPERF_DONE = 16;
const ACCESS_DENIED = 255;
const SERVER_ERROR = 254;

let stack: Stack;
let server: Iperf3Server;
let lines: string[];

beforeEach(() => {
  stack = new Stack({ clock: new SystemClock(), memory: 64 * 1024 * 1024 });
  start();
});

afterEach(async () => {
  await server.close();
  await stack.close(0);
});

function start(patience = { stepMs: 5000, idleMs: 5000 }): void {
  lines = [];
  server = new Iperf3Server(stack.core, { patience, onTest: (line) => lines.push(line) });
}

async function restart(patience: { stepMs: number; idleMs: number }): Promise<void> {
  await server.close();
  start(patience);
}

/** A connection of a client, read byte by byte. */
class Client {
  readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
  }

  static async open(hello = COOKIE): Promise<Client> {
    const socket = stack.net.connect({ port: 5201, host: '10.9.0.2', allowHalfOpen: true });
    await once(socket, 'connect');
    socket.write(hello);
    return new Client(socket);
  }

  /** A client that was asked for its parameters, and has given them. */
  static async with(parameters: unknown): Promise<Client> {
    const client = await Client.open();
    expect(await client.byte()).toBe(PARAM_EXCHANGE);
    client.json(parameters);
    return client;
  }

  json(value: unknown): void {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    this.bytes(text.length >>> 24, text.length >>> 16, text.length >>> 8, text.length);
    this.socket.write(text);
  }

  bytes(...bytes: number[]): void {
    this.socket.write(Uint8Array.from(bytes));
  }

  async read(length: number): Promise<Buffer> {
    for (;;) {
      const piece = this.socket.read(length) as Buffer | null;
      if (piece !== null) return piece;
      if (this.socket.readableEnded || this.socket.destroyed) throw new Error('it has ended');
      await Promise.race([once(this.socket, 'readable'), once(this.socket, 'close')]);
    }
  }

  async byte(): Promise<number> {
    return (await this.read(1))[0]!;
  }

  /** SERVER_ERROR with its number. */
  async error(): Promise<number> {
    expect(await this.byte()).toBe(SERVER_ERROR);
    const numbers = await this.read(8);
    expect(numbers.readInt32BE(4)).toBe(0);
    return numbers.readInt32BE();
  }

  /** Waits until the server's side has acknowledged so much. */
  async delivered(bytes: number): Promise<void> {
    while (this.socket.tcpInfo()!.bytesAcknowledged < bytes) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** All that is left until the server's FIN. */
  async rest(): Promise<number> {
    let count = 0;
    for await (const piece of this.socket) count += (piece as Buffer).length;
    return count;
  }
}

async function line(): Promise<string> {
  while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  return lines.shift()!;
}

describe('a test by hand', () => {
  it('goes through its states, counts what came, and tells its results', async () => {
    const control = await Client.with({ tcp: true, time: 1, parallel: 2, get_server_output: 1 });
    expect(await control.byte()).toBe(CREATE_STREAMS);
    const streams = [await Client.open(), await Client.open()];
    expect([await control.byte(), await control.byte()]).toEqual([TEST_START, TEST_RUNNING]);
    streams[0]!.socket.write(Buffer.alloc(1_000_000));
    streams[1]!.socket.end(Buffer.alloc(234_567));
    await Promise.all([streams[0]!.delivered(1_000_037), streams[1]!.delivered(234_604)]);
    control.bytes(TEST_END);
    expect(await control.byte()).toBe(EXCHANGE_RESULTS);
    control.json({ streams: [] });
    const length = (await control.read(4)).readUInt32BE();
    const results = JSON.parse((await control.read(length)).toString());
    expect(results).toMatchObject({
      sender_has_retransmits: -1,
      congestion_used: expect.any(String),
    });
    expect(results.streams).toMatchObject([
      { id: 1, bytes: 1_000_000, retransmits: -1, jitter: 0, errors: 0, packets: 0 },
      { id: 3, bytes: 234_567, start_time: 0, end_time: expect.any(Number) },
    ]);
    expect(results.server_output_text).toContain('2 streams');
    expect(await control.byte()).toBe(DISPLAY_RESULTS);
    control.bytes(IPERF_DONE);
    expect(await control.rest()).toBe(0);
    expect(await line()).toMatch(
      /^iperf3 10\.9\.0\.2:\d+: 2 streams, .* s, 1\.23 MB in \(.*bit\/s\)$/,
    );
  });
});

describe('what a client may not ask for', () => {
  it.each([
    ['udp', { udp: true }, 13],
    ['sctp', { sctp: true }, 13],
    ['no streams', { tcp: true, parallel: 0 }, 6],
    ['too many streams', { tcp: true, parallel: 129 }, 6],
    ['half a stream', { tcp: true, parallel: 1.5 }, 6],
    ['two days', { tcp: true, time: 172_800 }, 5],
    ['a long silence before', { tcp: true, omit: 601 }, 12],
    ['a block larger than all', { tcp: true, len: 2 ** 21 }, 7],
    ['a negative rate', { tcp: true, bandwidth: -1 }, 27],
    ['a number that is text', { tcp: true, num: '100' }, 114],
    ['an unknown congestion control', { tcp: true, congestion: 'vegas' }, 134],
    ['a list', [1, 2], 114],
    ['nothing', 'null', 114],
    ['no JSON at all', '{"tcp":', 114],
  ])('%s: an error with its number', async (_, parameters, number) => {
    const control = await Client.with(parameters);
    expect(await control.error()).toBe(number);
    expect(await control.rest()).toBe(0);
    expect(await line()).toContain('ended early: it ');
  });

  it.each([0, 262_145, 0xffff_ffff])('%i bytes of JSON', async (length) => {
    const control = await Client.open();
    await control.byte();
    control.bytes(length >>> 24, length >>> 16, length >>> 8, length);
    expect(await control.error()).toBe(114);
  });
});

describe('one at a time', () => {
  it('denies everybody else, and takes the next one afterwards', async () => {
    const first = await Client.with({ tcp: true });
    expect(await first.byte()).toBe(CREATE_STREAMS);
    const second = await Client.open(OTHER);
    expect(await second.byte()).toBe(ACCESS_DENIED);
    expect(await second.rest()).toBe(0);
    first.socket.destroy();
    expect(await line()).toContain('ended early: it has closed the control connection');
    const third = await Client.open(OTHER);
    expect(await third.byte()).toBe(PARAM_EXCHANGE);
  });

  it('denies streams that nobody waits for', async () => {
    const control = await Client.with({ tcp: true });
    expect(await control.byte()).toBe(CREATE_STREAMS);
    const stream = await Client.open();
    expect([await control.byte(), await control.byte()]).toEqual([TEST_START, TEST_RUNNING]);
    const surplus = await Client.open();
    expect(await surplus.byte()).toBe(ACCESS_DENIED);
    stream.socket.destroy();
  });
});

describe('a client that stalls', () => {
  const quick = { stepMs: 400, idleMs: 400 };

  it('before its cookie is complete', async () => {
    await restart(quick);
    const client = await Client.open('half a cookie');
    expect(await client.rest()).toBe(0);
    expect(server.connections).toBe(0);
  });

  it('within its parameters', async () => {
    await restart(quick);
    const control = await Client.open();
    await control.byte();
    control.bytes(0, 0, 0, 10, 0x7b);
    expect(await control.rest()).toBe(0);
    expect(await line()).toContain('ended early: it has stalled');
  });

  it('before its streams are open', async () => {
    await restart(quick);
    const control = await Client.with({ tcp: true, parallel: 2 });
    expect(await control.byte()).toBe(CREATE_STREAMS);
    await Client.open();
    expect(await control.rest()).toBe(0);
    expect(await line()).toContain('ended early: it has opened 1 of 2 streams');
  });

  it('with a test that runs, but moves nothing: it is told so', async () => {
    await restart(quick);
    const control = await Client.with({ tcp: true, num: 1000 });
    expect(await control.byte()).toBe(CREATE_STREAMS);
    await Client.open();
    expect([await control.byte(), await control.byte()]).toEqual([TEST_START, TEST_RUNNING]);
    expect(await control.error()).toBe(144);
    expect(await line()).toContain('ended early: nothing moved');
  });

  it('instead of telling its results', async () => {
    await restart(quick);
    const control = await Client.with({ tcp: true });
    expect(await control.byte()).toBe(CREATE_STREAMS);
    await Client.open();
    await control.read(2);
    control.bytes(TEST_END);
    expect(await control.byte()).toBe(EXCHANGE_RESULTS);
    expect(await control.rest()).toBe(0);
    expect(await line()).toContain('ended early: it has stalled');
  });

  it('with what it should read: the server does not wait', async () => {
    await restart(quick);
    const control = await Client.with({ tcp: true, reverse: true });
    expect(await control.byte()).toBe(CREATE_STREAMS);
    const stream = await Client.open();
    stream.socket.pause();
    await control.read(2);
    // The test has its time; nothing moves once all buffers are full.
    expect(await control.error()).toBe(144);
    expect(await line()).toMatch(/ended early: nothing moved$/);
  });
});

describe('a client that ends early', () => {
  it('says so', async () => {
    const control = await Client.with({ tcp: true });
    await control.byte();
    await Client.open();
    await control.read(2);
    control.bytes(12);
    expect(await control.rest()).toBe(0);
    expect(await line()).toContain('ended early: its user has ended it');
  });

  it('says something else', async () => {
    const control = await Client.with({ tcp: true });
    await control.byte();
    await Client.open();
    await control.read(2);
    control.bytes(77);
    expect(await control.rest()).toBe(0);
    expect(await line()).toContain('it sent 77 instead of the end of the test');
  });

  it('is closed by the server’s own end', async () => {
    const control = await Client.with({ tcp: true, reverse: true });
    await control.byte();
    const stream = await Client.open();
    stream.socket.resume();
    await control.read(2);
    await server.close();
    expect(await control.rest()).toBe(0);
    expect(await line()).toContain('ended early: the server is closing');
  });
});
