// Hands each connection to a child process. Knows nothing of finwait.

import { fork } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

if (process.argv[2] === 'child') {
  process.on('message', (_, socket) => {
    socket.end('from the child').on('close', () => process.exit());
  });
} else {
  const child = fork(fileURLToPath(import.meta.url), ['child']);
  const server = net.createServer((socket) => {
    child.send('yours', socket, (error) => {
      if (error) console.log(error.message);
      if (error) child.disconnect();
      server.close();
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const client = net.connect(server.address().port, '127.0.0.1');
    client.on('data', (data) => console.log(String(data)));
    client.on('close', () => console.log('closed'));
  });
}
