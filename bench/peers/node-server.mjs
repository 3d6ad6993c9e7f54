// The services to be measured, on finwait or on node:net: echo on 7, discard on 9, a server that closes
// first on 13, chargen on 19, http on 80. Says "ready", answers "memory", ends with its input.
//
//   node [--expose-gc] node-server.mjs raw|sockets|net [--no-offload]

import http from 'node:http';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { openStack } from '../../dist/open.js';
import { IdleHandler } from '../../dist/tcp/connection.js';

const CHUNK = Buffer.alloc(1 << 20, 'finwait ');
const PAGE = 'Hello from a TCP\n';
const [api, ...flags] = process.argv.slice(2);
const stack =
  api === 'net' ? null : openStack({ tun: { offload: !flags.includes('--no-offload') } });
if (api === 'raw') serveRaw(stack.core);
else serveSockets(stack?.net ?? net);

const input = createInterface({ input: process.stdin });
input.on('line', (line) => line === 'memory' && console.log(JSON.stringify(weigh())));
input.on('close', () => process.exit(0));
setTimeout(() => console.log('ready'), 100);

/** Bytes in use after a collection, and how many of what they are for. */
function weigh() {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return {
    bytes: heapUsed + external + (stack?.core.arena.used ?? 0),
    timeWaits: stack?.core.timeWaitRecords.count ?? 0,
  };
}

function serveSockets(api) {
  const options = { noDelay: true, allowHalfOpen: true };
  const serve = (port, service) => {
    const server = api.createServer(options, (socket) => service(socket.on('error', ignore)));
    server.listen({ port, backlog: 4096 });
  };
  serve(7, echo);
  serve(9, discard);
  serve(13, (socket) => socket.resume().end());
  serve(19, chargen);
  const pages = http.createServer((_, response) => response.end(PAGE));
  api.createServer(options, (socket) => pages.emit('connection', socket)).listen(80);
}

function ignore() {}

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
  class CloseFirst extends IdleHandler {
    onEstablished(connection) {
      connection.close();
    }
  }
  listen(core, 7, new Echo());
  listen(core, 9, new Discard());
  listen(core, 13, new CloseFirst());
  listen(core, 19, new Chargen());
}

function listen(core, port, service) {
  core.listen({
    port,
    backlog: 4096,
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
