// One server to be measured: discard on 9, echo on 7, chargen on 19. Says "ready" and ends with its
// input. Knows the three services on raw connections, and on anything of the shape of node:net.

import net from 'node:net';
import { openStack } from '../dist/open.js';
import { IdleHandler } from '../dist/tcp/connection.js';

const CHUNK = Buffer.alloc(1 << 20, 'finwait ');
const name = process.argv[2];
const stack = name === 'node:net' ? null : openStack();
if (name === 'finwait raw') serveRaw(stack.core);
else serveSockets(stack?.net ?? net);
process.stdin.resume().on('end', () => process.exit(0));
setTimeout(() => console.log('ready'), 100);

function serveSockets(api) {
  const options = { noDelay: true, allowHalfOpen: true };
  const ignore = (socket) => socket.on('error', () => {});
  api.createServer(options, (socket) => echo(ignore(socket))).listen(7);
  api.createServer(options, (socket) => discard(ignore(socket))).listen(9);
  api.createServer(options, (socket) => chargen(ignore(socket))).listen(19);
}

function echo(socket) {
  socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());
}

function discard(socket) {
  socket.resume().on('end', () => socket.end());
}

function chargen(socket) {
  const pour = () => {
    while (socket.writable && socket.write(CHUNK));
  };
  socket
    .on('drain', pour)
    .on('end', () => socket.destroy())
    .resume();
  pour();
}

function serveRaw(core) {
  class Echo extends IdleHandler {
    buffer = new Uint8Array(1 << 16);
    onReadable(connection) {
      const { buffer } = this;
      for (let n = connection.read(buffer); n > 0; n = connection.read(buffer)) {
        connection.write(buffer, 0, n);
      }
    }
    onEnd(connection) {
      connection.close();
    }
  }
  class Discard extends IdleHandler {
    onReadable(connection) {
      connection.skip(connection.readable);
    }
    onEnd(connection) {
      connection.close();
    }
  }
  class Chargen extends IdleHandler {
    onEstablished(connection) {
      this.onWritable(connection);
    }
    onWritable(connection) {
      while (connection.write(CHUNK) === CHUNK.length);
    }
    onEnd(connection) {
      connection.close();
    }
  }
  listen(core, 7, new Echo());
  listen(core, 9, new Discard());
  listen(core, 19, new Chargen());
}

function listen(core, port, service) {
  core.listen({
    port,
    reuseAddress: true,
    handler: {
      onConnection(listener) {
        for (let c = listener.accept(); c !== null; c = listener.accept()) {
          c.noDelay = true;
          c.handler = service;
        }
      },
    },
  });
}
