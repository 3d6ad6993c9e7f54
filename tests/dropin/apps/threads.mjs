// The same in two threads. Knows nothing of finwait.

import net from 'node:net';
import { isMainThread, Worker } from 'node:worker_threads';

// The same port in both: each of them has its own.
const server = net
  .createServer((socket) => socket.end('x'))
  .listen(4001, '127.0.0.1', () => {
    const client = net.connect(4001, '127.0.0.1').resume();
    client.on('close', () => {
      console.log(isMainThread ? 'main thread' : 'other thread', client.bytesRead);
      if (isMainThread) new Worker(new URL(import.meta.url)).on('exit', () => server.close());
      else server.close();
    });
  });
server.on('error', (error) => console.log(error.message));
