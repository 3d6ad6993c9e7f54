// Contender: the netstack of gVisor, from Debian's Go packages, on a TUN.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addAddresses, addTun } from '../network.mjs';
import { run } from '../processes.mjs';
import { sources } from '../server.mjs';

const SOURCE = fileURLToPath(new URL('gvisor/main.go', import.meta.url));
const GOPATH = '/usr/share/gocode';
const ADDRESS = '10.7.0.2';
const FROM = sources('10.7.0');
const program = (folder) => join(folder, 'gvisor');
let device = false;

export const peers = [
  {
    name: 'gVisor netstack',
    about: 'TUN, Go',
    onTun: true,
    services: [],
    needs: {
      '/usr/bin/go': 'golang-go',
      [`${GOPATH}/src/gvisor.dev/gvisor/pkg/tcpip/tcpip.go`]: 'golang-gvisor-gvisor-dev',
    },
    /** Without modules, so without a network. */
    build(folder) {
      const env = { GO111MODULE: 'off', GOPATH, GOCACHE: join(folder, 'go'), GOFLAGS: '' };
      return run('go', ['build', '-o', program(folder), SOURCE], { env, timeoutMs: 600_000 });
    },
    async start(server, folder) {
      if (!device) {
        await addTun('gv0', '10.7.0.1/24');
        await addAddresses('gv0', FROM);
        device = true;
      }
      await server.launch(program(folder), ['gv0', ADDRESS], 'ready');
      server.address = ADDRESS;
      server.sources = FROM;
    },
  },
];
