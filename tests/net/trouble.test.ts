// error.tcp and closeReason: what TCP knows about the end of a connection, for each way in which it can end.

import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../src/device/system-clock.js';
import type { SocketError } from '../../src/net/events.js';
import { HINTS, hintFor } from '../../src/net/hints.js';
import type { Server } from '../../src/net/server.js';
import type { Socket } from '../../src/net/socket.js';
import type { SocketConnectOptions } from '../../src/net/socket-options.js';
import { Stack } from '../../src/net/stack.js';
import type { TcpTrouble } from '../../src/net/trouble.js';
import { addressBytes, buildIcmp, buildIp, ICMP } from '../support/trace-packet.js';
import { connectedPair, linkedStacks, listening } from './places.js';
import { sleep } from './trial.js';

const HOST = '10.9.0.2';
/** Nobody: what is sent there has no answer. */
const NOBODY = '10.9.0.77';

let stacks: ReturnType<typeof linkedStacks>;

afterEach(async () => {
  await stacks?.close();
});

function pair(...wishes: [options?: Partial<SocketConnectOptions>, allowHalfOpen?: boolean]) {
  stacks = linkedStacks();
  return connectedPair(stacks, ...wishes);
}

const failure = async (socket: Socket | Server) =>
  (await once(socket, 'error')) as [SocketError & { tcp: TcpTrouble }];

/** What is the same in each run. */
const told = ({ code, tcp }: SocketError) => ({ code, state: tcp?.state, segment: tcp?.segment });

describe('while connecting', () => {
  it('names the RST of a port where nobody listens', async () => {
    stacks = linkedStacks();
    const socket = stacks.a.net.connect(81, HOST);
    const [error] = await failure(socket);
    expect(told(error)).toEqual({
      code: 'ECONNREFUSED',
      state: 'SYN-SENT',
      segment: `RST,ACK seq 0 ack 1 from ${HOST}:81`,
    });
    expect(error.tcp.hint).toContain('nobody listens on that port');
    expect(socket.closeReason).toBe('rst');
  });

  it('names the SYN that nobody has answered', async () => {
    stacks = linkedStacks();
    const tcp = { synTimeout: 100, initialRto: 50 };
    const socket = stacks.a.net.connect({ port: 80, host: NOBODY, tcp });
    const [error] = await failure(socket);
    expect(told(error)).toEqual({
      code: 'ETIMEDOUT',
      state: 'SYN-SENT',
      segment: `SYN seq 0 to ${NOBODY}:80`,
    });
    expect(error.tcp.hint).toContain('Nobody answered our SYN');
    expect(socket.closeReason).toBe('timeout');
  });

  it('names the SYN that an ICMP error quotes', async () => {
    stacks = linkedStacks();
    const { core, now } = stacks.a;
    const socket = stacks.a.net.connect(80, NOBODY);
    await once(socket, 'connectionAttempt');
    await sleep(1);
    const [connection] = core.connections();
    const [source, destination] = [NOBODY, '10.9.0.1'].map(addressBytes) as [Buffer, Buffer];
    const head = new DataView(new ArrayBuffer(8));
    head.setUint16(0, connection!.localPort);
    head.setUint16(2, 80);
    head.setInt32(4, connection!.snd.iss);
    const packet = (protocol: number, from: Uint8Array, to: Uint8Array, payload: Uint8Array) =>
      buildIp({
        ...{ source: from, destination: to, protocol, payload },
        trafficClass: 0,
        hopLimit: 64,
      });
    const quote = packet(6, destination, source, new Uint8Array(head.buffer));
    // Port unreachable.
    const error = buildIcmp({ source, destination }, 3, 3, 0, quote);
    core.receivePacket(packet(ICMP, source, destination, error), now());
    const [seen] = await failure(socket);
    expect(told(seen)).toEqual({
      code: 'ECONNREFUSED',
      state: 'SYN-SENT',
      segment: `SYN seq 0 to ${NOBODY}:80`,
    });
    expect(seen.tcp.hint).toContain('ICMP');
    expect(socket.closeReason).toBe('icmp');
  });

  it('speaks of each of several addresses, and of the first one for all', async () => {
    stacks = linkedStacks();
    const socket = stacks.a.net.connect({
      port: 81,
      host: 'name.test',
      autoSelectFamilyAttemptTimeout: 50,
      lookup: (_name, _options, callback) =>
        callback(null, [
          { address: NOBODY, family: 4 },
          { address: HOST, family: 4 },
        ]),
    });
    const [error] = await failure(socket);
    const { errors } = error as unknown as AggregateError;
    expect(errors.map(told)).toEqual([
      { code: 'ETIMEDOUT', state: 'SYN-SENT', segment: `SYN seq 0 to ${NOBODY}:81` },
      {
        code: 'ECONNREFUSED',
        state: 'SYN-SENT',
        segment: `RST,ACK seq 0 ack 1 from ${HOST}:81`,
      },
    ]);
    expect(error.tcp).toEqual(errors[0].tcp);
    expect(error.tcp.hint).toContain('autoSelectFamilyAttemptTimeout');
  });

  it('refuses a link-local address, as Linux without a zone', async () => {
    stacks = linkedStacks();
    const [error] = await failure(stacks.a.net.connect(80, 'fe80::1'));
    expect(error.message).toBe('connect EINVAL fe80::1:80 - Local (:::0)');
    expect(error.tcp.hint).toMatch(/^No device leads to fe80::1 by itself/);
  });

  it('says why a call could not even begin', async () => {
    const alone = new Stack({
      clock: new SystemClock(),
      addresses: ['10.9.0.5/24'],
      memory: 1 << 23,
    });
    const at = async (options: SocketConnectOptions) =>
      (await failure(alone.net.connect(options)))[0];
    const nowhere = await at({ port: 80, host: '192.0.2.1' });
    expect(told(nowhere)).toEqual({ code: 'ENETUNREACH', state: 'CLOSED', segment: null });
    expect(nowhere.tcp.hint).toContain('knows no way to that address');
    const other = await at({ port: 80, host: '10.9.0.5', localAddress: '192.0.2.1' });
    expect(other.message).toBe('bind EADDRNOTAVAIL 192.0.2.1');
    expect(other.tcp.hint).toMatch(
      /^192\.0\.2\.1 is not an address of the stack\. That is no address/,
    );
    await alone.close(0);
    const closed = await at({ port: 80, host: '10.9.0.5' });
    expect(told(closed)).toEqual({ code: 'ENETDOWN', state: 'CLOSED', segment: null });
    const [unheard] = await failure(alone.net.createServer().listen(80));
    expect(unheard.message).toMatch(/^listen ENETDOWN: network is down 0\.0\.0\.0:80/);
  });
});

describe('of a server', () => {
  it('says who has the port', async () => {
    stacks = linkedStacks();
    const port = await listening(stacks.b.net.createServer());
    const second = stacks.b.net.createServer().listen(port, HOST);
    const [error] = await failure(second);
    expect(told(error)).toEqual({ code: 'EADDRINUSE', state: 'CLOSED', segment: null });
    expect(error.tcp.hint).toMatch(/^There is a listener on port \d+\. The port is taken/);
  });
});

describe('in the middle of a connection', () => {
  it('names the RST, counted from the beginning', async () => {
    const { client, served, port } = await pair();
    client.write('12345');
    await once(served, 'data');
    served.resetAndDestroy();
    const [error] = await failure(client);
    expect(told(error)).toEqual({
      code: 'ECONNRESET',
      state: 'ESTABLISHED',
      segment: `RST seq 1 from ${HOST}:${port}`,
    });
    expect(client.closeReason).toBe('rst');
    expect(served.closeReason).toBe('abort');
  });

  it('names the data that were never acknowledged', async () => {
    const tcp = { userTimeout: 100, minRto: 20 };
    const { client, port } = await pair({ tcp });
    await sleep(5);
    stacks.link.aToB.settings.loss = 1;
    client.write('123');
    const [error] = await failure(client);
    expect(told(error)).toEqual({
      code: 'ETIMEDOUT',
      state: 'ESTABLISHED',
      segment: `ACK seq 1 ack 1 len 3 to ${HOST}:${port}`,
    });
    expect(client.closeReason).toBe('timeout');
  });

  it('names the keep-alive probe', async () => {
    const tcp = { keepAliveInterval: 20, keepAliveProbes: 2 };
    const { client, port } = await pair({ tcp });
    for (const connection of stacks.a.core.connections()) connection.setKeepAlive(true, 30);
    stacks.link.aToB.settings.loss = 1;
    const [error] = await failure(client);
    expect(told(error)).toEqual({
      code: 'ETIMEDOUT',
      state: 'ESTABLISHED',
      segment: `ACK seq 0 ack 1 to ${HOST}:${port}`,
    });
  });

  it('explains a write after the peer has gone', async () => {
    const { client, served } = await pair({}, true);
    client.destroy();
    served.resume();
    await once(served, 'end');
    served.write('answered with a RST');
    await sleep(20);
    const failed = failure(served);
    served.write('x');
    const [error] = await failed;
    expect(error).toMatchObject({ code: 'EPIPE', syscall: 'write', tcp: { state: 'CLOSE-WAIT' } });
    expect(error.tcp.segment).toMatch(/^RST seq 2 from 10\.9\.0\.1:/);
    expect(error.tcp.hint).toContain('Stop writing at the event "end"');
  });

  it('a close in order has a reason, and no error', async () => {
    const { client, served } = await pair({ tcp: { msl: 1 } });
    client.end();
    client.resume();
    served.resume();
    await Promise.all([once(client, 'close'), once(served, 'close')]);
    expect([client.closeReason, served.closeReason]).toEqual(['fin', 'fin']);
  });
});

describe('the table of hints', () => {
  it('has a sentence for each code, and reaches each of its lines', () => {
    const states = [
      'CLOSED',
      'SYN-SENT',
      'SYN-RECEIVED',
      'ESTABLISHED',
      'CLOSE-WAIT',
      'FIN-WAIT-2',
    ];
    const reasons = [null, 'rst', 'timeout', 'icmp', 'abort'];
    const reached = new Set<string>();
    for (const { code, hint } of HINTS) {
      expect(hint).toMatch(/^[A-Z].*\.$/);
      for (const state of states) {
        for (const reason of reasons) {
          const found = hintFor(code, state, reason);
          expect(found).not.toBe('');
          reached.add(found);
        }
      }
    }
    expect(HINTS.filter(({ hint }) => !reached.has(hint))).toEqual([]);
  });
});

describe('what belongs to one connection', () => {
  it('linger 0: destroy sends a RST, and there is no TIME-WAIT', async () => {
    const { client, served } = await pair({ linger: 0 });
    const failed = failure(served);
    client.destroy();
    expect((await failed)[0].code).toBe('ECONNRESET');
    expect(client.closeReason).toBe('abort');
    expect(stacks.a.core.timeWaits()).toEqual([]);
  });

  it('a linger time ends what is never acknowledged', async () => {
    const { client } = await pair();
    client.setLinger(300);
    stacks.link.aToB.settings.loss = 1;
    client.write('lost');
    client.destroySoon();
    await once(client, 'close');
    expect(client.tcpState).toBe('FIN-WAIT-1');
    await vi.waitFor(() => expect(client.tcpState).toBe('CLOSED'), { timeout: 5000 });
    expect(client.closeReason).toBe('timeout');
    expect(() => client.setLinger(-1)).toThrow('must be >= 0');
  });

  it('the MSL, by option and by method', async () => {
    const { client, served } = await pair({ tcp: { msl: 500 } });
    client.setMsl(20_000);
    client.resume();
    served.resume();
    client.end();
    await once(client, 'close');
    const [record] = stacks.a.core.timeWaits();
    expect(record!.remainingMs).toBeGreaterThan(20_000);
    expect(record!.remainingMs).toBeLessThanOrEqual(40_000);
  });

  it('congestion control: by option, of all sockets of a server, and changed on the way', async () => {
    stacks = linkedStacks();
    const server = stacks.b.net.createServer({ tcp: { congestion: 'newreno' }, linger: 7 });
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = stacks.a.net.connect(await listening(server), HOST);
    const [served] = await accepted;
    expect(served.tcpInfo()!.congestion).toBe('newreno');
    served.setCongestionControl('cubic');
    expect(client.tcpInfo()!.congestion).toBe('cubic');
    client.setCongestionControl('newreno').on('data', () => {});
    const bytes = 4 * 1024 * 1024;
    served.end(Buffer.alloc(bytes / 2));
    client.write(Buffer.alloc(bytes));
    await vi.waitFor(() => expect(client.tcpInfo()!.bytesAcknowledged).toBeGreaterThan(100_000));
    client.setCongestionControl('cubic');
    client.end();
    for await (const _ of served);
    expect(served.bytesRead).toBe(bytes);
    expect([client.tcpInfo()!.congestion, served.tcpInfo()!.congestion]).toEqual([
      'cubic',
      'cubic',
    ]);
    expect(() => client.setCongestionControl('bbr' as 'cubic')).toThrow(
      'no congestion control is called "bbr"; there are: cubic, newreno',
    );
  });

  it('settings that make no sense are refused where they are given', async () => {
    stacks = linkedStacks();
    const { net } = stacks.a;
    const wrong: [tcp: object, message: string][] = [
      [{ congestion: 'bbr' }, 'there are: cubic, newreno'],
      [{ msl: '1 s' }, 'The "options.tcp.msl" property must be of type number'],
      [{ msl: -1 }, 'The value of "options.tcp.msl" is out of range'],
      [{ hopLimit: 256 }, 'It must be >= 0 && <= 255'],
      [{ sack: 1 }, 'The "options.tcp.sack" property must be of type boolean'],
      [{ ecn: 'on' }, "must be one of: 'off', 'accept', 'request'"],
      [{ nagle: false }, "The property 'options.tcp.nagle' is not a setting of TCP"],
    ];
    for (const [tcp, message] of wrong) {
      expect(() => net.createServer({ tcp })).toThrow(message);
      expect(() => net.connect({ port: 80, host: HOST, tcp })).toThrow(message);
      const clock = new SystemClock();
      expect(() => new Stack({ clock, tcp })).toThrow(message);
    }
    // What is undefined is as if it were not there.
    const server = net.createServer({ tcp: { msl: undefined } as never });
    server.listen(0, '10.9.0.1');
    await once(server, 'listening');
    const client = net.connect({ port: server.address()!.port, host: '10.9.0.1' });
    await once(client, 'connect');
    client.destroy();
    server.close();
  });
});
