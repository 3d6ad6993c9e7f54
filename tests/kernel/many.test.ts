// Many connections, against the kernel: at once, and one after the other; nothing of them stays.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { echoService } from '../../src/services/echo.js';
import { describeKernel, FAMILIES, TEST_MS, until } from '../support/kernel.js';
import { KernelPlace } from '../support/kernel-place.js';

const AT_ONCE = 1000;
const IN_A_ROW = 2000;

describeKernel('many connections', [], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    place = await KernelPlace.open({ capture: false, tcp: { msl: 50 } });
    const { createServer } = place.stack.net;
    await new Promise<void>((resolve) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => {});
        echoService.onConnection(socket);
      });
      server.listen(7, resolve);
    });
    // Closes as soon as it has answered.
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.once('data', (line) => socket.end(line)).on('error', () => {});
      socket.resume();
    }).listen(8);
  }, TEST_MS);
  afterAll(() => place?.close());

  async function nothingIsLeft(): Promise<void> {
    const { core } = place;
    const left = () => ({
      connections: [...core.connections()].length,
      timeWaits: core.timeWaits().length,
      bytes: core.arena.used,
    });
    const none = JSON.stringify({ connections: 0, timeWaits: 0, bytes: 0 });
    await until('nothing is left', () => JSON.stringify(left()) === none, left);
  }

  describe.each(FAMILIES)('over $name', (family) => {
    test(`${AT_ONCE} from the kernel at once, each with an echo`, async () => {
      const host = family.stack;
      const good = await place.peer.call<number>('crowd', { count: AT_ONCE, host, port: 7 });
      expect(good).toBe(AT_ONCE);
      await nothingIsLeft();
    });

    test(`${AT_ONCE} from us at once, to a server of the kernel`, async () => {
      const server = await place.peer.listen({ host: family.kernel, backlog: 4096 });
      const users = Array.from({ length: AT_ONCE }, () => place.dial(family.kernel, server.port));
      await until('all are established', () => users.every(({ state }) => state === 'ESTABLISHED'));
      expect(new Set(users.map(({ connection }) => connection.localPort)).size).toBe(AT_ONCE);
      for (const [i, user] of users.entries()) {
        user.write(`${i}`);
        user.connection.shutdown();
      }
      for (let i = 0; i < AT_ONCE; i++) {
        const theirs = await server.accept();
        await theirs.end();
      }
      await until('all are closed', () => users.every(({ closed }) => closed?.reason === 'fin'));
      await server.close();
      await nothingIsLeft();
    });

    test.each([
      { closes: 'client', port: 7 },
      { closes: 'server', port: 8 },
    ])(`${IN_A_ROW / 2} in a row, the $closes closes first`, async ({ closes, port }) => {
      const options = { count: IN_A_ROW / 2, host: family.stack, port, closes };
      expect(await place.peer.call<number>('series', options)).toBe(IN_A_ROW / 2);
      await nothingIsLeft();
    });

    test('hundreds that are refused, at once', async () => {
      const refused = Array.from({ length: 300 }, () =>
        place.peer.connect({ host: family.stack, port: 6 }).then(
          () => 'connected',
          ({ code }) => code,
        ),
      );
      expect(new Set(await Promise.all(refused))).toEqual(new Set(['ECONNREFUSED']));
      await nothingIsLeft();
    });

    test('hundreds that the kernel resets in all states', async () => {
      const { listener, users } = place.listen();
      const sockets = await Promise.all(
        Array.from({ length: 300 }, () =>
          place.peer.connect({ host: family.stack, port: listener.port }),
        ),
      );
      await until('all are accepted', () => users.length === sockets.length);
      for (const [i, user] of users.entries()) {
        if (i % 3 === 0) user.connection.shutdown();
        if (i % 3 === 1) user.write('something');
      }
      await Promise.all(sockets.map((socket) => socket.reset()));
      await until('all are closed', () => users.every(({ closed }) => closed !== null));
      expect(new Set(users.map(({ closed }) => closed!.errorCode))).toEqual(
        new Set(['ECONNRESET']),
      );
      listener.close();
      await nothingIsLeft();
    });
  });
});
