// Contenders: finwait over a TUN, by raw connections and by sockets, with and without offload.

import { fileURLToPath } from 'node:url';
import { addAddresses } from '../network.mjs';
import { sources } from '../server.mjs';

const SERVER = fileURLToPath(new URL('node-server.mjs', import.meta.url));
const FROM = sources('10.9.0');

/** A TIME-WAIT record is the same for both; raw connections leave less else behind. */
const MORE = { raw: ['finished'], sockets: ['http'] };

function finwait(api, offload) {
  return {
    name: `finwait ${api}${offload ? '' : ', no offload'}`,
    about: 'TUN, this package',
    offload,
    idles: offload ? Number.POSITIVE_INFINITY : 0,
    services: offload ? ['memory', ...MORE[api]] : [],
    needs: {},
    async start(server) {
      const args = ['--expose-gc', SERVER, api, ...(offload ? [] : ['--no-offload'])];
      await server.launch(process.execPath, args, 'ready');
      await addAddresses('fw0', FROM);
      server.address = '10.9.0.2';
      server.sources = FROM;
    },
  };
}

export const peers = [
  finwait('raw', true),
  finwait('sockets', true),
  finwait('raw', false),
  finwait('sockets', false),
];
