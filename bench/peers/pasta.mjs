// Contender: pasta, whose TCP stands between a namespace with a TAP and sockets of ours.

import { ip, setUpKernel } from '../network.mjs';
import { epollServer } from './epoll.mjs';

/** What it is to look like from inside; it also wants an interface outside to copy it from. */
const GATEWAY = '10.6.0.1';
/** `$$` would be the number in a namespace of its own. */
const TELL_PID = 'read pid rest < /proc/self/stat; echo $pid; exec cat';
let outside = false;

export const peers = [
  {
    name: 'pasta',
    about: 'TAP, C, in front of C epoll',
    onTun: true,
    services: [],
    needs: { ...epollServer.needs, '/usr/bin/pasta': 'passt' },
    build: epollServer.build,
    async start(server, folder) {
      if (!outside) {
        await ip([], 'link', 'add', 'ps0', 'type', 'veth', 'peer', 'name', 'ps1');
        await ip([], 'address', 'add', '10.6.0.2/24', 'dev', 'ps0');
        for (const end of ['ps0', 'ps1']) await ip([], 'link', 'set', end, 'up');
        await ip([], 'route', 'add', 'default', 'via', GATEWAY);
        outside = true;
      }
      await epollServer.start(server, folder);
      const forwardNothing = ['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none'];
      const options = ['--runas', '0', '-f', '-4', '-m', '1500', '--config-net', ...forwardNothing];
      const pid = await server.launch('pasta', [...options, '--', 'sh', '-c', TELL_PID]);
      server.enter = ['nsenter', '-t', pid, '-n'];
      server.address = GATEWAY;
      await setUpKernel(server.enter);
    },
  },
];
