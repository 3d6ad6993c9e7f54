// Contender: node:net and node:http over loopback.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { sources } from '../server.mjs';

const SERVER = fileURLToPath(new URL('node-server.mjs', import.meta.url));
/** Descriptors for other things than connections. */
const OTHERS = 2000;

/** Each connection takes a descriptor here, so the limit of a process is one of idle connections. */
function mostIdle() {
  const limit = Number(execFileSync('sh', ['-c', 'ulimit -H -n'], { encoding: 'utf8' }));
  return (Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit) - OTHERS;
}

export const peers = [
  {
    name: 'node:net',
    about: 'loopback, node:net and node:http',
    idles: mostIdle(),
    services: ['memory', 'http'],
    needs: {},
    async start(server) {
      await server.launch(process.execPath, ['--expose-gc', SERVER, 'net'], 'ready');
      server.address = '127.0.0.1';
      server.sources = sources('127.0.1');
    },
  },
];
