// Contender: lwIP, as Debian builds it, by its raw API on a TUN.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addAddresses, addTun } from '../network.mjs';
import { run } from '../processes.mjs';
import { sources } from '../server.mjs';

const SOURCE = fileURLToPath(new URL('lwip.c', import.meta.url));
const ADDRESS = '10.8.0.2';
const FROM = sources('10.8.0');
const program = (folder) => join(folder, 'lwip');
let device = false;

export const peers = [
  {
    name: 'lwIP',
    about: 'TUN, C, raw API',
    onTun: true,
    services: [],
    needs: { '/usr/bin/cc': 'gcc', '/usr/include/lwip/lwip/tcp.h': 'liblwip-dev' },
    build: (folder) =>
      run('cc', ['-O2', '-I/usr/include/lwip', '-o', program(folder), SOURCE, '-llwip']),
    async start(server, folder) {
      if (!device) {
        await addTun('lw0', '10.8.0.1/24');
        await addAddresses('lw0', FROM);
        device = true;
      }
      await server.launch(program(folder), ['lw0', ADDRESS, '255.255.255.0'], 'ready');
      server.address = ADDRESS;
      server.sources = FROM;
    },
  },
];
