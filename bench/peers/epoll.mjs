// Contender: the kernel over loopback, with the least program around it.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../processes.mjs';
import { sources } from '../server.mjs';

const SOURCE = fileURLToPath(new URL('epoll-server.c', import.meta.url));

/** The server that other peers lead to, too. */
export const epollServer = {
  needs: { '/usr/bin/cc': 'gcc' },
  build: (folder) => run('cc', ['-O2', '-o', join(folder, 'epoll-server'), SOURCE]),
  start: (server, folder) => server.launch(join(folder, 'epoll-server'), [], 'ready'),
};

export const peers = [
  {
    name: 'C epoll',
    about: 'loopback, the kernel alone',
    services: [],
    ...epollServer,
    async start(server, folder) {
      await epollServer.start(server, folder);
      server.address = '127.0.0.1';
      server.sources = sources('127.0.1');
    },
  },
];
