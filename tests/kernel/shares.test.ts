// Several stacks on the queues of one device, as threads have them, here in one thread: connections in
// both directions, with all packets in the right queue, and all in a wrong one.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectShares, ownsFlow, SharedDevice } from '../../src/device/shared.js';
import { SystemClock } from '../../src/device/system-clock.js';
import { TunDevice } from '../../src/device/tun.js';
import type { Socket } from '../../src/net/socket.js';
import { Stack } from '../../src/net/stack.js';
import { bytesDigest } from '../../src/services/bytes.js';
import { HttpService } from '../../src/services/http.js';
import { RunningService } from '../../src/services/service.js';
import { describeKernel, FAMILIES, until } from '../support/kernel.js';
import { Namespace } from '../support/namespace.js';

const COUNT = 3;
const EACH = 8;
const PORT = 4000;
const ECHO = `
  require('node:net').createServer((s) => s.pipe(s)).listen(${PORT}, '::', () => console.log('ready'));`;

let namespace: Namespace;
let stacks: Stack[];
let devices: SharedDevice[];

beforeEach(async () => {
  namespace = await Namespace.create();
  stacks = [];
  devices = [];
});

afterEach(async () => {
  await Promise.all(stacks.map((stack) => stack.close(0)));
  await until('the device is gone', async () => !(await namespace.ip('link')).includes('fw0'));
  await namespace.close();
});

/** @param shift 0: each stack has the queue of its flows; else that of another one. */
function open(shift: number): void {
  const peers = connectShares(COUNT);
  const queues = Array.from({ length: COUNT }, (_, index) =>
    TunDevice.open({ netns: namespace.path, queue: { index, count: COUNT } }),
  );
  for (let index = 0; index < COUNT; index++) {
    const share = { index, count: COUNT, peers: peers[index]! };
    const device = new SharedDevice(queues[(index + shift) % COUNT]!, share);
    devices.push(device);
    stacks.push(new Stack({ clock: new SystemClock(), device, owns: ownsFlow(share) }));
  }
}

function passedOn(): number {
  return devices.reduce((sum, device) => sum + device.passedOn, 0);
}

async function answer(socket: Socket, text: string): Promise<void> {
  socket.write(text);
  const [piece] = (await once(socket, 'data')) as [Buffer];
  expect(String(piece)).toBe(text);
}

describeKernel('stacks that share a device', ['curl'], () => {
  test.each([
    { title: 'each with the packets of its flows', shift: 0 },
    { title: 'each with packets of another one', shift: 1 },
  ])('connect: $title', async ({ shift }) => {
    open(shift);
    const server = namespace.spawn(process.execPath, ['-e', ECHO], { stdio: 'pipe' });
    await once(server.stdout!, 'data');
    const sockets = FAMILIES.flatMap(({ kernel }) =>
      stacks.flatMap(({ net }) =>
        Array.from({ length: EACH }, () => net.connect(PORT, kernel) as Socket),
      ),
    );
    await Promise.all(sockets.map((socket, i) => answer(socket, `first ${i}`)));
    // The kernel forgets which queue a flow was written to.
    await sleep(4000);
    await Promise.all(sockets.map((socket, i) => answer(socket, `second ${i}`)));
    await Promise.all(
      sockets.map(async (socket) => {
        socket.end();
        await once(socket, 'close');
      }),
    );
    if (shift === 0) expect(passedOn()).toBe(0);
    else expect(passedOn()).toBeGreaterThan(sockets.length * 4);
    for (const { core } of stacks) expect(core.counters.notForUs).toBe(0);
  });

  test.each([0, 2])('listen on the same port, queues shifted by %i', async (shift) => {
    open(shift);
    for (const { net } of stacks) await RunningService.start(net, new HttpService());
    for (const { host } of FAMILIES) {
      const fetch = `curl -sSgf http://${host}/bytes/2000003 | sha256sum`;
      const line = `for i in $(seq 12); do ${fetch} & done; wait`;
      const { stdout } = await namespace.exec('sh', ['-c', line]);
      expect(stdout.trim().split('\n')).toEqual(new Array(12).fill(`${bytesDigest(2_000_003)}  -`));
    }
    for (const { core } of stacks) expect(core.counters.accepted).toBeGreaterThan(0);
    const accepted = stacks.reduce((sum, { core }) => sum + core.counters.accepted, 0);
    expect(accepted).toBe(24);
  });

  test('an address of the stacks’ own is reached within each', async () => {
    open(0);
    for (const { net } of stacks) {
      const server = net.createServer((socket) => socket.pipe(socket)).listen(7);
      await once(server, 'listening');
      await answer(net.connect(7, '10.9.0.2') as Socket, 'hello');
    }
  });

  test('a port whose answers would go to another stack cannot be had', () => {
    open(0);
    const results = stacks.map(({ net }) => {
      const socket = net.connect({ port: PORT, host: '10.9.0.1', localPort: 50_000 });
      return once(socket, 'connect').then(
        () => 'connected',
        (error) => error.code as string,
      );
    });
    return Promise.all(results).then((codes) => {
      expect(codes.sort()).toEqual(['EADDRNOTAVAIL', 'EADDRNOTAVAIL', 'ECONNREFUSED']);
    });
  });
});
