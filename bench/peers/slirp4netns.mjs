// Contender: slirp4netns, whose TCP (libslirp) stands between a namespace with a TAP and sockets of ours.

import { setUpKernel } from '../network.mjs';
import { epollServer } from './epoll.mjs';

export const peers = [
  {
    name: 'slirp4netns',
    about: 'TAP, C, in front of C epoll',
    onTun: true,
    services: [],
    needs: { ...epollServer.needs, '/usr/bin/slirp4netns': 'slirp4netns' },
    build: epollServer.build,
    async start(server, folder) {
      await epollServer.start(server, folder);
      const pid = await server.launch('unshare', ['-n', 'sh', '-c', 'echo $$; exec cat']);
      server.enter = ['nsenter', '-t', pid, '-n'];
      server.address = '10.0.2.2';
      await setUpKernel(server.enter);
      const args = ['--configure', '--mtu=1500', '--ready-fd=1', pid, 'tap0'];
      await server.launch('slirp4netns', args, '1');
    },
  },
];
