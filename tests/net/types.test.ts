// Our sockets and servers are what programs for node:net ask for. Checked by the compiler (`npm run types`):
// where this file does not compile, they are not.

import type nodeNet from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, expectTypeOf, it } from 'vitest';
import type { NetModule } from '../../src/net/module.js';
import type { Server } from '../../src/net/server.js';
import type { Socket } from '../../src/net/socket.js';
import { within } from './places.js';

/** What programs and libraries have, as they write it. */
interface Program {
  serve(socket: nodeNet.Socket): void;
  pipe(duplex: Duplex): void;
  announce(server: nodeNet.Server): void;
  dial(connect: (options: nodeNet.NetConnectOpts) => nodeNet.Socket): void;
  run(net: typeof nodeNet): void;
}

it('sockets, servers and the module stand in for those of node:net', async () => {
  expectTypeOf<Socket>().toExtend<nodeNet.Socket>();
  expectTypeOf<Server>().toExtend<nodeNet.Server>();
  expectTypeOf<NetModule>().toExtend<typeof nodeNet>();
  expectTypeOf<InstanceType<NetModule['Socket']>>().toExtend<nodeNet.Socket>();

  const taken: unknown[] = [];
  const take = (value: unknown) => void taken.push(value);
  const program: Program = { serve: take, pipe: take, announce: take, dial: take, run: take };
  const place = within();
  const { net } = place.stack;
  program.run(net);
  program.dial(net.connect);
  program.announce(net.createServer((socket: nodeNet.Socket) => program.serve(socket)));
  program.serve(new net.Socket());
  program.pipe(new net.Socket());
  expect(taken).toHaveLength(5);
  await place.close();
});

it('events and options have types of their own', () => {
  type On = (socket: Socket) => void;
  const listen: On = (socket) => {
    socket.on('tcpstate', (to, from) => expectTypeOf([to, from]).toEqualTypeOf<string[]>());
    socket.on('close', (hadError) => expectTypeOf(hadError).toBeBoolean());
    socket.on('data', (data) => expectTypeOf(data).toExtend<Uint8Array>());
    socket.on('error', (error) =>
      expectTypeOf(error.tcp?.state).toEqualTypeOf<string | undefined>(),
    );
  };
  const serve = (server: Server) => {
    server.on('connection', (socket) => expectTypeOf(socket).toEqualTypeOf<Socket>());
    server.on('drop', (drop) => expectTypeOf(drop?.remotePort).toEqualTypeOf<number | undefined>());
  };
  expectTypeOf(listen).toBeFunction();
  expectTypeOf(serve).toBeFunction();
  expectTypeOf<Socket['closeReason']>().toEqualTypeOf<
    'fin' | 'rst' | 'timeout' | 'icmp' | 'abort' | null
  >();
  expect([listen, serve]).toHaveLength(2);
});
